"""Captions that join a minor with sexual content: by what they parse to, and by other words."""

import re
from functools import cache, lru_cache

from budew.captions.parse import ParsedCaption, parse
from budew.taxonomy import WITHHELD

_AGES = frozenset(("age", "Age"))
"""Traits that can be those of a minor."""


def is_withheld(caption: ParsedCaption) -> bool:
    """Return whether a caption joins a minor with sexual content; see `VoiceProfile.is_withheld`."""
    text = caption.text
    minor = _words("minor").search(text)
    if not minor and _AGES.isdisjoint(caption.traits):  # a profile takes longer to make than all the rest
        return False
    said = caption.profile
    return bool((minor or said.is_minor) and (said.is_sexual or _words("sexual").search(text)))


@lru_cache(maxsize=4096)
def is_withheld_text(text: str) -> bool:
    """Return whether a text joins a minor with sexual content. Jobs ask it of a clip that is read, and again
    of the clip that is written.
    """
    return is_withheld(parse(text))


@cache
def _words(kind: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(WITHHELD[kind]['words'])})\b", re.IGNORECASE)
