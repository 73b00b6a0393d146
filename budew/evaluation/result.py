"""The outcome of an evaluation: figures, what could not be judged, and the clips they rest on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from budew.correlation import Estimate, FloatArray
from budew.evaluation.pairs import Pair, Skipped


@dataclass(frozen=True, slots=True)
class EmotionScore:
    """The figures of one emotion.

    `support` counts the clips that have it and `predicted_support` those it was predicted for.
    `confused_with` is the other emotion most often predicted as strongest where this one is the strongest,
    and its share of those clips.
    """

    emotion: str
    support: int
    predicted_support: int
    estimates: Mapping[str, Estimate]
    confused_with: tuple[str, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Return one flat object, ready for JSON."""
        confused = (
            dict(zip(("emotion", "share"), self.confused_with, strict=True)) if self.confused_with else None
        )
        return {
            "emotion": self.emotion,
            "support": self.support,
            "predicted_support": self.predicted_support,
            **{metric: estimate.to_dict() for metric, estimate in self.estimates.items()},
            "confused_with": confused,
        }


@dataclass(frozen=True, slots=True)
class Settings:
    """What intervals and floor were computed with: bootstrap resamples, random dealings, their seed."""

    resamples: int = 1000
    shuffles: int = 100
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures over a corpus; `pairs` are ordered by clip id.

    `mean` and `floor` give each metric averaged over the emotions, and "top1": of the predictions, and of
    the same predictions dealt to the wrong clips. `undefined` names the emotions whose truth is constant
    (no correlation), `unvaried` those whose truth varies and whose prediction does not (correlation 0).
    `confusion` is (41, 41), in
    clips: strongest true emotion by strongest predicted one, the last of each being none.
    """

    model: str
    corpus: str
    pairs: tuple[Pair, ...]
    skipped: tuple[Skipped, ...]
    emotions: tuple[EmotionScore, ...]
    mean: Mapping[str, Estimate]
    floor: Mapping[str, Estimate]
    undefined: tuple[str, ...]
    unvaried: tuple[str, ...]
    confusion: FloatArray
    settings: Settings

    @property
    def unparsed(self) -> int:
        """Number of captions in which nothing at all was understood: no emotion, no vocal burst, no trait."""
        return sum(pair.silent for pair in self.pairs if pair.caption is not None)

    @property
    def emotionless(self) -> int:
        """Number of predictions without any emotion for clips that have one."""
        return sum(bool(pair.truth.emotions) and not pair.predicted.emotions for pair in self.pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the clips themselves, ready for JSON; undefined figures are None."""
        return {
            "model": self.model,
            "corpus": self.corpus,
            "clips": len(self.pairs),
            "skipped": [asdict(clip) for clip in self.skipped],
            "unparsed": self.unparsed,
            "emotionless": self.emotionless,
            "mean": {metric: estimate.to_dict() for metric, estimate in self.mean.items()},
            "floor": {metric: estimate.to_dict() for metric, estimate in self.floor.items()},
            "undefined": list(self.undefined),
            "unvaried": list(self.unvaried),
            "settings": asdict(self.settings),
            "emotions": [row.to_dict() for row in self.emotions],
        }

    def to_json(self) -> str:
        """Return strict JSON (no NaN), indented, ending with a newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
