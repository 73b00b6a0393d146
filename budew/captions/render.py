"""Rendering: from a profile to an English caption that `parse` parses back exactly.

Frame, words and the order of the emotions are derived from one hash of the profile and the seed, so that the
captions of a corpus vary and each can be rendered again. The order is random because captions that list
emotions by a fixed rule teach a model the rule.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from operator import index
from pathlib import Path
from typing import NamedTuple, get_args

from budew.captions.caption_prompt import STYLES, Style
from budew.captions.content_selection import EVERYTHING, Content, ContentSelection, select_content
from budew.captions.frames import Frame, capitalised, compile_frame
from budew.captions.lexicon import Lexicon, load_extended_lexicon, load_lexicon
from budew.captions.slot_filling import needs_met, slots
from budew.captions.vocabulary import Vocabulary, Wording
from budew.captions.word_choice import WordChoice
from budew.errors import InputError
from budew.profile import VoiceProfile
from budew.randomness import Draws

_WORDINGS = get_args(Wording)
_ATTEMPTS = 20
"""How often a caption that is too long is drawn again, before the plain wording is used."""


def render(
    profile: VoiceProfile,
    *,
    seed: int = 0,
    style: Style | None = None,
    frame: str | Collection[str] | None = None,
    selection: ContentSelection = EVERYTHING,
    wording: Wording = "varied",
    additions: Path | None = None,
) -> str:
    """Return a caption of a profile, with intensities rounded to levels.

    `parse` of the caption returns `expressible(profile, selection=selection)`.

    Args:
        profile: any profile. With all emotions rated and none present, and without bursts, it is called
            neutral. With some rated and none present, some of these are denied ("no anger"). Unrated or
            omitted emotions are not mentioned.
        seed: random seed for words, order and frame.
        style: "prose", "short" or "tags"; None for any.
        frame: name of a sentence frame, or several to choose from; see `frame_names()`. None for any.
        selection: which parts of the profile to express, and in how many words at most.
        wording: "varied" chooses among synonyms; "plain" always uses the first synonym and gives each emotion
            an intensity word, which is easier to learn for a small model; frame and order are still drawn.
        additions: YAML file with other frames and words, see `load_extended_lexicon`. If it is given, `parse`
            may return another profile than the one rendered. None: only the frames and words of the package.

    Raises:
        InputError: unknown frame, style or wording, a frame of another style, or no frame that fits
            the profile.
        WithheldError: the profile joins a minor with sexual content, even if `selection` leaves that out.

    Example:
        >>> from budew.profile import VoiceProfile
        >>> sad = VoiceProfile({"Sadness": 0.75}, ["Sobs"], {"gender": "female"})
        >>> render(sad, seed=1)
        'A female speaker seems deeply unhappy. She sobs.'
        >>> render(sad, style="tags", selection=ContentSelection(leave_out=["bursts"]), wording="plain")
        'Very sad, female'
    """
    if wording not in _WORDINGS:
        raise InputError(f"unknown wording {wording!r}: use {', '.join(_WORDINGS)}")
    content = select_content(profile, selection)
    templates = load_templates(additions)
    allowed = _allowed_frames(templates, frame, style)
    emotions, bursts, traits, attributes, feelings, absent = content
    # Existing corpora were rendered with this hash: a change would change the caption of every seed.
    key = f"{index(seed)} Said({emotions=}, {bursts=}, {traits=}, {attributes=}, {feelings=})"
    draw = Draws(f"{key} {absent=}" if absent else key)
    vocabulary = templates.lexicon.plain if wording == "plain" else templates.lexicon.varied
    text = _write(templates, allowed, content, vocabulary, draw)
    for _ in range(_ATTEMPTS):
        if text.count(" ") < selection.max_words:
            return text
        text = _write(templates, allowed, content, vocabulary, draw)
    return _write(templates, allowed, content, templates.lexicon.plain, draw)


class AllowedFrames(NamedTuple):
    """Sentence frames to draw from.

    Attributes:
        frames: at least one frame.
        style: the style that the caller requested; None for any style.
        is_single: whether the caller requested one frame by its name; neutral profiles then use it, too.
    """

    frames: Sequence[Frame]
    style: str | None
    is_single: bool = False


@dataclass(frozen=True, slots=True)
class Templates:
    """Lexicon and sentence frames for rendering captions.

    Attributes:
        lexicon: the words.
        frames: sentence frames by name.
        of_style: frames of each style; all frames under the key None.
        without_feelings: frames for captions that do not mention emotions.
        denials: frames for captions that deny emotions and express none.
        conditional: whether some frames suit only certain profiles.
    """

    lexicon: Lexicon
    frames: Mapping[str, Frame]
    of_style: Mapping[str | None, AllowedFrames]
    without_feelings: tuple[Frame, ...]
    denials: tuple[Frame, ...]
    conditional: bool


def load_templates(additions: Path | None = None) -> Templates:
    """Load the English frames and words, together with those of a file of additions if one is given.

    Raises:
        SettingsError: a frame has an unbalanced bracket, or names an unknown slot or rule.
    """
    return _load_templates(additions)


@cache  # not on load_templates, where load_templates() and load_templates(None) would be two entries
def _load_templates(additions: Path | None) -> Templates:
    lexicon = load_extended_lexicon(additions) if additions else load_lexicon()
    table = lexicon.table
    known = slots(lexicon.varied)
    frames, without_feelings, denials = (
        [compile_frame(name, row, rules=table["rules"], slots=known) for name, row in table[key].items()]
        for key in ("frames", "frames_without_feelings", "frames_of_denials")
    )
    of_style: dict[str | None, AllowedFrames] = {None: AllowedFrames(frames, None)}
    for style in STYLES:
        of_style[style] = AllowedFrames([frame for frame in frames if frame.style == style], style)
    return Templates(
        lexicon=lexicon,
        frames={frame.name: frame for frame in frames},
        of_style=of_style,
        without_feelings=tuple(without_feelings),
        denials=tuple(denials),
        conditional=any(frame.needs for frame in (*frames, *without_feelings, *denials)),
    )


def frame_names(*, style: Style | None = None) -> tuple[str, ...]:
    """Return the names of the sentence frames of a style (None: of all styles), in the order of the lexicon.

    Example:
        >>> frame_names(style="tags")
        ('tags', 'adjective_tags', 'voice_tags', 'telegraphic')
    """
    allowed = _allowed_frames(load_templates(), None, style)
    return tuple(frame.name for frame in allowed.frames)


def _allowed_frames(
    templates: Templates, names: str | Collection[str] | None, style: str | None
) -> AllowedFrames:
    if names is None:
        if style not in templates.of_style:
            raise InputError(f"unknown style {style!r}: use {', '.join(STYLES)}")
        return templates.of_style[style]
    found = []
    for name in [names] if isinstance(names, str) else names:
        if name not in templates.frames:
            raise InputError(f"unknown sentence frame {name!r}: use {', '.join(templates.frames)}")
        frame = templates.frames[name]
        if style not in (None, frame.style):
            raise InputError(
                f"the frame {name!r} is of the style {frame.style!r}, not {style!r}: leave one out"
            )
        found.append(frame)
    return AllowedFrames(found, style, is_single=isinstance(names, str))


def _write(
    templates: Templates, allowed: AllowedFrames, content: Content, vocabulary: Vocabulary, draw: Draws
) -> str:
    """Draw a frame, the order of emotions and bursts, and the words."""
    if templates.conditional:
        # frames of additions may need slots outside of brackets, and which suit depends on the order
        _shuffle(content, draw)
        met = needs_met(content, vocabulary)
        frame = _draw_frame(templates, allowed, content, draw, met=met)
    else:
        # corpora were made in this order
        frame = _draw_frame(templates, allowed, content, draw, met=None)
        _shuffle(content, draw)
        met = needs_met(content, vocabulary)
    return capitalised(frame.write(WordChoice(content, vocabulary, met, draw)))


def _shuffle(content: Content, draw: Draws) -> None:
    draw.shuffle(content.emotions)
    if content.bursts:
        draw.shuffle(content.bursts)


def _draw_frame(
    templates: Templates,
    allowed: AllowedFrames,
    content: Content,
    draw: Draws,
    *,
    met: Set[str] | None,
) -> Frame:
    """Draw one of the allowed frames that suits the profile.

    Raises:
        InputError: no allowed frame suits the profile.
    """
    frames = allowed.frames
    if not content.feelings:
        style = allowed.style or draw.choose(frames).style
        silent = templates.denials if content.absent else templates.without_feelings
        frames = [frame for frame in silent if frame.style == style]
    elif not content.emotions and not allowed.is_single:
        frames = [frame for frame in frames if frame.neutral]
    if met is not None:
        frames = [frame for frame in frames if frame.needs <= met]
    if not frames:
        raise InputError("no sentence frame suits this profile: give other frames or another style")
    return draw.choose(frames)
