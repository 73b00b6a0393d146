"""What the figures of a report are called and how they are written, in the terminal and on the page alike."""

from collections.abc import Mapping
from dataclasses import dataclass

from budew.correlation import Estimate
from budew.paraphrase.metrics.comparison import SIDES
from budew.paraphrase.metrics.diversity import Diversity


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of diversity.

    Attributes:
        name: of the attribute of `Diversity`.
        label: what readers call it.
        better: "more", "less" or "" for neither.
        digits: behind the point.
    """

    name: str
    label: str
    better: str
    digits: int


DIVERSITY = (
    Figure("distinct_1", "distinct-1", "more", 3),
    Figure("distinct_2", "distinct-2", "more", 3),
    Figure("distinct_3", "distinct-3", "more", 3),
    Figure("self_bleu", "self-BLEU", "less", 1),
    Figure("compression_ratio", "compression ratio", "less", 2),
    Figure("openings", "different first three words", "more", 3),
    Figure("syntactic_openings", "different syntactic openings", "more", 3),
    Figure("emotion_words", "type–token ratio of emotion words", "more", 3),
    Figure("effective_vocabulary", "effective vocabulary", "more", 1),
    Figure("mean_words", "words a caption", "", 1),
)
FIDELITY = {
    "spearman": "Spearman ρ",
    "exact": "exact level",
    "within_one": "within one level",
    "recall": "recall of emotions",
    "precision": "precision of emotions",
}
"""What the rates of `Fidelity` are called."""


def diversity_rows(sides: Mapping[str, Diversity]) -> list[tuple[Figure, dict[str, float | None]]]:
    """Return each figure with its values by side, in the order of `SIDES`."""
    return [
        (row, {side: getattr(sides[side], row.name) for side in SIDES if side in sides}) for row in DIVERSITY
    ]


def written(value: float | None, digits: int) -> str:
    """Format a figure; a dash where it is undefined."""
    return "–" if value is None else f"{value:,.{digits}f}".replace("-", "−")


def interval(estimate: Estimate) -> str:
    """Format a rate with its interval."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    return f"{written(estimate.value, 3)} ({written(estimate.low, 3)} to {written(estimate.high, 3)})"


def share(part: float, whole: float) -> str:
    """Format a share in per cent; a dash of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"
