"""Griffe extension: an entry of a docstring for several names becomes one entry for each."""

import re
from typing import Any

import griffe


def _apart(entry: re.Match[str]) -> str:
    first, *others = entry["names"].split(", ")
    return f"    {first}: {entry['text']}" + "".join(f"\n    {name}: see `{first}`." for name in others)


class OneNameAnEntry(griffe.Extension):
    """Without it `start, end: samples` is rendered as a parameter of that name, unknown to the signature."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of each object that is loaded."""
        if obj.docstring:
            entries = r"^    (?P<names>\w+(?:, \w+)+): (?P<text>.*(?:\n {8}.*)*)"
            obj.docstring.value = re.sub(entries, _apart, obj.docstring.value, flags=re.MULTILINE)
