"""Rewording: another caption with the same meaning, for captions that the parser understands completely."""

import re
from collections.abc import Mapping
from functools import cache

from budew.captions.caption_prompt import Style
from budew.captions.items import items_of
from budew.captions.lexicon import load_lexicon
from budew.captions.parse import parse
from budew.captions.phrases import Form, Kind
from budew.captions.render import render
from budew.captions.scope_state import AFFIRMED
from budew.captions.tokens import tokenize
from budew.profile import VoiceProfile

_IN_PROFILE = {
    Kind.EMOTION, Kind.BURST, Kind.TRAIT, Kind.ATTRIBUTE, Kind.ORIGIN, Kind.INTENSITY, Kind.COMMA, Kind.STOP,
    Kind.CONJUNCTION, Kind.SUBJECT,
}  # fmt: skip
"""Kinds of phrases whose meaning a profile has, or that only connect them."""
_FRAMES = ("frames", "frames_without_feelings")


def reworded(
    text: str, *, seed: int, style: Style | None = None, speaker: Mapping[str, str | float] | None = None
) -> str | None:
    """Return another caption that is parsed as the same profile; None if part of `text` would be lost.

    Args:
        text: the caption.
        seed: random seed of the wording.
        style: style of the new caption; None for any.
        speaker: gender and age to state instead of those in `text`; None: as in `text`.

    Example:
        >>> reworded("A man speaks with moderate anger.", seed=1, style="prose")
        'A man comes across as annoyed.'
        >>> reworded("A man speaks angrily while a dog barks.", seed=1) is None
        True
    """
    if not text or not is_fully_parsed(text):
        return None
    found = parse(text).profile
    profile = VoiceProfile(found.emotions, found.bursts, {**found.traits, **(speaker or {})})
    if profile.is_withheld:
        return None
    caption = render(profile, seed=seed, style=style)
    return caption if parse(caption).profile == profile else None


def is_fully_parsed(text: str) -> bool:
    """Return whether a profile has all that a caption says.

    Each phrase is then in the parsed profile, or is made of words of the sentence frames; nothing is denied,
    past, or said of another person.
    """
    tokens = tokenize(text)
    phrases = items_of(text, tokens, load_lexicon())
    parsed = parse(text)
    stated = all(
        mention.role == AFFIRMED
        and mention.level
        and (mention.kind != "trait" or parsed.traits.get(mention.name) == mention.value)
        for mention in parsed.mentions
    )
    return stated and all(
        entry.kind in _IN_PROFILE
        or entry.form is Form.POSSESSIVE
        or _words_of_frames().issuperset(tokens[first:stop])
        for first, stop, entry in phrases
    )


@cache
def _words_of_frames() -> frozenset[str]:
    """Return the words of sentence frames and of neutral captions, which say nothing beyond a profile."""
    table = load_lexicon().table
    frames = [
        row[key]
        for kind in _FRAMES
        for row in table[kind].values()
        for key in ("plain", "text")
        if key in row
    ]
    neutral = [phrase for phrases in table["neutral"].values() for phrase in phrases]
    texts = [*frames, *table["rules"].values(), *neutral]
    words = tokenize(re.sub(r"[{<]\w+[}>]|[][()|~]", " ", " ".join(texts)))
    return frozenset((*words, "an"))  # frames have "a", which is "an" before a vowel
