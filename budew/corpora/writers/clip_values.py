"""Values of clips for columns of other tools: the transcript, and metadata under one of several names."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from budew.corpora.clip import OWN_TRAITS, SOURCES, Clip
from budew.errors import CorpusError, OnBad, report
from budew.io.resources import packaged_table

T = TypeVar("T")
V = TypeVar("V", str, float)


def converted(clips: Iterable[Clip], convert: Callable[[Clip], T], on_bad: OnBad | None) -> Iterator[T]:
    """Yield `convert(clip)` for each clip; if it raises an error, call `on_bad` with that, or raise it."""
    for clip in clips:
        try:
            value = convert(clip)
        except CorpusError as error:
            report(error, on_bad)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            report(CorpusError(f"clip {clip.id!r} cannot be written ({reason}): correct its fields"), on_bad)
        else:
            yield value


@cache
def text_to_speech_columns() -> Mapping[str, Any]:
    """Return the table that maps columns of text-to-speech tools to fields of clips (`columns.yaml`)."""
    columns: dict[str, Any] = packaged_table(__package__, "columns")
    return columns


def with_columns(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON form of a clip with its measures as fields, not in the metadata.

    Readers put unknown fields into the metadata, so nothing changes when they are read again.
    """
    kinds: Mapping[str, tuple[type, ...]] = {"float": (int, float), "int": (int,)}
    columns = text_to_speech_columns()["measures"]
    metadata = dict(described.get("metadata") or {})
    found = {
        name: metadata.pop(name)
        for name, kind in columns.items()
        if isinstance(metadata.get(name), kinds[kind]) and not isinstance(metadata[name], bool)
    }
    rest = {name: value for name, value in described.items() if name != "metadata"}
    return {**rest, **found} | ({"metadata": metadata} if metadata else {})


def spoken_text(clip: Clip) -> str:
    """Return the transcript of a clip.

    Raises:
        CorpusError: the transcript is missing or has no words.
    """
    if clip.transcript is None:
        fault = "has no transcript, which text to speech needs: run budew corpus transcribe first"
        raise CorpusError(f"clip {clip.id!r} {fault}")
    if not re.search(r"[^\s|\x00-\x1f]", clip.transcript):
        fault = "has a transcript without words: transcribe it again, or leave the clip out"
        raise CorpusError(f"clip {clip.id!r} {fault}")
    return clip.transcript


def metadata_value(clip: Clip, names: Sequence[str], kind: type[V]) -> V | None:
    """Return the value of the first of `names` in the metadata, or in an object in it, of the type `kind`.

    None if there is no such value.
    """
    places = [clip.metadata]
    others = [name for name in sorted(clip.metadata) if name not in (SOURCES, OWN_TRAITS)]
    places += [inner for name in others if isinstance(inner := clip.metadata[name], Mapping)]
    for name in names:
        for place in places:
            value = place.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and kind is float:
                value = float(value)
            if isinstance(value, kind):
                return value
    return None
