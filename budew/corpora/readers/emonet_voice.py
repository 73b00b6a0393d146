"""EmoNet-Voice Bench: parquet shards with `audioId` and `label`. See `budew.corpora.labels.emonet_voice`."""

from collections.abc import Iterator
from pathlib import Path

from budew.corpora.clip import Clip
from budew.corpora.labels import only
from budew.corpora.labels.emonet_voice import describe_emonet_voice
from budew.corpora.parquet import read_parquet
from budew.errors import OnBad


def read_emonet_voice(path: str | Path, *, on_bad: OnBad | None = None) -> Iterator[Clip]:
    """Read one parquet shard as clips whose profiles are the means of their ratings.

    Raises and tells as `budew.corpora.parquet.read_parquet` does.
    """
    describe = only(lambda row, place, scales: describe_emonet_voice(row) or {}, "EmoNet-Voice Bench")
    return read_parquet(path, describe=describe, on_bad=on_bad)
