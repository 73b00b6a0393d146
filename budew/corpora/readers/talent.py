"""LAION's Got Talent: shards `<language>_<voice>_….tar`, mp3 + JSON. See `budew.corpora.labels.talent`."""

from collections.abc import Iterator
from pathlib import Path

from budew.corpora.clip import Clip
from budew.corpora.labels import only
from budew.corpora.labels.talent import describe_talent
from budew.corpora.shards import read_shard
from budew.errors import OnBad


def read_talent(path: str | Path, *, on_bad: OnBad | None = None) -> Iterator[Clip]:
    """Read one shard of LAION's Got Talent.

    Language and voice come from the name of the shard, transcript, emotion and accent from the JSON. Raises
    and tells as `budew.corpora.shards.read_shard` does.
    """
    describe = only(lambda row, place, scales: describe_talent(row, place) or {}, "LAION's Got Talent")
    return read_shard(path, describe=describe, on_bad=on_bad)
