"""Evaluate a corpus: caption its clips, or read predictions made elsewhere, and compare with its profiles."""

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import tee
from pathlib import Path

from budew.corpora import Clip
from budew.corpora.sources import Progress, counted, read
from budew.errors import InputError
from budew.evaluation.pairs import SCORED_TRAITS, Pair, Skipped, has_labels
from budew.evaluation.predictions import NamedClips, Prediction, audio_name, by_id, read_predictions
from budew.evaluation.results import Evaluation, evaluate
from budew.statistics.resampling import Resampling
from budew.taxonomy.scales import INTENSITY


def evaluate_corpus(
    corpus: str | Path,
    *,
    model: str | Path | None = None,
    predictions: str | Path | None = None,
    scale: str = INTENSITY.name,
    backend: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    batch_size: int = 16,
    num_samples: int = 0,
    examples: int = 12,
    settings: Resampling | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare the predictions of a model for the clips of a corpus with their profiles.

    Clips of which nothing that is scored is known, clips that cannot be captioned and damaged ones are left
    out of the metrics and listed in `skipped`. Memory holds one batch of audio and that of the examples.

    Args:
        corpus: whatever `budew.corpora.read` reads; its clips need profiles.
        model: folder or hub id of a checkpoint; the embedded one where left out.
        predictions: file or folder to evaluate instead of a model, see `read_predictions`.
        scale: of the numbers in `predictions`.
        backend, device, dtype: as of `budew.inference.backends.load_backend`.
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
        name, pairs = Path(predictions).name, _from_file(predictions, clips, scale, str(corpus))
    else:
        name, predicted = predict_clips(
            clips,
            model,
            skipped=skipped,
            backend=backend,
            device=device,
            dtype=dtype,
            batch_size=batch_size,
            num_samples=num_samples,
        )
        pairs = _pairs(predicted)
    kept = _with_examples(counted(pairs, progress), examples)
    return evaluate(kept, model=name, corpus=str(corpus), skipped=skipped, settings=settings)


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


def _from_file(path: str | Path, clips: Iterable[Clip], scale: str, corpus: str) -> Iterator[Pair]:
    """Give a pair for each clip, by its id or the name of its audio; other predictions are not used."""
    predictions = NamedClips(read_predictions(path, scale=scale))
    lacking = []
    for clip in clips:
        found = by_id(predictions, clip.id) or by_id(predictions, audio_name(clip))
        if found is None:
            lacking.append(audio_name(clip))
        elif clip.profile is not None:
            yield Pair(clip.id, clip.profile, found.profile, found.caption, clip.audio, clip.speaker)
    if lacking:
        raise InputError(
            f"{path} has no prediction for {len(lacking)} clips of {corpus}, such as "
            f"{', '.join(map(repr, lacking[:5]))}: predict every clip, null where the model refuses"
        )


def predict_clips(
    clips: Iterable[Clip],
    model: str | Path | None = None,
    *,
    skipped: list[Skipped],
    backend: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    batch_size: int = 16,
    num_samples: int = 0,
    expected: bool = False,
) -> tuple[str, Iterator[tuple[Clip, Prediction]]]:
    """Load a model and return its name and, lazily, each clip with its prediction.

    Args:
        clips: of `budew.read`.
        model, backend, device, dtype, batch_size, num_samples: as for `evaluate_corpus`.
        expected: predict plain means over the samples; else weak emotions are left out, see `Captioned`.
        skipped: damaged clips, and those that cannot be captioned, are added to it and not returned.

    Raises:
        CheckpointError: the model cannot be loaded.
    """
    from budew.inference import Captioner, Failure  # torch takes seconds, and predictions do not need it

    captioner = Captioner.from_pretrained(
        model,
        backend=backend,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        num_samples=num_samples,
    )

    def predicted() -> Iterator[tuple[Clip, Prediction]]:
        captioned, kept = tee(clips)  # holds the clips of a batch
        for clip, result in zip(kept, captioner.caption_clips(captioned), strict=True):
            if isinstance(result, Failure):
                skipped.append(Skipped(clip.id, result.reason))
            elif result.damaged:  # a reference is that of the whole clip
                skipped.append(Skipped(clip.id, result.damaged))
            else:
                yield clip, Prediction(result.expected if expected else result.profile, result.caption)

    return captioner.backend.name, predicted()


def _pairs(predicted: Iterable[tuple[Clip, Prediction]]) -> Iterator[Pair]:
    for clip, found in predicted:
        if clip.profile is not None:
            yield Pair(clip.id, clip.profile, found.profile, found.caption, clip.audio, clip.speaker)


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
