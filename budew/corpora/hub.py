"""Stream datasets of the Hugging Face hub: `hf://owner/name[:config][@split]`.

Nothing is decoded or kept on disk. A dataset of several shards is read shard by shard, so that a job can take
one shard at a time, such as `hf://owner/name@train#00003-of-00128`. Plain files on the hub can be read as
`hf://datasets/owner/name/x.tar`, see `budew.corpora.remote`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.labels import Scales
from budew.corpora.reading import AS_USUAL, ReadOptions
from budew.corpora.tables import TableInfo, class_names, clips_of_rows, media_column
from budew.errors import CorpusError, MissingExtraError, require

SCHEME = "hf://"
_FILES = ("datasets/", "spaces/", "models/", "buckets/")
_NAME = re.compile(
    r"hf://(?P<name>\w[\w.-]{0,95}/\w[\w.-]{0,95})(?::(?P<config>[\w.-]{1,96}))?(?:@(?P<split>[^#/@?]{1,200}))?"
    r"(?:#(?P<shard>\d{5})-of-(?P<shards>\d{5}))?"
)


@dataclass(frozen=True, slots=True)
class HubDataset:
    """Parts of the name `hf://owner/name:config@split#shard-of-shards`; shards count from 0."""

    name: str
    config: str | None = None
    split: str | None = None
    shard: int | None = None
    shards: int | None = None

    def __str__(self) -> str:
        config = f":{self.config}" if self.config else ""
        split = f"@{self.split}" if self.split else ""
        shard = "" if self.shard is None else f"#{self.shard:05d}-of-{self.shards:05d}"
        return f"{SCHEME}{self.name}{config}{split}{shard}"


def is_hub_dataset(source: str) -> bool:
    """Return whether a source is the name of a dataset on the hub, not of a file on the hub."""
    return source.startswith(SCHEME) and not source.removeprefix(SCHEME).startswith(_FILES)


def parse_hub_name(source: str) -> HubDataset:
    """Parse the name of a dataset on the hub.

    Raises:
        CorpusError: the name does not have the form `hf://owner/name[:config][@split]`.

    Example:
        >>> parse_hub_name("hf://owner/name:de@train").split
        'train'
    """
    found = _NAME.fullmatch(source)
    if found is None:
        name = f"{SCHEME}…" if set(source) & set("@?#") else source[:200]  # it may hold a token
        form = "name a dataset as hf://owner/name or hf://owner/name:config@split"
        raise CorpusError(f"{name}: {form}, and nothing more; a token is taken from HF_TOKEN")
    parts = found.groupdict()
    numbers = {key: None if parts[key] is None else int(parts[key]) for key in ("shard", "shards")}
    return HubDataset(parts["name"], parts["config"], parts["split"], **numbers)


def divide_hub(source: str) -> list[str]:
    """Return the names of the shards of a dataset, in order; each can be read as a source.

    Raises:
        CorpusError: the dataset cannot be downloaded, or has several splits and `source` names none.
        MissingExtraError: `datasets` is not installed.
    """
    dataset = parse_hub_name(source)
    if dataset.shard is not None:
        return [source]
    dataset, rows = _streamed(dataset)
    count = min(int(rows.num_shards), 99_999)
    return [str(replace(dataset, shard=number, shards=count)) for number in range(count)]


def read_hub(source: str, options: ReadOptions = AS_USUAL) -> Iterator[Clip]:
    """Read the clips of a dataset, or of one of its shards; `Clip.audio` has the bytes.

    Ids are from the id column, or else made of split, shard and number of the row. Scores need a declared
    scale or `options.scale`, because a scale cannot be detected in a stream.

    Raises:
        CorpusError: the dataset cannot be downloaded, has no audio or is truncated, or a row is broken; the
            message names the row.
        MissingExtraError: `datasets` is not installed.
    """
    for shard in map(parse_hub_name, divide_hub(source)):
        try:
            _, rows = _streamed(shard)
            audio = media_column(rows.features.arrow_schema, str(shard), options.media)
        except CorpusError as error:
            options.report(error)
            continue
        place, scales = shard.name.partition("/")[2], Scales(options.scale)
        table = TableInfo(str(shard), place, audio, scales, class_names(rows.features))
        yield from clips_of_rows(_numbered(rows, shard, options), table, options)


def _streamed(dataset: HubDataset) -> tuple[HubDataset, Any]:
    """Open the stream of a split or shard; return the dataset, with the name of its split, and the rows."""
    try:
        found = _loaded(dataset.name, dataset.config, dataset.split)
        if dataset.split is None:
            splits = list(found)
            if len(splits) != 1:
                fault = (
                    f"the dataset has the splits {', '.join(splits)}: name one, as in {dataset}@{splits[0]}"
                )
                raise CorpusError(f"{dataset}: {fault}")
            dataset, found = replace(dataset, split=splits[0]), found[splits[0]]
        if found.features is None:
            found = found._resolve_features()
        found = found.decode(False)
        if dataset.shard is not None:
            found = found.shard(num_shards=dataset.shards, index=dataset.shard)
    except (CorpusError, MissingExtraError):
        raise
    except Exception as error:  # the library may raise any error
        raise _unreachable(dataset, error) from error
    return dataset, found


@lru_cache(maxsize=4)  # each costs some requests, and the shards of a dataset are read one after the other
def _loaded(name: str, config: str | None, split: str | None) -> Any:
    datasets = require("datasets", extra="corpora", purpose=f"reading {SCHEME}")
    address = f"{SCHEME}datasets/{name}" if Path(name).exists() else name  # never a local folder of this name
    return datasets.load_dataset(address, config, split=split, streaming=True)


def _numbered(rows: Any, shard: HubDataset, options: ReadOptions) -> Iterator[tuple[str, dict[str, Any]]]:
    name = f"{shard.split}-{shard.shard or 0:05d}"
    number = 0
    try:
        for row in rows:
            yield f"{name}-{number:08d}", dict(row)
            number += 1
    except Exception as error:  # noqa: BLE001  # the library may raise any error
        options.report(CorpusError(f"{_unreachable(shard, error)} (after {number} rows)"))


def _unreachable(dataset: HubDataset, error: Exception) -> CorpusError:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return CorpusError(
        f"{dataset}: cannot be downloaded ({reason}): check the name, the network and your access"
    )
