"""Rendering: from a profile to an English sentence that `parse` reads back exactly.

Frame, words and the order of the emotions are drawn from a generator seeded by the profile and the seed, so
that a corpus varies and every caption can be made again. The order is random because captions that list
emotions by a fixed rule teach a model the rule.
"""

import hashlib
import json
from functools import lru_cache
from random import Random
from typing import get_args

from budew.captions.english import with_article
from budew.captions.filling import Filling, Wording
from budew.captions.lexicon import LexiconError, load_lexicon
from budew.captions.parse import parse
from budew.profile import VoiceProfile

_WORD_TRAITS = ("gender", "age", "accent", "style")


def render(
    profile: VoiceProfile,
    *,
    seed: int = 0,
    frame: str | None = None,
    max_emotions: int | None = None,
    wording: Wording = "varied",
    language: str = "en",
) -> str:
    """Say in a caption what a profile holds, rounded to levels.

    Left out are voice attributes (numbers) and accents that would not read back: see `expressible`.

    Args:
        profile: any profile; one without emotions is called neutral.
        seed: another seed gives other words, another order and another frame.
        frame: name of the sentence frame, one of `frame_names()`; drawn when None.
        max_emotions: say only the strongest so many; of equal ones the earlier in `EMOTIONS`.
        wording: "varied" draws among the synonyms; "plain" takes the first word for everything and gives each
            emotion its intensity, which is what a small model can learn to say.
        language: a lexicon of `caption_templates`.

    Raises:
        LexiconError: there is no such frame, wording or language.
    """
    if wording not in get_args(Wording):
        raise LexiconError(f"no wording {wording!r}: there are {', '.join(get_args(Wording))}")
    lexicon = load_lexicon(language)
    said = expressible(profile, max_emotions=max_emotions, language=language)
    random = Random(_seed(said, seed))  # noqa: S311  # variation, not secrecy
    names = tuple(lexicon.frames)
    drawn = random.choice(names)
    if frame is not None and frame not in lexicon.frames:
        raise LexiconError(f"no sentence frame {frame!r}: there are {', '.join(names)}")
    return lexicon.frames[frame or drawn].fill(Filling(said, lexicon, random, wording=wording).place)


def frame_names(language: str = "en") -> tuple[str, ...]:
    """Return the names of the sentence frames, in the order of the lexicon."""
    return tuple(load_lexicon(language).frames)


def expressible(
    profile: VoiceProfile, *, max_emotions: int | None = None, language: str = "en"
) -> VoiceProfile:
    """Return what a caption says of a profile, and `parse` gives back: levels, bursts, traits in words."""
    if not isinstance(profile, VoiceProfile):
        kind = type(profile).__name__
        raise TypeError(
            f"a caption is rendered from a VoiceProfile, not from {kind}: a ParsedCaption has .profile"
        )
    quantized = profile.quantized()
    emotions = dict(quantized.emotions)
    if max_emotions is not None and len(emotions) > max_emotions:
        strongest = sorted(emotions, key=lambda name: -emotions[name])[:max_emotions]
        emotions = {name: emotions[name] for name in strongest}
    traits = {key: profile.traits[key] for key in _WORD_TRAITS if key in profile.traits}
    if "accent" in traits and not _accent_reads_back(str(traits["accent"]), language):
        del traits["accent"]
    return VoiceProfile(emotions, quantized.bursts, traits)


@lru_cache(maxsize=4096)
def _accent_reads_back(accent: str, language: str) -> bool:
    lexicon = load_lexicon(language)
    phrase = lexicon.accent.format(accent)
    return all(
        parse(text, language=language).traits == {"accent": accent}
        and not parse(text, language=language).emotions
        and not parse(text, language=language).bursts
        for text in (f"With {with_article(phrase, lexicon)}.", f"Neutral, {phrase}.")
    )


def _seed(profile: VoiceProfile, seed: int) -> int:
    described = json.dumps([seed, profile.to_json()])
    return int.from_bytes(hashlib.blake2b(described.encode(), digest_size=8).digest())
