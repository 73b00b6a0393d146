"""Corpora in the formats that others read: one module a format, each with one function of the same signature.

`write_parquet(out, clips, …)` and its siblings write clips into a folder, which is complete or not there, and
give back how many they wrote. A clip that a format cannot express is told to `on_bad` and left out.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from budew.corpora.writers.jsonl import write_jsonl as write_jsonl
    from budew.corpora.writers.lhotse import write_lhotse as write_lhotse
    from budew.corpora.writers.ljspeech import write_ljspeech as write_ljspeech
    from budew.corpora.writers.parler import write_parler as write_parler
    from budew.corpora.writers.parquet import write_parquet as write_parquet
    from budew.corpora.writers.webdataset import write_webdataset as write_webdataset

FORMATS = ("parquet", "jsonl", "webdataset", "parler", "ljspeech", "lhotse")
"""Names of the formats; the function for each is `write_<name>`."""

__all__ = [f"write_{name}" for name in FORMATS]


def __getattr__(name: str) -> Any:
    """Import the writer that is asked for: each needs libraries that the others do not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{name.removeprefix('write_')}"), name)
