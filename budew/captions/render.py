"""Rendering: from a profile to an English caption that `parse` parses back exactly.

Frame, words and the order of the emotions are digits of one hash of the profile and the seed, so that a
corpus varies and every caption can be made again. The order is random because captions that list
emotions by a fixed rule teach a model the rule.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import index
from pathlib import Path
from typing import get_args

from budew.captions.content_selection import EVERYTHING, Content, ContentSelection, select_content
from budew.captions.frames import STYLES, Frame, Style, capitalised, compile_frame
from budew.captions.lexicon import Lexicon, load_lexicon
from budew.captions.word_choice import Filling, Wording, slots
from budew.errors import InputError
from budew.profile import VoiceProfile
from budew.randomness import Choices

_WORDINGS = get_args(Wording)
_ATTEMPTS = 20
"""Drawings of a caption that comes out too long in other words, before the plain words are taken."""


def render(
    profile: VoiceProfile,
    *,
    seed: int = 0,
    style: Style | None = None,
    frame: str | Collection[str] | None = None,
    selection: ContentSelection = EVERYTHING,
    wording: Wording = "varied",
    language: str = "en",
    additions: Path | None = None,
) -> str:
    """Return a caption of a profile, with intensities rounded to levels.

    `parse` of the caption returns `expressible(profile, selection=selection)`.

    Args:
        profile: any profile. With all emotions rated and none present, and without bursts, it is called
            neutral; unrated or omitted emotions are not mentioned.
        seed: random seed for words, order and frame.
        style: "prose", "short" or "tags"; None for any.
        frame: name of a sentence frame, or several to choose from; see `frame_names()`. None for any.
        selection: which parts of the profile to express, and in how many words at most.
        wording: "varied" chooses among synonyms; "plain" always uses the first word and gives each emotion an
            intensity word, which is easier to learn for a small model.
        language: a lexicon of `caption_templates`.
        additions: a file in the same format with other frames and words, see `load_lexicon`. Exact parsing is
            guaranteed only without additions.

    Raises:
        InputError: unknown frame, style, wording or language, a frame of another style, or no frame that fits
            the profile.
        WithheldError: the profile joins a minor with sexual content, whatever is to be left out.

    Example:
        >>> from budew.profile import VoiceProfile
        >>> sad = VoiceProfile({"Sadness": 0.75}, ["Sobs"], {"gender": "female"})
        >>> render(sad, seed=1)
        'A female speaker seems deeply unhappy. She sobs.'
        >>> render(sad, style="tags", selection=ContentSelection(leave_out=["bursts"]), wording="plain")
        'Very sad, female'
    """
    if wording not in _WORDINGS:
        raise InputError(f"no wording {wording!r}: there are {', '.join(_WORDINGS)}")
    templates = load_templates(language, additions)
    content = select_content(profile, selection, language=language)
    emotions, bursts, traits, attributes, feelings = content
    # Corpora were made with this hash.
    draw = Choices(f"{index(seed)} Said({emotions=}, {bursts=}, {traits=}, {attributes=}, {feelings=})")
    text = _written(templates, content, draw, frame, style, wording)
    for _ in range(_ATTEMPTS):
        if text.count(" ") < selection.max_words:
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
