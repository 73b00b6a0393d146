"""Captions from a file that anybody wrote, JSON Lines or plain text. A bad line is a finding, no exception.

Memory holds one line, of at most `LONGEST_LINE` bytes. JSON is as strict as for any other command.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple

from budew import strict_json
from budew.profile import VoiceProfile

LONGEST_LINE = strict_json.LARGEST
"""Bytes. A caption takes some hundred, with a full profile some thousand."""
_JSON_SUFFIXES = (".jsonl", ".ndjson")
_TEXT_SUFFIXES = (".txt",)


class Row(NamedTuple):
    """A caption, what it is called and, where it is known, what it was made from."""

    id: str
    text: str
    profile: VoiceProfile | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no caption: its name, and one sentence on what is wrong with it."""

    id: str
    why: str


def read_captions(file: BinaryIO, name: str) -> Iterator[Row | BadLine]:
    """Read the captions of a file, in its order.

    JSON Lines (`*.jsonl`, `*.ndjson`, or any other name but `*.txt` where the first line that is not blank
    begins with "{"): one object a line with `caption` (text), and maybe `id` and `profile` (as
    `VoiceProfile.to_dict` gives it); other keys, such as `emotions`, are not read, and blank lines are passed
    over. Any other file is text: one caption a line, and a blank line is an empty caption.

    Args:
        file: open for reading bytes.
        name: what the file is called; a caption without an `id` is called `name:line`.
    """
    is_json = _by_suffix(name)
    for number, line in _lines(file):
        here = f"{name}:{number}"
        if line is None:
            yield BadLine(here, f"the line is longer than {LONGEST_LINE:,} bytes: shorten it")
            continue
        if is_json is None and line.strip():
            is_json = line.lstrip().startswith(b"{")
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            yield BadLine(here, f"the line is not UTF-8 at byte {error.start}: save the file as UTF-8")
            continue
        if is_json is False:
            yield Row(here, text)
        elif text:
            yield _row(text, here)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Give the lines with their numbers from 1, without their ends; None for one that is too long."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        whole = len(line) <= LONGEST_LINE or line.endswith(b"\n")
        yield number, line.rstrip(b"\r\n") if whole else None
        while not line.endswith(b"\n") and line:
            line = file.readline(LONGEST_LINE)


def _by_suffix(name: str) -> bool | None:
    """Tell by its name whether a file is JSON Lines; None where the name does not tell."""
    suffix = PurePath(name).suffix.lower()
    return True if suffix in _JSON_SUFFIXES else False if suffix in _TEXT_SUFFIXES else None


def _row(line: str, here: str) -> Row | BadLine:
    try:
        data = strict_json.loads(line)
    except ValueError as error:
        return BadLine(here, f"the line {error}")
    if not isinstance(data, Mapping):
        return BadLine(here, 'the line is not an object: write {"caption": "…"}')
    if not isinstance(data.get("caption"), str):
        return BadLine(here, 'the line has no text under "caption": add it')
    try:
        return Row(_id(data.get("id"), here), data["caption"], _profile(data.get("profile")))
    except (ValueError, TypeError) as error:
        return BadLine(here, f"the profile cannot be read: {error}")


def _id(given: Any, here: str) -> str:
    """Return an id that is text or a whole number as text; anything else is none."""
    named = (isinstance(given, str) and given) or (isinstance(given, int) and not isinstance(given, bool))
    return str(given) if named else here


def _profile(given: Any) -> VoiceProfile | None:
    return None if given is None else VoiceProfile.from_dict(given)
