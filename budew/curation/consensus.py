"""Consensus of human raters on each item and emotion, counted, and as labels to train on.

| kind | an emotion of an item has it if | its label |
|---|---|---|
| presence | two raters or more; all answer above 0, or all answer 0 | mean of the answers |
| exact | two raters or more, who all give the same answer | that answer |
| majority | one rater or more | the most frequent answer |

Of equally frequent answers, the majority is the one nearest to the mean, and of two equally near ones the
lower. By this rule robflynnyh/SLLM-Understanding counts EmoNet-Voice Bench: majority 0, 1 and 2 for 5,957,
2,757 and 3,886 of 12,600 clips. Exact consensus is what the paper calls unanimous on presence and intensity
(arXiv:2506.09827; 4,692 clips). Answers are intensities here: 0, ½ and 1 for its 0, 1 and 2.

A label lists as rated only the emotions with consensus; training learns nothing about the others.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from budew.corpora.labels.ratings import Rating, profiles_of
from budew.io.files import whole_file
from budew.profile import VoiceProfile

Consensus = Literal["presence", "exact", "majority"]
Answers = Mapping[tuple[str, str], Sequence[float]]
"""(item, emotion) → the answers of its raters, as intensities."""


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """Outcomes of the (item, emotion) pairs with the same number of ratings.

    Attributes:
        ratings: number of ratings of a pair.
        present: pairs for which all raters answer above 0.
        absent: all raters answer 0.
        mixed: some answer above 0, some 0.
        exact: all raters give the same answer.
    """

    ratings: int
    present: int
    absent: int
    mixed: int
    exact: int

    def to_dict(self) -> dict[str, int]:
        """Return plain data, with their sum as `pairs`."""
        counts = {"present": self.present, "absent": self.absent, "mixed": self.mixed, "exact": self.exact}
        return {"ratings": self.ratings, "pairs": self.present + self.absent + self.mixed, **counts}


@dataclass(frozen=True, slots=True)
class ConsensusStatistics:
    """Consensus over all (item, emotion) pairs.

    Attributes:
        outcomes: by number of ratings, rising.
        presence, exact: pairs with the consensus of this kind.
        majority: majority answer, as intensity, → pairs, rising.
        tied: pairs whose most frequent answers were equally frequent.
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
            "by_ratings": [one.to_dict() for one in self.outcomes],
        }


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
    return min(_most_frequent(answers), key=lambda value: (round(abs(value - mean), 9), value))


def consensus_statistics(answers: Answers) -> ConsensusStatistics:
    """Count the consensus of every kind, over all emotions and voice attributes."""
    outcomes: dict[int, Counter[str]] = {}
    for given in answers.values():
        said = {value > 0 for value in given}
        outcome = "mixed" if len(said) > 1 else "present" if said == {True} else "absent"
        outcomes.setdefault(len(given), Counter())[outcome] += 1
        outcomes[len(given)]["exact"] += len(set(given)) == 1
    return ConsensusStatistics(
        outcomes=tuple(
            OutcomeCounts(size, *(counts[name] for name in ("present", "absent", "mixed", "exact")))
            for size, counts in sorted(outcomes.items())
        ),
        presence=sum(consensus_of(given, "presence") is not None for given in answers.values()),
        exact=sum(consensus_of(given, "exact") is not None for given in answers.values()),
        majority=dict(sorted(Counter(map(majority, answers.values())).items())),
        tied=sum(len(_most_frequent(given)) > 1 for given in answers.values()),
    )


def consensus_profiles(answers: Answers, kind: Consensus) -> dict[str, VoiceProfile]:
    """Return a profile of each item with consensus on an emotion or more, rated for these alone."""
    labels = ((item, name, consensus_of(given, kind)) for (item, name), given in answers.items())
    return profiles_of(Rating(item, kind, name, label) for item, name, label in labels if label is not None)


def write_labels(path: Path, profiles: Mapping[str, VoiceProfile], *, made_by: Mapping[str, Any]) -> None:
    """Write profiles as JSON Lines with `id`, `profile` and `profile_from`; the file appears whole."""
    with whole_file(path) as file:
        for item, profile in profiles.items():
            row = {"id": item, "profile": profile.to_dict(), "profile_from": dict(made_by)}
            print(json.dumps(row, ensure_ascii=False, allow_nan=False), file=file)


def _most_frequent(answers: Sequence[float]) -> list[float]:
    counts = Counter(answers)
    most = max(counts.values())
    return [value for value, times in counts.items() if times == most]
