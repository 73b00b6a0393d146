"""Parsing: what a caption says, as a profile. The way back from `render`, for any English caption.

No model, no network, the same answer every time, in time linear in the length of the text. Any string parses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budew.captions.lexicon import Lexicon, load_lexicon
from budew.captions.open_values import add_open_accent, age_start, number
from budew.captions.phrases import Entry, Kind
from budew.captions.scope import resolve_scopes
from budew.captions.scope_state import MARK, MARKS, QUOTED, Item
from budew.captions.tokens import quoted_spans, spans, tokenize
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, BURSTS, EMOTIONS, TRAITS
from budew.taxonomy.scales import from_intensity

_EMOTION_ORDER = {name: index for index, name in enumerate(EMOTIONS)}
_BURST_ORDER = {name: index for index, name in enumerate(BURSTS)}
_TRAIT_ORDER = {name: index for index, name in enumerate(TRAITS)}
_MENTIONED = {
    Kind.EMOTION: "emotion", Kind.BURST: "burst", Kind.TRAIT: "trait", Kind.ORIGIN: "trait",
    Kind.ATTRIBUTE: "attribute",
}  # fmt: skip
"""Kinds of phrases that say something, and what a mention calls them."""
SHORTEST_UNKNOWN = 4
"""Letters. What is shorter belongs to the grammar."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Where the text says something.

    Attributes:
        start, end: the span of the phrase in the text, in characters.
        kind: emotion, burst, trait or attribute.
        name: canonical name of the emotion, burst or attribute; key of the trait.
        level: of an emotion one of `LEVELS`, of an attribute 0.5 near its pole and 1 at it, of a burst
            or trait 1; 0
            where it is not there.
        role: said, denied, left behind, not felt or quoted.
        phrase: the entry of the lexicon that was found.
        value: the word of a trait, the number of an attribute on its scale, else empty.
    """

    start: int
    end: int
    kind: str
    name: str
    level: float
    role: str
    phrase: str
    value: str | float = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A word that stands where an emotion stands and is in no entry: its span and itself, lower-case."""

    start: int
    end: int
    word: str


@dataclass(frozen=True, slots=True)
class ParsedCaption:
    """What a caption says.

    Attributes:
        text: the caption.
        emotions: canonical name to level, in the order of `EMOTIONS`; of one named twice, the stronger.
        bursts: in the order of `BURSTS`.
        traits: gender, age, accent, timbre, pace and style as words, voice attributes as numbers on
            their scales; the
            first said of each.
        language: the lexicon that read it.
    """

    text: str
    emotions: Mapping[str, float]
    bursts: tuple[str, ...]
    traits: Mapping[str, str | float]
    language: str = "en"

    def __hash__(self) -> int:
        return hash((self.text, self.language))

    def __reduce__(self) -> tuple[Callable[[str, str], "ParsedCaption"], tuple[str, str]]:
        return _parsed_again, (self.text, self.language)

    @property
    def profile(self) -> VoiceProfile:
        """The caption as a profile."""
        return VoiceProfile(self.emotions, self.bursts, self.traits)

    @property
    def strongest(self) -> str | None:
        """The strongest emotion; of equal ones that which is named most often, then that which
        is named first.
        """
        most = max(self.emotions.values(), default=0.0)
        tied = [name for name, level in self.emotions.items() if level == most]
        if len(tied) < 2:
            return tied[0] if tied else None
        named = [mention.name for mention in self.mentions if mention.level and mention.name in tied]
        return max(dict.fromkeys(named), key=named.count)

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """Every phrase that was read, in the order of the text, denied ones with level 0. Read
        anew each time.
        """
        return _mentions(self.text, self.language)

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """Words that stand where an emotion stands and are in no entry of the lexicon. Read
        anew each time.
        """
        return _unknown(self.text, load_lexicon(self.language))

    def vector(self) -> NDArray[np.float32]:
        """Return the levels as float32 of shape (40,), in the order of `EMOTIONS`."""
        return np.array([self.emotions.get(name, 0.0) for name in EMOTIONS], dtype=np.float32)


def parse(text: str, *, language: str = "en") -> ParsedCaption:
    """Read a caption.

    Raises:
        InputError: there is no lexicon of this language.
        TypeError: the caption is no text.
    """
    if not isinstance(text, str):
        raise TypeError(f"a caption is a text, not {type(text).__name__}")
    lexicon = load_lexicon(language)
    items = _without_quotations(_items(text, tokenize(text), lexicon), text, lexicon)
    levels, _ = resolve_scopes(items)
    emotions: dict[str, float] = {}
    bursts: set[str] = set()
    traits: dict[str, str | float] = {}
    for (_, _, entry), level in zip(items, levels, strict=True):
        if entry is None or not level:
            continue
        kind = entry.kind
        if kind is Kind.EMOTION:
            if level > emotions.get(entry.name, 0.0):
                emotions[entry.name] = level
        elif kind is Kind.BURST:
            bursts.add(entry.name)
        elif kind is Kind.TRAIT or kind is Kind.ORIGIN:
            traits.setdefault(entry.name, entry.value)
        elif kind is Kind.ATTRIBUTE and entry.name not in traits:
            traits[entry.name] = _on_scale(entry, level)
    return ParsedCaption(
        text,
        MappingProxyType(_ordered(emotions, _EMOTION_ORDER)),
        tuple(sorted(bursts, key=_BURST_ORDER.__getitem__)) if bursts else (),
        MappingProxyType(_ordered(traits, _TRAIT_ORDER)),
        language,
    )


def mentions(text: str, *, language: str = "en") -> tuple[Mention, ...]:
    """Return `parse(text).mentions` for whoever needs nothing else of it.

    Raises:
        InputError: there is no lexicon of this language.
    """
    return _mentions(text, language)


def _parsed_again(text: str, language: str) -> ParsedCaption:
    """Unpickle: what was read follows from the text."""
    return parse(text, language=language)


class _Places:
    """Where the tokens of a text stand, worked out once, and only if somebody asks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans: list[tuple[int, int]] = []

    def written(self, first: int, stop: int) -> str:
        """Return the text from one token to before another."""
        self._spans = self._spans or spans(self._text)
        return self._text[self._spans[first][0] : self._spans[stop - 1][1]]


def _items(text: str, tokens: list[str], lexicon: Lexicon) -> list[Item]:
    """Return what stands in a text: phrases with their meanings, marks, and words without one."""
    items: list[Item] = []
    accent, places = lexicon.accent_word, _Places(text)
    for item in lexicon.phrases.scan(tokens):
        if item[2] is None:
            word = tokens[item[0]]
            if word in MARKS:
                item = (item[0], item[1], MARKS[word])
            elif word[0].isdigit() and (meaning := number(tokens, item[0], lexicon.ages)):
                first = age_start(tokens, item[0]) if meaning.kind is Kind.TRAIT else item[0]
                while items and items[-1][0] >= first:
                    items.pop()
                item = (first, item[1], meaning)
            elif not word[0].isalnum():
                item = (item[0], item[1], MARK)
            elif word == accent:
                add_open_accent(items, tokens, item, places.written)
                continue
        items.append(item)
    return items


def _without_quotations(items: list[Item], text: str, lexicon: Lexicon) -> list[Item]:
    """Return the items with those taken out of the reading that stand in quoted speech."""
    quoted = quoted_spans(text, lexicon.speaking)
    if not quoted:
        return items
    places, kept, ends = spans(text), [], iter(quoted)
    start, end = next(ends)
    for item in items:
        while start >= 0 and places[item[0]][0] >= end:
            start, end = next(ends, (-1, -1))
        inside = start >= 0 and places[item[1] - 1][1] > start
        kept.append((item[0], item[1], QUOTED) if inside else item)
    return kept


@lru_cache(maxsize=2)  # linter and gate ask for those of one caption, one after the other
def _mentions(text: str, language: str) -> tuple[Mention, ...]:
    lexicon = load_lexicon(language)
    items, places = _items(text, tokenize(text), lexicon), spans(text)
    unquoted = _without_quotations(items, text, lexicon)
    found = []
    for (first, stop, entry), (_, _, kept), level, role in zip(
        items, unquoted, *resolve_scopes(unquoted), strict=True
    ):
        if entry is None or entry.kind not in _MENTIONED or not role:
            continue
        start, end = places[first][0], places[stop - 1][1]
        value = _on_scale(entry, level) if entry.kind is Kind.ATTRIBUTE else entry.value
        final_role = "quoted" if kept is QUOTED else role
        kind = _MENTIONED[entry.kind]
        found.append(Mention(start, end, kind, entry.name, level, final_role, entry.phrase, value))
    return tuple(found)


def _unknown(text: str, lexicon: Lexicon) -> tuple[Unknown, ...]:
    """Return the words without a meaning right behind an intensity or a phrase that names an emotion."""
    tokens, places = tokenize(text), spans(text)
    found, naming = [], False
    for first, _, entry in _without_quotations(_items(text, tokens, lexicon), text, lexicon):
        if entry is None:
            word = tokens[first]
            if naming and len(word) >= SHORTEST_UNKNOWN and word.isalpha() and word not in lexicon.known:
                found.append(Unknown(*places[first], word))
            naming = False
        elif entry.kind in (Kind.NAMING, Kind.INTENSITY):
            naming = True
        elif entry.kind is not Kind.LINK and entry.kind is not Kind.EXCESS:
            naming = False
    return tuple(found)


def _on_scale(entry: Entry, level: float) -> float:
    """Return the value of a voice attribute: its pole, or a quarter of the scale from it."""
    share = entry.level if level == 1.0 else 0.25 + entry.level / 2
    return from_intensity(share, ATTRIBUTES[entry.name].scale)


def _ordered(found: dict[str, Any], order: Mapping[str, int]) -> dict[str, Any]:
    if len(found) < 2:
        return found
    return {name: found[name] for name in sorted(found, key=order.__getitem__)}
