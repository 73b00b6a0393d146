"""Split a corpus into speaker-disjoint parts of given shares, each with its share of every emotion.

All clips of a speaker are one group, which is assigned to one part as a whole; so are clips without a speaker
that `budew corpus segment` cut from the same recording. A clip with neither is a group by itself. The result
depends on the seed and the clips, not on their order. Memory: 0.5 kB a group. If more than 100,000 clips have
neither speaker nor recording, a hash decides their parts, which is then accurate enough.

The method is greedy, as in scikit-learn's `StratifiedGroupKFold` and in iterative stratification (Sechidis,
Tsoumakas and Vlahavas 2011), extended to several labels a clip and parts of any size. Afterwards groups are
moved to other parts while this improves the objective: Pearson's χ² between the clips of each part and its
share of the corpus, in which a rare emotion in a small part counts most. 10 µs for each group and sweep.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budew.corpora.clip import Clip
from budew.curation.splits import KINDS, Splits, check_shares, group_of, part_by_hash
from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS
from budew.taxonomy.rating_scales import nearest_level

STRATA = ("clips", "no emotion", *EMOTIONS)
"""Names of the counted sets of clips: all, clips without any emotion, clips with each of the 40 emotions."""
MOST_UNNAMED = 100_000
"""If more clips than this have neither speaker nor recording, a hash decides their parts."""
MOST_SWEEPS = 10
"""Largest number of passes over all groups that move groups to better parts."""

_PLACE = {name: place for place, name in enumerate(STRATA)}
_GAIN = 1e-6  # least gain of a change, so that rounding errors decide nothing

Counts = NDArray[np.integer]
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PartReport:
    """Contents of one part of a split.

    Attributes:
        name: name of the part, such as "train".
        asked: requested share of the clips.
        speakers: number of speakers.
        unnamed: number of clips without a speaker.
        recordings: number of recordings with clips without a speaker.
        recorded: number of clips of these recordings.
        counts: number of clips in each of `STRATA`.
    """

    name: str
    asked: float
    speakers: int
    unnamed: int
    recordings: int
    recorded: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SplitReport:
    """Quality of a split: sizes of its parts, and how evenly emotions are distributed over them.

    Attributes:
        parts: reports of the parts, in the order in which the shares were given.
        counts: number of clips of the whole corpus in each of `STRATA`.
        listed: False if a hash decided the parts of clips with neither speaker nor recording.
        emotions_unknown: number of clips without rated emotions; they do not count for any emotion.

    Example:
        >>> clips = [Clip(f"{n}", b"", "wav", speaker=f"voice {n % 10}") for n in range(40)]
        >>> _, report = split_corpus(clips, {"train": 0.8, "test": 0.2})
        >>> [report.share(part) for part in report.parts]
        [0.8, 0.2]
    """

    parts: tuple[PartReport, ...]
    counts: Mapping[str, int]
    listed: bool
    emotions_unknown: int = 0

    def share(self, part: PartReport) -> float:
        """Return the share of the clips of the corpus that are in a part, from 0 to 1."""
        return part.counts["clips"] / max(1, self.counts["clips"])

    def deviations(self, part: PartReport) -> dict[str, float]:
        """Compare the frequency of each emotion, and of "no emotion", in a part and in the whole corpus.

        Returns:
            Name → percentage points by which it is more (or, if negative, less) frequent in the part.
        """
        size, total = max(1, part.counts["clips"]), max(1, self.counts["clips"])
        return {
            name: 100 * (part.counts[name] / size - self.counts[name] / total)
            for name in STRATA[1:]
            if self.counts[name]
        }

    def mean_deviation(self, part: PartReport) -> float:
        """Return the mean absolute value of `deviations`, in percentage points; 0 is a perfect split."""
        deviations = self.deviations(part)
        return sum(map(abs, deviations.values())) / max(1, len(deviations))

    def missing(self, part: PartReport) -> list[str]:
        """Return the emotions that occur in the corpus but in no clip of this part."""
        return [name for name in EMOTIONS if self.counts[name] and not part.counts[name]]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dictionary for JSON, with one entry a part in `parts`."""
        return {
            "clips": self.counts["clips"],
            "clips_with_unknown_emotions": self.emotions_unknown,
            "unnamed_clips_by_hash": not self.listed,
            "parts": {
                part.name: {
                    "asked": part.asked,
                    "share": round(self.share(part), 6),
                    "clips": part.counts["clips"],
                    "speakers": part.speakers,
                    "clips_without_speaker": part.unnamed,
                    "recordings": part.recordings,
                    "clips_placed_by_recording": part.recorded,
                    "mean_deviation": round(self.mean_deviation(part), 4),
                    "missing": self.missing(part),
                    "emotions": {
                        name: {"clips": part.counts[name], "deviation": round(value, 4)}
                        for name, value in self.deviations(part).items()
                    },
                }
                for part in self.parts
            },
        }


def split_corpus(
    clips: Iterable[Clip], shares: Mapping[str, float], *, seed: int = 0
) -> tuple[Splits, SplitReport]:
    """Split a corpus into parts that share no speaker, with similar frequencies of emotions in each part.

    Args:
        clips: clips of the corpus, such as from `budew.read`; read once.
        shares: name of each part → its share of the clips, such as {"train": 0.8, "test": 0.2}.
        seed: random seed; another seed gives another split.

    Returns:
        The parts, to be written by `write_splits`, and a report of their sizes and emotions.

    Raises:
        InputError: the shares do not add up to 1.
        CorpusError: there are fewer speakers, recordings and clips without either than parts.

    Example:
        >>> clips = [Clip(f"{n}", b"", "wav", speaker=f"voice {n % 10}") for n in range(40)]
        >>> splits, report = split_corpus(clips, {"train": 0.8, "test": 0.2})
        >>> {part.name: part.speakers for part in report.parts}
        {'train': 8, 'test': 2}
    """
    check_shares(shares)
    names = list(shares)
    listed = True
    emotions_unknown = 0
    tables = {kind: _table() for kind in KINDS}
    by_hash = np.zeros((len(shares), len(STRATA)), np.int64)
    for clip in clips:
        kind, name = group_of(clip)
        strata = _strata(clip.profile)
        emotions_unknown += clip.profile is None or not clip.profile.rated
        if kind == "clip":
            by_hash[names.index(part_by_hash(shares, seed, kind, name)), strata] += 1
        if kind != "clip" or listed:
            tables[kind][name][strata] += 1
        if len(tables["clip"]) > MOST_UNNAMED:
            listed, tables["clip"] = False, _table()
    groups = [(kind, name) for kind, table in tables.items() for name in table]
    if listed and len(groups) < len(shares):
        needed = "speakers or recordings" if tables["recording"] else "speakers"
        raise CorpusError(
            f"{len(shares)} parts need at least as many {needed}, but there are {len(groups)}: give fewer "
            "parts"
        )
    rows = [row for table in tables.values() for row in table.values()]
    counts = np.array(rows, np.int32).reshape(-1, len(STRATA))
    taken = None if listed else by_hash
    order = _order(groups, counts, seed)
    placed = stratify(counts, np.array(list(shares.values())), order=order, taken=taken)
    parts: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for (kind, name), part in zip(groups, placed, strict=True):
        parts[kind][name] = names[part]
    splits = Splits(seed, dict(shares), parts["speaker"], parts["clip"], parts["recording"], listed)
    kinds = np.array([kind for kind, _ in groups], str)
    reports = []
    for number, name in enumerate(names):
        here = {kind: counts[(kinds == kind) & (placed == number)] for kind in KINDS}
        if taken is not None:
            here["clip"] = taken[[number]]
        reports.append(_part_report(name, shares[name], here))
    everything = sum((Counter(part.counts) for part in reports), Counter[str]())
    return splits, SplitReport(tuple(reports), everything, listed, emotions_unknown)


def _table() -> dict[str, NDArray[np.int32]]:
    """Return a table from the name of a group to its clips in each stratum, 0 for new groups."""
    return defaultdict(lambda: np.zeros(len(STRATA), np.int32))


def _part_report(name: str, asked: float, counts: Mapping[str, Counts]) -> PartReport:
    """Report a part; `counts` has the clips of its groups by kind of group, shape (groups, strata)."""
    clips = {kind: int(rows[:, 0].sum()) for kind, rows in counts.items()}
    strata = np.concatenate(list(counts.values())).sum(axis=0).tolist()
    return PartReport(
        name,
        asked,
        speakers=len(counts["speaker"]),
        unnamed=clips["recording"] + clips["clip"],
        recordings=len(counts["recording"]),
        recorded=clips["recording"],
        counts=dict(zip(STRATA, strata, strict=True)),
    )


def _strata(profile: VoiceProfile | None) -> list[int]:
    """Return the indices in `STRATA` of a clip: 0, then its emotions, or 1 if all 40 are rated absent."""
    if profile is None:
        return [0]
    present = [_PLACE[name] for name, intensity in profile.emotions.items() if nearest_level(intensity)]
    return [0, *(present or [1] * profile.fully_rated)]


def _order(groups: Sequence[tuple[str, str]], counts: Counts, seed: int) -> Indices:
    """Return the order of the groups: by size rounded to a power of two, largest first, then by seed."""

    def rank(number: int) -> tuple[int, bytes]:
        drawn = "/".join((str(seed), *groups[number])).encode("utf-8", "surrogatepass")
        return -int(counts[number, 0]).bit_length(), hashlib.sha256(drawn).digest()

    return np.array(sorted(range(len(groups)), key=rank), np.intp)


def stratify(
    counts: Counts, shares: Floats, *, order: Indices | None = None, taken: Counts | None = None
) -> Indices:
    """Assign groups to parts so that each part has about its share of the clips of every stratum.

    Args:
        counts: clips of each group in each stratum, shape (groups, strata); the first stratum is all clips.
        shares: share of each part, shape (parts,), above 0, adding up to 1.
        order: indices of the groups in the order of assignment, best the largest first; None: as given.
        taken: clips that are in the parts already, shape (parts, strata); None: the parts are empty.

    Returns:
        Index of the part of each group, shape (groups,). Without `taken`, every part gets a group if there
        are at least as many groups as parts.
    """
    order = np.arange(len(counts)) if order is None else order
    filled = np.zeros((len(shares), counts.shape[1])) if taken is None else taken.astype(np.float64)
    targets = np.outer(shares, counts.sum(axis=0) + filled.sum(axis=0))
    weights = 1 / np.maximum(targets, 1)
    parts = np.full(len(counts), -1, dtype=np.intp)
    for _ in range(1 + MOST_SWEEPS):
        changed = False
        for number in order:
            row, at = counts[number], parts[number]
            if at >= 0:
                filled[at] -= row
            costs = (weights * row * (2 * (filled - targets) + row)).sum(axis=1)
            best = int(np.argmin(costs))
            if at < 0 or costs[best] < costs[at] - _GAIN:
                parts[number], changed = best, True
            filled[parts[number]] += row
        if not changed:
            break
    if taken is None:
        _fill_empty(order, parts, len(shares))
    return parts


def _fill_empty(order: Indices, parts: Indices, count: int) -> None:
    """Move into each empty part the last group of the part with most groups."""
    for part in range(count):
        sizes = np.bincount(parts, minlength=count)
        if sizes[part] == 0 and sizes.max() > 1:
            parts[order[parts[order] == sizes.argmax()][-1]] = part
