"""Number of ratings of each emotion, and how far raters agree.

Two measures of agreement. `agreement` is the share of pairs of raters, asked the same of the same item, who
gave the same answer; chance alone makes it large where most answers are alike. Krippendorff's alpha is
corrected for chance (interval metric: Krippendorff, Content Analysis, 2004): 1 is perfect, 0 is chance. Both
are None where nobody was asked the same as another.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from budew.corpora.ratings import Rating
from budew.taxonomy import EMOTIONS


@dataclass(frozen=True, slots=True)
class RatingCounts:
    """Counts of some ratings.

    Attributes:
        ratings: in all.
        items: that were rated.
        raters: who rated.
        present: ratings above 0.
        mean: of the ratings, as intensity.
        agreement: share of pairs of raters with the same answer.
        alpha: Krippendorff's, for intervals.
    """

    ratings: int
    items: int
    raters: int
    present: int
    mean: float
    agreement: float | None
    alpha: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, rounded to four decimals."""
        return {n: round(v, 4) if isinstance(v, float) else v for n, v in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class RatingStatistics:
    """Counts of all ratings, and of each emotion in the order of the taxonomy, attributes last."""

    all: RatingCounts
    emotions: dict[str, RatingCounts]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return self.all.to_dict() | {"emotions": {name: c.to_dict() for name, c in self.emotions.items()}}


def rating_statistics(ratings: Iterable[Rating]) -> RatingStatistics:
    """Count ratings. Memory holds one small counter for each item and emotion."""
    answers: dict[str, dict[str, Counter[float]]] = {}
    raters: dict[str, set[str]] = {}
    for rating in ratings:
        answers.setdefault(rating.emotion, {}).setdefault(rating.item, Counter())[rating.value] += 1
        raters.setdefault(rating.emotion, set()).add(rating.rater)
    others = sorted(answers.keys() - set(EMOTIONS))
    names = [name for name in (*EMOTIONS, *others) if name in answers]
    everything = [held for name in names for held in answers[name].values()]
    total = _counts(everything, len(set().union(*answers.values())), len(set().union(*raters.values())))
    single = {
        name: _counts(list(answers[name].values()), len(answers[name]), len(raters[name])) for name in names
    }
    return RatingStatistics(total, single)


def _counts(questions: list[Counter[float]], items: int, raters: int) -> RatingCounts:
    values = list(_weighted(questions))
    count = sum(times for _, times in values)
    return RatingCounts(
        ratings=count,
        items=items,
        raters=raters,
        present=sum(times for value, times in values if value > 0),
        mean=sum(value * times for value, times in values) / count if count else 0.0,
        agreement=_agreement(questions),
        alpha=_alpha(questions),
    )


def _weighted(questions: Iterable[Counter[float]]) -> Iterator[tuple[float, int]]:
    return ((value, times) for question in questions for value, times in question.items())


def _agreement(questions: Iterable[Counter[float]]) -> float | None:
    same = pairs = 0
    for question in questions:
        raters = question.total()
        pairs += raters * (raters - 1)
        same += sum(times * (times - 1) for times in question.values())
    return same / pairs if pairs else None


def _alpha(questions: Iterable[Counter[float]]) -> float | None:
    """Return 1 - observed/expected squared difference, over questions that two or more answered."""
    shared = [question for question in questions if question.total() > 1]
    count = sum(question.total() for question in shared)
    expected = _squared_differences(list(_weighted(shared)))
    if not expected:
        return 1.0 if count else None  # all say the same
    within = sum(_squared_differences(list(q.items())) / (q.total() - 1) for q in shared)
    return 1.0 - (within / count) / (expected / (count * (count - 1)))


def _squared_differences(values: list[tuple[float, int]]) -> float:
    """Return the sum of squared differences over all ordered pairs."""
    count = sum(times for _, times in values)
    total = sum(value * times for value, times in values)
    squares = sum(value * value * times for value, times in values)
    return max(0.0, 2 * (count * squares - total * total))
