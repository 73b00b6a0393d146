"""Rendering: from a profile to an English caption that `parse` reads back exactly.

Frame, words and the order of the emotions are digits of one hash of the profile and the seed, so that a
corpus varies and every caption can be made again. The order is random because captions that list
emotions by a fixed rule teach a model the rule.
"""

from collections.abc import Collection
from functools import lru_cache
from operator import index
from typing import Literal, SupportsIndex, get_args

from budew.captions.draw import Draw
from budew.captions.english import with_article
from budew.captions.filling import Filling, Said, Wording
from budew.captions.grammar import STYLES, Frame, capitalised
from budew.captions.lexicon import SAID_ATTRIBUTES, Lexicon, load_lexicon
from budew.captions.lexicon_words import LexiconError
from budew.captions.parse import parse
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, WORD_TRAITS
from budew.taxonomy.scales import from_intensity, nearest_level, to_intensity

Style = Literal["prose", "short", "tags"]
MIDDLE = 0.5
"""Of a voice attribute's scale: what is neither one thing nor the other is not said."""
_PARTS = ("emotions", "bursts", *WORD_TRAITS, *SAID_ATTRIBUTES)
_WORDINGS = get_args(Wording)
_SAID_ATTRIBUTES = frozenset(SAID_ATTRIBUTES)


def render(
    profile: VoiceProfile,
    *,
    seed: int = 0,
    frame: str | None = None,
    style: Style | None = None,
    max_emotions: int | None = None,
    min_level: float = 0.0,
    leave_out: Collection[str] = (),
    wording: Wording = "varied",
    language: str = "en",
) -> str:
    """Say in a caption what a profile holds, rounded to levels.

    What is said is what `expressible` returns for the same options, and `parse` gives that back.

    Args:
        profile: any profile. One that has neither emotions nor bursts is called neutral; where emotions are
            left out or unknown, nothing is said of them.
        seed: another seed gives other words, another order and another frame.
        frame: name of the sentence frame, one of `frame_names()`; drawn when None.
        style: "prose", "short" or "tags"; drawn with the frame when None.
        max_emotions: say only the strongest so many; of equal ones the earlier in `EMOTIONS`.
        min_level: say only emotions of at least this level, such as 0.5.
        leave_out: parts not to say: "emotions", "bursts", and any trait that captions speak of, such as
            "gender".
        wording: "varied" draws among the synonyms; "plain" takes the first word for everything and gives each
            emotion its intensity, which is what a small model can learn to say.
        language: a lexicon of `caption_templates`.

    Raises:
        LexiconError: there is no such frame, style, part, wording or language, a frame is of another style,
            or the seed, `max_emotions` or `min_level` is not the number that it must be.
    """
    if type(seed) is not int:
        seed = _whole(seed)
    if wording not in _WORDINGS:
        raise LexiconError(f"no wording {wording!r}: there are {', '.join(_WORDINGS)}")
    lexicon = load_lexicon(language)
    said = said_of(profile, lexicon, max_emotions, min_level, leave_out)
    draw = Draw(f"{seed} {said!r}")
    chosen = _frame(lexicon, frame, style, said, draw)
    return capitalised(chosen.fill(Filling(said, lexicon, draw, wording=wording)))


def frame_names(language: str = "en", *, style: Style | None = None) -> tuple[str, ...]:
    """Return the names of the sentence frames, of one style or of all, in the order of the lexicon.

    Raises:
        LexiconError: there is no such style or language.
    """
    return tuple(frame.name for frame in _frames(load_lexicon(language), style))


def expressible(
    profile: VoiceProfile,
    *,
    max_emotions: int | None = None,
    min_level: float = 0.0,
    leave_out: Collection[str] = (),
    language: str = "en",
) -> VoiceProfile:
    """Return what a caption says of a profile, and `parse` gives back.

    Emotions at their levels, bursts, traits in words, and voice attributes near or at a pole; not said
    are voice attributes in the middle of their scale, the numbers for age and gender, and accents that
    would not read back. Emotions that are unknown are not said either; a caption that is silent on them
    reads as one without any. Arguments are those of `render`.
    """
    if max_emotions is None and not min_level and not leave_out and isinstance(profile, VoiceProfile):
        return _all_expressible(profile, language)
    return _expressible(said_of(profile, load_lexicon(language), max_emotions, min_level, leave_out))


@lru_cache(maxsize=4096)
def _all_expressible(profile: VoiceProfile, language: str) -> VoiceProfile:
    """Of a profile that is rewritten this is asked again and again: by its prompt, and by the gate."""
    return _expressible(said_of(profile, load_lexicon(language)))


def _expressible(said: Said) -> VoiceProfile:
    traits: dict[str, str | float] = dict(said.traits)
    for name, share in said.attributes:
        traits[name] = from_intensity(share, ATTRIBUTES[name].scale)
    return VoiceProfile(dict(said.emotions), said.bursts, traits)


def said_of(
    profile: VoiceProfile,
    lexicon: Lexicon,
    max_emotions: int | None = None,
    min_level: float = 0.0,
    leave_out: Collection[str] = (),
) -> Said:
    """Return what a caption says of a profile; the arguments are those of `render`.

    Raises:
        LexiconError: a part or a number that there cannot be.
        TypeError: what is given is no profile.
    """
    if not isinstance(profile, VoiceProfile):
        kind = type(profile).__name__
        raise TypeError(
            f"a caption is rendered from a VoiceProfile, not from {kind}: a ParsedCaption has .profile"
        )
    if isinstance(leave_out, str):
        raise LexiconError(f"what to leave out is a list of parts, not {leave_out!r}: write [{leave_out!r}]")
    if max_emotions is not None and (not isinstance(max_emotions, int) or max_emotions < 0):
        raise LexiconError(f"max_emotions is a number from 0 on, not {max_emotions!r}")
    if min_level != 0.0:
        _check_level(min_level)
    found = [(name, level) for name, value in profile.emotions.items() if (level := nearest_level(value))]
    emotions = [pair for pair in found if pair[1] >= min_level]
    if max_emotions is not None and len(emotions) > max_emotions:
        emotions = sorted(emotions, key=lambda pair: -pair[1])[:max_emotions]
    said = Said(emotions, list(profile.bursts), *_traits(profile, lexicon))
    said = _shortened(said, leave_out) if leave_out else said
    left_out = bool(found) or not profile.emotions_known or "emotions" in leave_out
    silent = not said.emotions and (left_out or said.bursts or _has_mood(said))
    return said._replace(feelings=False) if silent else said


def _whole(seed: object) -> int:
    if isinstance(seed, bool) or not isinstance(seed, SupportsIndex):
        raise LexiconError(f"the seed is a whole number, not {seed!r}")
    return index(seed)


def _check_level(level: object) -> None:
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 <= level <= 1:
        raise LexiconError(f"min_level is a number from 0 to 1, not {level!r}")


def _has_mood(said: Said) -> bool:
    return any(name == "Valence" for name, _ in said.attributes)


def _traits(profile: VoiceProfile, lexicon: Lexicon) -> tuple[dict[str, str], list[tuple[str, float]]]:
    words: dict[str, str] = {}
    numbers: list[tuple[str, float]] = []
    for name, value in profile.traits.items():
        if isinstance(value, str):
            if name != "accent" or _accent_reads_back(value, lexicon.language):
                words[name] = value
        elif name in _SAID_ATTRIBUTES:
            share = nearest_level(to_intensity(value, ATTRIBUTES[name].scale))
            if share != MIDDLE:
                numbers.append((name, share))
    return words, numbers


def _shortened(said: Said, leave_out: Collection[str]) -> Said:
    unknown = [part for part in leave_out if part not in _PARTS]
    if unknown:
        raise LexiconError(f"nothing called {unknown[0]!r} can be left out: there are {', '.join(_PARTS)}")
    return Said(
        [] if "emotions" in leave_out else said.emotions,
        [] if "bursts" in leave_out else said.bursts,
        {key: value for key, value in said.traits.items() if key not in leave_out},
        [pair for pair in said.attributes if pair[0] not in leave_out],
    )


def _frame(lexicon: Lexicon, name: str | None, style: str | None, said: Said, draw: Draw) -> Frame:
    frames = _frames(lexicon, style)
    if name is not None and name not in lexicon.frames:
        raise LexiconError(f"no sentence frame {name!r}: there are {', '.join(lexicon.frames)}")
    if name is not None and style is not None and lexicon.frames[name].style != style:
        own = lexicon.frames[name].style
        raise LexiconError(f"the frame {name!r} is of the style {own!r}, not {style!r}: give one of the two")
    if not said.feelings:
        wanted = style or (lexicon.frames[name].style if name else draw.choose(frames).style)
        return draw.choose([frame for frame in lexicon.without_feelings if frame.style == wanted])
    if name is not None:
        return lexicon.frames[name]
    return draw.choose(frames if said.emotions else [frame for frame in frames if frame.neutral])


@lru_cache(maxsize=64)
def _frames_of(language: str, style: str | None) -> tuple[Frame, ...]:
    frames = load_lexicon(language).frames.values()
    return tuple(frame for frame in frames if style is None or frame.style == style)


def _frames(lexicon: Lexicon, style: str | None) -> tuple[Frame, ...]:
    if style is not None and style not in STYLES:
        raise LexiconError(f"no style {style!r}: there are {', '.join(STYLES)}")
    return _frames_of(lexicon.language, style)


@lru_cache(maxsize=4096)
def _accent_reads_back(accent: str, language: str) -> bool:
    lexicon = load_lexicon(language)
    phrase = lexicon.accent.format(accent)
    return all(
        parse(text, language=language).traits == {"accent": accent}
        and not parse(text, language=language).emotions
        and not parse(text, language=language).bursts
        for text in (f"With {with_article(phrase, lexicon.sounds)}.", f"Neutral, {phrase}.")
    )
