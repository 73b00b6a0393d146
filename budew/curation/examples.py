"""Which clips of a corpus to show: the strongest of each emotion and some at random, always the same ones.

Of equally strong clips, and for the random ones, the hash of the id decides, so that neither the order of the
corpus nor its size matters. Memory holds one clip an emotion and the random ones, none larger than 2 MB.
"""

import hashlib
import heapq
from dataclasses import dataclass, field

from budew.corpora.clip import Clip

LARGEST = 2_000_000
"""Bytes of an encoded clip that is held in memory for showing."""
AT_RANDOM = 12


@dataclass(slots=True)
class Examples:
    """A choice among the clips that were added."""

    _strongest: dict[str, tuple[float, str, Clip]] = field(default_factory=dict)
    _random: list[tuple[int, str, Clip]] = field(default_factory=list)

    def add(self, clip: Clip) -> None:
        """Consider a clip."""
        if isinstance(clip.audio, bytes) and len(clip.audio) > LARGEST:
            return
        digest = hashlib.sha256(clip.id.encode()).hexdigest()
        for name, intensity in clip.profile.emotions.items() if clip.profile else ():
            rank = (-intensity, digest)
            if name not in self._strongest or rank < self._strongest[name][:2]:
                self._strongest[name] = (*rank, clip)
        entry = (-int(digest[:15], 16), clip.id, clip)
        if len(self._random) < AT_RANDOM:
            heapq.heappush(self._random, entry)
        elif entry[:2] > self._random[0][:2]:
            heapq.heapreplace(self._random, entry)

    def chosen(self, most: int) -> list[Clip]:
        """Return at most so many clips: those that are strongest in an emotion, then those at random."""
        champions = [clip for *_, clip in sorted(self._strongest.values(), key=lambda entry: entry[:2])]
        others = [clip for *_, clip in sorted(self._random, key=lambda entry: entry[:2], reverse=True)]
        rest = others[: max(0, AT_RANDOM - len({clip.id for clip in champions}))]
        unique = {clip.id: clip for clip in (*champions, *rest)}
        return list(unique.values())[:most]
