"""A word budget: which parts of a profile a caption of at most so many words has room for.

What is kept depends on the profile alone, so that `expressible` knows it before a word is drawn. Each part
costs its words in the plain wording, where they are fixed, and what a frame adds to it at most; an emotion a
word more, since the degrees of the varied wording are longer. A varied caption that still comes out longer
than the budget is drawn again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from budew.captions.lexicon import load_lexicon
from budew.captions.word_choice import RECORDING, Content
from budew.errors import InputError

MOST_WORDS = 84
"""Default budget. It holds five emotions, two bursts, all traits and a few voice attributes. In tokens it is
far below the 444 that Whisper's decoder has for a caption.
"""
LEAST_WORDS = 12
"""Room for a frame and the strongest emotion."""
_POLES = (0.0, 1.0)
_SPEAKER = "speaker"
_GROUPS = {
    "gender": _SPEAKER, "age": _SPEAKER, "accent": "accent_timbre", "timbre": "accent_timbre",
    "style": "manner", "pace": "manner",
}  # fmt: skip
"""Traits in the order of their salience, and the slot in which they stand."""
_WORDS_OF_AN_ATTRIBUTE = 20
"""Words of the budget for each voice attribute that is kept: nobody writes a list of ten adjectives."""
_LETTERS = 8
"""Letters of an accent that count as a word, since anything may be one."""

Part = tuple[str, Any]
"""A part of a profile: the slot in which it stands, and an item of `Content`."""


@dataclass(frozen=True, slots=True)
class _Costs:
    """Words of each part, what its slot adds to a caption, and the most that an emotion costs and anything
    else with its slot.
    """

    words: Mapping[Any, int]
    slots: Mapping[str, int]
    emotion: int
    other: int


def within(content: Content, max_words: int, language: str) -> Content:
    """Return the most salient parts of `content` that fit: the strongest emotion, gender and age, the other
    emotions by level, bursts, other traits, voice attributes at and near a pole, the recording.

    Raises:
        InputError: a budget that is no number, or too small for any caption.
    """
    if not isinstance(max_words, int) or max_words < LEAST_WORDS:
        raise InputError(f"max_words must be {LEAST_WORDS} or more, not {max_words!r}")
    costs = _costs(language)
    attributes = max_words // _WORDS_OF_AN_ATTRIBUTE
    others = len(content.bursts) + len(content.traits) + len(content.attributes)
    frame = costs.slots["frame"] if content.emotions else costs.slots["neutral"]
    most = frame + costs.emotion * len(content.emotions) + costs.other * others
    if most <= max_words and len(content.attributes) <= attributes and "accent" not in content.traits:
        return content
    kept: set[Part] = set()
    held = Counter[str]()
    left = max_words - frame
    for part in _by_salience(content, attributes):
        slot, item = part
        joint = costs.slots[slot] if not held[slot] else held[slot] == 1  # an "and"
        left -= _cost(item, costs) + joint
        if left < 0:
            break
        kept.add(part)
        held[slot] += 1
    return Content(
        [pair for pair in content.emotions if ("emotions", pair) in kept],
        [name for name in content.bursts if ("bursts", name) in kept],
        {key: value for key, value in content.traits.items() if (_GROUPS[key], (key, value)) in kept},
        [pair for pair in content.attributes if (_slot(pair[0]), pair) in kept],
    )


def _by_salience(content: Content, attributes: int) -> Iterator[Part]:
    emotions = sorted(content.emotions, key=lambda pair: -pair[1])
    traits = [(slot, (key, content.traits[key])) for key, slot in _GROUPS.items() if key in content.traits]
    yield from (("emotions", emotion) for emotion in emotions[:1])
    yield from (trait for trait in traits if trait[0] == _SPEAKER)
    yield from (("emotions", emotion) for emotion in emotions[1:])
    yield from (("bursts", burst) for burst in content.bursts)
    yield from (trait for trait in traits if trait[0] != _SPEAKER)
    ranked = sorted(content.attributes, key=lambda pair: (pair[0] in RECORDING, pair[1] not in _POLES))
    for attribute in ranked[:attributes]:
        yield _slot(attribute[0]), attribute


def _slot(attribute: str) -> str:
    return "recording" if attribute in RECORDING else "qualities"


def _cost(item: Any, costs: _Costs) -> int:
    known = costs.words.get(item)
    if known is not None:
        return known
    accent: str = item[1]
    return 2 + max(_count(accent), len(accent) // _LETTERS)


@cache
def _costs(language: str) -> _Costs:
    lexicon = load_lexicon(language)
    slots: dict[str, int] = lexicon.table["budget"]
    emotions = {
        pair: 1 + max(_count(book[pair].plain) for book in lexicon.book.values())
        for pair in lexicon.book["noun"]
    }
    phrases: dict[Any, tuple[str, ...]] = {**lexicon.plain_bursts, **lexicon.traits, **lexicon.attributes}
    phrases |= {("pace", value): said for value, said in lexicon.plain_paces.items()}
    others = {part: _count(said[0]) for part, said in phrases.items() if part[0] != "accent"}
    others |= {("timbre", value): 1 + _count(said[0]) for (value, _), said in lexicon.timbres.items()}
    joints = max(words for slot, words in slots.items() if slot not in ("frame", "neutral"))
    return _Costs(emotions | others, slots, max(emotions.values()), max(others.values()) + joints)


def _count(phrase: str) -> int:
    return phrase.count(" ") + 1
