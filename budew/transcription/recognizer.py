"""`Transcriber`: transcribes recordings with any Whisper checkpoint.

The language is given, or detected once per recording, and decoding is deterministic, without timestamps and
retries at a higher temperature. Recordings longer than the model's window are cut at the quietest place in
the last third of each window, so that few words are cut in two. Silent windows are not transcribed: models
hallucinate words there.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from budew.audio.samples import decode, is_silent
from budew.corpora.clip import Clip
from budew.errors import CheckpointError
from budew.jobs.job import OnFailed
from budew.model.build import languages_of
from budew.model.checkpoint import Checkpoint, load_checkpoint
from budew.model.generate import features_of, generate, generation_settings, texts_of
from budew.model.quiet import quiet_transformers
from budew.segmentation.language_detector import BCP_47, detect_languages

BATCH = 8
"""Default number of windows per batch."""
_CODES = {tag: code for code, tag in BCP_47.items()}
_QUIET = 0.1  # seconds over which loudness is measured to find a place to cut

Samples = NDArray[np.float32]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Transcriber:
    """Speech recognizer. The checkpoint is loaded at first use, so that workers can unpickle this object.

    Attributes:
        model: folder of a Whisper checkpoint, or its name on the hub, such as `openai/whisper-small`.
        device: device of PyTorch, such as "cuda:1"; None: a GPU if there is one, otherwise the CPU.
        batch_size: windows per batch; it does not change the transcripts.
    """

    model: str
    device: str | None = None
    batch_size: int = BATCH

    @property
    def sampling_rate(self) -> int:
        """Sampling rate of the input in Hz."""
        return _load_once(self.model, self.device).sampling_rate

    @property
    def name(self) -> str:
        """Name of the checkpoint: the last part of its path."""
        return _load_once(self.model, self.device).name

    def decode(self, clips: Sequence[Clip], failed: OnFailed) -> dict[int, Samples]:
        """Decode clips; return the index of each decodable clip in `clips` to its samples.

        Args:
            clips: clips to decode.
            failed: called with id and error of each clip that cannot be decoded.
        """
        samples = dict[int, Samples]()
        for number, clip in enumerate(clips):
            try:
                decoded = decode(clip.audio, sampling_rate=self.sampling_rate, name=f"clip {clip.id!r}")
                samples[number] = decoded.usable
            except Exception as error:  # noqa: BLE001  # whatever happens to one clip, the others continue
                failed(clip.id, error)
        return samples

    def require_languages(self, languages: Iterable[str | None]) -> None:
        """Raise `CheckpointError` unless the checkpoint supports all `languages` (BCP 47 tags or None)."""
        for language in languages:
            _settings_for(_load_once(self.model, self.device), language)

    def detect(self, recordings: Sequence[Samples]) -> list[str]:
        """Detect the language of the first window of each recording; return BCP 47 tags.

        Recordings are mono samples (n,) at `sampling_rate`. An English-only checkpoint always returns `en`.
        """
        checkpoint = _load_once(self.model, self.device)
        if not languages_of(checkpoint.model.generation_config):
            return ["en" for _ in recordings]
        found: list[str] = []
        with torch.inference_mode(), quiet_transformers():
            for batch in self._batches([samples[: _window_length(checkpoint)] for samples in recordings]):
                found += detect_languages(checkpoint.model, features_of(checkpoint, batch))
        return found

    def transcribe(self, recordings: Sequence[Samples], *, languages: Sequence[str | None]) -> list[str]:
        """Return the transcript of each recording, without line breaks.

        Args:
            recordings: mono samples (n,) each, at `sampling_rate`, of any length.
            languages: BCP 47 tag for each recording; None: the model detects the language of each window.

        Raises:
            CheckpointError: the checkpoint is missing, or does not support a language.
        """
        checkpoint = _load_once(self.model, self.device)
        rate = checkpoint.sampling_rate
        texts: list[list[str]] = [[] for _ in recordings]
        for language in dict.fromkeys(languages):
            settings = _settings_for(checkpoint, language)
            windows = [
                (texts[number], window)
                for number, samples in enumerate(recordings)
                if languages[number] == language
                for window in _windows(samples, _window_length(checkpoint), rate)
                if not is_silent(window, rate)
            ]
            for batch in self._batches(windows):
                features = features_of(checkpoint, [window for _, window in batch])
                tokens = generate(checkpoint, copy.deepcopy(settings), features)
                for (parts, _), text in zip(batch, texts_of(checkpoint, tokens), strict=True):
                    parts.append(text)
        return [" ".join(" ".join(parts).split()) for parts in texts]

    def _batches(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        return (items[start : start + self.batch_size] for start in range(0, len(items), self.batch_size))


@lru_cache(maxsize=1)
def _load_once(model: str, device: str | None) -> Checkpoint:
    return load_checkpoint(model, device=device)


def _window_length(checkpoint: Checkpoint) -> int:
    """Return the number of samples of a window."""
    return round(checkpoint.window_seconds * checkpoint.sampling_rate)


def _settings_for(checkpoint: Checkpoint, language: str | None) -> Any:
    """Return generation settings for a language; None: the model detects the language."""
    settings = generation_settings(checkpoint)
    known = languages_of(settings)
    tag = (language or "").partition("-")[0].lower()
    code = _CODES.get(tag, tag)
    if code and f"<|{code}|>" not in (known or {"<|en|>"}):
        only = "" if known else "is English-only and "
        raise CheckpointError(
            f"{checkpoint.name} {only}does not support the language {language!r}: use another checkpoint"
        )
    if known:
        settings.language, settings.task = code or None, "transcribe"
        settings.forced_decoder_ids = None
    return settings


def _windows(samples: Samples, longest: int, sampling_rate: int) -> Iterator[Samples]:
    while len(samples) > longest:
        cut = _quietest(samples, longest * 2 // 3, longest, round(_QUIET * sampling_rate))
        yield samples[:cut]
        samples = samples[cut:]
    yield samples


def _quietest(samples: Samples, start: int, end: int, width: int) -> int:
    """Return the middle of the quietest `width` samples between the samples `start` and `end`."""
    power = np.cumsum(np.concatenate([[0.0], samples[start:end].astype(np.float64) ** 2]))
    return start + int(np.argmin(power[width:] - power[:-width])) + width // 2
