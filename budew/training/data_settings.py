"""The data of a recipe: its corpora, what is learned of their clips, and how these are changed and cached."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from budew.io.settings import Settings
from budew.taxonomy import emotion
from budew.training.augmentation import Augmentation

MAX_SEED = 2**32 - 1
"""Largest seed that numpy takes."""
NONE = "none"
"""Name of the class of clips without any emotion."""


class SpeechSettings(Settings):
    """Synthetic speech, made for a run without a corpus.

    Example:
        >>> SpeechSettings(train_clips=1000).validation_clips
        200
    """

    train_clips: int = Field(default=0, ge=0, description="training clips; 0 for none")
    validation_clips: int = Field(default=200, ge=1, description="validation clips")
    seed: int = Field(default=1, ge=0, le=MAX_SEED, description="seed of voices, profiles and texts")


class TrainingCorpus(Settings):
    """One corpus of several.

    Example:
        >>> TrainingCorpus(corpus="talent/", weight=3).heard
        False
    """

    corpus: str = Field(description="anything that `budew.read` reads")
    weight: float = Field(
        default=1.0,
        gt=0,
        description="share of the examples, relative to the other weights, whatever its number of clips",
    )
    state_copies: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="data.state_copies of this corpus, more for a small one; null for the same number",
    )
    pieces: float | None = Field(
        default=None,
        gt=0,
        description="least seconds of a random piece of a clip, of which each of the state_copies is made; "
        "for a corpus with longer clips than the others, else a model recognizes it by the length",
    )
    clip_weights: str | None = Field(
        default=None, description="file of `budew corpus weights`; clips that are not in it are left out"
    )
    heard: bool = Field(
        default=False,
        description="fit the probes of data.listener to this corpus, and learn captions of what they predict "
        "instead of the labels",
    )

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return {"corpus": given} if isinstance(given, str) else given


class ListenerSettings(Settings):
    """Linear probes of cached states, whose predictions label clips: see `budew.training.pseudo_labels`."""

    penalty: float = Field(
        default=0.05,
        gt=0,
        description="L2 penalty of a probe: half of it times the squared weights is added to the mean loss",
    )
    shrinkage: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="shrinkage of the covariance of neutral clips towards a multiple of the identity, before "
        "states are whitened by it; 1: no whitening",
    )
    offsets: dict[str, float] = Field(
        default={},
        description='added to the score of an emotion, or of "none": with more it is predicted more often',
    )
    shares: dict[str, float] = Field(
        default={},
        description='how often an emotion, or "none", is wanted where a difference is added, relative to the '
        "others, which have 1",
    )
    moved: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description="share of the examples to whose states the difference of the mean states of two other "
        "clips is added",
    )

    @field_validator("offsets", "shares")
    @classmethod
    def _emotions(cls, given: dict[str, float]) -> dict[str, float]:
        return {name if name == NONE else emotion(name): value for name, value in given.items()}

    def __hash__(self) -> int:
        return hash(self.model_dump_json())


class DataSettings(Settings):
    """What a model is trained on.

    Example:
        >>> data = DataSettings(train="talent/", validation="validation/")
        >>> data.train[0].corpus
        'talent/'
    """

    train: tuple[TrainingCorpus, ...] = Field(
        default=(),
        description="training corpora: one (anything that `budew.read` reads), or a list of "
        "corpora with their fields; without any, synthetic speech is needed",
    )
    validation: tuple[str, ...] = Field(
        default=(),
        description="validation corpora: one, or a list, of each of which the same number of clips is taken; "
        "required with training corpora",
    )
    speech: SpeechSettings = Field(default=SpeechSettings(), description="the synthetic speech")
    captions: Literal["checked", "any"] = Field(
        default="checked",
        description='captions that are learned as they are, "checked": paraphrases that passed the gate and '
        'captions that came with the corpus; "any": rendered ones and those of a model as well',
    )
    longer: Literal["skip", "split", "cut"] = Field(
        default="skip",
        description="clips longer than the window: left out; split, each part with the captions of the "
        "whole; or cut to their beginning",
    )
    mixed_shards: int = Field(
        default=8, ge=1, description="shards of a corpus that are read at once and whose clips are mixed"
    )
    short_windows: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="share of the run, from its beginning, in which most batches are cut to their longest "
        "clip, up to twice as fast a step",
    )
    cache: str | None = Field(
        default=None, description="folder of indexes and cached features; null: in the folder of the run"
    )
    cache_features: bool = Field(
        default=False, description="compute spectrograms once and keep them, for small corpora"
    )
    cache_states: bool = Field(
        default=False,
        description="compute the states of the frozen layers of the encoder once and keep them, 51 kB for a "
        'second with whisper-base: with the method "encoder-frozen", the model learns from windows of '
        "whole seconds, 4 at least",
    )
    state_copies: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="with cache_states, differently augmented copies of each clip; an example draws one",
    )
    listener: ListenerSettings | None = Field(
        default=None,
        description="linear probes of cached states, whose predictions replace the labels of corpora with "
        "heard: true; set optimizer.weight_decay to 0; null for none",
    )
    workers: int = Field(
        default=0, ge=0, le=1024, description="processes that prepare batches; 0: the training process"
    )
    augmentation: Augmentation = Field(default=Augmentation(), description="changes of the audio")

    @field_validator("train", "validation", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        """Return one corpus, or none, as a tuple."""
        return () if given is None else (given,) if isinstance(given, str | dict) else given

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.train) != bool(self.validation):
            missing = "validation" if self.train else "train"
            raise ValueError(f"{missing}: required, or give neither, for synthetic speech")
        if self.cache_features and self.augmentation.changes_audio:
            raise ValueError("cache_features: cannot be used with noise, gain, band limit or speed")
        if self.cache_features and self.cache_states:
            raise ValueError("cache_features: is of no use with cache_states")
        changed = self.augmentation.changes_audio or self.augmentation.changes_features
        copies = (self.state_copies, *(given.state_copies or 1 for given in self.train))
        if max(copies) > 1 and not (self.cache_states and changed):
            raise ValueError("state_copies: are alike without cache_states and augmentation")
        if any(given.pieces for given in self.train) and not self.cache_states:
            raise ValueError("pieces: needs cache_states")
        heard = any(given.heard for given in self.train)
        if heard != (self.listener is not None) or (heard and not self.cache_states):
            raise ValueError(
                "listener: needs cache_states and a training corpus with heard: true, which needs it"
            )
        return self
