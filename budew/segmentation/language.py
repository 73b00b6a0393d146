"""`Languages`: which languages to keep, and a Whisper that hears the language where nobody wrote it down.

Tags are compared as BCP 47 ranges: "en" keeps "en" and "en-US", "pt-BR" keeps no plain "pt".
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from budew.audio.decoders import Samples
from budew.audio.samples import resampled
from budew.errors import CorpusError, FilteredError, JobError

BCP_47 = {"jw": "jv"}
"""Whisper's codes that are no subtags (IANA registry): Javanese."""


@dataclass(frozen=True, slots=True)
class Languages:
    """What to keep by its language.

    Attributes:
        wanted: BCP 47 tags; all languages when empty.
        model: folder or hub id of a multilingual Whisper that hears the language of each clip whose recording
            has none; a clip of unknown language is not wanted when there is no model.

    Raises:
        CorpusError: an empty tag.
    """

    wanted: tuple[str, ...] = ()
    model: str | None = None

    def __post_init__(self) -> None:
        if not all(tag.strip() for tag in self.wanted):
            raise CorpusError("an empty language is none: give tags such as en or pt-BR")

    def check(self, language: str | None) -> None:
        """Raise `FilteredError` unless clips in `language` are wanted, or it is still to be heard."""
        if not self.wanted or (language is None and self.model is not None):
            return
        if language is None:
            raise FilteredError("left out: its language is not known: give a model that hears it")
        if not any(_within(language, tag) for tag in self.wanted):
            raise FilteredError(f"left out: its language is {language}, not {' or '.join(self.wanted)}")

    def hear(self, samples: Samples, sampling_rate: int) -> str | None:
        """Return the tag of the language spoken in `samples` (n,), None without a model.

        Only the beginning is heard, as much as the model takes at once: 30 s as a rule.

        Raises:
            JobError: see `load_listener`.
        """
        return None if self.model is None else load_listener(self.model).hear(samples, sampling_rate)


@dataclass(frozen=True, slots=True)
class Listener:
    """A multilingual Whisper and its feature extractor."""

    model: Any
    extractor: Any

    def hear(self, samples: Samples, sampling_rate: int) -> str:
        """Return the tag of the language spoken in `samples` (n,)."""
        rate = self.extractor.sampling_rate
        heard = np.concatenate(list(resampled([samples], source=sampling_rate, target=rate)))
        features = self.extractor(heard, sampling_rate=rate, return_tensors="pt").input_features
        return detect_languages(self.model, features.to(self.model.device))[0]


def detect_languages(model: Any, features: Any) -> list[str]:
    """Return the BCP 47 tag of the language in each spectrogram.

    Args:
        model: a Whisper whose generation config has `lang_to_id`.
        features: tensor (clips, mel bins, frames) of whole windows.
    """
    tags = {id: _tag(token) for token, id in model.generation_config.lang_to_id.items()}
    frames = 2 * model.config.max_source_positions
    return [tags[id] for id in model.detect_language(features, num_segment_frames=frames).tolist()]


@cache
def load_listener(name: str) -> Listener:
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
        raise JobError(f"{name}: no Whisper that hears languages can be loaded ({reason})") from error
    tokens = getattr(model.generation_config, "lang_to_id", None)
    if not tokens:
        raise JobError(f"{name}: it has no table of languages: use a multilingual Whisper")
    if extractor.nb_max_frames != 2 * model.config.max_source_positions:
        raise JobError(f"{name}: its feature extractor does not fit its encoder: use another checkpoint")
    return Listener(model.to(_device()).eval(), extractor)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _tag(token: str) -> str:
    code = token.strip("<|>")
    return BCP_47.get(code, code)


def _within(language: str, wanted: str) -> bool:
    tag, broader = (name.strip().replace("_", "-").lower() for name in (language, wanted))
    return tag == broader or tag.startswith(f"{broader}-")
