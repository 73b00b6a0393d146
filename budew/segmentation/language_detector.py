"""`LanguageDetector`: detects the language of a clip, as a BCP 47 tag, with a multilingual Whisper."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

from budew.audio.decoders import Samples
from budew.audio.samples import resampled
from budew.errors import JobError

BCP_47 = {"jw": "jv"}
"""Whisper's language codes that are not BCP 47 subtags, to the right subtag: Javanese."""


def detect_languages(model: Any, features: Any) -> list[str]:
    """Return the language of the first window of each recording, as BCP 47 tags.

    Args:
        model: a `WhisperForConditionalGeneration` whose generation config has `lang_to_id`.
        features: log-mel spectrograms (n, bands, frames) of the first windows, on the device of the model.
    """
    codes = {id: token.strip("<|>") for token, id in model.generation_config.lang_to_id.items()}
    with torch.inference_mode():
        found = model.detect_language(features, num_segment_frames=2 * model.config.max_source_positions)
    return [BCP_47.get(codes[id], codes[id]) for id in found.tolist()]


@dataclass(frozen=True, slots=True)
class LanguageDetector:
    """A multilingual Whisper that detects languages: its model and feature extractor."""

    model: Any
    extractor: Any

    def detect(self, samples: Samples, sampling_rate: int) -> str:
        """Return the language of the first window (usually 30 s) of mono samples (n,), as a BCP 47 tag."""
        rate = self.extractor.sampling_rate
        at_rate = np.concatenate(list(resampled([samples], source=sampling_rate, target=rate)))
        features = self.extractor(at_rate, sampling_rate=rate, return_tensors="pt").input_features
        return detect_languages(self.model, features.to(self.model.device))[0]


@cache
def load_language_detector(name: str) -> LanguageDetector:
    """Load a Whisper from a folder or the hub; cached, so that each process loads it once.

    Raises:
        JobError: the checkpoint is missing, has no safetensors, or is monolingual.
    """
    whisper: Any = WhisperForConditionalGeneration
    try:
        model = whisper.from_pretrained(name, use_safetensors=True, dtype=torch.float32)
        extractor = WhisperFeatureExtractor.from_pretrained(name)
    except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise JobError(f"{name} cannot be loaded to detect languages ({reason})") from error
    if not getattr(model.generation_config, "lang_to_id", None):
        raise JobError(f"{name} has no table of languages: use a multilingual Whisper")
    device = "cuda" if torch.cuda.is_available() else "xpu" if torch.xpu.is_available() else "cpu"
    return LanguageDetector(model.to(device).eval(), extractor)
