"""`LanguageDetector`: the language of a clip, detected by a multilingual Whisper, as a BCP 47 tag."""

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
"""Whisper's codes that are no subtags in the IANA registry: Javanese."""


def detect_languages(model: Any, features: Any) -> list[str]:
    """Return the BCP 47 tag of the language that each recording begins in.

    Args:
        model: a `WhisperForConditionalGeneration` whose generation config has `lang_to_id`.
        features: log-mel spectrograms (n, bands, frames) of the model's window, on its device.
    """
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
def load_language_detector(name: str) -> LanguageDetector:
    """Load a checkpoint, a folder or hub id, once for each process.

    Raises:
        JobError: there is no such Whisper in safetensors, or it is monolingual.
    """
    whisper: Any = WhisperForConditionalGeneration
    try:
        model = whisper.from_pretrained(name, use_safetensors=True, dtype=torch.float32)
        extractor = WhisperFeatureExtractor.from_pretrained(name)
    except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise JobError(f"{name}: no Whisper that detects languages can be loaded ({reason})") from error
    if not getattr(model.generation_config, "lang_to_id", None):
        raise JobError(f"{name} has no table of languages: use a multilingual Whisper")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return LanguageDetector(model.to(device).eval(), extractor)
