"""Prompt files: YAML that a user may bring, read with a bound on its size and told of in one sentence."""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from budew.malformed import fault_in

LARGEST = 500_000
"""Bytes of a prompt file; those of this project take at most 60,000."""
PLACE = re.compile(r"\{(\w+)\}")
"""Of a text: where something is put in."""
_TOLD = 16
"""Keys that an error lists."""


class PromptError(ValueError):
    """A file that is no prompt; names the file and what is wrong in it."""


def read_prompt_file(file: Path, *, what: str, like: str) -> Mapping[str, Any]:
    """Return the table in a prompt file.

    Args:
        file: a YAML file.
        what: that it should be, such as "annotation prompt".
        like: the file of this project to compare it with.

    Raises:
        PromptError: it cannot be read, is too large, or is no YAML with keys.
    """
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST + 1)
    except OSError as error:
        raise PromptError(f"{file}: cannot be read ({error.strerror}): check the path") from error
    if len(text) > LARGEST:
        raise PromptError(f"{file}: is larger than {LARGEST} bytes, which no {what} is: check the path")
    try:
        table = yaml.safe_load(text.decode())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PromptError(f"{file}: is not YAML ({fault_in(error)}): correct it") from error
    if not isinstance(table, dict):
        raise PromptError(f"{file}: is no {what} but {_kind(table)}: compare it with {like}")
    return table


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its places filled, once: a value that looks like a place stays as it is.

    A line of nothing but places falls away where all of them are empty.
    """
    lines = []
    for line in text.strip("\n").split("\n"):
        places = PLACE.findall(line)
        if not places or PLACE.sub("", line).strip() or any(values[place] for place in places):
            lines.append(PLACE.sub(lambda match: values[match[1]], line))
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping in a prompt file, whose values are asked for by kind.

    Attributes:
        file: it stands in.
        key: from the top of the file, such as "styles.plain"; empty at the top.
        table: the values.
    """

    file: Path
    key: str
    table: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return name in self.table

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def only(self, names: Collection[str]) -> "Section":
        """Return this section.

        Raises:
            PromptError: it has a key that is none of `names`.
        """
        for name in self.table:
            if name not in names:
                more = ", …" if len(names) > _TOLD else ""
                raise self.error(name, f"is no key: there are {', '.join(list(names)[:_TOLD])}{more}")
        return self

    def section(self, name: str) -> "Section":
        """Return the mapping under a key, whose keys are all text.

        Raises:
            PromptError: there is none.
        """
        value = self.table.get(name)
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise self.error(name, f"must be a mapping, not {_shown(value)}")
        return Section(self.file, self._path(name), value)

    def text(self, name: str, *, needs: Collection[str] = (), may: Collection[str] = ()) -> str:
        """Return the text under a key, with all places of `needs` in it and others only of `may`.

        Raises:
            PromptError: there is none, or a place is missing or unknown.
        """
        value = self.table.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.error(name, f"must be text, not {_shown(value)}")
        places = set(PLACE.findall(value))
        missing, unknown = set(needs) - places, places - {*needs, *may}
        if missing:
            raise self.error(name, f"must have {{{min(missing)}}} in it")
        if unknown:
            raise self.error(name, f"must not have {{{min(unknown)}}} in it, which nothing fills")
        return value.strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the list of texts under a key, at least one.

        Raises:
            PromptError: there is none, or something else in it.
        """
        value = self.table.get(name)
        if not isinstance(value, list) or not value:
            raise self.error(
                name, f"must be a list of texts, not {'empty' if value == [] else _shown(value)}"
            )
        for number, text in enumerate(value, 1):
            if not isinstance(text, str):
                raise self.error(name, f"must be a list of texts, and entry {number} is {_shown(text)}")
        return tuple(value)

    def number(self, name: str, low: float, high: float) -> float:
        """Return the number under a key.

        Raises:
            PromptError: there is none, or it lies outside.
        """
        value: Any = self.table.get(name)
        if type(value) not in (int, float) or not math.isfinite(value) or not low <= value <= high:
            raise self.error(name, f"must be a number from {low:g} to {high:g}, not {_shown(value)}")
        return float(value)

    def whole(self, name: str, low: int, high: int) -> int:
        """Return the whole number under a key.

        Raises:
            PromptError: there is none, or it lies outside.
        """
        value = self.table.get(name)
        if type(value) is not int or not low <= value <= high:
            raise self.error(name, f"must be a whole number from {low} to {high}, not {_shown(value)}")
        return value

    def error(self, name: str, problem: str) -> PromptError:
        """Return an error about the value under a key."""
        return PromptError(f"{self.file}: {self._path(name)} {problem}: correct it")

    def _path(self, name: object) -> str:
        return f"{self.key}.{name}"[:80] if self.key else str(name)[:80]


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    return repr(value)[:60] if isinstance(value, str | int | float) else _kind(value)


def _kind(value: object) -> str:
    return "empty" if value is None else f"a {type(value).__name__}"
