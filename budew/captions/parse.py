"""Parsing: from any English caption to a profile; the inverse of `render`.

Deterministic, without model or network, in time linear in the length of the text. Any string can be parsed.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from budew.captions.items import items_of, without_quotations
from budew.captions.lexicon import Lexicon, load_lexicon
from budew.captions.phrases import PERSONAL, QUOTED, STOP, UNKNOWN, Entry, Form, Item, Kind
from budew.captions.scope import resolve_scopes
from budew.captions.scope_state import AFFIRMED, NEGATED
from budew.captions.speaker import SpeakerTraits, find_speaker
from budew.captions.tokens import spans, tokenize
from budew.profile import VoiceProfile, are_of_minor, are_sexual
from budew.taxonomy import ATTRIBUTES, BURST_GROUPS, BURSTS, EMOTIONS, TRAITS, WITHHELD
from budew.taxonomy.rating_scales import from_intensity

_EMOTION_ORDER = {name: index for index, name in enumerate(EMOTIONS)}
_BURST_ORDER = {name: index for index, name in enumerate(BURSTS)}
_GROUP = {name: group for group, names in BURST_GROUPS.items() for name in names}
_TRAIT_ORDER = {name: index for index, name in enumerate(TRAITS)}
_MENTIONED = {
    Kind.EMOTION: "emotion", Kind.BURST: "burst", Kind.TRAIT: "trait", Kind.ORIGIN: "trait",
    Kind.ATTRIBUTE: "attribute",
}  # fmt: skip
"""Kinds of phrases that become mentions, and their name in `Mention.kind`."""
ANOTHER_PERSON = "another person"
"""The role of a gender or age that is not the speaker's."""
SHORTEST_UNKNOWN = 4
"""Letters. Shorter words without a lexicon entry are taken for function words, not for emotions."""
_END: Item = (-1, -1, STOP)
"""Added before the first item and after the last."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase of the caption with a meaning.

    Attributes:
        start, end: the span of the phrase in the text, in characters.
        kind: emotion, burst, trait or attribute.
        name: canonical name of the emotion, burst or attribute; key of the trait.
        level: one of `LEVELS` for an emotion; 1 (at a pole of its scale) or 0.5 (near a pole) for an
            attribute; 1 for a burst or trait; always 0 if the caption says that it is absent.
        role: "affirmed" (counts), or why it does not count: "negated", "past" (earlier emotion of a change),
            "not expressed" (feigned, hypothetical or a topic), "another person" or "quoted".
        phrase: the matching entry of the lexicon.
        value: word of a trait, number of an attribute on its scale; empty for emotions and bursts.
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
    """A word without a lexicon entry where an emotion word is expected.

    Attributes:
        start, end: the span of the word in the text, in characters.
        word: the word in lower case.
    """

    start: int
    end: int
    word: str


@dataclass(frozen=True, slots=True)
class ParsedCaption:
    """The result of `parse`.

    Attributes:
        text: the caption.
        emotions: canonical name to level, in the order of `EMOTIONS`; the strongest level if mentioned twice.
        bursts: canonical names, in the order of `BURSTS`.
        traits: gender, age, accent, timbre, pace and style as words, voice attributes as numbers on
            their scales; if a trait is mentioned twice, the first mention.
    """

    text: str
    emotions: Mapping[str, float]
    bursts: tuple[str, ...]
    traits: Mapping[str, str | float]

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> tuple[Callable[[str], "ParsedCaption"], tuple[str]]:
        return parse, (self.text,)

    @property
    def profile(self) -> VoiceProfile:
        """Emotions, bursts and traits of the caption as a profile in which all emotions are rated."""
        return VoiceProfile(self.emotions, self.bursts, self.traits)

    @property
    def absent(self) -> tuple[str, ...]:
        """Emotions that the caption denies ("no anger") and does not express, in the order of `EMOTIONS`."""
        denied = {one.name for one in self.mentions if one.kind == "emotion" and one.role == NEGATED}
        return tuple(name for name in EMOTIONS if name in denied and name not in self.emotions)

    @property
    def strongest(self) -> str | None:
        """The strongest emotion, or None; of equally strong ones the most often, then the first mentioned."""
        most = max(self.emotions.values(), default=0.0)
        tied = [name for name, level in self.emotions.items() if level == most]
        if len(tied) < 2:
            return tied[0] if tied else None
        named = [mention.name for mention in self.mentions if mention.level and mention.name in tied]
        return max(dict.fromkeys(named), key=named.count)

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """Every matched phrase, in the order of the text; negated ones have level 0."""
        return mentions(self.text)

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """Words that have no lexicon entry, where an emotion word is expected."""
        return _unknown(self.text)

    @property
    def is_withheld(self) -> bool:
        """Whether the caption joins a minor with sexual content.

        Both the parsed profile (`VoiceProfile.is_withheld`) and other words of the caption are checked.
        """
        if not are_of_minor(self.traits) and not _withheld_words("minor").search(self.text):
            return False
        return are_sexual(self.emotions, self.bursts) or bool(_withheld_words("sexual").search(self.text))

    def vector(self) -> NDArray[np.float32]:
        """Return the levels as float32 of shape (40,), in the order of `EMOTIONS`; 0 if not mentioned."""
        return np.array([self.emotions.get(name, 0.0) for name in EMOTIONS], dtype=np.float32)


def parse(text: str) -> ParsedCaption:
    """Parse an English caption into emotions, vocal bursts and traits of the speaker.

    Args:
        text: the caption; any text is accepted.

    Raises:
        TypeError: the caption is not a string.

    Example:
        >>> parsed = parse("Not angry any more, she sounds tired and a little sad.")
        >>> dict(parsed.emotions), dict(parsed.traits)
        ({'Sadness': 0.25, 'Fatigue/Exhaustion': 0.5}, {'gender': 'female'})
        >>> [(mention.phrase, mention.role) for mention in parsed.mentions][:2]
        [('angry', 'negated'), ('she', 'affirmed')]
    """
    if not isinstance(text, str):
        raise TypeError(f"a caption must be text, not {type(text).__name__}")
    scan = _scan(text)
    emotions: dict[str, float] = {}
    traits: dict[str, str | float] = {**scan.speaker.traits}
    sounds: list[Entry] = []
    items = scan.items
    for index, level in enumerate(scan.levels):
        if not level:
            continue
        entry = items[index][2]
        kind = entry.kind
        if kind is Kind.EMOTION:
            if level > emotions.get(entry.name, 0.0):
                emotions[entry.name] = level
            if entry.second is not None:
                sounds.append(entry.second)
        elif kind is Kind.BURST:
            sounds.append(entry)
            if entry.second is not None:
                felt = entry.second
                emotions[felt.name] = max(emotions.get(felt.name, 0.0), felt.level)
        elif kind is Kind.ATTRIBUTE:
            if entry.name not in traits:
                traits[entry.name] = _on_scale(entry, level)
        elif (kind is Kind.TRAIT or kind is Kind.ORIGIN) and entry.name not in PERSONAL:
            traits.setdefault(entry.name, entry.value)
    return ParsedCaption(
        text,
        MappingProxyType(_ordered(emotions, _EMOTION_ORDER)),
        _bursts(sounds, emotions, scan.lexicon) if sounds else (),
        MappingProxyType(_ordered(traits, _TRAIT_ORDER)),
    )


class _Scan(NamedTuple):
    """A caption split into phrases, with their levels and roles.

    Attributes:
        lexicon: lexicon of English.
        tokens: words and punctuation marks.
        found: phrases with their meanings.
        items: the same phrases; those in quoted speech without a meaning.
        levels, roles: level and role of each item.
        speaker: which genders and ages are those of the speaker.
    """

    lexicon: Lexicon
    tokens: Sequence[str]
    found: list[Item]
    items: list[Item]
    levels: list[float]
    roles: list[str]
    speaker: SpeakerTraits


@lru_cache(maxsize=1)  # the gate parses a caption, and then lists its mentions
def _scan(text: str) -> _Scan:
    lexicon = load_lexicon()
    tokens = tokenize(text)
    found = items_of(text, tokens, lexicon)
    items = without_quotations(found, text, lexicon)
    levels, roles = resolve_scopes([entry for _, _, entry in items])
    people = [index for index, level in enumerate(levels) if level and items[index][2].name in PERSONAL]
    speaker = find_speaker(tokens, items, people, lexicon.people_words)
    return _Scan(lexicon, tokens, found, items, levels, roles, speaker)


def _bursts(sounds: Sequence[Entry], emotions: Mapping[str, float], lexicon: Lexicon) -> tuple[str, ...]:
    bursts = {sound.name for sound in sounds if sound.form is not Form.KINDLESS}
    kindless = [sound for sound in sounds if sound.form is Form.KINDLESS]
    bursts |= {_kind_of(sound, emotions, bursts, lexicon) for sound in kindless}
    return tuple(sorted(bursts, key=_BURST_ORDER.__getitem__))


def _kind_of(sound: Entry, emotions: Mapping[str, float], bursts: Collection[str], lexicon: Lexicon) -> str:
    """Return the burst of a sound whose kind is not named ("sighs"): a burst of the same group that the
    caption names, else the one that fits an emotion of the caption, else the default.
    """
    group = _GROUP[sound.name]
    of_group = (name for name in bursts if _GROUP[name] == group)
    of_emotion = (kind for name, kind in lexicon.kindless[sound.value].items() if name in emotions)
    return min(of_group, key=_BURST_ORDER.__getitem__, default="") or next(of_emotion, sound.name)


@lru_cache(maxsize=4096)  # jobs check a clip when it is read and again when it is written
def is_withheld_text(text: str) -> bool:
    """Return whether a caption joins a minor with sexual content: `parse(text).is_withheld`, cached."""
    return parse(text).is_withheld


@cache
def _withheld_words(kind: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(WITHHELD[kind]['words'])})\b", re.IGNORECASE)


@lru_cache(maxsize=2)  # linter and gate use the mentions of one caption, one after the other
def mentions(text: str) -> tuple[Mention, ...]:
    """Return every matched phrase of a caption: `parse(text).mentions` without the rest of the parse."""
    scan = _scan(text)
    places = spans(text)
    speaker = scan.speaker
    found: list[Mention] = []
    for index, (first, stop, entry) in enumerate(scan.found):
        own_level, role = scan.levels[index], scan.roles[index]
        if index in speaker.others:
            own_level, role = 0.0, ANOTHER_PERSON
        elif scan.items[index][2] is QUOTED:
            role = "quoted"
        for meaning in (entry, entry.second):
            if meaning is None or entry.kind not in _MENTIONED or not role:
                continue
            name, level = meaning.name, own_level
            if meaning.form is Form.KINDLESS:
                parsed = parse(text)
                name = _kind_of(meaning, parsed.emotions, parsed.bursts if level else (), scan.lexicon)
                level = 1.0 if level else 0.0
            elif meaning is entry.second and level:
                level = meaning.level or level
            span = places[first][0], places[stop - 1][1]
            value = _on_scale(meaning, level) if meaning.kind is Kind.ATTRIBUTE else meaning.value
            found.append(Mention(*span, _MENTIONED[meaning.kind], name, level, role, meaning.phrase, value))
        if speaker.pronoun is not None and first <= speaker.pronoun < stop:
            word, gender = scan.tokens[speaker.pronoun], speaker.traits["gender"]
            span = places[speaker.pronoun]
            found.append(Mention(*span, "trait", "gender", 1.0, AFFIRMED, word, gender))
    return tuple(found)


def _unknown(text: str) -> tuple[Unknown, ...]:
    """Return the words without a lexicon entry where an emotion word is expected."""
    scan = _scan(text)
    places = spans(text)
    lexicon, tokens = scan.lexicon, scan.tokens
    items = [*scan.items, _END, _END]
    found = []
    naming = False
    for index, (first, _, entry) in enumerate(items[:-2]):
        if entry is UNKNOWN:
            word = tokens[first]
            candidate = len(word) >= SHORTEST_UNKNOWN and word.isalpha() and word not in lexicon.known
            if candidate and (naming or _may_name_emotion(word, items, index, scan)):
                found.append(Unknown(*places[first], word))
            naming = False
        elif entry.kind in (Kind.NAMING, Kind.INTENSITY):
            naming = True
        elif entry.kind is not Kind.LINK and entry.kind is not Kind.EXCESS:
            naming = False
    return tuple(found)


def _may_name_emotion(word: str, items: Sequence[Item], index: int, scan: _Scan) -> bool:
    """Return whether a word stands before "voice" or "tone", is the manner of speaking, a predicate ("he is
    …,"), or a member of a list or a tag on its own.
    """
    (_, _, before), (first, _, after) = items[index - 1] if index else _END, items[index + 1]
    tokens, table = scan.tokens, scan.lexicon.table
    nouns, verbs = table["carriers"], table["manner_verbs"]
    if first >= 0 and tokens[first] in nouns:
        return True
    if word.endswith("ly"):
        return (first >= 0 and tokens[first] in verbs) or (index > 0 and tokens[items[index - 1][0]] in verbs)
    ends = after.kind in (Kind.COMMA, Kind.STOP, Kind.CONJUNCTION)
    if before.kind in (Kind.COMMA, Kind.CONJUNCTION, Kind.STOP):
        listed = index > 1 and items[index - 2][2].kind is Kind.EMOTION
        return ends and (
            listed or (before.kind is not Kind.CONJUNCTION and after.kind is not Kind.CONJUNCTION)
        )
    listed = ends and items[index + 2][2].kind is Kind.EMOTION
    return ends and not word.endswith("ing") and (before.form is Form.PRESENT or listed)


def _on_scale(entry: Entry, level: float) -> float:
    """Return the value of a voice attribute: its pole, or a quarter of the scale from it."""
    share = entry.level if level == 1.0 else 0.25 + entry.level / 2
    return from_intensity(share, ATTRIBUTES[entry.name].scale)


def _ordered(found: dict[str, Any], order: Mapping[str, int]) -> dict[str, Any]:
    if len(found) < 2:
        return found
    return {name: found[name] for name in sorted(found, key=order.__getitem__)}
