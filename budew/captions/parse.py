"""Parsing: what a caption says, as a profile. The way back from `render`, for any English caption.

No model, no network, the same answer every time, in time linear in the length of the text. Any string parses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from budew.captions.accents import add_open_accent
from budew.captions.lexicon import Kind, Lexicon, load_lexicon
from budew.captions.scope import COMMA, Item, levels
from budew.captions.tokens import Token, tokenize
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS

_EMOTION_ORDER = {name: index for index, name in enumerate(EMOTIONS)}
_BURST_ORDER = {name: index for index, name in enumerate(BURSTS)}
_WORD_TRAITS = ("gender", "age", "accent", "style")


@dataclass(frozen=True, slots=True)
class Mention:
    """Where the text says something.

    Attributes:
        start, end: the span of the phrase in the text, in characters.
        kind: emotion, burst or trait.
        name: canonical name of the emotion or burst; key of the trait.
        level: of an emotion one of `LEVELS`, of a burst 0 or 1; 0 where the text denies it. 1 for a trait.
        value: the word of a trait, else empty.
    """

    start: int
    end: int
    kind: str
    name: str
    level: float
    value: str = ""


@dataclass(frozen=True, slots=True)
class ParsedCaption:
    """What a caption says.

    Attributes:
        text: the caption.
        emotions: canonical name to level, in the order of `EMOTIONS`; of one named twice, the stronger.
        bursts: in the order of `BURSTS`.
        traits: gender, age, accent and style, the first said of each.
        mentions: every phrase that was read, in the order of the text, denied ones with level 0.
        language: the lexicon that read it.
    """

    text: str
    emotions: Mapping[str, float]
    bursts: tuple[str, ...]
    traits: Mapping[str, str]
    mentions: tuple[Mention, ...]
    language: str = "en"

    def __reduce__(self) -> tuple[Callable[[str, str], "ParsedCaption"], tuple[str, str]]:
        return _parsed_again, (self.text, self.language)

    @property
    def profile(self) -> VoiceProfile:
        """The caption as a profile."""
        return VoiceProfile(self.emotions, self.bursts, self.traits)

    def vector(self) -> NDArray[np.float32]:
        """Return the levels as float32 of shape (40,), in the order of `EMOTIONS`."""
        return np.array([self.emotions.get(name, 0.0) for name in EMOTIONS], dtype=np.float32)


def parse(text: str, *, language: str = "en") -> ParsedCaption:
    """Read a caption.

    Raises:
        LexiconError: there is no lexicon of this language.
    """
    lexicon = load_lexicon(language)
    tokens = tokenize(text)
    items = _items(text, tokens, lexicon)
    mentions = _mentions(tokens, items)
    return ParsedCaption(text, _emotions(mentions), _bursts(mentions), _traits(mentions), mentions, language)


def _parsed_again(text: str, language: str) -> ParsedCaption:
    """Unpickle: what was read follows from the text."""
    return parse(text, language=language)


def _items(text: str, tokens: list[Token], lexicon: Lexicon) -> list[Item]:
    items: list[Item] = []
    for first, stop, entry in lexicon.phrases.scan(tokens):
        word = tokens[first].text
        if entry is None and word == ",":
            items.append(Item(first, stop, COMMA))
        elif entry is None and word == lexicon.accent_word:
            add_open_accent(items, text, tokens, Item(first, stop, None))
        else:
            items.append(Item(first, stop, entry))
    return items


def _mentions(tokens: list[Token], items: list[Item]) -> tuple[Mention, ...]:
    mentions = []
    for item, level in zip(items, levels(items), strict=True):
        entry = item.entry
        if entry is not None and entry.kind in (Kind.EMOTION, Kind.BURST, Kind.TRAIT):
            start, end = tokens[item.first].start, tokens[item.stop - 1].end
            mentions.append(Mention(start, end, entry.kind.value, entry.name, level, entry.value))
    return tuple(mentions)


def _emotions(mentions: tuple[Mention, ...]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for mention in mentions:
        if mention.kind == "emotion" and mention.level > found.get(mention.name, 0.0):
            found[mention.name] = mention.level
    if len(found) > 1:
        found = {name: found[name] for name in sorted(found, key=_EMOTION_ORDER.__getitem__)}
    return MappingProxyType(found)


def _bursts(mentions: tuple[Mention, ...]) -> tuple[str, ...]:
    found = {mention.name for mention in mentions if mention.kind == "burst" and mention.level}
    return tuple(sorted(found, key=_BURST_ORDER.__getitem__))


def _traits(mentions: tuple[Mention, ...]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for mention in mentions:
        if mention.kind == "trait" and mention.level:
            found.setdefault(mention.name, mention.value)
    return MappingProxyType({key: found[key] for key in _WORD_TRAITS if key in found})
