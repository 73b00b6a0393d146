"""Evaluate a corpus: caption its clips, or read predictions made elsewhere, and compare with its profiles."""

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from budew.corpora import Clip
from budew.corpora.sources import Progress, counted, read
from budew.evaluation.pairs import SCORED_TRAITS, Pair, Skipped, has_labels
from budew.evaluation.predictors import ModelPredictor, Predictor, predicted
from budew.evaluation.results import Evaluation, evaluate
from budew.statistics.resampling import Resampling


def evaluate_corpus(
    corpus: str | Path,
    predictor: Predictor | None = None,
    *,
    examples: int = 12,
    settings: Resampling | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score predictions for the clips of a corpus, with the profiles of the clips as labels.

    Clips without a label to score, clips that cannot be captioned and damaged clips are left out of the
    metrics and listed in `skipped`. Only one batch of audio and the examples are held in memory.

    Args:
        corpus: whatever `budew.corpora.read` reads; its clips need profiles.
        predictor: a captioner or a file of predictions; default: the checkpoint in the package.
        examples: number of clips whose audio is kept for a report; chosen by a hash of their ids.
        settings: number of bootstrap resamples and permutations, and seed; default: `Resampling()`.
        progress: called after each clip.

    Raises:
        CorpusError: the corpus cannot be read.
        InputError: a file of predictions lacks clips, or no clip can be compared.
        CheckpointError: the model cannot be loaded.

    Example:
        >>> from budew.corpora import write_shard
        >>> from budew.evaluation import FilePredictor
        >>> from budew.profile import VoiceProfile
        >>> clips = [Clip(name, b"RIFF", "wav", profile=VoiceProfile({"Awe": 0.5})) for name in ("a", "b")]
        >>> _ = write_shard(Path("test.tar"), clips)
        >>> _ = Path("scores.jsonl").write_text('{"id": "a", "Awe": 0.5}\\n{"id": "b", "Awe": 0.25}')
        >>> few = Resampling(resamples=20, permutations=5)
        >>> evaluate_corpus("test.tar", FilePredictor("scores.jsonl"), settings=few).mean["mae"].value
        1.25
    """
    predictor = predictor or ModelPredictor()
    skipped: list[Skipped] = []
    clips = _with_reference(corpus, skipped)
    found = counted(predicted(clips, lambda clip: clip, predictor, skipped), progress)
    pairs = _with_examples(
        (
            Pair(clip.id, clip.profile, made.profile, made.caption, clip.audio, clip.speaker)
            for clip, made in found
            if made is not None and clip.profile is not None
        ),
        examples,
    )
    predictor.check_complete(str(corpus))
    scored = evaluate(pairs, model=predictor.name, corpus=str(corpus), skipped=skipped, settings=settings)
    return replace(scored, trained_on=predictor.trained_on)


def _with_reference(corpus: str | Path, skipped: list[Skipped]) -> Iterator[Clip]:
    """Read the clips of which something is known; add the others and what cannot be read to `skipped`."""
    for clip in read(corpus, on_bad=lambda error: skipped.append(Skipped(str(corpus), str(error)))):
        if clip.profile is None:
            remedy = "budew corpus annotate labels makes one of its captions"
            skipped.append(Skipped(clip.id, f"the clip has no profile to compare with: {remedy}"))
        elif clip.is_withheld:
            skipped.append(Skipped(clip.id, "the clip is withheld: it joins a minor with sexual content"))
        elif not has_labels(clip.profile):
            scored = ", ".join(SCORED_TRAITS)
            skipped.append(Skipped(clip.id, f"no emotion is rated, and no vocal burst, {scored} is known"))
        else:
            yield clip


def _with_examples(pairs: Iterable[Pair], examples: int) -> list[Pair]:
    """Collect the pairs; keep the audio of `examples` of them only, chosen by a hash of their ids."""
    kept: list[Pair] = []
    playable: list[tuple[int, int]] = []
    for place, pair in enumerate(pairs):
        kept.append(pair)
        digest = int.from_bytes(hashlib.sha256(pair.id.encode()).digest()[:8], "big")
        heapq.heappush(playable, (-digest, place))
        if len(playable) > examples:
            _, dropped = heapq.heappop(playable)
            kept[dropped] = replace(kept[dropped], audio=None)
    return kept
