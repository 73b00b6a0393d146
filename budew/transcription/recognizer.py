"""`Transcriber`: transcripts of recordings, by any Whisper checkpoint.

The language is given, or detected once for a recording, and decoding is deterministic: no timestamps, no
retries at a higher temperature. Recordings longer than the model's window are cut at the quietest place in
the last third of each window, so that few words are cut in two. Silent windows are not transcribed: a model
hallucinates words there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from budew.audio.samples import is_silent
from budew.errors import CheckpointError
from budew.model.checkpoint import Checkpoint, load_checkpoint
from budew.model.generate import features_of, generation_config_set, generation_settings
from budew.quiet import quiet_transformers
from budew.segmentation.language import BCP_47, detect_languages

BATCH = 8
"""Windows transcribed at once."""
_CODES = {tag: code for code, tag in BCP_47.items()}
_QUIET = 0.1  # seconds over which loudness is measured to find a place to cut

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Transcriber:
    """A checkpoint that transcribes. Small until it is used: it can be pickled into workers.

    Attributes:
        model: folder, or name on the Hugging Face hub, such as `openai/whisper-small`.
        device: as for `load_checkpoint`.
        batch_size: windows at once; does not change the transcripts.
    """

    model: str
    device: str | None = None
    batch_size: int = BATCH

    @property
    def sampling_rate(self) -> int:
        """Hz of the samples that are taken."""
        return _loaded(self.model, self.device).sampling_rate

    @property
    def name(self) -> str:
        """Name of the checkpoint, without the folder that it lies in."""
        return _loaded(self.model, self.device).name

    def require_languages(self, languages: Iterable[str | None]) -> None:
        """Raise `CheckpointError` unless the checkpoint knows each of the languages."""
        checkpoint = _loaded(self.model, self.device)
        for language in languages:
            _set_language(generation_settings(checkpoint), checkpoint, language)

    def detect(self, recordings: Sequence[Samples]) -> list[str]:
        """Return the BCP 47 tag of the language that each recording begins in, by its first window.

        An English-only checkpoint gives `en`.

        Args:
            recordings: mono samples (n,) each, at `sampling_rate`, of any length.

        Raises:
            CheckpointError: there is no such checkpoint.
        """
        checkpoint = _loaded(self.model, self.device)
        longest = round(checkpoint.window_seconds * checkpoint.sampling_rate)
        found: list[str] = []
        for start in range(0, len(recordings), self.batch_size):
            batch = [samples[:longest] for samples in recordings[start : start + self.batch_size]]
            found += _detected(checkpoint, batch)
        return found

    def transcribe(self, recordings: Sequence[Samples], *, languages: Sequence[str | None]) -> list[str]:
        """Return the transcript of each recording, on one line each.

        Args:
            recordings: mono samples (n,) each, at `sampling_rate`, of any length.
            languages: BCP 47 tag of each; None lets the model guess, window by window.

        Raises:
            CheckpointError: there is no such checkpoint, or it does not know a language.
        """
        checkpoint = _loaded(self.model, self.device)
        longest = round(checkpoint.window_seconds * checkpoint.sampling_rate)
        texts: list[list[str]] = [[] for _ in recordings]
        for language in dict.fromkeys(languages):
            windows = [
                (number, window)
                for number, samples in enumerate(recordings)
                if languages[number] == language
                for window in _windows(samples, longest, checkpoint.sampling_rate)
                if not is_silent(window, checkpoint.sampling_rate)
            ]
            for start in range(0, len(windows), self.batch_size):
                batch = windows[start : start + self.batch_size]
                transcribed = _transcribe(checkpoint, [window for _, window in batch], language)
                for (number, _), text in zip(batch, transcribed, strict=True):
                    texts[number].append(text)
        return [" ".join(" ".join(parts).split()) for parts in texts]


@lru_cache(maxsize=1)
def _loaded(model: str, device: str | None) -> Checkpoint:
    return load_checkpoint(model, device=device)


def _transcribe(checkpoint: Checkpoint, windows: list[Samples], language: str | None) -> list[str]:
    model, settings = checkpoint.model, generation_settings(checkpoint)
    _set_language(settings, checkpoint, language)
    with torch.inference_mode(), quiet_transformers(), generation_config_set(model, settings):
        tokens = model.generate(features_of(checkpoint, windows), force_unique_generate_call=True)
    texts: list[str] = checkpoint.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
    return texts


def _detected(checkpoint: Checkpoint, windows: list[Samples]) -> list[str]:
    if not _languages(generation_settings(checkpoint)):
        return ["en" for _ in windows]
    with torch.inference_mode(), quiet_transformers():
        return detect_languages(checkpoint.model, features_of(checkpoint, windows))


def _languages(settings: Any) -> dict[str, int]:
    """Return the language tokens of a checkpoint; none for an English-only one."""
    if getattr(settings, "is_multilingual", None) is False:
        return {}
    return getattr(settings, "lang_to_id", None) or {}


def _set_language(settings: Any, checkpoint: Checkpoint, language: str | None) -> None:
    """Set the language, or leave it to the model; an English-only checkpoint has no such setting."""
    known = _languages(settings)
    tag = (language or "").partition("-")[0].lower()
    code = _CODES.get(tag, tag)
    if not known:
        if code not in ("", "en"):
            raise CheckpointError(
                f"{checkpoint.name} is English-only and does not know {language!r}: use another checkpoint"
            )
        return
    if code and f"<|{code}|>" not in known:
        raise CheckpointError(
            f"{checkpoint.name} does not know the language {language!r}: use another checkpoint"
        )
    settings.language, settings.task = code or None, "transcribe"
    settings.forced_decoder_ids = None


def _windows(samples: Samples, longest: int, sampling_rate: int) -> Iterator[Samples]:
    while len(samples) > longest:
        cut = _quietest(samples, longest * 2 // 3, longest, round(_QUIET * sampling_rate))
        yield samples[:cut]
        samples = samples[cut:]
    yield samples


def _quietest(samples: Samples, start: int, end: int, width: int) -> int:
    """Return the middle of the quietest `width` samples between two places."""
    power = np.cumsum(np.concatenate([[0.0], samples[start:end].astype(np.float64) ** 2]))
    return start + int(np.argmin(power[width:] - power[:-width])) + width // 2
