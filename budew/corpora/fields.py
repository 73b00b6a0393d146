"""Rows and manifest lines of others, in the names of a clip: `sentence` becomes `transcript`, and so on."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from budew.errors import CorpusError


@cache
def known_names() -> Mapping[str, tuple[str, ...]]:
    """Return, for each field of a clip, the names it goes by, likeliest first (`fields.yaml`)."""
    text = Path(__file__).with_name("fields.yaml").read_text(encoding="utf-8")
    return {field: tuple(names) for field, names in yaml.safe_load(text).items()}


def choose(names: list[str], columns: Mapping[str, str] | None = None) -> dict[str, str]:
    """Map fields of a clip to those of `names` that hold them.

    Args:
        names: what a row or a line has.
        columns: field → name, where the usual names do not fit.

    Raises:
        CorpusError: `columns` asks for a field that a clip has not, or a name that is not there.
    """
    chosen = {}
    for field, usual in known_names().items():
        found = next((name for name in usual if name in names), None)
        if found is not None:
            chosen[field] = found
    for field, name in (columns or {}).items():
        if field not in known_names():
            raise CorpusError(f"{field!r} is no field of a clip: use one of {', '.join(known_names())}")
        if name not in names:
            raise CorpusError(f"there is no column {name!r} for {field}: use one of {', '.join(names)}")
        chosen[field] = name
    return chosen


def with_usual_names(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON of a clip with what has another usual name, and a fitting value, under the clip's name.

    The id is not looked for: a clip is called as its file is.
    """
    found = dict(row)
    for field, usual in known_names().items():
        if field in ("audio", "id", "profile") or row.get(field) is not None:
            continue
        for name in usual:
            if name in found and _fits(field, found[name]):
                value = found.pop(name)
                found[field] = [value] if field == "captions" and isinstance(value, str) else value
                break
    return found


def _fits(field: str, value: Any) -> bool:
    if field in ("duration", "sampling_rate"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) or (field == "captions" and isinstance(value, list))


def in_clip_names(row: Mapping[str, Any], columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the row as `Clip.from_dict` wants it, without the audio; other columns keep their names."""
    chosen = choose(list(row), columns)
    audio = chosen.pop("audio", None)
    taken = {audio, *chosen.values()}
    known = {field: row[name] for field, name in chosen.items() if row[name] is not None}
    if isinstance(known.get("captions"), str):
        known["captions"] = [known["captions"]]
    rest = {name: value for name, value in row.items() if name not in taken and value is not None}
    return {**{name: value for name, value in rest.items() if name not in known}, **known}
