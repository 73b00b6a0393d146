"""Names as people write them: one normal form in place of long lists of spellings.

`Jealousy_&_Envy`, `jealousy and envy` and `model_jealousy_%26_envy_best.pth` all come to `jealousyenvy`, so
the data files list only names that really differ. What is still unknown is an error that names the nearest.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from html import unescape
from types import MappingProxyType
from urllib.parse import unquote

from budew.errors import InputError

LONGEST_NAME = 100
"""Characters beyond which a text is no name: keeps hostile input from costing time."""

_FILE_NAME_PARTS = re.compile(r"^model[_ -]|[_ -]best(?=\.|$)|\.(?:pth?|onnx|safetensors)$")
_APOSTROPHE = re.compile(r"['’]")
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4096)
def normal_form(name: str) -> str:
    """Return what the spellings of a name share: no case, punctuation, `and`, escapes or file-name parts."""
    text = unicodedata.normalize("NFKC", unescape(unquote(name))).casefold().strip()
    text = _APOSTROPHE.sub("", _FILE_NAME_PARTS.sub("", text))
    return "".join(word for word in _WORD.findall(text) if word != "and")


@dataclass(frozen=True, slots=True)
class NameIndex:
    """Resolves any spelling of a closed set of names to the canonical one. Made by `NameIndex.build`."""

    kind: str
    names: tuple[str, ...]
    forms: Mapping[str, str]

    @classmethod
    def build(cls, kind: str, aliases: Mapping[str, Iterable[str]]) -> "NameIndex":
        """Index the canonical names (keys) and their aliases (values).

        Raises:
            ValueError: two names share a normal form.
        """
        forms: dict[str, str] = {}
        for name, others in aliases.items():
            for spelling in (name, *others):
                if forms.setdefault(normal_form(spelling), name) != name:
                    taken = forms[normal_form(spelling)]
                    raise ValueError(
                        f"{kind} {spelling!r} stands for both {taken!r} and {name!r}: rename one of them"
                    )
        return cls(kind, tuple(aliases), MappingProxyType(forms))

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def find(self, name: str) -> str | None:
        """Return the canonical name, None where no name or alias has this normal form."""
        return self.forms.get(normal_form(name)) if len(name) <= LONGEST_NAME else None

    def resolve(self, name: str) -> str:
        """Return the canonical name.

        Raises:
            InputError: no name or alias has this normal form.
        """
        if not isinstance(name, str):
            raise InputError(f"the name of a {self.kind} is text, not {type(name).__name__}")
        found = self.find(name)
        if found is None:
            short = name[: LONGEST_NAME + 1]
            nearest = ", ".join(map(repr, self.nearest(short)))
            raise InputError(f"unknown {self.kind} {short!r}: the nearest known names are {nearest}")
        return found

    def nearest(self, name: str, *, count: int = 3) -> tuple[str, ...]:
        """Return the `count` canonical names whose spelling is most like `name`, best first."""
        matcher = SequenceMatcher(b=normal_form(name))
        likeness: dict[str, float] = {}
        for form, canonical in self.forms.items():
            matcher.set_seq1(form)
            likeness[canonical] = max(likeness.get(canonical, 0.0), matcher.ratio())
        ranked = sorted(likeness, key=lambda canonical: -likeness[canonical])
        return tuple(ranked[:count])
