"""The language of a clip: detected by a Whisper, and compared with those to keep.

Tags are compared as BCP 47 ranges: "en" keeps "en" and "en-US", "pt-BR" does not keep "pt".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from budew.audio.decoders import Samples
from budew.audio.samples import resampled
from budew.errors import FilteredError, JobError

BCP_47 = {"jw": "jv"}
"""Whisper's codes that are no subtags (IANA registry): Javanese."""


def check_language(language: str | None, wanted: Sequence[str]) -> None:
    """Raise `FilteredError` unless a clip in `language` is wanted.

    Args:
        language: BCP 47 tag, None if unknown.
        wanted: BCP 47 tags; everything when empty.
    """
    if wanted and language is None:
        raise FilteredError("left out: its language is not known: give a model that detects it")
    if wanted and not any(_within(str(language), tag) for tag in wanted):
        raise FilteredError(f"left out: its language is {language}, not {' or '.join(wanted)}")


def detect_languages(model: Any, features: Any) -> list[str]:
    """Return the BCP 47 tag of the language that each recording begins in.

    Args:
        model: a `WhisperForConditionalGeneration` whose generation config has `lang_to_id`.
        features: log-mel spectrograms (n, bands, frames) of the model's window, on its device.
    """
    import torch

    codes = {id: token.strip("<|>") for token, id in model.generation_config.lang_to_id.items()}
    with torch.inference_mode():
        found = model.detect_language(features, num_segment_frames=2 * model.config.max_source_positions)
    return [BCP_47.get(codes[id], codes[id]) for id in found.tolist()]


@dataclass(frozen=True, slots=True)
class LanguageDetector:
    """A multilingual Whisper that detects the language of samples."""

    model: Any
    extractor: Any

    def detect(self, samples: Samples, sampling_rate: int) -> str:
        """Return the BCP 47 tag of the language in the first window (30 s as a rule) of samples (n,)."""
        rate = self.extractor.sampling_rate
        at_rate = np.concatenate(list(resampled([samples], source=sampling_rate, target=rate)))
        features = self.extractor(at_rate, sampling_rate=rate, return_tensors="pt").input_features
        return detect_languages(self.model, features.to(self.model.device))[0]


@cache
def load_detector(name: str) -> LanguageDetector:
    """Load a checkpoint, once for each process.

    Args:
        name: folder or hub id.

    Raises:
        JobError: there is no such Whisper in safetensors, or it knows one language only.
    """
    import torch  # seconds, and only this filter needs them
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    whisper: Any = WhisperForConditionalGeneration
    try:
        model = whisper.from_pretrained(name, use_safetensors=True, dtype=torch.float32)
        extractor = WhisperFeatureExtractor.from_pretrained(name)
    except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise JobError(f"{name}: no Whisper that detects languages can be loaded ({reason})") from error
    if not getattr(model.generation_config, "lang_to_id", None):
        raise JobError(f"{name}: it has no table of languages: use a multilingual Whisper")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return LanguageDetector(model.to(device).eval(), extractor)


def _within(language: str, wanted: str) -> bool:
    tag, broader = (name.strip().replace("_", "-").lower() for name in (language, wanted))
    return tag == broader or tag.startswith(f"{broader}-")
