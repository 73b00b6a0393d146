"""Vocal bursts of predictions against the labels: recall and precision of the 16 groups and of each burst.

Captions usually name a group ("she laughs"), which `parse` reads as the most common burst of the group, so
the scores of groups say more. A profile without bursts may only be unlabelled. Recall and precision are
therefore over the clips that have a labelled burst; bursts predicted for other clips are counted separately,
not as errors.

The sounds of a corpus, such as coughing or yawning, are scored by `score_sound`. A label need not be a burst
of the taxonomy: of such a sound only the bursts that captions name instead are counted.
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
"""In per cent. Micro: over all labels and predictions. Macro: mean over the names that occur as labels; the
precision of a name that is never predicted counts as 0."""
_NAMED = 3
"""Groups that are listed for each sound."""
_GROUP_OF = {burst: group for group, bursts in BURST_GROUPS.items() for burst in bursts}


@dataclass(frozen=True, slots=True)
class BurstScore:
    """Metrics of one burst or one group of bursts.

    Attributes:
        name: name of the burst or group in the taxonomy.
        support, predicted: number of clips that have it, and number of clips for which it was predicted.
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
        rows: one per group or burst.
        overall, baseline: `BURST_METRICS` by name, of the predictions and of the predictions permuted over
            the clips.
    """

    rows: tuple[BurstScore, ...]
    overall: Mapping[str, ConfidenceInterval]
    baseline: Mapping[str, ConfidenceInterval]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; undefined metrics are None."""
        return {
            **plain_data(self.overall),
            "permutation_baseline": plain_data(self.baseline),
            "by_name": {row.name: plain_fields(row, "name") for row in self.rows},
        }


@dataclass(frozen=True, slots=True)
class BurstScores:
    """Metrics of vocal bursts.

    Attributes:
        n: number of clips with a labelled burst; `groups` and `bursts` are over these.
        groups, bursts: scores of the groups, and of the single bursts.
        unlabelled: number of clips without a labelled burst.
        named_there: number of unlabelled clips for which a burst was predicted, which may be right.
    """

    n: int
    groups: BurstTable
    bursts: BurstTable
    unlabelled: int
    named_there: int


def score_bursts(pairs: Sequence[Pair], clusters: IntArray, settings: Resampling) -> BurstScores | None:
    """Score the predicted vocal bursts; return None if no clip has a labelled burst.

    Args:
        pairs: references and predictions of n clips.
        clusters: (n,), number of the group that each clip is resampled with, see `clusters_of`.
        settings: number of bootstrap resamples and permutations, and seed.
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
    """How often captions name a sound of a corpus, in per cent of the clips with its label.

    Attributes:
        label: label of the corpus.
        n: number of clips with the label.
        burst, group: the caption names a burst that the label stands for, or a burst of the same group; None
            if the taxonomy has no such burst.
        any_burst: the caption names any vocal burst.
        named: the groups that captions name most often → number of clips.
    """

    label: str
    n: int
    burst: ConfidenceInterval | None
    group: ConfidenceInterval | None
    any_burst: ConfidenceInterval
    named: Mapping[str, int]


def groups_of(bursts: Iterable[str]) -> tuple[str, ...]:
    """Return the groups that the bursts belong to, each once, in order of first occurrence."""
    return tuple(dict.fromkeys(_GROUP_OF[burst] for burst in bursts))


def score_sound(
    label: str,
    bursts: Sequence[str],
    predicted: Sequence[VoiceProfile],
    speakers: Sequence[str | None],
    settings: Resampling,
) -> SoundScore:
    """Score the captions of the clips with one label.

    Args:
        label: label of the corpus.
        bursts: bursts of the taxonomy that the label stands for; may be empty.
        predicted: profiles parsed from the captions of n clips, at least one.
        speakers: (n,), speaker of each clip, None if unknown. Intervals resample speakers, see `clusters_of`.
        settings: number of bootstrap resamples, and seed.
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
