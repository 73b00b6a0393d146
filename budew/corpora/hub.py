"""Datasets of the Hugging Face hub, streamed: `hf://owner/name[:config][@split]`.

Nothing is decoded and nothing is kept on disk. A dataset of several shards is read shard by shard
(`hf://owner/name@train#00003-of-00128` is one), so that a job can take them one at a time. What the hub holds
as plain files reads as those, too: `hf://datasets/owner/name/x.tar`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.column_names import names_of_fields
from budew.corpora.labels import Scales
from budew.corpora.media import AUDIO, Media
from budew.corpora.table_rows import TableInfo, class_names, clips_of_rows
from budew.errors import CorpusError, MissingExtraError, OnBad, report
from budew.extras import require

SCHEME = "hf://"
_FILES = ("datasets/", "spaces/", "models/", "buckets/")
_NAME = re.compile(
    r"hf://(?P<name>\w[\w.-]{0,95}/\w[\w.-]{0,95})(?::(?P<config>[\w.-]{1,96}))?(?:@(?P<split>[^#/@?]{1,200}))?"
    r"(?:#(?P<shard>\d{5})-of-(?P<shards>\d{5}))?"
)

_BEFORE_SECRETS = frozenset("@?#")
"""In a name that is none, letters with a password before or a token behind them: it is not repeated then."""


@dataclass(frozen=True, slots=True)
class HubDataset:
    """What `hf://owner/name:config@split#shard-of-shards` says; shards count from 0."""

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
    """Return whether a source names a dataset of the hub, and not a file on it."""
    return source.startswith(SCHEME) and not source.removeprefix(SCHEME).startswith(_FILES)


def hub_dataset(source: str) -> HubDataset:
    """Read the name of a dataset.

    Raises:
        CorpusError: it is not of the form `hf://owner/name[:config][@split]`.
    """
    found = _NAME.fullmatch(source)
    if found is None:
        name = f"{SCHEME}…" if set(source) & _BEFORE_SECRETS else source[:200]
        form = "name a dataset as hf://owner/name or hf://owner/name:config@split"
        raise CorpusError(f"{name}: {form}, and nothing more; a token is taken from HF_TOKEN")
    parts = found.groupdict()
    numbers = {key: None if parts[key] is None else int(parts[key]) for key in ("shard", "shards")}
    return HubDataset(parts["name"], parts["config"], parts["split"], **numbers)


def hub_shards(source: str) -> list[str]:
    """Return the shards of a dataset, in order, each as a source of its own.

    Raises:
        CorpusError: the dataset cannot be downloaded, or has several splits and none is named.
        MissingExtraError: `datasets` is not installed.
    """
    asked = hub_dataset(source)
    if asked.shard is not None:
        return [source]
    asked, rows = _streamed(asked)
    count = min(int(rows.num_shards), 99_999)
    return [str(replace(asked, shard=number, shards=count)) for number in range(count)]


def read_hub(
    source: str, *, scale: str | None = None, media: Media = AUDIO, on_bad: OnBad | None = None
) -> Iterator[Clip]:
    """Read the clips of a dataset, or of one shard of it; audio comes as bytes.

    Ids are those of its id column, else split, shard and number of the row.

    Args:
        source: as `hub_dataset` reads it.
        scale: of scores that come without one, such as "0-4". A stream cannot be looked through for it.
        media, on_bad: as for `budew.read`.

    Raises:
        CorpusError: the dataset cannot be downloaded, has no audio or is truncated; or names the bad row.
        MissingExtraError: `datasets` is not installed.
    """
    for shard in hub_shards(source):
        yield from _read_shard(hub_dataset(shard), scale, media, on_bad)


def _read_shard(shard: HubDataset, scale: str | None, media: Media, on_bad: OnBad | None) -> Iterator[Clip]:
    try:
        _, rows = _streamed(shard)
        audio = _media_column(rows.features, shard, media)
    except CorpusError as error:
        report(error, on_bad)
        return
    place = shard.name.partition("/")[2]
    table = TableInfo(str(shard), place, audio, Scales(scale), class_names(rows.features), media)
    yield from clips_of_rows(_numbered(rows, shard, on_bad), table, on_bad)


def _streamed(asked: HubDataset) -> tuple[HubDataset, Any]:
    """Open the stream of a split, or of one shard of it; return it with its split named."""
    try:
        found = _loaded(asked.name, asked.config, asked.split)
        if asked.split is None:
            splits = list(found)
            if len(splits) != 1:
                fault = f"has the splits {', '.join(splits)}: name one, as in {asked}@{splits[0]}"
                raise CorpusError(f"{asked}: {fault}")
            asked, found = replace(asked, split=splits[0]), found[splits[0]]
        if found.features is None:
            found = found._resolve_features()
        found = found.decode(False)
        if asked.shard is not None:
            found = found.shard(num_shards=asked.shards, index=asked.shard)
    except (CorpusError, MissingExtraError):
        raise
    except Exception as error:  # the library raises what it likes
        raise _unreachable(asked, error) from error
    return asked, found


@lru_cache(maxsize=4)  # each costs some requests, and the shards of a dataset are read one after the other
def _loaded(name: str, config: str | None, split: str | None) -> Any:
    datasets = require("datasets", extra="corpora", purpose=f"reading {SCHEME}")
    address = f"{SCHEME}datasets/{name}" if Path(name).exists() else name  # never a folder that lies here
    return datasets.load_dataset(address, config, split=split, streaming=True)


def _numbered(rows: Any, shard: HubDataset, on_bad: OnBad | None) -> Iterator[tuple[str, dict[str, Any]]]:
    name = f"{shard.split}-{shard.shard or 0:05d}"
    number = 0
    try:
        for row in rows:
            yield f"{name}-{number:08d}", dict(row)
            number += 1
    except Exception as error:  # noqa: BLE001  # the library raises what it likes
        report(CorpusError(f"{_unreachable(shard, error)} (after {number} rows)"), on_bad)


def _media_column(features: Mapping[str, Any], shard: HubDataset, media: Media) -> str:
    """Return the column of files: that of the type, else one with a usual name, else a struct with bytes."""
    typed = [name for name, feature in features.items() if type(feature).__name__ == media.name.title()]
    structs = [
        name for name, feature in features.items() if isinstance(feature, Mapping) and "bytes" in feature
    ]
    usual = names_of_fields()["audio"] if media == AUDIO else (media.name,)
    for name in (*typed, *usual, *media.suffixes, *structs):
        if name in features:
            return name
    fault = f"no column holds {media.name} data among {', '.join(features)}"
    raise CorpusError(f"{shard}: {fault}: see whether another configuration (:NAME) does")


def _unreachable(asked: HubDataset, error: Exception) -> CorpusError:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return CorpusError(
        f"{asked}: cannot be downloaded ({reason}): check the name, the network and your access"
    )
