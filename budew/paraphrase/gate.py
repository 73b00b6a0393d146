"""Round-trip gate: does a rewritten caption still mean the profile it was made from?

A candidate is parsed and compared with the profile, in about 100 µs a caption on one core, so it runs inside
the rewriting and not after it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from budew.captions import ParsedCaption, expressible, load_lexicon, parse
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS, LEVELS, TRAITS

_FIXED_WORDS, _WORDS_FOR_EACH = (
    40,
    15,
)  # the longest caption: so many words, and so many for each thing it has to say
_LABELS = (
    "emotion",
    "emotions",
    "burst",
    "bursts",
    "trait",
    "traits",
    "gender",
    "age",
    "accent",
    "style",
    "caption",
)
_FIELD_NAMES = tuple(name.lower() for name in (*EMOTIONS, *TRAITS) if set("_/&") & set(name))
_LABEL = re.compile(rf"\b(?:{'|'.join(_LABELS)})\s*[:=]", re.IGNORECASE)
_MARKUP = re.compile(r"[{}<>*#`=_|\\\[\]]")
_MUST_STAY = ("gender", "age")
_LEVEL_INDEX = {level: index for index, level in enumerate(LEVELS)}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a candidate is refused: a `code` to count by, and what it is about."""

    code: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome for one candidate. `reasons` is empty exactly when it is accepted."""

    accepted: bool
    reasons: tuple[Reason, ...] = ()


def judge(candidate: str, profile: VoiceProfile, *, tolerance: int = 1) -> Verdict:
    """Compare what a candidate says with the profile.

    Codes of the reasons: `empty`, `long`, `digit`, `field` (a label, field name or markup), `lost`, `added`
    and `moved` (an emotion, by more levels than `tolerance`), `lost-burst`, `added-burst`, `lost-trait`
    (gender or age), `added-trait`, `other-trait`.

    Args:
        candidate: English caption.
        profile: what it must express; intensities in [0, 1]. What rounds to absent must not be said, and of
            emotions that are unknown not even that they are absent.
        tolerance: levels (of five) that an intensity may move; absent and slight are never confused.
    """
    if not candidate.strip():
        return Verdict(False, (Reason("empty"),))
    wanted, said = expressible(profile), parse(candidate)
    reasons = (
        *_form(candidate, wanted),
        *_emotions(said.emotions, wanted.emotions, tolerance),
        *(() if profile.emotions_known else _judgements(candidate, said)),
        *_bursts(said, wanted),
        *_traits(said, wanted),
    )
    return Verdict(not reasons, reasons)


def _form(candidate: str, wanted: VoiceProfile) -> Iterator[Reason]:
    things = len(wanted.emotions) + len(wanted.bursts) + len(wanted.traits)
    words = len(candidate.split())
    if words > _FIXED_WORDS + _WORDS_FOR_EACH * things or len(candidate) > 12 * words + 40:
        yield Reason("long", f"{words} words")
    if any(map(str.isdigit, candidate)):
        yield Reason("digit")
    folded = candidate.lower()
    leaked = next((name for name in _FIELD_NAMES if name in folded), None)
    found = _LABEL.search(candidate) or _MARKUP.search(candidate)
    if leaked or found:
        yield Reason("field", leaked or (found.group() if found else ""))


def _emotions(said: Mapping[str, float], wanted: Mapping[str, float], tolerance: int) -> Iterator[Reason]:
    for name, level in wanted.items():
        if name not in said:
            yield Reason("lost", name)
        elif abs(_LEVEL_INDEX[said[name]] - _LEVEL_INDEX[level]) > tolerance:
            yield Reason("moved", name)
    for name in said:
        if name not in wanted:
            yield Reason("added", name)


def _judgements(candidate: str, said: ParsedCaption) -> Iterator[Reason]:
    """Find emotions that are said to be absent, each or all."""
    for mention in said.mentions:
        if mention.kind == "emotion" and not mention.level and mention.role != "quoted":
            yield Reason("added", f"not {mention.name}")
    if found := _neutral().search(candidate):
        yield Reason("added", found.group())


@cache
def _neutral() -> re.Pattern[str]:
    phrases = (re.escape(phrase) for said in load_lexicon().neutral.values() for phrase in said)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(phrases)})\b", re.IGNORECASE)  # not "gender-neutral"


def _bursts(said: ParsedCaption, wanted: VoiceProfile) -> Iterator[Reason]:
    yield from (Reason("lost-burst", name) for name in wanted.bursts if name not in said.bursts)
    yield from (Reason("added-burst", name) for name in said.bursts if name not in wanted.bursts)


def _traits(said: ParsedCaption, wanted: VoiceProfile) -> Iterator[Reason]:
    for key in _MUST_STAY:
        if key in wanted.traits and key not in said.traits:
            yield Reason("lost-trait", key)
    for key, value in said.traits.items():
        if key not in wanted.traits:
            yield Reason("added-trait", key)
        elif value != wanted.traits[key]:
            yield Reason("other-trait", key)
