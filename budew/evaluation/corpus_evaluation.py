"""Evaluate a corpus: caption its clips, or read predictions made elsewhere, and compare with its profiles."""

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import tee
from pathlib import Path
from typing import Any

from budew.corpora import Clip
from budew.corpora.sources import Progress, counted, read
from budew.errors import InputError
from budew.evaluation.predictions import read_predictions
from budew.evaluation.results import Evaluation, Pair, Settings, Skipped, evaluate
from budew.taxonomy.scales import INTENSITY


def evaluate_corpus(
    corpus: str | Path,
    *,
    model: str | Path | None = None,
    predictions: Path | None = None,
    scale: str = INTENSITY.name,
    device: str | None = None,
    batch_size: int = 16,
    num_samples: int = 0,
    examples: int = 12,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare the predictions of a model for the clips of a corpus with their profiles.

    Clips without a profile or of unknown emotions, clips that cannot be captioned and damaged ones are left
    out of the metrics and listed in `skipped`. Memory holds one batch of audio and that of the examples.

    Args:
        corpus: whatever `budew.corpora.read` reads; its clips need profiles.
        model: folder or hub id of a checkpoint; the embedded one where left out.
        predictions: JSON Lines to evaluate instead of a model, see `read_predictions`.
        scale: of the numbers in `predictions`.
        device: such as "cpu" or "cuda"; the fastest available where left out.
        batch_size: windows captioned at once.
        num_samples: captions sampled for each window, whose mean is evaluated; 0 evaluates the one caption.
        examples: number of clips whose audio is kept for a report; chosen by a hash of their ids.
        settings: bootstrap resamples, permutations and seed.
        progress: called after each clip.

    Raises:
        InputError: no clip can be evaluated, predictions and corpus differ in ids, or both a model and
            predictions are given.
        CorpusError: there is no corpus.
        CheckpointError: the model cannot be loaded.
    """
    if model is not None and predictions is not None:
        raise InputError("both a model and predictions are given: evaluate one at a time")
    skipped: list[Skipped] = []
    clips = _with_reference(corpus, skipped)
    if predictions is not None:
        name, pairs = predictions.name, _from_file(predictions, clips, skipped, scale, str(corpus))
    else:
        options = {"device": device, "batch_size": batch_size, "num_samples": num_samples}
        name, pairs = _from_model(model, clips, skipped, options)
    kept = _with_examples(counted(pairs, progress), examples)
    return evaluate(kept, model=name, corpus=str(corpus), skipped=skipped, settings=settings)


def _with_reference(corpus: str | Path, skipped: list[Skipped]) -> Iterator[Clip]:
    """Read the clips whose emotions are known; add the others and what cannot be read to `skipped`."""
    for clip in read(corpus, on_bad=lambda error: skipped.append(Skipped(str(corpus), str(error)))):
        if clip.profile is None:
            skipped.append(Skipped(clip.id, "the clip has no profile to compare with"))
        elif not clip.profile.emotions_known:
            skipped.append(Skipped(clip.id, "the emotions of its profile are unknown"))
        else:
            yield clip


def _from_file(
    path: Path, clips: Iterable[Clip], skipped: Sequence[Skipped], scale: str, corpus: str
) -> Iterator[Pair]:
    """Give a pair for each clip; predictions may be there for those that are skipped, too."""
    predictions = read_predictions(path, scale=scale)
    seen: set[str] = set()
    for clip in clips:
        seen.add(clip.id)
        prediction = predictions.get(clip.id)
        if prediction is not None and clip.profile is not None:
            yield Pair(clip.id, clip.profile, prediction.profile, prediction.caption, clip.audio)
    given = set(predictions) - ({clip.id for clip in skipped} - seen)
    if differing := sorted(given ^ seen):
        raise InputError(
            f"the predictions and {corpus} differ in {len(differing)} clips, such as "
            f"{', '.join(map(repr, differing[:5]))}: predict every clip, under the corpus's own ids"
        )


def _from_model(
    model: str | Path | None,
    clips: Iterable[Clip],
    skipped: list[Skipped],
    options: Mapping[str, Any],
) -> tuple[str, Iterator[Pair]]:
    """Load the model and return its name and, lazily, the pairs; clips it fails on go to `skipped`."""
    from budew.inference import Captioner, Failure  # torch takes seconds, and predictions do not need it

    captioner = Captioner.from_pretrained(model, **options)

    def pairs() -> Iterator[Pair]:
        captioned, kept = tee(clips)  # holds the clips of a batch
        for clip, result in zip(kept, captioner.caption_clips(captioned), strict=True):
            if isinstance(result, Failure):
                skipped.append(Skipped(clip.id, result.reason))
            elif result.damaged:  # the reference profile is that of the whole clip
                skipped.append(Skipped(clip.id, result.damaged))
            elif clip.profile is not None:
                yield Pair(clip.id, clip.profile, result.profile, result.caption, clip.audio)

    return captioner.checkpoint.name, pairs()


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
