"""Agreement and consensus of human raters on each item and emotion, counted, and as labels to train on.

Two measures of agreement. `agreement` is the share of pairs of raters of the same item and emotion who gave
the same answer; chance alone makes it large where most answers are alike. Krippendorff's alpha is corrected
for chance (interval metric: Krippendorff, Content Analysis, 2004): 1 is perfect, 0 is chance. Both are None
where no two raters answered the same question.

| consensus | an emotion of an item has it if | its label |
|---|---|---|
| presence | two raters or more; all answer above 0, or all answer 0 | mean of the answers |
| exact | two raters or more, who all give the same answer | that answer |
| majority | one rater or more | the most frequent answer |

Of equally frequent answers, the majority is the one nearest to the mean, and of two equally near ones the
lower, as robflynnyh/SLLM-Understanding counts EmoNet-Voice Bench. Exact consensus is called unanimous on
presence and intensity in its paper (arXiv:2506.09827). Answers are intensities: 0, ½ and 1 for its 0, 1, 2.

A label lists as rated only the emotions with consensus; training learns nothing about the others.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from statistics import multimode
from typing import Any, Literal

import numpy as np

from budew.corpora.labels.ratings import Rating, profiles_of
from budew.io.files import whole_file
from budew.profile import VoiceProfile
from budew.statistics.agreement import krippendorff_alpha, pairwise_agreement
from budew.taxonomy import EMOTIONS

Consensus = Literal["presence", "exact", "majority"]
Answers = Mapping[tuple[str, str], Sequence[float]]
"""(item, emotion) → the answers of its raters, as intensities."""


@dataclass(frozen=True, slots=True)
class RatingCounts:
    """Counts of some ratings, how many are above 0 (`present`), their mean intensity, and the agreement."""

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
    """Counts of all ratings, and of each emotion in the order of the taxonomy, attributes last.

    Example:
        >>> found = rating_statistics([Rating("clip", "r1", "Awe", 0.5)])
        >>> found.emotions["Awe"].to_dict()["mean"]
        0.5
    """

    all: RatingCounts
    emotions: dict[str, RatingCounts]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return self.all.to_dict() | {"emotions": {name: c.to_dict() for name, c in self.emotions.items()}}


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """Outcomes of the (item, emotion) pairs with the same number of ratings.

    Attributes:
        present, absent, mixed: pairs that all raters, no rater or some answer above 0.
        exact: pairs for which all raters give the same answer.
    """

    ratings: int
    pairs: int
    present: int
    absent: int
    mixed: int
    exact: int


@dataclass(frozen=True, slots=True)
class ConsensusStatistics:
    """Consensus over all (item, emotion) pairs.

    Attributes:
        outcomes: by number of ratings, rising.
        presence, exact: pairs with the consensus of this kind.
        majority: majority answer, as intensity, → pairs, rising.
        tied: pairs whose most frequent answers were equally frequent.

    Example:
        >>> found = consensus_statistics({("clip", "Awe"): [0.5, 1.0], ("clip", "Pain"): [0.0, 0.0]})
        >>> [(counts.ratings, counts.present, counts.absent) for counts in found.outcomes]
        [(2, 1, 1)]
    """

    outcomes: tuple[OutcomeCounts, ...]
    presence: int
    exact: int
    majority: Mapping[float, int]
    tied: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; intensities are keys with up to four digits."""
        return {
            "presence": self.presence,
            "exact": self.exact,
            "majority": {f"{value:.4g}": count for value, count in self.majority.items()},
            "tied": self.tied,
            "by_ratings": [asdict(one) for one in self.outcomes],
        }


def rating_statistics(ratings: Iterable[Rating]) -> RatingStatistics:
    """Count ratings. Memory holds one small counter for each item and emotion.

    Example:
        >>> found = rating_statistics([Rating("clip", "r1", "Awe", 0.5), Rating("clip", "r2", "Awe", 1.0)])
        >>> found.all.ratings, found.all.mean, found.emotions["Awe"].agreement
        (2, 0.75, 0.0)
    """
    answers: dict[str, dict[str, Counter[float]]] = {}
    raters: dict[str, set[str]] = {}
    for rating in ratings:
        answers.setdefault(rating.emotion, {}).setdefault(rating.item, Counter())[rating.value] += 1
        raters.setdefault(rating.emotion, set()).add(rating.rater)
    names = [name for name in (*EMOTIONS, *sorted(answers.keys() - set(EMOTIONS))) if name in answers]
    everything = [held for name in names for held in answers[name].values()]
    total = _counts(everything, len(set().union(*answers.values())), len(set().union(*raters.values())))
    single = {name: _counts(answers[name].values(), len(answers[name]), len(raters[name])) for name in names}
    return RatingStatistics(total, single)


def _counts(questions: Collection[Counter[float]], items: int, raters: int) -> RatingCounts:
    """Count the answers to some questions, each about an emotion of an item."""
    values: Counter[float] = Counter()
    # A column holds the answers to a question: which rater gave which is not needed here.
    answers = np.full((max((one.total() for one in questions), default=0), len(questions)), np.nan)
    for column, question in enumerate(questions):
        values.update(question)
        answers[: question.total(), column] = list(question.elements())
    once = np.ones((1, len(questions)))
    same = pairwise_agreement(answers, once).item()
    alpha = 1.0 if same == 1 else krippendorff_alpha(answers, once).item()  # undefined if all are the same
    return RatingCounts(
        ratings=values.total(),
        items=items,
        raters=raters,
        present=sum(times for value, times in values.items() if value > 0),
        mean=sum(value * times for value, times in values.items()) / max(1, values.total()),
        agreement=None if isnan(same) else same,
        alpha=None if isnan(alpha) else alpha,
    )


def answers_of(ratings: Iterable[Rating]) -> dict[tuple[str, str], list[float]]:
    """Group ratings by item and emotion, in the order in which these first come."""
    answers: dict[tuple[str, str], list[float]] = {}
    for rating in ratings:
        answers.setdefault((rating.item, rating.emotion), []).append(rating.value)
    return answers


def consensus_of(answers: Sequence[float], kind: Consensus) -> float | None:
    """Return the label of one emotion of one item, an intensity; None without consensus of this kind."""
    if kind == "majority":
        return majority(answers)
    agreed = {value > 0 for value in answers} if kind == "presence" else set(answers)
    return sum(answers) / len(answers) if len(answers) > 1 and len(agreed) == 1 else None


def majority(answers: Sequence[float]) -> float:
    """Return the most frequent of one or more answers; see the module for ties."""
    mean = sum(answers) / len(answers)
    return min(multimode(answers), key=lambda value: (round(abs(value - mean), 9), value))


def consensus_statistics(answers: Answers) -> ConsensusStatistics:
    """Count the consensus of every kind, over all emotions and voice attributes.

    Example:
        >>> found = consensus_statistics({("clip", "Awe"): [0.5, 1.0], ("clip", "Pain"): [0.0, 0.0]})
        >>> found.presence, found.exact, found.majority
        (2, 1, {0.0: 1, 0.5: 1})
    """
    by_size: dict[int, list[Sequence[float]]] = {}
    for given in answers.values():
        by_size.setdefault(len(given), []).append(given)
    outcomes = tuple(_outcomes(size, pairs) for size, pairs in sorted(by_size.items()))
    several = [one for one in outcomes if one.ratings > 1]
    return ConsensusStatistics(
        outcomes=outcomes,
        presence=sum(one.present + one.absent for one in several),
        exact=sum(one.exact for one in several),
        majority=dict(sorted(Counter(map(majority, answers.values())).items())),
        tied=sum(len(multimode(given)) > 1 for given in answers.values()),
    )


def _outcomes(size: int, pairs: Sequence[Sequence[float]]) -> OutcomeCounts:
    present = sum(min(given) > 0 for given in pairs)
    absent = sum(max(given) == 0 for given in pairs)
    exact = sum(min(given) == max(given) for given in pairs)
    return OutcomeCounts(size, len(pairs), present, absent, len(pairs) - present - absent, exact)


def consensus_profiles(answers: Answers, kind: Consensus) -> dict[str, VoiceProfile]:
    """Return a profile of each item with consensus on an emotion or more, rated for these alone.

    Example:
        >>> answers = {("clip", "Awe"): [0.5, 1.0], ("clip", "Pain"): [0.0, 1.0]}
        >>> found = consensus_profiles(answers, "presence")["clip"]
        >>> dict(found.emotions), sorted(found.rated)
        ({'Awe': 0.75}, ['Awe'])
    """
    labels = ((item, name, consensus_of(given, kind)) for (item, name), given in answers.items())
    return profiles_of(Rating(item, kind, name, label) for item, name, label in labels if label is not None)


def write_labels(path: Path, profiles: Mapping[str, VoiceProfile], *, made_by: Mapping[str, Any]) -> None:
    """Write profiles as JSON Lines with `id`, `profile` and `profile_from`; the file appears whole."""
    with whole_file(path) as file:
        for item, profile in profiles.items():
            row = {"id": item, "profile": profile.to_dict(), "profile_from": dict(made_by)}
            print(json.dumps(row, ensure_ascii=False, allow_nan=False), file=file)
