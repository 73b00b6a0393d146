"""Names of audio files, made of the ids of clips: safe on any disk, never the same twice, and reversible.

Letters, digits and `-_.~` stay, the slashes of an id become folders, all else is escaped as in an address
(`a b` → `a%20b`), so `urllib.parse.unquote` gives the id back. Where that is not enough:

| id | name | why |
|---|---|---|
| `Anna` after `anna` | `%41%6E%6E%61` | one file on disks that know no case |
| `nul` | `%6Eul` | a device on Windows |
| `.x` | `%2Ex` | hidden |
| `a.wav/b` | `a%2Ewav/b` | a folder with the name of a file |
| more than 200 characters | `…%/…` | a name holds 255: a folder that ends in `%` goes on in the next part |
"""

import re
from urllib.parse import quote

LONGEST_PART = 200
"""Characters of one part of a path; a suffix follows."""
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)")


class FileNames:
    """Gives each clip of a corpus a file name, without suffix; holds them all, some 100 bytes a clip.

    Args:
        flat: escape slashes, too, for loaders that do not look into folders.
    """

    def __init__(self, *, flat: bool = False) -> None:
        self._flat = flat
        self._used: set[str] = set()

    def name(self, id: str) -> str:
        """Return a relative path with `/` between its parts that no other id has got, in any case.

        The id of another clip may change the name only if the two differ by nothing but case.
        """
        *folders, last = [id] if self._flat else id.split("/")
        parts = [_escaped(part).replace(".", "%2E") for part in folders]
        name = _joined([*parts, _escaped(last)])
        if name.lower() in self._used:
            name = _joined([_all_escaped(part) for part in (*folders, last)])
        self._used.add(name.lower())
        return name


def _escaped(part: str) -> str:
    text = quote(part, safe="")
    if text[0] == "." or _RESERVED.match(text):
        return f"%{ord(text[0]):02X}{text[1:]}"
    return text


def _all_escaped(part: str) -> str:
    return "".join(f"%{byte:02X}" for byte in part.encode())


def _joined(parts: list[str]) -> str:
    return "/".join("%/".join(_pieces(part)) for part in parts)


def _pieces(part: str) -> list[str]:
    return [part[start : start + LONGEST_PART] for start in range(0, len(part), LONGEST_PART)]
