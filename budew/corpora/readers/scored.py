"""WebDataset shards whose JSON holds scores of emotions. See `budew.corpora.labels.scores`."""

from collections.abc import Iterator
from pathlib import Path

from budew.corpora.clip import Clip
from budew.corpora.labels import only
from budew.corpora.labels.scores import describe_scores
from budew.corpora.shards import read_shard
from budew.errors import OnBad


def read_scored(path: str | Path, *, scale: str | None = None, on_bad: OnBad | None = None) -> Iterator[Clip]:
    """Read one shard.

    Args:
        path: the shard.
        scale: of the scores, such as "0-4" or "scalar-target". Left out, the one that the JSON declares, else
            the smallest of the usual ones that holds all scores of the shard; the metadata says which.
        on_bad: as for `budew.corpora.shards.read_shard`, and so are the errors.
    """
    describe = only(lambda row, place, scales: describe_scores(row, scales) or {}, "a scored corpus")
    return read_shard(path, describe=describe, scale=scale, on_bad=on_bad)
