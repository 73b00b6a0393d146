"""Pooled and flattened heads compared with captions: quality on unknown voices, size and time.

    python benchmarks/heads.py [--clips 2000] [--test 400] [--emotions 8] [--encoder DIR] [--keep DIR]

Heads of both layouts are trained on synthetic speech, with the encoder of the default checkpoint or of
another one; flattened heads with the absolute error of the published heads, and also with the squared error.
Heads and parsed captions of the same checkpoint are scored on clips of other voices: mean Spearman over the
emotions, where an emotion without a head counts as always absent. Only some emotions, evenly spaced among the
40, are compared, since ten flattened heads take minutes. Parameters and bytes do not include the shared
encoder.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from budew.annotation.head_annotator import AnnotateByHeads
from budew.corpora import Clip, read, write_shard
from budew.errors import CorpusError
from budew.evaluation import Evaluation, ModelPredictor, Pair, evaluate, evaluate_corpus
from budew.heads.head_training import train_heads
from budew.heads.stack_training import FittingOptions
from budew.inference.options import ModelOptions
from budew.jobs import run
from budew.model.checkpoint import load_checkpoint
from budew.profile import VoiceProfile
from budew.synthesis import Synthesis
from budew.taxonomy import EMOTIONS

Result = TypeVar("Result")
HEADS = {
    "pooled heads": FittingOptions(),
    "flattened heads, absolute error": FittingOptions(layout="flattened"),
    "flattened heads, squared error": FittingOptions(layout="flattened", loss="squared"),
}


def main() -> None:
    """Print a row for each kind of heads, and one for captions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=int, default=2000, help="number of clips to train on")
    parser.add_argument("--test", type=int, default=400, help="number of clips to score, by other voices")
    parser.add_argument("--encoder", default=None, help="folder or hub id of a checkpoint")
    parser.add_argument("--emotions", type=int, default=8, help="number of emotions to compare")
    parser.add_argument(
        "--keep", type=Path, default=None, help="folder for the speech, which is reused if it exists"
    )
    given = parser.parse_args()
    columns = ("mean Spearman", "95 % interval", "heads", "parameters", "MB", "training, s", "ms a clip")
    table = Table("", *columns, title=f"{given.clips} clips to train on, {given.test} to test")
    with TemporaryDirectory() as name:
        folder = Path(name)
        speech: Path = given.keep or folder / "speech"
        run(Synthesis(71, "train"), range(given.clips), speech / "train")
        run(Synthesis(90210, "test"), range(given.test), speech / "test")
        train, test = folder / "train.tar", folder / "test.tar"
        for shard in (train, test):
            write_shard(shard, rated(speech / shard.stem, EMOTIONS[:: len(EMOTIONS) // given.emotions]))
        for kind, options in HEADS.items():
            table.add_row(kind, *by_heads(train, test, folder / kind, options, given))
        table.add_row("captions, parsed", *by_captions(test, given))
    Console(width=140).print(table)


def rated(corpus: Path, emotions: Sequence[str]) -> Iterator[Clip]:
    """Yield clips in which only `emotions` are rated."""
    for clip in read(corpus):
        if clip.profile is not None:
            yield replace(clip, profile=VoiceProfile(clip.profile.emotions, rated=emotions))


def by_heads(
    train: Path, test: Path, out: Path, options: FittingOptions, given: argparse.Namespace
) -> tuple[str, ...]:
    """Train heads, and score the test clips by them."""

    def trained() -> int:
        try:
            return len(train_heads(train, out, encoder=given.encoder, options=options).heads)
        except CorpusError as error:
            print(error)
            return 0

    heads, training = timed(trained)
    if not heads:
        return ("0", "", "0", "", "", f"{training:.0f}", "")
    found, scoring = timed(lambda: scored(test, out))
    size = sum(file.stat().st_size for file in out.glob("*.pth"))
    return row(found, str(heads), size / 4, size, f"{training:.0f}", scoring)


def scored(test: Path, heads: Path) -> Evaluation:
    """Score clips without their profiles."""
    clips = {clip.id: clip for clip in read(test)}
    bare = (replace(clip, profile=None) for clip in clips.values())
    absent = dict.fromkeys(EMOTIONS, 0.0)
    pairs = []
    for clip in AnnotateByHeads(heads).run(bare, lambda _, error: print(error)):
        profile, reference = clip.profile, clips[clip.id].profile
        if profile is not None and reference is not None:
            pairs.append(Pair(clip.id, reference, VoiceProfile(absent | dict(profile.emotions))))
    return evaluate(pairs)


def by_captions(test: Path, given: argparse.Namespace) -> tuple[str, ...]:
    """Caption the test clips."""
    model = load_checkpoint(given.encoder).model
    encoder = {id(weights) for weights in model.get_encoder().parameters()}
    behind = [weights for weights in model.parameters() if id(weights) not in encoder]
    found, scoring = timed(lambda: evaluate_corpus(test, ModelPredictor(ModelOptions(given.encoder))))
    size = sum(weights.numel() * weights.element_size() for weights in behind)
    return row(found, "", sum(weights.numel() for weights in behind), size, "", scoring)


def row(
    found: Evaluation, heads: str, parameters: float, size: int, training: str, scoring: float
) -> tuple[str, ...]:
    """Return a row of the table."""
    spearman = found.mean["spearman"].to_dict()
    value, low, high = (spearman[key] or 0.0 for key in ("value", "low", "high"))
    each = 1000 * scoring / len(found.pairs)
    interval = f"{low:.3f} to {high:.3f}"
    return (
        f"{value:.3f}",
        interval,
        heads,
        f"{parameters / 1e6:.2f} M",
        f"{size / 1e6:.1f}",
        training,
        f"{each:.0f}",
    )


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Return the result and the seconds that it took."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    main()
