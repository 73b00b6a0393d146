"""The model of a recipe: its base, which layers and tokens of the base are kept, and what is trained."""

from typing import Literal, Self

from pydantic import Field, model_validator

from budew.io.settings import Settings
from budew.model.adapt import Lora
from budew.model.build import Features, Size

REDUCED = ("encoder_layers", "decoder_layers", "vocabulary")
"""Fields of `ModelSettings` that keep only a part of the base."""


class ScratchSettings(Settings):
    """Settings of a model that is trained from scratch, from random weights.

    Example:
        >>> ScratchSettings(size={"width": 128, "heads": 2}).size.width
        128
    """

    features: Features = Field(default=Features(), description="settings of the spectrograms")
    size: Size = Field(default=Size(), description="size of the model")
    heads_weight: float = Field(
        default=1.0,
        ge=0,
        le=1e6,
        description="weight in the loss of auxiliary heads on the encoder, which predict the labels and are "
        "not saved",
    )


class ModelSettings(Settings):
    """Settings of the model: its base, and which of its weights are trained.

    Example:
        >>> ModelSettings(base="openai/whisper-small", method="lora").lora.rank
        32
    """

    base: str | None = Field(
        default=None, description="pretrained Whisper: a folder or hub id; null: trained from scratch"
    )
    method: Literal["full", "lora", "encoder-frozen", "scratch"] = Field(
        default="full",
        description='"full": all weights are trained; "lora": low-rank adapters are trained; '
        '"encoder-frozen": the decoder is trained; "scratch": all weights are trained, from random ones',
    )
    trained_encoder_layers: int = Field(
        default=0,
        ge=0,
        le=100,
        description='with the method "encoder-frozen", number of last encoder layers that are trained too, '
        "with the final layer norm",
    )
    lora: Lora = Field(default=Lora(), description='settings of the adapters, for the method "lora"')
    encoder_layers: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="number of encoder layers of the base that are kept, from the first on; null: all",
    )
    decoder_layers: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="number of decoder layers of the base that are kept: the first, the last, and layers at "
        "even distances between them (Gandhi et al. 2023); null: all",
    )
    vocabulary: Literal["base", "captions"] = Field(
        default="base",
        description='tokens of the model. "base": all tokens of the base; "captions": only tokens that occur '
        "in captions of the run, and all bytes, with their embeddings in the base",
    )
    heads_weight: float = Field(
        default=0.0,
        ge=0,
        le=1e6,
        description="weight in the loss of auxiliary heads on the encoder, which predict the labels and are "
        "not saved; for a base whose encoder is trained",
    )
    window_seconds: int | None = Field(
        default=None,
        ge=1,
        le=30,
        description="longest window of the encoder, in seconds; null: that of the base (30). A step on "
        "windows of "
        "8 s takes a quarter of the operations",
    )
    gradient_checkpointing: bool = Field(
        default=False,
        description="recompute activations instead of storing them: half the memory, a third more time",
    )
    compile: bool = Field(
        default=False, description="compile the model: takes some minutes, then steps are faster on GPUs"
    )
    num_beams: int = Field(default=1, ge=1, le=64, description="beam width saved in the checkpoint")
    scratch: ScratchSettings = Field(
        default=ScratchSettings(), description='settings for the method "scratch"'
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.base is None) != (self.method == "scratch"):
            raise ValueError(
                "base: required, unless method is scratch"
                if self.base is None
                else "base: not used from scratch: set method to full, lora or encoder-frozen"
            )
        if self.method == "scratch" and self.window_seconds is not None:
            raise ValueError("window_seconds: only for a base; from scratch, set scratch.features")
        if self.trained_encoder_layers and self.method != "encoder-frozen":
            raise ValueError("trained_encoder_layers: only for the method encoder-frozen")
        learns = self.method == "full" or self.trained_encoder_layers > 0
        if self.heads_weight and not learns:
            raise ValueError(
                "heads_weight: only for a base whose encoder is trained, with method full, or encoder-frozen "
                "and trained_encoder_layers; from scratch, set scratch.heads_weight"
            )
        reduced = [name for name in REDUCED if getattr(self, name) not in (None, "base")]
        if reduced and self.method in ("scratch", "lora"):
            raise ValueError(
                f"{reduced[0]}: only for a base with method full or encoder-frozen: from scratch, set "
                "scratch.size; with lora, the base must be complete"
            )
        return self

    @property
    def heads_weight_in_loss(self) -> float:
        """Weight of auxiliary heads in the loss: of `scratch` without a base."""
        return self.scratch.heads_weight if self.method == "scratch" else self.heads_weight

    @property
    def has_heads(self) -> bool:
        """Whether auxiliary heads on the encoder are trained."""
        return self.method == "scratch" or self.heads_weight > 0
