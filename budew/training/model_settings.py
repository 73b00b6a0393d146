"""The model of a recipe: what it starts from, which part of that is kept, and which weights learn."""

from typing import Literal, Self

from pydantic import Field, model_validator

from budew.io.settings import Settings
from budew.model.adapt import Lora
from budew.model.build import Features, Size

REDUCED = ("encoder_layers", "decoder_layers", "vocabulary")
"""Fields of a model with a part of its base."""


class ScratchSettings(Settings):
    """A model with random weights.

    Example:
        >>> ScratchSettings(size={"width": 128, "heads": 2}).size.width
        128
    """

    features: Features = Field(default=Features(), description="the spectrograms")
    size: Size = Field(default=Size(), description="the size")
    heads_weight: float = Field(
        default=1.0,
        ge=0,
        le=1e6,
        description="weight in the loss of auxiliary heads on the encoder, which predict the labels and are "
        "not saved",
    )


class ModelSettings(Settings):
    """The model that is trained, and how.

    Example:
        >>> ModelSettings(base="openai/whisper-small", method="lora").lora.rank
        32
    """

    base: str | None = Field(
        default=None, description="pretrained Whisper: a folder or hub id; null from scratch"
    )
    method: Literal["full", "lora", "encoder-frozen", "scratch"] = Field(
        default="full",
        description='"full": all weights learn; "lora": low-rank adapters do; "encoder-frozen": the decoder '
        'does; "scratch": random weights',
    )
    trained_encoder_layers: int = Field(
        default=0,
        ge=0,
        le=100,
        description='with the method "encoder-frozen", last layers of the encoder that learn too, with its '
        "final layer norm",
    )
    lora: Lora = Field(default=Lora(), description="the adapters")
    encoder_layers: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="layers of the base's encoder that are kept, from the first on; null for all",
    )
    decoder_layers: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="layers of the base's decoder that are kept, at even distances, with the first and the "
        "last (Gandhi et al. 2023); null for all",
    )
    vocabulary: Literal["base", "captions"] = Field(
        default="base",
        description='tokens of the model, "base": those of the base; "captions": those that captions of the '
        "run use, with what the base has learned of them, and all bytes",
    )
    heads_weight: float = Field(
        default=0.0,
        ge=0,
        le=1e6,
        description="weight in the loss of auxiliary heads on the encoder, which predict the labels and are "
        "not saved; with a base whose encoder learns",
    )
    window_seconds: int | None = Field(
        default=None,
        ge=1,
        le=30,
        description="longest window of the encoder, in seconds; null for that of the base (30): a step on "
        "8 s takes a quarter of the operations",
    )
    gradient_checkpointing: bool = Field(
        default=False, description="keep fewer activations, for half the memory and a third more time"
    )
    compile: bool = Field(default=False, description="compile the model; pays on GPUs, after some minutes")
    num_beams: int = Field(default=1, ge=1, le=64, description="beam width saved in the checkpoint")
    scratch: ScratchSettings = Field(default=ScratchSettings(), description='of the method "scratch"')

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.base is None) != (self.method == "scratch"):
            raise ValueError(
                "base: required, unless method is scratch"
                if self.base is None
                else "base: there is none from scratch: set method to full, lora or encoder-frozen"
            )
        if self.method == "scratch" and self.window_seconds is not None:
            raise ValueError("window_seconds: is that of a base; from scratch, set scratch.features")
        if self.trained_encoder_layers and self.method != "encoder-frozen":
            raise ValueError("trained_encoder_layers: is for the method encoder-frozen")
        learns = self.method == "full" or self.trained_encoder_layers > 0
        if self.heads_weight and not learns:
            raise ValueError(
                "heads_weight: is for a base whose encoder learns, with method full, or encoder-frozen and "
                "trained_encoder_layers; from scratch, set scratch.heads_weight"
            )
        reduced = [name for name in REDUCED if getattr(self, name) not in (None, "base")]
        if reduced and self.method in ("scratch", "lora"):
            raise ValueError(
                f"{reduced[0]}: of a base whose weights learn, with method full or encoder-frozen: from "
                "scratch, set scratch.size; adapters need the base as it is"
            )
        return self

    @property
    def has_heads(self) -> bool:
        """Whether the model that is trained has heads on its encoder."""
        return self.method == "scratch" or self.heads_weight > 0
