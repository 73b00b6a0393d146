"""What changed between the settings of an earlier run and those of this one, in words.

A setting inside another goes by its dotted name: `cuts.threshold was 0.5 and is now 0.6`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

MOST = 5
"""Changes that are told; of more, how many they are."""
LONGEST = 60
"""Characters of a value that are shown."""
_MISSING = object()


def told_changes(old: Any, new: Mapping[str, Any]) -> str:
    """Return what changed, the first `MOST` by name, as part of a sentence.

    Args:
        old: settings as JSON values, as an earlier run wrote them down; none where it is no object.
        new: those of this run.
    """
    told = list(_changes(old if isinstance(old, Mapping) else {}, new, ""))
    more = f"; {len(told) - MOST} more changed" if len(told) > MOST else ""
    return "; ".join(told[:MOST]) + more


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], above: str) -> Iterator[str]:
    for name in sorted({*old, *new}):
        was, now = old.get(name, _MISSING), new.get(name, _MISSING)
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from _changes(was, now, f"{above}{name}.")
        elif was != now:
            yield f"{above}{name} was {_shown(was)} and is now {_shown(now)}"


def _shown(value: Any) -> str:
    if value is _MISSING or value is None:
        return "not there" if value is _MISSING else "not set"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
