"""Predictions of several decoding settings from one pass over the audio and one encoder pass a batch.

Greedy search, beam search and sampling share the encoder's states, and the first 4 of 64 sampled captions are
those of K = 4, so that a comparison costs little more than its most expensive setting.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import compress
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field

from budew.captions.parse import parse
from budew.corpora.clip import Clip
from budew.errors import CorpusError, InputError
from budew.evaluation.pairs import Pair, Skipped
from budew.evaluation.predictions import Prediction
from budew.io.settings import Settings
from budew.profile import VoiceProfile

if TYPE_CHECKING:
    from budew.audio.samples import Window
    from budew.inference.captioned import WindowCaption
    from budew.model.checkpoint import Checkpoint

T = TypeVar("T")


class Decoding(Settings):
    """How scores are made: of the caption of a beam search, or the mean over sampled captions (K)."""

    num_beams: int = Field(default=1, ge=1, description="beam width; 1: greedy; without meaning for samples")
    num_samples: int = Field(
        default=0, ge=0, description="sampled captions; 0: one caption, of the beam search"
    )

    @property
    def name(self) -> str:
        """Short name for tables."""
        if self.num_samples:
            return f"K = {self.num_samples}"
        return "greedy" if self.num_beams == 1 else f"{self.num_beams} beams"


GREEDY = Decoding()
COMPARED = (GREEDY, Decoding(num_beams=4), *(Decoding(num_samples=number) for number in (4, 16, 64)))


def decoding_of(checkpoint: "Checkpoint", num_beams: int | None = None, num_samples: int = 0) -> Decoding:
    """Return the decoding of these options: with samples, the beam width does not change the scores.

    Args:
        checkpoint: the model.
        num_beams: beam width; None for that of the checkpoint.
        num_samples: captions to sample; 0 for the one caption.

    Raises:
        InputError: the beam width is out of range.
    """
    from budew.model.generate import number_of_beams

    if num_samples:
        return Decoding(num_samples=num_samples)
    return Decoding(num_beams=number_of_beams(checkpoint, num_beams))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Predictions for clips by decoding.

    Attributes:
        model: name of the checkpoint.
        references: id → profile of the clip, of all clips that were decoded.
        predictions: decoding → id → prediction; with a caption only where it is of a beam search.
        seconds: decoding → seconds of encoder and decoder for all clips.
        skipped: clips that cannot be decoded, or only in part.
    """

    model: str
    references: dict[str, VoiceProfile]
    predictions: dict[Decoding, dict[str, Prediction]]
    seconds: dict[Decoding, float]
    skipped: list[Skipped]

    def pairs(self, decoding: Decoding) -> list[Pair]:
        """Return references and predictions of one decoding."""
        found = self.predictions[decoding]
        return [Pair(id, self.references[id], one.profile, one.caption) for id, one in found.items()]


def decode_clips(
    clips: Iterable[Clip],
    checkpoint: "Checkpoint",
    decodings: Sequence[Decoding] = COMPARED,
    *,
    batch_size: int = 16,
) -> Decoded:
    """Caption clips under every decoding. Memory holds the audio of one batch, and all predictions.

    Args:
        clips: with profiles, each id once.
        checkpoint: of `budew.model.checkpoint.load_checkpoint`.
        decodings: different settings.
        batch_size: windows captioned at once.

    Raises:
        InputError: two clips have the same id, or a beam width is out of range.
        JobError: the model itself failed, for lack of memory for example.
    """
    from budew.inference.batching import gathered, padded_seconds

    found = Decoded(checkpoint.name, {}, {}, dict.fromkeys(decodings, 0.0), [])
    captioned: dict[Decoding, dict[str, list[WindowCaption]]] = {one: {} for one in decodings}
    windows = _windows(clips, checkpoint, found)

    def padded(named: "tuple[str, Window]") -> float:
        return padded_seconds(checkpoint, len(named[1].samples))

    for seconds, batch in filter(None, gathered(windows, padded, batch_size)):
        for decoding, captions in _decode_batch(checkpoint, batch, seconds, found.seconds).items():
            for (id, _), caption in zip(batch, captions, strict=True):
                captioned[decoding].setdefault(id, []).append(caption)
    for decoding, by_clip in captioned.items():
        found.predictions[decoding] = {
            id: _prediction(sorted(some, key=lambda one: one.start), with_caption=not decoding.num_samples)
            for id, some in ((id, by_clip[id]) for id in found.references)
        }
    return found


def _windows(
    clips: Iterable[Clip], checkpoint: "Checkpoint", found: Decoded
) -> "Iterator[tuple[str, Window]]":
    """Read the windows of the clips; add references and what cannot be read in full to `found`."""
    from budew.inference.recordings import from_clip

    for clip in clips:
        if clip.id in found.references:
            raise InputError(f"two clips have the id {clip.id!r}: give every clip its own id")
        try:
            windows = list(from_clip(clip).cut(checkpoint.window_seconds, checkpoint.sampling_rate))
        except (CorpusError, OSError) as error:
            found.skipped.append(Skipped(clip.id, str(error)))
            continue
        if damage := next((window.damage for window in windows if window.damage), None):
            found.skipped.append(Skipped(clip.id, damage))
        elif clip.profile is not None:
            found.references[clip.id] = clip.profile
            yield from ((clip.id, window) for window in windows)


def _prediction(windows: "Sequence[WindowCaption]", *, with_caption: bool) -> Prediction:
    from budew.inference.captioned import pool  # torch takes seconds

    return Prediction(pool(windows), " ".join(one.text for one in windows) if with_caption else None)


def _decode_batch(
    checkpoint: "Checkpoint",
    batch: "Sequence[tuple[str, Window]]",
    padded: float,
    seconds: dict[Decoding, float],
) -> "dict[Decoding, list[WindowCaption]]":
    """Caption the windows that are not silent under every decoding, in order; add to `seconds`."""
    from budew.audio.samples import is_silent
    from budew.inference.captioned import SILENCE, WindowCaption, clean
    from budew.inference.captioner import model_errors
    from budew.inference.loops import without_loop
    from budew.inference.self_consistency import expectation

    voiced = [not is_silent(window.samples, checkpoint.sampling_rate) for _, window in batch]
    sounds = [window.samples for _, window in compress(batch, voiced)]
    with model_errors(str(checkpoint.model.device), batch[0][0], len(sounds)):
        texts = _texts(checkpoint, sounds, padded, seconds) if sounds else {one: [] for one in seconds}
    parsed = cache(lambda text: parse(text).profile)  # sampled captions repeat
    captions: dict[Decoding, list[WindowCaption]] = {}
    for decoding, of_windows in texts.items():
        left = iter(of_windows)
        captions[decoding] = []
        for (_, window), has_sound in zip(batch, voiced, strict=True):
            several = [without_loop(clean(text)[0]) for text in next(left)] if has_sound else [SILENCE]
            profile = expectation([parsed(text) for text in several])
            captions[decoding].append(WindowCaption(window.start, window.end, several[0], profile))
    return captions


def _texts(
    checkpoint: "Checkpoint", windows: Sequence[Any], padded: float, seconds: dict[Decoding, float]
) -> dict[Decoding, list[tuple[str, ...]]]:
    """Return the texts of each window under every decoding, one or K; add to `seconds`."""
    from budew.inference.backends import Asked, TransformersBackend
    from budew.inference.self_consistency import sample_captions
    from budew.model.generate import encode, features_of

    write = TransformersBackend(checkpoint).write_encoded
    features = features_of(checkpoint, windows, seconds=padded)
    if len(seconds) > 1 and not any(seconds.values()):
        write(encode(checkpoint, windows, features), Asked())  # the first run takes longer
    encoded, encoding = _timed(partial(encode, checkpoint, windows, features))
    texts: dict[Decoding, list[tuple[str, ...]]] = {}
    drawn: list[tuple[str, ...]] = [() for _ in windows]
    drawing = 0.0
    for decoding in sorted(seconds, key=lambda one: one.num_samples):
        if decoding.num_samples:
            first = len(drawn[0])
            number = decoding.num_samples - first
            more, took = _timed(
                partial(sample_captions, checkpoint, encoded, num_samples=number, first=first)
            )
            drawn = [(*some, *new) for some, new in zip(drawn, more, strict=True)]
            drawing += took
            texts[decoding], took = drawn, drawing
        else:
            single, took = _timed(partial(write, encoded, Asked(decoding.num_beams)))
            texts[decoding] = [(one.text,) for one in single]
        seconds[decoding] += encoding + took
    return texts


def _timed(function: Callable[[], T]) -> tuple[T, float]:
    """Return the result and the seconds that it took, on a GPU until all is computed."""
    import torch

    start = time.perf_counter()
    result = function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return result, time.perf_counter() - start
