"""Captions that join a minor with sexual content: by what they parse to, and by other words."""

import re
from functools import cache

from budew.captions.parse import ParsedCaption
from budew.taxonomy import WITHHELD


def is_withheld(caption: ParsedCaption) -> bool:
    """Return whether a caption joins a minor with sexual content; see `VoiceProfile.is_withheld`."""
    said = caption.profile
    minor = said.is_minor or _words("minor").search(caption.text)
    return bool(minor and (said.is_sexual or _words("sexual").search(caption.text)))


@cache
def _words(kind: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(WITHHELD[kind]['words'])})\b", re.IGNORECASE)
