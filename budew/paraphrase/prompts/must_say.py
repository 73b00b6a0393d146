"""What a rewritten caption must say, listed in plain words: each thing with words of the lexicon that say it.

The words are drawn anew for each request. Many models take those that they are offered, so that the draw
decides how various a corpus becomes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from random import Random

from budew.captions import load_lexicon
from budew.captions.english import with_article
from budew.captions.lexicon_words import STRONG
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, BURSTS, EMOTIONS, LEVEL_NAMES, LEVELS
from budew.taxonomy.scales import nearest_level, to_intensity

_BETWEEN_PARTS = re.compile(r"/| & | and ")
_DATA_NAME = re.compile(
    "|".join(re.escape(name) for name in (*EMOTIONS, *ATTRIBUTES) if set("_/&") & set(name))
)
_RECORDING = ("Recording_Quality", "Background_Noise")
_OR = " or "


@dataclass(frozen=True, slots=True)
class Listing:
    """How each thing is listed: texts with places, and how many words are offered for a feeling.

    Attributes:
        words: at most so many for each feeling.
        emotion: with `{level}`, `{name}` and `{words}`.
        neutral: of a profile that captions call neutral; with `{words}`.
        silent: of one that has sounds but no feeling, or whose feelings are unknown.
        burst, gender, age, accent, timbre, pace, style, attribute, recording: with `{words}`.
    """

    words: int
    emotion: str
    neutral: str
    silent: str
    burst: str
    gender: str
    age: str
    accent: str
    timbre: str
    pace: str
    style: str
    attribute: str
    recording: str


def listed(said: VoiceProfile, listing: Listing, chance: Random, *, feelings: bool = True) -> list[str]:
    """Return a line for each thing that is to be said, feelings first.

    Args:
        said: what a caption can say of a profile, see `budew.captions.expressible`.
        listing: how each thing is listed.
        chance: draws the words that are offered for feelings.
        feelings: False where they are unknown, so that a voice without any is not called neutral.
    """
    return [
        *_feelings(said, listing, chance, feelings),
        *(_line(listing.burst, "burst", name) for name in said.bursts),
        *(_line(getattr(listing, _kind(key)), key, value) for key, value in said.traits.items()),
    ]


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return what an emotion, a sound or a trait is called in prose: "pleasure or ecstasy", "a chuckle".

    Whatever is none of them stays as it is.
    """
    lexicon = load_lexicon()
    if name in EMOTIONS:
        return _OR.join(_BETWEEN_PARTS.split(name)).lower()
    if name in BURSTS:
        return lexicon.bursts[name][0]
    if (name, 0.25) in lexicon.attributes:
        return _OR.join(lexicon.attributes[name, share][0] for share in (0.25, 0.75))
    return name


def in_plain_words(what: str) -> str:
    """Return what the gate tells of, with the names that only data has in plain words."""
    plain = plain_name(what)
    return _DATA_NAME.sub(lambda match: plain_name(match[0]), what) if plain == what else plain


def _feelings(said: VoiceProfile, listing: Listing, chance: Random, known: bool) -> Iterator[str]:
    for name, level in said.emotions.items():
        words = ", ".join(_drawn(_words(name, level >= STRONG), listing.words, chance))
        line = listing.emotion.replace("{level}", LEVEL_NAMES[LEVELS.index(level)])
        yield line.replace("{name}", plain_name(name)).replace("{words}", words)
    if not said.emotions:
        silent = not known or said.bursts or "Valence" in said.traits
        yield listing.silent if silent else listing.neutral.replace("{words}", _neutral())


def _drawn(options: tuple[tuple[str, ...], ...], count: int, chance: Random) -> list[str]:
    """Draw words, nouns and adjectives in turn: of each those that follow one drawn by chance."""
    starts = [int(chance.random() * len(words)) for words in options]
    found: list[str] = []
    for place in range(count):
        for words, start in zip(options, starts, strict=True):
            if place < len(words):
                found.append(words[(start + place) % len(words)])
    return found[:count]


@cache
def _words(name: str, strong: bool) -> tuple[tuple[str, ...], ...]:
    """Return nouns and adjectives for an emotion but for those of its plain name, which are known already."""
    forms = load_lexicon().emotions[name]
    nouns = forms.noun + (forms.strong_noun if strong else forms.mild_noun)
    adjectives = forms.adjective + (forms.strong_adjective if strong else forms.mild_adjective)
    known = set(plain_name(name).split())
    return tuple(tuple(word for word in words if word not in known) for words in (nouns, adjectives))


@cache
def _neutral() -> str:
    return _OR.join(load_lexicon().neutral["adjective"])


def _kind(trait: str) -> str:
    if trait in ATTRIBUTES:
        return "recording" if trait in _RECORDING else "attribute"
    return trait


@lru_cache(maxsize=4096)
def _line(form: str, key: str, value: str | float) -> str:
    """Return the line for a burst or a trait, with all phrases that the lexicon says it with."""
    lexicon = load_lexicon()
    if key == "burst":
        words = lexicon.bursts[str(value)]
    elif key == "accent":
        words = (with_article(lexicon.accent.format(value), lexicon.sounds),)
    elif isinstance(value, str):
        words = lexicon.traits[key, value]
    else:
        words = lexicon.attributes[key, nearest_level(to_intensity(value, ATTRIBUTES[key].scale))]
    return form.replace("{words}", _OR.join(words))
