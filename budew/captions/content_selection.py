"""Content selection: which parts of a profile a caption expresses.

Emotions are rounded to levels; a voice attribute in the middle of its scale and an accent that would not
parse back are left out, and so is whatever the options exclude. The result depends only on the profile and
the options, so that `expressible` returns it without rendering a caption.

A caption also has a word budget. Each part costs its words in the plain wording, and the most words that a
sentence frame adds around it; an emotion costs one word more, since the intensities of the varied wording are
longer. A varied caption that is still longer than the budget is drawn again.

If only some emotions are rated and none is present, they are denied ("no anger").
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from budew.captions.caption_prompt import Parts
from budew.captions.lexicon import RENDERED_ATTRIBUTES, load_lexicon
from budew.captions.parse import parse
from budew.captions.vocabulary import with_article
from budew.errors import InputError, WithheldError
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.taxonomy import ATTRIBUTES, EMOTIONS, LEVELS, RECORDING_TRAITS, WITHHELD, WORD_TRAITS
from budew.taxonomy.rating_scales import INTENSITY, from_intensity, nearest_level, to_intensity

DEFAULT_MAX_WORDS = 84
"""Holds five emotions, two bursts, all traits and a few voice attributes. In tokens it is far below the 444
that Whisper's decoder has for a caption.
"""
SMALLEST_MAX_WORDS = 12
"""Words: enough for a sentence frame and the strongest emotion."""
RENDERED_PARTS = ("emotions", "bursts", *WORD_TRAITS, *RECORDING_TRAITS, *RENDERED_ATTRIBUTES)
"""Parts of a profile that can be left out."""
RECORDING = ("Recording_Quality", "Background_Noise")
"""Attributes of the recording, not of the voice."""
MOST_DENIED = 3
"""Most absent emotions that a caption denies; of more, a random choice that depends on the profile alone."""

_MIDDLE = 0.5  # middle of the scale of a voice attribute
_POLES = (0.0, 1.0)
_LEVEL_OF_ITSELF = {level: level for level in LEVELS}
"""Most intensities are levels already; this lookup takes a tenth of the time of rounding."""
_SPEAKER = "speaker"
_GROUPS_OF_TRAITS = {
    "gender": _SPEAKER, "age": _SPEAKER, "accent": "accent_timbre", "timbre": "accent_timbre",
    "style": "manner", "pace": "manner", "distance": "recording", "volume": "recording",
}  # fmt: skip
"""Traits, the most salient first, to the group of slots that express each."""
_WORDS_FOR_AN_ATTRIBUTE = 20
"""One voice attribute is kept per 20 words of the budget, so that a caption does not become a long list."""
_LETTERS_OF_A_WORD = 8
"""Letters of an accent that count as one word, since an accent may be any text."""


@dataclass(frozen=True, slots=True)
class ContentSelection:
    """Which parts of a profile captions may express.

    Attributes:
        max_emotions: number of emotions to keep, the strongest first; ties in the order of `EMOTIONS`. None
            for no limit.
        min_level: least intensity, in [0, 1] and after rounding to levels, of an emotion that is expressed.
        leave_out: parts to leave out: "emotions", "bursts", or traits such as "gender" (`RENDERED_PARTS`).
        max_words: most words of a caption. Parts that do not fit are left out in this order: attributes of
            the recording, voice attributes near a pole, voice attributes at a pole, other traits, bursts, the
            weaker emotions, gender and age. Ordinary profiles fit into the default.

    Raises:
        InputError: unknown part, or a number out of range.

    Example:
        >>> from budew.captions import parse, render
        >>> selection = ContentSelection(max_emotions=1, leave_out=["gender"])
        >>> render(parse("A very sad, slightly afraid woman.").profile, selection=selection, seed=1)
        'We hear grief as a person speaks.'
    """

    max_emotions: int | None = None
    min_level: float = 0.0
    leave_out: Collection[str] = ()
    max_words: int = DEFAULT_MAX_WORDS

    def __post_init__(self) -> None:
        if isinstance(self.leave_out, str):
            raise InputError(
                f"leave_out must be a list of parts, not {self.leave_out!r}: write [{self.leave_out!r}]"
            )
        unknown = [part for part in self.leave_out if part not in RENDERED_PARTS]
        if unknown:
            raise InputError(f"leave_out has an unknown part {unknown[0]!r}: use {', '.join(RENDERED_PARTS)}")
        if self.max_emotions is not None and self.max_emotions < 0:
            raise InputError(f"max_emotions must be 0 or more, not {self.max_emotions!r}")
        INTENSITY.checked(self.min_level, what="min_level")
        if self.max_words < SMALLEST_MAX_WORDS:
            raise InputError(f"max_words must be {SMALLEST_MAX_WORDS} or more, not {self.max_words!r}")
        object.__setattr__(self, "leave_out", frozenset(self.leave_out))


EVERYTHING = ContentSelection()
"""All parts of a profile, within the default word budget."""
_OF_SPEAKER = tuple(part for part in RENDERED_PARTS if part not in ("emotions", "bursts"))
SELECTIONS: Mapping[Parts, ContentSelection] = MappingProxyType({
    "all": EVERYTHING,
    "emotions": ContentSelection(leave_out=("bursts", *_OF_SPEAKER)),
    "bursts": ContentSelection(leave_out=("emotions", *_OF_SPEAKER)),
    "speaker": ContentSelection(leave_out=("emotions", "bursts")),
})  # fmt: skip
"""Parts that a caption prompt can name, to the selection for captions with these parts alone."""


class Content(NamedTuple):
    """Content of a caption: the parts of a profile that it expresses.

    Attributes:
        emotions: names with their levels.
        bursts: canonical names.
        traits: traits whose value is a word.
        attributes: voice attributes with their place on the scale: 0 or 1 at a pole, 0.25 or 0.75 near one.
        feelings: whether the caption may mention emotions; if False, it does not even say "neutral".
        absent: emotions that the caption denies, in the order of the caption; only without `feelings`.
    """

    emotions: list[tuple[str, float]]
    bursts: list[str]
    traits: dict[str, str]
    attributes: list[tuple[str, float]]
    feelings: bool = True
    absent: Sequence[str] = ()


def select_content(profile: VoiceProfile, selection: ContentSelection = EVERYTHING) -> Content:
    """Select the parts of a profile that a caption expresses.

    Raises:
        TypeError: the argument is not a profile.
        WithheldError: the profile joins a minor with sexual content, even if `selection` leaves that out.
    """
    if not isinstance(profile, VoiceProfile):
        raise TypeError(
            f"a caption is rendered from a VoiceProfile, not {profile!r:.80}: give the .profile of a parse"
        )
    if profile.is_withheld:
        raise WithheldError("the profile joins a minor with sexual content: correct its labels")
    rounded = [
        (name, _LEVEL_OF_ITSELF.get(value) or nearest_level(value))
        for name, value in profile.emotions.items()
    ]
    present = [pair for pair in rounded if pair[1]]
    left_out = selection.leave_out
    emotions = [] if "emotions" in left_out else present
    if selection.min_level:
        emotions = [pair for pair in emotions if pair[1] >= selection.min_level]
    if selection.max_emotions is not None and len(emotions) > selection.max_emotions:
        emotions = sorted(emotions, key=lambda pair: -pair[1])[: selection.max_emotions]
    bursts = [] if "bursts" in left_out else list(profile.bursts)
    absent = () if present or "emotions" in left_out or selection.max_emotions == 0 else _denied(profile)
    content = Content(emotions, bursts, *_rendered_traits(profile, left_out), absent=absent)
    content = _within_budget(content, selection.max_words)
    if content.emotions:
        return content
    is_neutral = profile.fully_rated and not present and "emotions" not in left_out
    # laughter, or a positive tone, would contradict "neutral"
    is_contradicted = bool(content.bursts) or "Valence" in dict(content.attributes)
    return content._replace(feelings=is_neutral and not is_contradicted)


def _denied(profile: VoiceProfile) -> Sequence[str]:
    """Return the emotions that a caption of a profile denies if none is present."""
    if profile.fully_rated:
        return ()
    withheld = WITHHELD["sexual"]["emotions"] if profile.is_minor else ()
    names = [name for name in profile.rated if name not in withheld]
    return generator("denied", *names).sample(names, min(MOST_DENIED, len(names)))


def _rendered_traits(
    profile: VoiceProfile, left_out: Collection[str]
) -> tuple[dict[str, str], list[tuple[str, float]]]:
    words: dict[str, str] = {}
    attributes: list[tuple[str, float]] = []
    for name, value in profile.traits.items():
        if name in left_out:
            continue
        if isinstance(value, str):
            if name != "accent" or _accent_parses_back(value):
                words[name] = value
        elif name in RENDERED_ATTRIBUTES:
            share = nearest_level(to_intensity(value, ATTRIBUTES[name].scale))
            if share != _MIDDLE:
                attributes.append((name, share))
    return words, attributes


@lru_cache(maxsize=4096)
def _accent_parses_back(accent: str) -> bool:
    vocabulary = load_lexicon().varied
    phrase = vocabulary.accent.format(accent)
    texts = (f"With {with_article(phrase, vocabulary.sounds)}.", f"Neutral, {phrase}.")
    parsed = [parse(text) for text in texts]
    return all(
        found.traits == {"accent": accent} and not found.emotions and not found.bursts for found in parsed
    )


def expressible(profile: VoiceProfile, *, selection: ContentSelection = EVERYTHING) -> VoiceProfile:
    """Return the profile that `parse` gives for a caption rendered from `profile`.

    It has emotions rounded to levels, bursts, traits in words, and voice attributes near or at a pole. It
    lacks voice attributes in the middle of their scale, numeric age and gender, accents that would not parse
    back, unrated emotions (which `parse` returns as absent), and parts that do not fit in `max_words`.

    Args:
        profile: any profile.
        selection: which parts captions may express.

    Raises:
        WithheldError: the profile joins a minor with sexual content.

    Example:
        >>> from budew.profile import VoiceProfile
        >>> dict(expressible(VoiceProfile({"Anger": 0.7, "Fear": 0.1})).emotions)
        {'Anger': 0.75}
    """
    if selection == EVERYTHING:
        return _all_expressible(profile)
    return _as_profile(select_content(profile, selection))


@lru_cache(maxsize=4096)  # prompt and gate call it many times while the caption of one profile is rewritten
def _all_expressible(profile: VoiceProfile) -> VoiceProfile:
    return _as_profile(select_content(profile))


def _as_profile(content: Content) -> VoiceProfile:
    traits: dict[str, str | float] = dict(content.traits)
    for name, share in content.attributes:
        traits[name] = from_intensity(share, ATTRIBUTES[name].scale)
    return VoiceProfile(dict(content.emotions), content.bursts, traits)


def denied_emotions(profile: VoiceProfile, *, selection: ContentSelection = EVERYTHING) -> tuple[str, ...]:
    """Return the emotions that captions of a profile deny ("no anger"): rated and absent ones."""
    return tuple(select_content(profile, selection).absent)


def has_content(profile: VoiceProfile, selection: ContentSelection = EVERYTHING) -> bool:
    """Return whether a caption of a profile says anything about the voice.

    It says nothing ("A voice can be heard.") if no emotion is rated, or only some that are present but not
    selected, and there are no bursts or traits.

    Example:
        >>> from budew.profile import VoiceProfile
        >>> has_content(VoiceProfile(None)), has_content(VoiceProfile({}))  # unrated, and neutral
        (False, True)
    """
    content = select_content(profile, selection)
    emotions = content.feelings or content.absent
    return bool(emotions or content.bursts or content.traits or content.attributes)


Part = tuple[str, Any]
"""A part of a profile: the group of slots that express it, and an item of `Content`."""


@dataclass(frozen=True, slots=True)
class _WordCosts:
    """Cost of the parts of a profile, in words.

    Attributes:
        parts: cost of each emotion with level, burst, trait with value, and attribute with place.
        groups: words that the first item of a group of slots adds; those of "frame", "neutral", "denial".
        emotion: highest cost of an emotion.
        other: highest cost of any other part, with its group.
    """

    parts: Mapping[Any, int]
    groups: Mapping[str, int]
    emotion: int
    other: int


def _within_budget(content: Content, max_words: int) -> Content:
    """Return the most salient parts that fit: the strongest emotion, gender and age, the other emotions by
    level, bursts, other traits, voice attributes at and near a pole, the recording.
    """
    costs = _word_costs()
    max_attributes = max_words // _WORDS_FOR_AN_ATTRIBUTE
    others = len(content.bursts) + len(content.traits) + len(content.attributes)
    frame = costs.groups["frame" if content.emotions else "denial" if content.absent else "neutral"]
    most = frame + costs.emotion * (len(content.emotions) + len(content.absent)) + costs.other * others
    if most <= max_words and len(content.attributes) <= max_attributes and "accent" not in content.traits:
        return content
    kept: set[Part] = set()
    filled = Counter[str]()
    left = max_words - frame
    for part in _by_salience(content, max_attributes):
        group, item = part
        an_and = 1 if filled[group] == 1 else 0
        joint = an_and if filled[group] else costs.groups[group]
        left -= _cost(item, costs) + joint
        if left < 0:
            break
        kept.add(part)
        filled[group] += 1
    return Content(
        [pair for pair in content.emotions if ("emotions", pair) in kept],
        [name for name in content.bursts if ("bursts", name) in kept],
        {
            key: value
            for key, value in content.traits.items()
            if (_GROUPS_OF_TRAITS[key], (key, value)) in kept
        },
        [pair for pair in content.attributes if (_group_of_attribute(pair[0]), pair) in kept],
        absent=[name for name in content.absent if ("absent", name) in kept],
    )


def _by_salience(content: Content, max_attributes: int) -> Iterator[Part]:
    emotions = sorted(content.emotions, key=lambda pair: -pair[1])
    traits = [
        (group, (key, content.traits[key]))
        for key, group in _GROUPS_OF_TRAITS.items()
        if key in content.traits
    ]
    yield from (("emotions", emotion) for emotion in emotions[:1])
    yield from (("absent", name) for name in content.absent)
    yield from (trait for trait in traits if trait[0] == _SPEAKER)
    yield from (("emotions", emotion) for emotion in emotions[1:])
    yield from (("bursts", burst) for burst in content.bursts)
    yield from (trait for trait in traits if trait[0] not in (_SPEAKER, "recording"))
    ranked = sorted(content.attributes, key=lambda pair: (pair[0] in RECORDING, pair[1] not in _POLES))
    yield from ((_group_of_attribute(pair[0]), pair) for pair in ranked[:max_attributes])
    yield from (trait for trait in traits if trait[0] == "recording")


def _group_of_attribute(attribute: str) -> str:
    return "recording" if attribute in RECORDING else "qualities"


def _cost(item: Any, costs: _WordCosts) -> int:
    known = costs.parts.get(item)
    if known is not None:
        return known
    accent: str = item[1]
    return 2 + max(_count_words(accent), len(accent) // _LETTERS_OF_A_WORD)


@cache
def _word_costs() -> _WordCosts:
    lexicon = load_lexicon()
    groups: dict[str, int] = lexicon.table["budget"]
    plain, varied = lexicon.plain, lexicon.varied
    emotions = {
        pair: 1 + max(_count_words(phrases[pair].in_plain) for phrases in plain.emotions.values())
        for pair in plain.emotions["noun"]
    }
    phrases: dict[Any, tuple[str, ...]] = {**plain.bursts, **plain.traits, **varied.attributes}
    phrases |= {("pace", value): of_pace for value, of_pace in plain.paces.items()}
    others = {part: _count_words(options[0]) for part, options in phrases.items()}
    others |= {name: max(_count_words(of[name][0]) for of in plain.denied.values()) for name in EMOTIONS}
    others |= {("timbre", value): 1 + _count_words(said[0]) for (value, _), said in plain.timbres.items()}
    joints = max(words for group, words in groups.items() if group not in ("frame", "neutral", "denial"))
    return _WordCosts(emotions | others, groups, max(emotions.values()), max(others.values()) + joints)


def _count_words(phrase: str) -> int:
    return phrase.count(" ") + 1
