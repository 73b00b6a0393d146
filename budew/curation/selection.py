"""One part of a split corpus as shards, and whether the splits are those of the corpus."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budew.addresses import shown
from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.curation.splits import Splits, check_part, group_of, select
from budew.errors import CorpusError
from budew.jobs.job import OnFailed

CHECKED = 1_000
"""First clips of a corpus that are checked: every shard would take as long as the job itself."""


@dataclass(frozen=True, slots=True)
class Select:
    """Job that keeps the clips of one part unchanged.

    Attributes:
        splits: who is in which part.
        part: such as "train".

    Raises:
        InputError: there is no such part.
    """

    splits: Splits
    part: str
    name: str = "select"

    def __post_init__(self) -> None:
        check_part(self.splits, self.part)

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the output."""
        return {"part": self.part, "splits": self.splits.digest}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield the clips of the part."""
        return select(clips, self.splits, self.part)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Of the first clips of a corpus, how many the splits do not list, and by how many speakers they are."""

    checked: int
    clips: int
    speakers: int

    def __str__(self) -> str:
        return (
            f"the splits do not list {self.clips:,} of the first {self.checked:,} clips"
            f" ({self.speakers:,} unknown speakers): a hash of the name decides their part"
        )


def unknown_to(splits: Splits, corpus: str | Path) -> Unknown:
    """Count the clips that splits do not list among the first 1,000, or up to the first that they list.

    Items that cannot be read are skipped: the job reports them.

    Raises:
        CorpusError: there is no such corpus, or the splits list no clip of it.
    """
    checked, clips = 0, 0
    speakers: set[str] = set()
    for checked, clip in enumerate(read(corpus, on_bad=lambda error: None), start=1):
        if not splits.knows(clip):
            clips += 1
            kind, name = group_of(clip)
            if kind == "speaker" and len(speakers) < CHECKED:
                speakers.add(name)
        if checked >= CHECKED and clips < checked:
            break
    if clips and clips == checked:
        raise CorpusError(
            f"{shown(str(corpus))}: the splits list none of its {clips:,} clips: give those that"
            " budew corpus split made of this corpus"
        )
    return Unknown(checked, clips, len(speakers))
