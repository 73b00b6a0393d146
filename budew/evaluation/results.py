"""The result of an evaluation: metrics with intervals, what was left out, and the pairs they rest on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from budew.correlation import Estimate, FloatArray
from budew.profile import VoiceProfile


@dataclass(frozen=True, slots=True)
class Pair:
    """One clip: its reference profile and the predicted one.

    Attributes:
        id: of the clip.
        reference, predicted: the profiles that are compared.
        caption: the predicted caption, where the prediction came as one.
        audio: encoded bytes or a path, for the few clips that a report plays.
    """

    id: str
    reference: VoiceProfile
    predicted: VoiceProfile
    caption: str | None = None
    audio: bytes | Path | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was parsed: no emotion, no vocal burst, no trait."""
        return not (self.predicted.emotions or self.predicted.bursts or self.predicted.traits)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A clip left out of the metrics, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EmotionScore:
    """The metrics of one emotion.

    Attributes:
        emotion: its name.
        support, predicted_support: number of clips that have it, and for which it was predicted.
        estimates: metric → value and interval.
        confused_with: the other emotion most often predicted as strongest where this one is the strongest,
            and its share of those clips.
    """

    emotion: str
    support: int
    predicted_support: int
    estimates: Mapping[str, Estimate]
    confused_with: tuple[str, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Return one flat object, ready for JSON."""
        confused = self.confused_with and dict(zip(("emotion", "share"), self.confused_with, strict=True))
        return {
            "emotion": self.emotion,
            "support": self.support,
            "predicted_support": self.predicted_support,
            **{metric: estimate.to_dict() for metric, estimate in self.estimates.items()},
            "confused_with": confused,
        }


@dataclass(frozen=True, slots=True)
class Settings:
    """Number of bootstrap resamples and of permutations, and their seed."""

    resamples: int = 1000
    permutations: int = 100
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics over a corpus.

    Attributes:
        model, corpus: names.
        pairs: ordered by clip id.
        skipped: clips left out.
        emotions: one entry an emotion.
        mean, baseline: each metric averaged over the emotions, and "top1": of the predictions, and of the
            same predictions permuted over the clips.
        undefined: emotions whose reference is constant (no correlation).
        unvaried: emotions whose reference varies and whose prediction does not (correlation 0).
        confusion: (41, 41), in clips: strongest reference emotion by strongest predicted one, the last of
            each being none.
        settings: of intervals and baseline.
    """

    model: str
    corpus: str
    pairs: tuple[Pair, ...]
    skipped: tuple[Skipped, ...]
    emotions: tuple[EmotionScore, ...]
    mean: Mapping[str, Estimate]
    baseline: Mapping[str, Estimate]
    undefined: tuple[str, ...]
    unvaried: tuple[str, ...]
    confusion: FloatArray
    settings: Settings

    @property
    def unparsed(self) -> int:
        """Number of captions from which nothing was parsed: no emotion, no vocal burst, no trait."""
        return sum(pair.empty for pair in self.pairs if pair.caption is not None)

    @property
    def emotionless(self) -> int:
        """Number of predictions without any emotion for clips that have one."""
        return sum(bool(pair.reference.emotions) and not pair.predicted.emotions for pair in self.pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the pairs, ready for JSON; undefined metrics are None."""
        return {
            "model": self.model,
            "corpus": self.corpus,
            "clips": len(self.pairs),
            "skipped": [asdict(clip) for clip in self.skipped],
            "unparsed": self.unparsed,
            "emotionless": self.emotionless,
            "mean": {metric: estimate.to_dict() for metric, estimate in self.mean.items()},
            "baseline": {metric: estimate.to_dict() for metric, estimate in self.baseline.items()},
            "undefined": list(self.undefined),
            "unvaried": list(self.unvaried),
            "settings": asdict(self.settings),
            "emotions": [row.to_dict() for row in self.emotions],
        }

    def to_json(self) -> str:
        """Return strict JSON (no NaN), indented, ending with a newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
