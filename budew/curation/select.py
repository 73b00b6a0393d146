"""One part of a split corpus as shards: the clips whose speaker is in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from budew.corpora.clip import Clip
from budew.curation.splits import Splits, check_part, select
from budew.jobs.job import OnFailed


@dataclass(frozen=True, slots=True)
class Select:
    """Keep the clips of one part, as they are.

    Attributes:
        splits: who is in which part.
        part: such as "train".

    Raises:
        CorpusError: there is no such part.
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
        """Pass on the clips of the part."""
        return select(clips, self.splits, self.part)
