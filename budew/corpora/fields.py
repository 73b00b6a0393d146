"""Column names of other corpora → fields of a clip: `sentence` becomes `transcript`, and so on."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from budew.resources import packaged_table


@cache
def known_names() -> Mapping[str, tuple[str, ...]]:
    """Return, for each field of a clip, the names it goes by, likeliest first (`fields.yaml`)."""
    return {field: tuple(names) for field, names in packaged_table(__package__, "fields").items()}


def choose(names: Iterable[str]) -> dict[str, str]:
    """Map fields of a clip to those of `names`, the columns of a row, that hold them."""
    there = set(names)
    found = (
        (field, next((name for name in usual if name in there), None))
        for field, usual in known_names().items()
    )
    return {field: name for field, name in found if name is not None}


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


def in_clip_names(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with the field names of a clip, without the audio; other columns keep their names."""
    chosen = choose(row)
    audio = chosen.pop("audio", None)
    taken = {audio, *chosen.values()}
    known = {field: row[name] for field, name in chosen.items() if row[name] is not None}
    if isinstance(known.get("captions"), str):
        known["captions"] = [known["captions"]]
    rest = {name: value for name, value in row.items() if name not in taken and value is not None}
    return {**{name: value for name, value in rest.items() if name not in known}, **known}
