"""Captions that join a minor with sexual content: by what they parse to, and by other words."""

import re
from functools import cache, lru_cache

from budew.captions.parse import ParsedCaption, parse
from budew.profile import are_of_minor, are_sexual
from budew.taxonomy import WITHHELD


def is_withheld(caption: ParsedCaption) -> bool:
    """Return whether a caption joins a minor with sexual content; see `VoiceProfile.is_withheld`."""
    text = caption.text
    if not are_of_minor(caption.traits) and not _words("minor").search(text):
        return False
    return are_sexual(caption.emotions, caption.bursts) or bool(_words("sexual").search(text))


@lru_cache(maxsize=4096)
def is_withheld_text(text: str) -> bool:
    """Return whether a text joins a minor with sexual content. Jobs ask it of a clip that is read, and again
    of the clip that is written.
    """
    return is_withheld(parse(text))


@cache
def _words(kind: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(WITHHELD[kind]['words'])})\b", re.IGNORECASE)
