"""Sounds of a corpus, such as coughing or yawning: how many captions name the vocal burst, or its group.

A label need not be a burst of the taxonomy: of such a sound only is counted what the captions name instead.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from budew.evaluation.pairs import clusters_of
from budew.profile import VoiceProfile
from budew.statistics.arrays import FloatArray
from budew.statistics.resampling import ConfidenceInterval, Resampling, cluster_intervals
from budew.taxonomy import BURST_GROUPS

_GROUP_OF = {burst: group for group, bursts in BURST_GROUPS.items() for burst in bursts}
_NAMED = 3
"""Groups that are listed for each sound."""


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
