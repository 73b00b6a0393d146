"""Rendering: from a profile to an English caption that `parse` parses back exactly.

Frame, words and the order of the emotions are digits of one hash of the profile and the seed, so that a
corpus varies and every caption can be made again. The order is random because captions that list
emotions by a fixed rule teach a model the rule.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import index
from pathlib import Path
from typing import Literal, get_args

from budew.captions.budget import MOST_WORDS, within
from budew.captions.frames import STYLES, Frame, capitalised, compile_frame
from budew.captions.lexicon import RENDERED_ATTRIBUTES, Lexicon, load_lexicon, with_article
from budew.captions.parse import parse
from budew.captions.word_choice import Content, Filling, Wording, slots
from budew.errors import InputError, WithheldError
from budew.profile import VoiceProfile
from budew.randomness import Choices
from budew.taxonomy import ATTRIBUTES, LEVELS, WORD_TRAITS
from budew.taxonomy.scales import INTENSITY, from_intensity, nearest_level, to_intensity

Style = Literal["prose", "short", "tags"]
_ATTEMPTS = 20
"""Drawings of a caption that comes out too long in other words, before the plain words are taken."""
MIDDLE = 0.5
"""Of a voice attribute's scale: what is neither one thing nor the other is not rendered."""
_EXACT = {level: level for level in LEVELS}
"""Most profiles are on the levels already, which is found out in a tenth of the time."""
RENDERED_PARTS = ("emotions", "bursts", *WORD_TRAITS, *RENDERED_ATTRIBUTES)
_WORDINGS = get_args(Wording)
_RENDERED_ATTRIBUTES = frozenset(RENDERED_ATTRIBUTES)


def render(
    profile: VoiceProfile,
    *,
    seed: int = 0,
    frame: str | Collection[str] | None = None,
    style: Style | None = None,
    max_emotions: int | None = None,
    min_level: float = 0.0,
    leave_out: Collection[str] = (),
    max_words: int = MOST_WORDS,
    wording: Wording = "varied",
    language: str = "en",
    additions: Path | None = None,
) -> str:
    """Return a caption of a profile, with intensities rounded to levels.

    `parse` of the caption returns `expressible(profile, ...)` for the same options.

    Args:
        profile: any profile. With all emotions rated and none present, and without bursts, it is called
            neutral; unrated or omitted emotions are not mentioned.
        seed: random seed for words, order and frame.
        frame: name of a sentence frame, or several to choose from; see `frame_names()`. None for any.
        style: "prose", "short" or "tags"; None for any.
        max_emotions: render at most this many emotions, the strongest; ties in the order of `EMOTIONS`.
        min_level: render only emotions of at least this intensity, such as 0.5.
        leave_out: parts not to render: "emotions", "bursts", or traits such as "gender".
        max_words: longest caption. What does not fit is left out, the least salient parts first: the
            recording, voice attributes near a pole, those at it, other traits, gender and age, bursts,
            and the weakest emotions. The default leaves out nothing of ordinary profiles.
        wording: "varied" chooses among synonyms; "plain" always uses the first word and gives each emotion an
            intensity word, which is easier to learn for a small model.
        language: a lexicon of `caption_templates`.
        additions: a file in the same format with other frames and words, see `load_lexicon`. Exact parsing is
            guaranteed only without additions.

    Raises:
        InputError: unknown frame, style, part, wording or language, a frame of another style, no frame that
            fits the profile, or an invalid `max_emotions`, `min_level` or `max_words`.
        WithheldError: the profile joins a minor with sexual content, whatever is to be left out.
    """
    if wording not in _WORDINGS:
        raise InputError(f"no wording {wording!r}: there are {', '.join(_WORDINGS)}")
    templates = load_templates(language, additions)
    content = content_of(profile, templates.lexicon, max_emotions, min_level, leave_out, max_words)
    emotions, bursts, traits, attributes, feelings = content
    # Corpora were made with this hash.
    draw = Choices(f"{index(seed)} Said({emotions=}, {bursts=}, {traits=}, {attributes=}, {feelings=})")
    text = _written(templates, content, draw, frame, style, wording)
    for _ in range(_ATTEMPTS):
        if text.count(" ") < max_words:
            return text
        text = _written(templates, content, draw, frame, style, wording)
    return _written(templates, content, draw, frame, style, "plain")


@dataclass(frozen=True, slots=True)
class Templates:
    """What captions are rendered with."""

    lexicon: Lexicon
    frames: Mapping[str, Frame]  # by name
    of_style: Mapping[str | None, tuple[Frame, ...]]  # under None all of them
    without_feelings: tuple[Frame, ...]  # frames without emotions
    conditional: bool  # whether there are frames that do not suit every profile


def load_templates(language: str = "en", additions: Path | None = None) -> Templates:
    """Return the frames and words of a language, or those of a file of additions.

    Raises:
        InputError: there is no such language.
        SettingsError: a frame has an unbalanced bracket.
    """
    return _loaded(language, additions)


@cache  # here, as it would keep load_templates() and load_templates("en") apart
def _loaded(language: str, additions: Path | None) -> Templates:
    lexicon = load_lexicon(language, additions)
    table, known = lexicon.table, slots(lexicon)
    frames, without_feelings = (
        {name: compile_frame(name, **row, rules=table["rules"], slots=known) for name, row in rows.items()}
        for rows in (table["frames"], table["frames_without_feelings"])
    )
    conditional = any(frame.needs for frame in (*frames.values(), *without_feelings.values()))
    every = tuple(frames.values())
    of_style: dict[str | None, tuple[Frame, ...]] = {None: every}
    of_style |= {style: tuple(frame for frame in every if frame.style == style) for style in STYLES}
    return Templates(lexicon, frames, of_style, tuple(without_feelings.values()), conditional)


def frame_names(language: str = "en", *, style: Style | None = None) -> tuple[str, ...]:
    """Return the names of the sentence frames, of one style or of all, in the order of the lexicon."""
    return tuple(frame.name for frame in _frames(load_templates(language), style))


def expressible(
    profile: VoiceProfile,
    *,
    max_emotions: int | None = None,
    min_level: float = 0.0,
    leave_out: Collection[str] = (),
    max_words: int = MOST_WORDS,
    language: str = "en",
) -> VoiceProfile:
    """Return the part of a profile that a caption expresses, and that `parse` returns.

    These are emotions at their levels, bursts, traits in words, and voice attributes near or at a pole. Not
    rendered are voice attributes in the middle of their scale, numeric age and gender, accents that would not
    parse back, unrated emotions (which `parse` returns as absent), and what does not fit in `max_words`.
    Arguments are those of `render`.
    """
    if (
        (max_emotions, min_level, max_words) == (None, 0.0, MOST_WORDS)
        and not leave_out
        and isinstance(profile, VoiceProfile)
    ):
        return _all_expressible(profile, language)
    lexicon = load_lexicon(language)
    return _expressible(content_of(profile, lexicon, max_emotions, min_level, leave_out, max_words))


@lru_cache(maxsize=4096)
def _all_expressible(profile: VoiceProfile, language: str) -> VoiceProfile:
    """Of a profile that is rewritten this is asked again and again: by its prompt, and by the gate."""
    return _expressible(content_of(profile, load_lexicon(language)))


def _expressible(content: Content) -> VoiceProfile:
    traits: dict[str, str | float] = dict(content.traits)
    for name, share in content.attributes:
        traits[name] = from_intensity(share, ATTRIBUTES[name].scale)
    return VoiceProfile(dict(content.emotions), content.bursts, traits)


def says_anything(
    profile: VoiceProfile,
    *,
    max_emotions: int | None = None,
    min_level: float = 0.0,
    leave_out: Collection[str] = (),
    max_words: int = MOST_WORDS,
    language: str = "en",
) -> bool:
    """Return whether a caption of a profile says anything about the voice.

    It does not ("A voice can be heard.") if no rated emotion is present, others are unrated, and nothing else
    is known. Trained on, such captions would teach that unrated emotions are absent. Arguments are those of
    `render`.
    """
    lexicon = load_lexicon(language)
    content = content_of(profile, lexicon, max_emotions, min_level, leave_out, max_words)
    return bool(content.feelings or content.bursts or content.traits or content.attributes)


def content_of(
    profile: VoiceProfile,
    lexicon: Lexicon,
    max_emotions: int | None = None,
    min_level: float = 0.0,
    leave_out: Collection[str] = (),
    max_words: int = MOST_WORDS,
) -> Content:
    """Return what a caption expresses of a profile; the arguments are those of `render`.

    Raises:
        InputError: a part or a number that there cannot be.
        TypeError: what is given is no profile.
        WithheldError: the profile joins a minor with sexual content.
    """
    if not isinstance(profile, VoiceProfile):
        kind = type(profile).__name__
        raise TypeError(
            f"a caption is rendered from a VoiceProfile, not from {kind}: a ParsedCaption has .profile"
        )
    if profile.is_withheld:
        raise WithheldError("the profile joins a minor with sexual content: correct its labels")
    if isinstance(leave_out, str):
        raise InputError(f"what to leave out is a list of parts, not {leave_out!r}: write [{leave_out!r}]")
    if max_emotions is not None and (not isinstance(max_emotions, int) or max_emotions < 0):
        raise InputError(f"max_emotions must be 0 or more, not {max_emotions!r}")
    if min_level != 0.0:
        INTENSITY.checked(min_level, what="min_level")
    rated = profile.emotions.items()
    found = [(name, level) for name, value in rated if (level := _EXACT.get(value) or nearest_level(value))]
    emotions = [pair for pair in found if pair[1] >= min_level]
    if max_emotions is not None and len(emotions) > max_emotions:
        emotions = sorted(emotions, key=lambda pair: -pair[1])[:max_emotions]
    content = Content(emotions, list(profile.bursts), *_traits(profile, lexicon))
    content = within(_shortened(content, leave_out) if leave_out else content, max_words, lexicon.language)
    left_out = bool(found) or not profile.fully_rated or "emotions" in leave_out
    if not content.emotions and (left_out or content.bursts or "Valence" in dict(content.attributes)):
        return content._replace(feelings=False)
    return content


def _traits(profile: VoiceProfile, lexicon: Lexicon) -> tuple[dict[str, str], list[tuple[str, float]]]:
    words: dict[str, str] = {}
    numbers: list[tuple[str, float]] = []
    for name, value in profile.traits.items():
        if isinstance(value, str):
            if name != "accent" or _accent_reads_back(value, lexicon.language):
                words[name] = value
        elif name in _RENDERED_ATTRIBUTES:
            share = nearest_level(to_intensity(value, ATTRIBUTES[name].scale))
            if share != MIDDLE:
                numbers.append((name, share))
    return words, numbers


def _shortened(content: Content, leave_out: Collection[str]) -> Content:
    unknown = [part for part in leave_out if part not in RENDERED_PARTS]
    if unknown:
        raise InputError(
            f"nothing called {unknown[0]!r} can be left out: there are {', '.join(RENDERED_PARTS)}"
        )
    return Content(
        [] if "emotions" in leave_out else content.emotions,
        [] if "bursts" in leave_out else content.bursts,
        {key: value for key, value in content.traits.items() if key not in leave_out},
        [pair for pair in content.attributes if pair[0] not in leave_out],
    )


def _written(
    templates: Templates,
    content: Content,
    draw: Choices,
    frame: str | Collection[str] | None,
    style: Style | None,
    wording: Wording,
) -> str:
    """Draw a frame and the words in it."""
    if templates.conditional:  # which frames suit the profile depends on the order of its emotions
        filling = Filling(content, templates.lexicon, draw, wording=wording)
        chosen = _frame(templates, frame, style, content, draw, filling.filled)
    else:
        chosen = _frame(templates, frame, style, content, draw)
        filling = Filling(content, templates.lexicon, draw, wording=wording)
    return capitalised(chosen.fill(filling))


def _frame(
    templates: Templates,
    name: str | Collection[str] | None,
    style: str | None,
    content: Content,
    draw: Choices,
    filled: int = 0,
) -> Frame:
    """Draw a frame that was asked for and that the profile, with these slots filled, suits."""
    if name is None:
        frames: Sequence[Frame] = _frames(templates, style)
    else:
        frames = _named([name] if isinstance(name, str) else name, templates, style)
    if not content.feelings:
        wanted = style or (frames[0] if isinstance(name, str) else draw.choose(frames)).style
        frames = [frame for frame in templates.without_feelings if frame.style == wanted]
    elif not content.emotions and not isinstance(name, str):
        frames = [frame for frame in frames if frame.neutral]
    if templates.conditional:
        frames = [frame for frame in frames if not frame.needs & ~filled]
    if not frames:
        raise InputError("no sentence frame suits this profile: ask for others")
    return frames[0] if isinstance(name, str) and content.feelings else draw.choose(frames)


def _named(names: Collection[str], templates: Templates, style: str | None) -> list[Frame]:
    for name in names:
        if name not in templates.frames:
            raise InputError(f"no sentence frame {name!r}: there are {', '.join(templates.frames)}")
        own = templates.frames[name].style
        if style not in (None, own):
            raise InputError(f"the frame {name!r} is of the style {own!r}, not {style!r}: leave one out")
    return [templates.frames[name] for name in names]


def _frames(templates: Templates, style: str | None) -> Sequence[Frame]:
    if style not in templates.of_style:
        raise InputError(f"no style {style!r}: there are {', '.join(STYLES)}")
    return templates.of_style[style]


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
