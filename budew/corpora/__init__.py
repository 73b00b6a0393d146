"""Clips, and reading and writing corpora of them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from budew.corpora.clip import Caption as Caption
    from budew.corpora.clip import Clip as Clip
    from budew.corpora.exports import ExportOptions as ExportOptions
    from budew.corpora.exports import export_corpus as export_corpus
    from budew.corpora.exports import write_clips as write_clips
    from budew.corpora.labels.ratings import Rating as Rating
    from budew.corpora.labels.ratings import profiles_of as profiles_of
    from budew.corpora.shards import read_shard as read_shard
    from budew.corpora.shards import write_shard as write_shard
    from budew.corpora.sources import read as read

_HOMES = {
    "Caption": "clip",
    "Clip": "clip",
    "ExportOptions": "exports",
    "export_corpus": "exports",
    "write_clips": "exports",
    "Rating": "labels.ratings",
    "profiles_of": "labels.ratings",
    "read": "sources",
    "read_shard": "shards",
    "write_shard": "shards",
}
__all__ = [
    "Caption",
    "Clip",
    "ExportOptions",
    "Rating",
    "export_corpus",
    "profiles_of",
    "read",
    "read_shard",
    "write_clips",
    "write_shard",
]


def __getattr__(name: str) -> Any:
    """Import a name at its first use: reading a corpus needs numpy and more."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
