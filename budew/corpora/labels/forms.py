"""The names of fields in `forms.yaml`, and what is in a field that is not understood."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from budew.resources import packaged_table

LONGEST_UNREAD = 60
"""Characters that are kept of a text that is not understood."""


@cache
def form(name: str) -> Mapping[str, Any]:
    """Return the names of fields that belong to a form of labels: scores, words, speaker, talent…"""
    table = packaged_table(__package__, "forms")
    names: Mapping[str, Any] = table[name]
    return names


def unread(field: str, text: str) -> dict[str, str]:
    """Return field → text, cut short, as not understood; nothing where the text says that it is unknown."""
    known = not text.strip() or text.strip().casefold() in form("speaker")["unknown"]
    return {} if known else {field: text.strip()[:LONGEST_UNREAD]}
