"""Values of the columns that formats for text to speech have beside the fields of a clip (`columns.yaml`)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from budew.corpora.clip import Clip
from budew.errors import CorpusError
from budew.resources import packaged_table
from budew.taxonomy.scales import LEVELS, nearest_level, to_intensity
from budew.taxonomy.traits import ATTRIBUTES

T = TypeVar("T", str, float)


@cache
def known_columns() -> Mapping[str, Any]:
    """Return what is in `columns.yaml`."""
    columns: dict[str, Any] = packaged_table(__package__, "columns")
    return columns


def spoken_text(clip: Clip) -> str:
    """Return the transcript.

    Raises:
        CorpusError: there is none, or no word in it.
    """
    if clip.transcript is None:
        fault = "has no transcript, which text to speech needs: run budew corpus transcribe first"
        raise CorpusError(f"clip {clip.id!r}: {fault}")
    if not re.search(r"[^\s|\x00-\x1f]", clip.transcript):
        fault = "has a transcript without words: listen for words in it, or leave it out"
        raise CorpusError(f"clip {clip.id!r}: {fault}")
    return clip.transcript


def value_of(clip: Clip, names: Sequence[str], kind: type[T]) -> T | None:
    """Return the first of `names` in the metadata, or in an object in it, that has a value of this kind."""
    for name in names:
        for place in _places(clip.metadata):
            value = place.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and kind is float:
                value = float(value)
            if isinstance(value, kind):
                return value
    return None


def word_for(clip: Clip, column: str) -> str | None:
    """Return the word of a column such as `pitch`: that of the metadata, else by a trait of the profile."""
    said = value_of(clip, [column], str)
    rule = known_columns()["words"][column]
    trait = None if clip.profile is None else clip.profile.traits.get(rule.get("trait", ""))
    if said is not None or trait is None:
        return said
    if isinstance(trait, str):
        word: str | None = rule["values"].get(trait) if "values" in rule else trait
        return word
    level = nearest_level(to_intensity(trait, ATTRIBUTES[rule["trait"]].scale))
    return str(rule["levels"][LEVELS.index(level)])


def _places(metadata: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield metadata
    yield from (inner for _, inner in sorted(metadata.items()) if isinstance(inner, Mapping))
