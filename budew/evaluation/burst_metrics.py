"""Vocal bursts of predictions against the labels: recall and precision of the 16 groups and of each burst.

Captions speak of groups ("she laughs"), which `parse` reads as the commonest burst of the group, so the
groups count first. A profile without bursts may be one whose bursts nobody labelled: recall and precision are
over the clips that have a labelled burst; how many of the others got one is a number of its own, no error.

The sounds of a corpus, such as coughing or yawning, are scored by `score_sound`. A label need not be a burst
of the taxonomy: of such a sound only is counted what the captions name instead.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from budew.evaluation.pairs import Pair, clusters_of
from budew.profile import VoiceProfile
from budew.statistics.arrays import BoolArray, FloatArray, IntArray, divide
from budew.statistics.resampling import (
    ConfidenceInterval,
    Resampling,
    cluster_intervals,
    permutation_baseline,
    plain_data,
    plain_fields,
)
from budew.taxonomy import BURST_GROUPS, BURSTS

BURST_METRICS = ("micro_recall", "micro_precision", "macro_recall", "macro_precision")
"""In per cent. Micro: of all labels and predictions together. Macro: means over the names that are labelled,
where the precision of one that is never predicted counts as 0."""
_NAMED = 3
"""Groups that are listed for each sound."""
_GROUP_OF = {burst: group for group, bursts in BURST_GROUPS.items() for burst in bursts}


@dataclass(frozen=True, slots=True)
class BurstScore:
    """A burst or a group.

    Attributes:
        name: of the taxonomy.
        support, predicted: number of clips that have it, and for which it was predicted.
        recall, precision: in per cent; undefined without support, or without predictions.
    """

    name: str
    support: int
    predicted: int
    recall: ConfidenceInterval
    precision: ConfidenceInterval


@dataclass(frozen=True, slots=True)
class BurstTable:
    """Scores of all groups, or of all bursts, in the order of the taxonomy.

    Attributes:
        rows: one for each.
        overall, baseline: `BURST_METRICS` of the predictions, and of the same permuted over the clips.
    """

    rows: tuple[BurstScore, ...]
    overall: Mapping[str, ConfidenceInterval]
    baseline: Mapping[str, ConfidenceInterval]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; undefined metrics are None."""
        return {
            **plain_data(self.overall),
            "permutation_baseline": plain_data(self.baseline),
            "by_name": {row.name: plain_fields(row, "name") for row in self.rows},
        }


@dataclass(frozen=True, slots=True)
class BurstScores:
    """Metrics of vocal bursts.

    Attributes:
        n: clips with a labelled burst, over which everything is.
        groups, bursts: by group of the taxonomy, and by burst.
        unlabelled: clips without a labelled burst.
        named_there: number of these for which a burst was predicted; it may well be there.
    """

    n: int
    groups: BurstTable
    bursts: BurstTable
    unlabelled: int
    named_there: int


def score_bursts(pairs: Sequence[Pair], clusters: IntArray, settings: Resampling) -> BurstScores | None:
    """Score the vocal bursts of predictions; None if no clip has a labelled one.

    Args:
        pairs: of n clips.
        clusters: number of what each clip is resampled with, (n,).
        settings: bootstrap resamples, permutations and seed.
    """
    labelled = [place for place, pair in enumerate(pairs) if pair.reference.bursts]
    if not labelled:
        return None
    some = [pairs[place] for place in labelled]
    others = [pair for pair in pairs if not pair.reference.bursts]
    numbers = np.unique(clusters[labelled], return_inverse=True)[1]

    def scored(names: Sequence[str], named: Callable[[str], str]) -> BurstTable:
        label = _present(names, [map(named, pair.reference.bursts) for pair in some])
        predicted = _present(names, [map(named, pair.predicted.bursts) for pair in some])
        return _table(names, label, predicted, numbers, settings)

    return BurstScores(
        n=len(some),
        groups=scored(tuple(BURST_GROUPS), _GROUP_OF.__getitem__),
        bursts=scored(BURSTS, str),
        unlabelled=len(others),
        named_there=sum(bool(pair.predicted.bursts) for pair in others),
    )


def _present(names: Sequence[str], found: Sequence[Iterable[str]]) -> BoolArray:
    """Return which names each clip has, (clips, names)."""
    present = np.zeros((len(found), len(names)), dtype=np.bool_)
    for row, some in zip(present, found, strict=True):
        row[[names.index(name) for name in some]] = True
    return present


def _table(
    names: Sequence[str], label: BoolArray, predicted: BoolArray, clusters: IntArray, settings: Resampling
) -> BurstTable:
    sums = _sums(label, predicted, clusters)
    found = cluster_intervals(sums, _metrics, settings)
    support, times = sums[:, 0].sum(axis=0), sums[:, 1].sum(axis=0)
    together = np.zeros_like(clusters)
    baseline = permutation_baseline(
        lambda order: _metrics(_sums(label, predicted[order], together)), len(label), settings
    )
    return BurstTable(
        rows=tuple(
            BurstScore(name, int(support[at]), int(times[at]), found["recall"][at], found["precision"][at])
            for at, name in enumerate(names)
        ),
        overall={name: found[name][0] for name in BURST_METRICS},
        baseline={name: baseline[name][0] for name in BURST_METRICS},
    )


def _sums(label: BoolArray, predicted: BoolArray, clusters: IntArray) -> FloatArray:
    """Count for each cluster and name: labels, predictions, and those that agree; (clusters, 3, names)."""
    sums = np.zeros((int(clusters.max()) + 1, 3, label.shape[1]))
    np.add.at(sums, clusters, np.stack([label, predicted, label & predicted], axis=1))
    return sums


def _metrics(sums: FloatArray) -> dict[str, FloatArray]:
    """Return `BURST_METRICS`, (rows,), and recall and precision of each name, (rows, names)."""
    label, predicted, agreed = np.moveaxis(sums, 1, 0)
    recall, precision = 100 * divide(agreed, label), 100 * divide(agreed, predicted)
    of_labelled = np.where(label > 0, np.nan_to_num(precision), np.nan)
    return {
        "recall": recall,
        "precision": precision,
        "micro_recall": 100 * divide(agreed.sum(axis=1), label.sum(axis=1)),
        "micro_precision": 100 * divide(agreed.sum(axis=1), predicted.sum(axis=1)),
        "macro_recall": np.nanmean(recall, axis=1),
        "macro_precision": np.nanmean(of_labelled, axis=1),
    }


@dataclass(frozen=True, slots=True)
class SoundScore:
    """What captions say of one sound of a corpus, in per cent of its clips.

    Attributes:
        label: of the corpus.
        n: clips.
        burst, group: a burst that the label stands for is named; one of its group is. None where the taxonomy
            has no such burst.
        any_burst: any vocal burst is named.
        named: the groups named most often, and in how many clips.
    """

    label: str
    n: int
    burst: ConfidenceInterval | None
    group: ConfidenceInterval | None
    any_burst: ConfidenceInterval
    named: Mapping[str, int]


def groups_of(bursts: Iterable[str]) -> tuple[str, ...]:
    """Return the groups of bursts, each once, in their order."""
    return tuple(dict.fromkeys(_GROUP_OF[burst] for burst in bursts))


def score_sound(
    label: str,
    bursts: Sequence[str],
    predicted: Sequence[VoiceProfile],
    speakers: Sequence[str | None],
    settings: Resampling,
) -> SoundScore:
    """Score the captions of the clips of one label.

    Args:
        label: of the corpus.
        bursts: that it stands for; none where the taxonomy has none.
        predicted: parsed captions of n clips, at least one.
        speakers: of the clips, (n,), who are resampled for the intervals.
        settings: bootstrap resamples and seed.
    """
    found = [
        (
            1.0,
            not set(bursts).isdisjoint(one.bursts),
            not set(groups_of(bursts)).isdisjoint(groups_of(one.bursts)),
            bool(one.bursts),
        )
        for one in predicted
    ]
    clusters, _ = clusters_of(speakers)
    sums = np.zeros((int(clusters.max()) + 1, 4))
    np.add.at(sums, clusters, np.array(found, dtype=np.float64))
    shares = cluster_intervals(sums, _shares, settings)["shares"]
    times = Counter(group for one in predicted for group in groups_of(one.bursts))
    return SoundScore(
        label=label,
        n=len(predicted),
        burst=shares[0] if bursts else None,
        group=shares[1] if bursts else None,
        any_burst=shares[2],
        named=dict(times.most_common(_NAMED)),
    )


def _shares(sums: FloatArray) -> dict[str, FloatArray]:
    """Return per cent of the clips, (rows, 3), of (rows, 4)."""
    return {"shares": 100 * sums[:, 1:] / sums[:, :1]}
