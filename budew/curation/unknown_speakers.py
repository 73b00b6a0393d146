"""Whether splits are those of a corpus: how many of its first clips they do not know."""

from dataclasses import dataclass
from pathlib import Path

from budew.addresses import shown
from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.curation.splits import Splits, group_of
from budew.errors import CorpusError

LOOKED_AT = 1_000
"""Clips, from the first on: every shard would take as long as the work itself."""


@dataclass(slots=True)
class Unknown:
    """What splits do not know of the first clips of a corpus.

    Attributes:
        looked_at: clips.
        clips: of these, those whose part no list of the splits says.
        speakers: of those, by name.
    """

    looked_at: int
    clips: int
    speakers: set[str]

    def __str__(self) -> str:
        return (
            f"the splits do not know {self.clips:,} of the first {self.looked_at:,} clips"
            f" ({len(self.speakers):,} speakers): they go where hashes put them"
        )


def unknown_to(splits: Splits, corpus: str | Path) -> Unknown:
    """Count the clips that splits do not know among the first 1,000, or up to the first that they know.

    Items that cannot be read are passed over: the reading that follows tells them.

    Raises:
        CorpusError: there is no such corpus, or the splits know no clip of it.
    """
    found = Unknown(0, 0, set())
    for clip in read(corpus, on_bad=lambda error: None):
        _count(found, clip, splits)
        if found.looked_at >= LOOKED_AT and found.clips < found.looked_at:
            break
    if found.clips and found.clips == found.looked_at:
        raise CorpusError(
            f"{shown(str(corpus))}: the splits know none of its {found.clips:,} clips: give those that"
            " budew corpus split made of this corpus"
        )
    return found


def _count(found: Unknown, clip: Clip, splits: Splits) -> None:
    found.looked_at += 1
    if splits.knows(clip):
        return
    found.clips += 1
    kind, name = group_of(clip)
    if kind == "speaker" and len(found.speakers) < LOOKED_AT:
        found.speakers.add(name)
