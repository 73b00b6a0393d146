"""Agreement of human raters on the emotions of items (clips or images), and consensus labels for training.

There are two measures of agreement. `agreement` is the share of pairs of raters of the same item and emotion
who gave the same answer; it is large by chance alone if most answers are the same. Krippendorff's alpha is
corrected for chance (interval metric: Krippendorff, Content Analysis, 2004): 1 is perfect, 0 is chance. Both
are None if no two raters rated the same emotion of the same item.

There are three kinds of consensus on an emotion of an item:

| consensus | reached if | label |
|---|---|---|
| presence | two raters or more; all answer above 0, or all answer 0 | mean of the answers |
| exact | two raters or more, who all give the same answer | that answer |
| majority | one rater or more | the most frequent answer |

If several answers are most frequent, the majority is the one nearest to the mean, and of two equally near
ones the lower, as in the code of EmoNet-Voice Bench (robflynnyh/SLLM-Understanding). Its paper
(arXiv:2506.09827) calls exact consensus unanimous on presence and intensity. Answers are intensities: 0, ½
and 1 for the answers 0, 1 and 2 of this benchmark.

In a consensus profile only the emotions with consensus are rated, so training ignores the others.
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
"""(item, emotion) → answers of the raters, as intensities."""


@dataclass(frozen=True, slots=True)
class RatingCounts:
    """Statistics of a set of ratings.

    Attributes:
        ratings: number of ratings.
        items: number of rated items.
        raters: number of raters.
        present: number of ratings above 0.
        mean: mean intensity.
        agreement: share of pairs of raters with the same answer, from 0 to 1; None without such pairs.
        alpha: Krippendorff's alpha; None without such pairs.
    """

    ratings: int
    items: int
    raters: int
    present: int
    mean: float
    agreement: float | None
    alpha: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as a dictionary for JSON, rounded to four decimals."""
        return {n: round(v, 4) if isinstance(v, float) else v for n, v in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class RatingStatistics:
    """Statistics of human ratings: of all together (`all`), and of each emotion or voice attribute.

    `emotions` has the emotions in the order of `EMOTIONS`, then the attributes.

    Example:
        >>> found = rating_statistics([Rating("clip", "r1", "Awe", 0.5)])
        >>> found.emotions["Awe"].to_dict()["mean"]
        0.5
    """

    all: RatingCounts
    emotions: dict[str, RatingCounts]

    def to_dict(self) -> dict[str, Any]:
        """Return the statistics as a dictionary for JSON; those of each emotion are in `emotions`."""
        return self.all.to_dict() | {"emotions": {name: c.to_dict() for name, c in self.emotions.items()}}


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """Consensus in the (item, emotion) pairs that have the same number of ratings.

    Attributes:
        ratings: number of ratings of each pair.
        pairs: number of pairs.
        present, absent, mixed: number of pairs for which all raters, no rater, or only some answer above 0.
        exact: number of pairs for which all raters give the same answer.
    """

    ratings: int
    pairs: int
    present: int
    absent: int
    mixed: int
    exact: int


@dataclass(frozen=True, slots=True)
class ConsensusStatistics:
    """How many (item, emotion) pairs have a consensus of each kind.

    Attributes:
        outcomes: counts of the pairs with 1, 2, … ratings, in this order.
        presence, exact: number of pairs with consensus of this kind.
        majority: majority answer, as intensity → number of pairs, lowest intensity first.
        tied: number of pairs in which two or more answers are equally frequent and most frequent.
        patterns: emotion → "raters who answer above 0:raters who answer 0" → number of items, most frequent
            first, as the bars of figure 1 of EmoNet-Voice (arXiv:2506.09827).

    Example:
        >>> found = consensus_statistics({("clip", "Awe"): [0.5, 1.0], ("clip", "Pain"): [0.0, 0.0]})
        >>> found.patterns
        {'Awe': {'2:0': 1}, 'Pain': {'0:2': 1}}
        >>> [(counts.ratings, counts.present, counts.absent) for counts in found.outcomes]
        [(2, 1, 1)]
    """

    outcomes: tuple[OutcomeCounts, ...]
    presence: int
    exact: int
    majority: Mapping[float, int]
    tied: int
    patterns: Mapping[str, Mapping[str, int]]

    def to_dict(self) -> dict[str, Any]:
        """Return a dictionary for JSON; keys of `majority` are intensities with up to four digits."""
        return {
            "presence": self.presence,
            "exact": self.exact,
            "majority": {f"{value:.4g}": count for value, count in self.majority.items()},
            "tied": self.tied,
            "by_ratings": [asdict(one) for one in self.outcomes],
            "patterns": self.patterns,
        }


def rating_statistics(ratings: Iterable[Rating]) -> RatingStatistics:
    """Compute number, mean and agreement of ratings, in all and by emotion.

    Memory: one small counter for each item and emotion.

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
    """Compute statistics of answers; each question is an emotion of an item, with counts of its answers."""
    values: Counter[float] = Counter()
    # Each column has the answers to a question, in any order: agreement does not depend on who gave them.
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


def answers_of(ratings: Iterable[Rating], *, min_raters: int = 1) -> dict[tuple[str, str], list[float]]:
    """Return {(item, emotion): values of its ratings}, in the order in which the keys first occur.

    Keys with fewer ratings than `min_raters` are left out.
    """
    answers: dict[tuple[str, str], list[float]] = {}
    for rating in ratings:
        answers.setdefault((rating.item, rating.emotion), []).append(rating.value)
    return {key: values for key, values in answers.items() if len(values) >= min_raters}


def consensus_of(answers: Sequence[float], kind: Consensus) -> float | None:
    """Return the consensus label of an emotion of an item, an intensity; None if there is no consensus.

    The docstring of the module defines the kinds of consensus.
    """
    if kind == "majority":
        return majority(answers)
    agreed = {value > 0 for value in answers} if kind == "presence" else set(answers)
    return sum(answers) / len(answers) if len(answers) > 1 and len(agreed) == 1 else None


def majority(answers: Sequence[float]) -> float:
    """Return the most frequent answer; of several, the one nearest to the mean, then the lowest."""
    mean = sum(answers) / len(answers)
    return min(multimode(answers), key=lambda value: (round(abs(value - mean), 9), value))


def consensus_statistics(answers: Answers) -> ConsensusStatistics:
    """Count how often raters reach each kind of consensus, over all emotions and voice attributes.

    `answers` are grouped as by `answers_of`.

    Example:
        >>> found = consensus_statistics({("clip", "Awe"): [0.5, 1.0], ("clip", "Pain"): [0.0, 0.0]})
        >>> found.presence, found.exact, found.majority
        (2, 1, {0.0: 1, 0.5: 1})
    """
    by_size: dict[int, list[Sequence[float]]] = {}
    patterns: dict[str, Counter[str]] = {}
    for (_, name), given in answers.items():
        by_size.setdefault(len(given), []).append(given)
        present = sum(value > 0 for value in given)
        patterns.setdefault(name, Counter())[f"{present}:{len(given) - present}"] += 1
    outcomes = tuple(_outcomes(size, pairs) for size, pairs in sorted(by_size.items()))
    several = [one for one in outcomes if one.ratings > 1]
    return ConsensusStatistics(
        outcomes=outcomes,
        presence=sum(one.present + one.absent for one in several),
        exact=sum(one.exact for one in several),
        majority=dict(sorted(Counter(map(majority, answers.values())).items())),
        tied=sum(len(multimode(given)) > 1 for given in answers.values()),
        patterns={name: dict(counts.most_common()) for name, counts in sorted(patterns.items())},
    )


def _outcomes(size: int, pairs: Sequence[Sequence[float]]) -> OutcomeCounts:
    present = sum(min(given) > 0 for given in pairs)
    absent = sum(max(given) == 0 for given in pairs)
    exact = sum(min(given) == max(given) for given in pairs)
    return OutcomeCounts(size, len(pairs), present, absent, len(pairs) - present - absent, exact)


def consensus_profiles(answers: Answers, kind: Consensus) -> dict[str, VoiceProfile]:
    """Return {item: profile} with the consensus labels of its raters.

    Only emotions with consensus of this kind are rated; items without any are left out. `answers` are grouped
    as by `answers_of`.

    Example:
        >>> answers = {("clip", "Awe"): [0.5, 1.0], ("clip", "Pain"): [0.0, 1.0]}
        >>> found = consensus_profiles(answers, "presence")["clip"]
        >>> dict(found.emotions), sorted(found.rated)
        ({'Awe': 0.75}, ['Awe'])
    """
    labels = ((item, name, consensus_of(given, kind)) for (item, name), given in answers.items())
    return profiles_of(Rating(item, kind, name, label) for item, name, label in labels if label is not None)


def write_labels(path: Path, profiles: Mapping[str, VoiceProfile], *, made_by: Mapping[str, Any]) -> None:
    """Write the profile of each item as JSON Lines with `id`, `profile` and `profile_from` (`made_by`).

    The file appears when it is complete.
    """
    with whole_file(path) as file:
        for item, profile in profiles.items():
            row = {"id": item, "profile": profile.to_dict(), "profile_from": dict(made_by)}
            print(json.dumps(row, ensure_ascii=False, allow_nan=False), file=file)
