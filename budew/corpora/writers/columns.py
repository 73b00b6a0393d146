"""What loaders for text to speech want of a clip besides its fields: measurements, words for the voice, text.

`columns.yaml` names the columns and says where their values lie.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from budew.corpora.clip import Clip
from budew.corpora.errors import LackError
from budew.taxonomy.scales import LEVELS, nearest_level, to_intensity
from budew.taxonomy.traits import ATTRIBUTES

T = TypeVar("T", str, float)


@cache
def known_columns() -> Mapping[str, Any]:
    """Return what is in `columns.yaml`."""
    columns: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("columns.yaml").read_text(encoding="utf-8")
    )
    return columns


def spoken_text(clip: Clip) -> str:
    """Return the transcript.

    Raises:
        LackError: there is none, or nothing is said in it.
    """
    if clip.transcript is None:
        lack = "no transcript, which text to speech needs"
        raise LackError(clip.id, lack, remedy="run budew corpus transcribe first")
    if not clip.transcript.strip():
        raise wordless(clip)
    return clip.transcript


def wordless(clip: Clip) -> LackError:
    """Return the error of a clip whose transcript has nothing to be spoken."""
    lack = "a transcript without words, which nobody can speak"
    return LackError(clip.id, lack, remedy="listen for words in it, or leave it out")


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
    """Return the word of a column such as `pitch`: that of the metadata, else what the profile comes to."""
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
