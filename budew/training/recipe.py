"""A training run as one documented dataclass: what a YAML file in `recipes/` may say, field by field.

Everything that decides the result is in it, so the recipe, its corpus and the versions in
`constraints.txt` reproduce a checkpoint.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

import yaml

from budew.captions import frame_names
from budew.model.build import ENCODER_STRIDE, SAMPLING_RATE, Features, Size
from budew.training.augmentation import Masks
from budew.training.fields import RecipeError, check_field

__all__ = ["Recipe", "RecipeError", "load_recipe"]

LARGEST_RECIPE = 100_000
"""Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training run.

    Attributes:
        name: of the run and of the checkpoint.
        train: corpus to learn from, anything `budew.read` takes; None for synthetic speech made for the run.
        validation: corpus to watch; None for synthetic speech.
        train_clips: how many clips to synthesize when `train` is None.
        validation_clips: how many clips to synthesize when `validation` is None.
        corpus_seed: seed of the synthetic speech.
        captions: "render" words every clip's profile anew in every epoch; "corpus" draws among the
            captions that the clips carry.
        wording: "varied" or "plain", see `budew.render`; for captions that are rendered.
        frames: sentence frames to draw from; all of them when empty.
        window_seconds: what the encoder hears at once.
        mel_bins: bands of the spectrogram.
        hop: samples from one spectrum to the next, at 16 kHz.
        fourier: samples of the Fourier transform.
        width: of every layer.
        encoder_layers: of the listening part.
        decoder_layers: of the writing part.
        attention_heads: of every layer.
        vocabulary: tokens of the tokenizer that is learnt from the captions.
        longest_caption: tokens, with prefix and end.
        dropout: share of activations dropped.
        heads_weight: weight of the heads on the encoder in the loss; they are not saved.
        max_steps: optimizer steps.
        batch_size: clips a step on each device.
        gradient_accumulation: batches a step.
        learning_rate: at its highest, after the warm-up; it falls to nothing as a cosine.
        warmup_steps: in which the learning rate rises.
        weight_decay: of AdamW.
        precision: "bf16" for mixed precision, "fp32" for none.
        short_windows: share of the run, from its beginning, in which most batches are cut to their longest
            clip, which makes a step up to twice as fast; the rest hears whole windows.
        mask_time: stretches of time blanked in each spectrogram; longest of them 20 frames.
        mask_bands: stretches of frequency blanked; widest of them 12 bands.
        evaluate_every: steps between looks at the validation corpus; a checkpoint to resume from is
            kept each time.
        evaluate_clips: how many validation clips are captioned at each look.
        beams: of the search that the saved checkpoint writes captions with.
        workers: processes that prepare batches; 0 prepares them in the training process.
        seed: of the weights, the order, the wording and the masks.
    """

    name: str
    train: str | None = None
    validation: str | None = None
    train_clips: int = 1200
    validation_clips: int = 200
    corpus_seed: int = 1
    captions: Literal["render", "corpus"] = "render"
    wording: Literal["varied", "plain"] = "varied"
    frames: tuple[str, ...] = ()
    window_seconds: int = 8
    mel_bins: int = 128
    hop: int = 320
    fourier: int = 1024
    width: int = 256
    encoder_layers: int = 4
    decoder_layers: int = 2
    attention_heads: int = 4
    vocabulary: int = 1024
    longest_caption: int = 96
    dropout: float = 0.1
    heads_weight: float = 1.0
    max_steps: int = 1000
    batch_size: int = 32
    gradient_accumulation: int = 1
    learning_rate: float = 1e-3
    warmup_steps: int = 300
    weight_decay: float = 0.05
    precision: Literal["fp32", "bf16"] = "bf16"
    short_windows: float = 0.8
    mask_time: int = 2
    mask_bands: int = 2
    evaluate_every: int = 500
    evaluate_clips: int = 200
    beams: int = 1
    workers: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(Recipe).items():
            check_field(name, getattr(self, name), kind)
        unknown = [frame for frame in self.frames if frame not in frame_names()]
        if unknown:
            raise RecipeError(f"frames: {', '.join(unknown)} unknown; there are {', '.join(frame_names())}")
        if self.width % (2 * self.attention_heads):
            raise RecipeError(
                f"width: {self.width} is no even number for each of {self.attention_heads} attention heads"
            )
        if self.window_seconds * SAMPLING_RATE % (ENCODER_STRIDE * self.hop):
            raise RecipeError(
                f"hop: {self.hop} samples do not go into a window of {self.window_seconds} s an even number "
                "of times: take 160 or 320"
            )
        if self.fourier < self.hop:
            raise RecipeError(f"fourier: {self.fourier} samples leave gaps at a hop of {self.hop}")

    @property
    def features(self) -> Features:
        """What the encoder hears."""
        return Features(self.window_seconds, self.mel_bins, self.hop, self.fourier)

    @property
    def size(self) -> Size:
        """How large the model is."""
        return Size(
            width=self.width,
            encoder_layers=self.encoder_layers,
            decoder_layers=self.decoder_layers,
            heads=self.attention_heads,
            vocabulary=self.vocabulary,
            longest_caption=self.longest_caption,
            dropout=self.dropout,
        )

    @property
    def masks(self) -> Masks:
        """What is blanked in training."""
        return Masks(time=self.mask_time, bands=self.mask_bands)

    def to_yaml(self) -> str:
        """Return the recipe with every field, as it can be read back."""
        plain = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
        return yaml.safe_dump(plain, sort_keys=False)


def load_recipe(path: str | Path, *, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Read a recipe.

    Args:
        path: YAML file.
        overrides: values that replace the file's; texts are read as YAML ("200", "[tags]").

    Raises:
        RecipeError: an unknown field, a value of the wrong kind or out of range, no YAML; names the file.
        OSError: no such file.
    """
    path = Path(path)
    try:
        values = {"name": path.stem} | _read(path) | _read_overrides(overrides or {})
        known = [field.name for field in fields(Recipe)]
        unknown = [str(name) for name in values if name not in known]
        if unknown:
            raise RecipeError(f"{', '.join(sorted(unknown))}: no such field; a recipe has {', '.join(known)}")
        return Recipe(**{name: _settled(name, value) for name, value in values.items()})
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def _read(path: Path) -> dict[Any, Any]:
    with path.open("rb") as file:
        text = file.read(LARGEST_RECIPE + 1)
    if len(text) > LARGEST_RECIPE:
        raise RecipeError(f"a recipe is a short YAML file, this one is over {LARGEST_RECIPE:,} bytes")
    values = _yaml(text, "")
    if not isinstance(values, dict):
        raise RecipeError("a recipe is a mapping of fields to values")
    return values


def _read_overrides(overrides: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _yaml(value, f"{name}: ") if isinstance(value, str) else value
        for name, value in overrides.items()
    }


def _yaml(text: str | bytes, place: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: the 30th of February
        raise RecipeError(f"{place}not YAML: {' '.join(str(error).split())}") from error


def _settled(name: str, value: Any) -> Any:
    """Return a value as `Recipe` has it: a list as a tuple, and 1e-3, a text to YAML 1.1, as the number."""
    kind = get_type_hints(Recipe)[name]
    if isinstance(value, list):
        return tuple(value)
    if kind is float and isinstance(value, str):
        with suppress(ValueError):
            return float(value)
    return value
