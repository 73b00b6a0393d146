"""What a rewritten caption must express, listed in plain words: each part with words of the lexicon for it.

The words are drawn anew for each request. Many models take those that they are offered, so that the draw
decides how varied a corpus becomes.
"""

import re
from functools import cache, lru_cache
from random import Random

from budew.captions import load_lexicon
from budew.captions.english import with_article
from budew.captions.lexicon import STRONG
from budew.paraphrase.prompts.prompt_file import Keep
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, BURSTS, EMOTIONS, LEVEL_NAMES, LEVELS
from budew.taxonomy.scales import nearest_level, to_intensity

_BETWEEN_PARTS = re.compile(r"/| & | and ")
_DATA_NAME = re.compile(
    "|".join(re.escape(name) for name in (*EMOTIONS, *ATTRIBUTES) if set("_/&") & set(name))
)
_RECORDING = ("Recording_Quality", "Background_Noise")
_OR = " or "


def listed(
    profile: VoiceProfile, keep: Keep, chance: Random, *, words: int, emotions_known: bool = True
) -> list[str]:
    """Return a line for each part of a profile, emotions first.

    Args:
        profile: what a caption can express, see `budew.captions.expressible`.
        keep: how each part is listed.
        chance: draws the words that are offered for emotions.
        words: offered for each emotion.
        emotions_known: False, so that a voice without any is not called neutral.
    """
    lines = []
    for name, level in profile.emotions.items():
        offered = ", ".join(_drawn(_words(name, level >= STRONG), words, chance))
        line = keep.emotion.replace("{level}", LEVEL_NAMES[LEVELS.index(level)])
        lines.append(line.replace("{name}", plain_name(name)).replace("{words}", offered))
    if not profile.emotions:
        silent = not emotions_known or profile.bursts or "Valence" in profile.traits
        lines.append(keep.silent if silent else keep.neutral.replace("{words}", _neutral()))
    lines += [_line(keep.burst, "burst", name) for name in profile.bursts]
    return lines + [_line(getattr(keep, _kind(key)), key, value) for key, value in profile.traits.items()]


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return the name of an emotion, burst or trait in prose ("a chuckle"); anything else as it is."""
    lexicon = load_lexicon()
    if name in EMOTIONS:
        return _OR.join(_BETWEEN_PARTS.split(name)).lower()
    if name in BURSTS:
        return lexicon.bursts[name][0]
    if (name, 0.25) in lexicon.attributes:
        return _OR.join(lexicon.attributes[name, share][0] for share in (0.25, 0.75))
    return name


def in_plain_words(what: str) -> str:
    """Return the subject of a reason of the gate, with names of the taxonomy in plain words."""
    plain = plain_name(what)
    return _DATA_NAME.sub(lambda match: plain_name(match[0]), what) if plain == what else plain


def _drawn(options: tuple[tuple[str, ...], ...], count: int, chance: Random) -> list[str]:
    """Draw words, nouns and adjectives in turn: of each those that follow a random one."""
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
    known = {*plain_name(name).split()}
    kind = "strong" if strong else "mild"
    return tuple(
        tuple(word for word in (*forms[form], *forms.get(f"{kind}_{form}", ())) if word not in known)
        for form in ("noun", "adjective")
    )


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
