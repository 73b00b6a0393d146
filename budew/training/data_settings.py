"""The data of a recipe: corpora, captions that are learned, augmentation and caches of features."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from budew.io.settings import Settings, Share
from budew.taxonomy import emotion
from budew.training.augmentation import Augmentation

MAX_SEED = 2**32 - 1
"""Largest seed that numpy accepts."""
NONE = "none"
"""Name of the class of clips without emotion, in settings of linear probes."""


class SpeechSettings(Settings):
    """Settings of the synthetic speech on which a recipe without a corpus is trained.

    Example:
        >>> SpeechSettings(train_clips=1000).validation_clips
        200
    """

    train_clips: int = Field(default=0, ge=0, description="number of training clips")
    validation_clips: int = Field(default=200, ge=1, description="number of validation clips")
    seed: int = Field(default=1, ge=0, le=MAX_SEED, description="seed of voices, profiles and texts")


class TrainingCorpus(Settings):
    """Settings of one training corpus.

    Example:
        >>> TrainingCorpus(corpus="talent/", weight=3).heard
        False
    """

    corpus: str = Field(description="anything that `budew.read` reads")
    weight: float = Field(
        default=1.0,
        gt=0,
        description="share of the examples from this corpus, relative to the weights of the others; does not "
        "depend on its number of clips",
    )
    state_copies: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="replaces data.state_copies for this corpus, for example a larger number for a small "
        "corpus; null: data.state_copies",
    )
    pieces: float | None = Field(
        default=None,
        gt=0,
        description="each of the state_copies is made from a random piece of the clip, at least this many "
        "seconds long; for a corpus whose clips are longer than the others, which the model would otherwise "
        "recognize by their length; null: from whole clips",
    )
    clip_weights: str | None = Field(
        default=None,
        description="file of sampling weights, from `budew corpus weights`; clips that are not in it are "
        "left out; null: all clips are drawn equally often",
    )
    heard: bool = Field(
        default=False,
        description="fit the linear probes of data.listener to this corpus, and train on captions of what "
        "the probes predict instead of the labels",
    )

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return {"corpus": given} if isinstance(given, str) else given


class ListenerSettings(Settings):
    """Settings of linear probes, whose predictions label clips: see `budew.training.pseudo_labels`."""

    penalty: float = Field(
        default=0.05,
        gt=0,
        description="L2 penalty of a probe: half of it times the squared weights is added to the mean loss",
    )
    shrinkage: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="states are whitened by the covariance of neutral clips, which is first shrunk by this "
        "share towards a multiple of the identity; 1: no whitening",
    )
    offsets: dict[str, float] = Field(
        default={},
        description='emotion, or "none" → number that is added to its score; a higher number makes the probe '
        "predict it more often",
    )
    shares: dict[str, float] = Field(
        default={},
        description='emotion, or "none" → how often it is the target of a moved example, relative to the '
        "others; default 1",
    )
    moved: Share = Field(
        default=0.6,
        description="share of moved examples: the difference between the mean states of two other clips is "
        "added to their states",
    )

    @field_validator("offsets", "shares")
    @classmethod
    def _emotions(cls, given: dict[str, float]) -> dict[str, float]:
        return {name if name == NONE else emotion(name): value for name, value in given.items()}

    def __hash__(self) -> int:
        return hash(self.model_dump_json())


class DataSettings(Settings):
    """Settings of the data: training and validation corpora, captions, augmentation and caches.

    Example:
        >>> data = DataSettings(train="talent/", validation="validation/")
        >>> data.train[0].corpus
        'talent/'
    """

    train: tuple[TrainingCorpus, ...] = Field(
        default=(),
        description="training corpora: one (anything that `budew.read` reads), or a list of "
        "corpora with their fields; without any, speech.train_clips is required",
    )
    validation: tuple[str, ...] = Field(
        default=(),
        description="validation corpora: one, or a list; the same number of clips is taken from each; "
        "required with training corpora",
    )
    speech: SpeechSettings = Field(
        default=SpeechSettings(), description="settings of synthetic speech, for a recipe without corpora"
    )
    captions: Literal["checked", "any"] = Field(
        default="checked",
        description='captions of clips that are used as targets. "checked": paraphrases that passed the gate '
        'and captions that came with the corpus; "any": also rendered captions and captions of models',
    )
    longer: Literal["skip", "split", "cut"] = Field(
        default="skip",
        description='clips longer than the window. "skip": left out; "split": split into parts, each with '
        'the captions of the whole clip; "cut": cut to their beginning',
    )
    mixed_shards: int = Field(
        default=8, ge=1, description="number of shards of a corpus whose clips are shuffled together"
    )
    short_windows: Share = Field(
        default=0.8,
        description="share of the run, from its beginning, in which most batches are cut to the length of "
        "their longest clip, which makes a step up to twice as fast",
    )
    cache: str | None = Field(
        default=None, description="folder of indexes and cached features; null: the folder of the run"
    )
    cache_features: bool = Field(
        default=False, description="compute spectrograms once and keep them on disk, for small corpora"
    )
    cache_states: bool = Field(
        default=False,
        description="compute the output (states) of the frozen encoder layers once and keep it on disk, "
        '51 kB per second of audio with whisper-base; for the method "encoder-frozen". Clips are then '
        "padded to whole seconds, at least 4",
    )
    state_copies: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="with cache_states, number of differently augmented copies of each clip; an example uses "
        "one at random",
    )
    listener: ListenerSettings | None = Field(
        default=None,
        description="settings of linear probes on cached states, whose predictions replace the labels of "
        "corpora with heard: true; set optimizer.weight_decay to 0; null: labels are used",
    )
    allow_overlap: bool = Field(
        default=False,
        description="train although validation clips are among the training clips, to try out a recipe",
    )
    workers: int = Field(
        default=0, ge=0, le=1024, description="processes that prepare batches; 0: only the training process"
    )
    augmentation: Augmentation = Field(
        default=Augmentation(), description="random changes of audio and spectrograms"
    )

    @field_validator("train", "validation", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        """Return the corpora as a tuple if a single corpus or None is given."""
        return () if given is None else (given,) if isinstance(given, str | dict) else given

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.train) != bool(self.validation):
            missing = "validation" if self.train else "train"
            raise ValueError(f"{missing}: required; give neither train nor validation for synthetic speech")
        if self.cache_features and self.augmentation.changes_audio:
            raise ValueError("cache_features: cannot be used with noise, gain, band limit or speed")
        if self.cache_features and self.cache_states:
            raise ValueError("cache_features: cannot be used with cache_states, which replaces spectrograms")
        changed = self.augmentation.changes_audio or self.augmentation.changes_features
        copies = (self.state_copies, *(given.state_copies or 1 for given in self.train))
        if max(copies) > 1 and not (self.cache_states and changed):
            raise ValueError("state_copies: more than 1 needs cache_states and augmentation")
        if any(given.pieces for given in self.train) and not self.cache_states:
            raise ValueError("pieces: needs cache_states")
        heard = any(given.heard for given in self.train)
        if heard != (self.listener is not None) or (heard and not self.cache_states):
            raise ValueError(
                "listener: needs cache_states and a training corpus with heard: true; heard needs listener"
            )
        return self
