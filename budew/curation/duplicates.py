"""Recordings that a corpus holds several times: to the sample, or encoded anew, quieter, cut by a moment.

Exact copies are found by a hash of what is decoded, so that a wav and its flac are one. Near copies are found
by their fingerprints: see `fingerprint` and `fingerprint_index`. One core does 400 times real time; nine
million clips of eight seconds take 50 hours of one core, 8 GB of memory (0.85 kB a clip, with ids of 25
characters) and 9 GB of disk.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from budew.addresses import shown
from budew.corpora.sources import read
from budew.curation.fingerprint import Fingerprint
from budew.curation.fingerprint_index import LEAST_FRAMES, MOST_ERRORS, FingerprintIndex, Joined
from budew.curation.fingerprint_pool import fingerprints
from budew.curation.statistics import Progress
from budew.errors import AudioError, CorpusError


@dataclass(frozen=True, slots=True)
class Match:
    """Two clips of one recording.

    Attributes:
        one, other: ids.
        exact: whether their samples are equal.
        errors: share of the bits of their fingerprints that differ; multiplied for clips under 2 s.
        offset: seconds from the start of the one to that of the other.
    """

    one: str
    other: str
    exact: bool
    errors: float = 0.0
    offset: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "one": self.one,
            "other": self.other,
            "exact": self.exact,
            "errors": round(self.errors, 4),
            "offset": round(self.offset, 3),
        }


@dataclass(frozen=True, slots=True)
class Group:
    """The clips of one recording: ids with seconds, the one to keep first, and the matches that join them.

    The one to keep is the longest; of equally long ones the first by id.
    """

    clips: tuple[tuple[str, float], ...]
    matches: tuple[Match, ...]

    @property
    def exact(self) -> bool:
        """Whether all of them are equal to the sample."""
        return all(match.exact for match in self.matches)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "keep": self.clips[0][0],
            "clips": [{"id": id, "seconds": round(seconds, 3)} for id, seconds in self.clips],
            "matches": [match.to_dict() for match in self.matches],
        }


@dataclass(slots=True)
class Duplicates:
    """What is there several times.

    Attributes:
        corpus: what was read.
        clips: in all that could be decoded.
        groups: of clips of one recording, in the order of the ids to keep.
        too_short: clips of which only exact copies can be found.
        damaged: clips of which a part could not be decoded.
        bad: items that could not be read or decoded.
    """

    corpus: str
    clips: int = 0
    groups: list[Group] = field(default_factory=list)
    too_short: int = 0
    damaged: int = 0
    bad: int = 0

    @property
    def extra(self) -> list[tuple[str, float]]:
        """All clips of the groups but those to keep."""
        return [clip for group in self.groups for clip in group.clips[1:]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "corpus": self.corpus,
            "clips": self.clips,
            "too_short": self.too_short,
            "damaged": self.damaged,
            "bad_items": self.bad,
            "extra_clips": len(self.extra),
            "extra_hours": round(sum(seconds for _, seconds in self.extra) / 3600, 4),
            "groups": [group.to_dict() for group in self.groups],
        }


def find_duplicates(
    corpus: str | Path,
    *,
    most_errors: float = MOST_ERRORS,
    workers: int = 1,
    on_bad: Callable[[CorpusError], None] | None = None,
    progress: Progress | None = None,
) -> Duplicates:
    """Find the recordings that are in a corpus more than once.

    Args:
        corpus: anything that `budew.read` takes.
        most_errors: share of the bits of two fingerprints that may differ in near copies; 0 asks for much.
        workers: processes that decode; 0 and 1 work in this one. Changes nothing but the time.
        on_bad: called with the error of each item that cannot be read; without it the first is raised.
        progress: called with the number of clips that are decoded.

    Raises:
        CorpusError: there is no such corpus, or an item of it cannot be read.
    """
    found = Duplicates(shown(str(corpus)))

    def tell(error: CorpusError) -> None:
        if on_bad is None:
            raise error
        found.bad += 1
        on_bad(error)

    with FingerprintIndex() as index:
        recordings = _Recordings(index)
        for id, heard in fingerprints(read(corpus, on_bad=tell), workers=workers):
            if isinstance(heard, AudioError):
                tell(heard)
                continue
            found.clips += 1
            found.damaged += heard.damaged
            found.too_short += len(heard.bits) < LEAST_FRAMES
            recordings.add(id, heard)
            if progress:
                progress(found.clips)
        found.groups = recordings.groups(most_errors)
    return found


class _Recordings:
    """Clips by what they hold to the sample, and the fingerprint of each such recording."""

    def __init__(self, index: FingerprintIndex) -> None:
        self._index = index
        self._numbers: dict[bytes, int] = {}
        self._clips: list[str] = []
        self._seconds = array("d")
        self._recording = array("Q")  # of each clip

    def add(self, id: str, heard: Fingerprint) -> None:
        number = self._numbers.get(heard.digest)
        if number is None:
            number = self._index.add(heard.bits, heard.keys)
            self._numbers[heard.digest] = number
        self._clips.append(id)
        self._seconds.append(heard.seconds)
        self._recording.append(number)

    def groups(self, most_errors: float) -> list[Group]:
        first = self._first_clips()
        order = sorted(range(len(first)), key=lambda number: self._clips[first[number]])
        joined = Joined(len(first))
        links = list(self._index.links(order, most_errors=most_errors))
        for link in links:
            joined.join(link.first, link.second)
        matches: dict[int, list[Match]] = defaultdict(list)
        for link in links:
            one, other = (self._clips[first[number]] for number in (link.first, link.second))
            match = Match(one, other, False, link.errors, link.offset)
            matches[joined.root(link.first)].append(match)
        return sorted(self._together(joined, first, matches), key=lambda group: group.clips[0])

    def _first_clips(self) -> list[int]:
        """Return the clip that stands for each recording: the first by id."""
        first = [-1] * len(self._index)
        for clip, number in enumerate(self._recording):
            if first[number] < 0 or self._clips[clip] < self._clips[first[number]]:
                first[number] = clip
        return first

    def _together(self, joined: Joined, first: list[int], matches: dict[int, list[Match]]) -> list[Group]:
        sizes = array("Q", bytes(8 * len(first)))
        for number in self._recording:
            sizes[joined.root(number)] += 1
        members: dict[int, list[tuple[str, float]]] = defaultdict(list)
        for clip, number in enumerate(self._recording):
            root = joined.root(number)
            if sizes[root] < 2:
                continue
            members[root].append((self._clips[clip], self._seconds[clip]))
            if clip != first[number]:
                matches[root].append(Match(self._clips[first[number]], self._clips[clip], True))
        return [
            Group(
                tuple(sorted(clips, key=lambda clip: (-clip[1], clip[0]))),
                tuple(sorted(matches[root], key=lambda match: (match.one, match.other))),
            )
            for root, clips in members.items()
        ]
