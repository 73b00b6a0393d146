"""Round-trip gate: does a rewritten caption still express the profile it was made from?

A candidate is parsed and compared with the profile, linted, and compared with the template it was made from
and the other captions of its clip. About 170 µs a caption of sixteen words on one core (benchmarks/gate.py),
so it runs inside the rewriting job and not after it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import Field

from budew.captions import ParsedCaption, expressible, parse
from budew.captions.lexicon import load_lexicon
from budew.captions.lint.caption import lint_caption
from budew.captions.lint.rules import load_rules
from budew.captions.phrases import Kind
from budew.captions.tokens import quoted_spans, tokenize
from budew.captions.withheld import is_withheld
from budew.profile import VoiceProfile
from budew.settings import Settings
from budew.taxonomy import ATTRIBUTES, LEVELS, SAME_SOUND
from budew.taxonomy.scales import to_intensity

_LEVEL_INDEX = {level: index for index, level in enumerate(LEVELS)}
_MEANT = (Kind.EMOTION, Kind.BURST, Kind.TRAIT, Kind.ATTRIBUTE)
Part = Literal["emotions", "bursts", "traits"]
_MIDDLE = 0.5
_RUN, _FEWEST_RUNS = 5, 40
"""Characters of a run (all English texts share shorter ones), and runs of a text that can be a copy."""
_BETWEEN = re.compile(r"[\W_]+")
_SPOKEN_RUN = 5  # words; four may coincide ("and a little sad")
_SHORTEST_SPOKEN = 3  # words of a transcript that is looked for whole


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a candidate is refused: a `code` to count by, and its subject `what`."""

    code: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome for one candidate.

    Attributes:
        accepted: whether it expresses the profile.
        reasons: why not; empty exactly when it is accepted.
        missed: emotions that it had to name and did not, in the order of `EMOTIONS`.
        unknown: words in the position of an emotion that the parser does not know, lower-case.
    """

    accepted: bool
    reasons: tuple[Reason, ...] = ()
    missed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the reasons, each once, in their order."""
        return tuple(dict.fromkeys(reason.code for reason in self.reasons))


class Gate(Settings):
    """How strict the gate is."""

    tolerance: int = Field(
        default=1,
        ge=0,
        le=4,
        description="Levels (of five) that an intensity may differ; absent and slight are never confused.",
    )
    nearest_source: float = Field(default=0.8, ge=0, le=1, description="Largest `overlap` with the template.")
    nearest_sibling: float = Field(
        default=0.8, ge=0, le=1, description="Largest `overlap` with another caption of the clip."
    )
    most_words: int = Field(
        default=15,
        ge=1,
        description="Words allowed for each part of the profile, plus three times this number.",
    )
    parts: tuple[Part, ...] = Field(
        default=("emotions", "bursts", "traits"),
        description="Parts of the profile that are known and compared.",
    )

    def judge(
        self,
        candidate: str,
        profile: VoiceProfile,
        *,
        source: str = "",
        siblings: Sequence[str] = (),
        transcript: str = "",
    ) -> Verdict:
        """Compare a candidate with the profile.

        Codes of the reasons: `empty`; `withheld` (a minor joined with sexual content); `long` (for its
        profile); every code of the linter (numbers, field names, markup, loops, other languages, refusals,
        contradictions, too long for Whisper, …); `lost`, `added` and `moved` (an emotion, by more levels than
        `tolerance`); `lost-burst`, `added-burst`; `lost-trait`, `added-trait`, `other-trait`; `copy` (of the
        template), `sibling` (of another caption of the clip); `spoken` (quotes, or words of the transcript:
        five in a row, or all of up to four).

        Args:
            candidate: English caption.
            profile: what it must express; intensities in [0, 1]. What rounds to absent must not be mentioned,
                no emotion or burst may be denied, and where emotions are unrated the voice is not called
                neutral.
            source: the template caption that was rewritten.
            siblings: captions of the same clip that it must not resemble.
            transcript: words spoken in the clip.
        """
        if not candidate.strip():
            return Verdict(False, (Reason("empty"),), tuple(profile.quantized().emotions))
        said = parse(candidate)
        if profile.is_withheld or is_withheld(said):
            return Verdict(False, (Reason("withheld"),))
        wanted = expressible(profile)
        neutral = None if profile.fully_rated else _neutral().search(candidate)
        reasons = (
            *self._form(candidate, wanted),
            *([Reason("added", neutral.group())] if neutral else ()),
            *self._meaning(candidate, said, wanted),
            *self._copies(candidate, source, siblings),
            *_spoken(candidate, transcript),
        )
        missed = tuple(name for name in wanted.emotions if name not in said.emotions)
        unknown = tuple(dict.fromkeys(word.word for word in said.unknown)) if reasons else ()
        return Verdict(not reasons, reasons, missed, unknown)

    def _meaning(self, candidate: str, said: ParsedCaption, wanted: VoiceProfile) -> Iterator[Reason]:
        if "emotions" in self.parts:
            felt = _felt_in_bursts(said, wanted) if len(said.emotions) > len(wanted.emotions) else set()
            emotions = {name: level for name, level in said.emotions.items() if name not in felt}
            yield from _emotions(emotions, wanted.emotions, self.tolerance)
        if "bursts" in self.parts:
            yield from (Reason("lost-burst", name) for name in _beyond(wanted.bursts, said.bursts))
            if added := _beyond(said.bursts, wanted.bursts):
                named = _named_bursts(said)
                yield from (Reason("added-burst", name) for name in added if name in named)
            if not wanted.bursts:
                yield from _sounds(candidate)
        if "traits" in self.parts:
            yield from self._traits(candidate, said, wanted)
        yield from self._denied(said)

    def _denied(self, said: ParsedCaption) -> Iterator[Reason]:
        """Find emotions and bursts that are said to be absent: captions must deny nothing."""
        for mention in said.mentions:
            if mention.level or mention.role == "quoted":
                continue
            if mention.kind == "emotion" and "emotions" in self.parts and mention.name not in said.emotions:
                yield Reason("added", f"not {mention.name}")
            elif mention.kind == "burst" and "bursts" in self.parts and mention.name not in said.bursts:
                yield Reason("added-burst", f"not {mention.name}")

    def _form(self, candidate: str, wanted: VoiceProfile) -> Iterator[Reason]:
        things = 3 + len(wanted.emotions) + len(wanted.bursts) + len(wanted.traits)
        words = candidate.count(" ") + 1
        if words > self.most_words * things:
            yield Reason("long", f"{words} words")
        for finding in lint_caption(candidate):
            yield Reason(finding.code, finding.what[:100])

    def _traits(self, candidate: str, said: ParsedCaption, wanted: VoiceProfile) -> Iterator[Reason]:
        genders = _pronoun_genders(candidate)
        if genders - {wanted.traits.get("gender")} and "gender" not in said.traits:
            yield Reason("other-trait" if "gender" in wanted.traits else "added-trait", "gender")
        for key, value in wanted.traits.items():
            if key not in said.traits:
                if key != "gender" or not genders:
                    yield Reason("lost-trait", key)
            elif not _same_trait(key, said.traits[key], value):
                yield Reason("other-trait", key)
        yield from (Reason("added-trait", key) for key in said.traits if key not in wanted.traits)

    def _copies(self, candidate: str, source: str, siblings: Sequence[str]) -> Iterator[Reason]:
        if source and (share := overlap(candidate, source)) > self.nearest_source:
            yield Reason("copy", f"{share:.0%} of the template")
        for sibling in siblings:
            if (share := overlap(candidate, sibling)) > self.nearest_sibling:
                yield Reason("sibling", f"{share:.0%} of {sibling[:60]!r}")
                return


def judge(
    candidate: str,
    profile: VoiceProfile,
    *,
    source: str = "",
    siblings: Sequence[str] = (),
    transcript: str = "",
    tolerance: int = 1,
) -> Verdict:
    """Compare a candidate with the profile as a gate of this tolerance does; see `Gate.judge`."""
    gate = Gate(tolerance=tolerance)
    return gate.judge(candidate, profile, source=source, siblings=siblings, transcript=transcript)


def _emotions(said: Mapping[str, float], wanted: Mapping[str, float], tolerance: int) -> Iterator[Reason]:
    for name, level in wanted.items():
        if name not in said:
            yield Reason("lost", name)
        elif abs(_LEVEL_INDEX[said[name]] - _LEVEL_INDEX[level]) > tolerance:
            yield Reason("moved", name)
    yield from (Reason("added", name) for name in said if name not in wanted)


def _felt_in_bursts(said: ParsedCaption, wanted: VoiceProfile) -> set[str]:
    """Return the emotions that only a burst of the profile expresses: "sighs with relief"."""
    sounds = {
        (one.start, one.end) for one in said.mentions if one.kind == "burst" and one.name in wanted.bursts
    }
    felt: set[str] = set()
    named = set(wanted.emotions)
    for one in said.mentions:
        if one.kind == "emotion" and one.level:
            (felt if (one.start, one.end) in sounds else named).add(one.name)
    return felt - named


def _beyond(bursts: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the bursts that are no sound of `known`, under whatever name."""
    sounds = {SAME_SOUND.get(name, name) for name in known}
    return [name for name in bursts if SAME_SOUND.get(name, name) not in sounds]


def _named_bursts(said: ParsedCaption) -> set[str]:
    """Return the bursts that more than an emotion word tells of: "crying" is a word for sadness, too."""
    felt = {(mention.start, mention.end) for mention in said.mentions if mention.kind == "emotion"}
    return {
        mention.name
        for mention in said.mentions
        if mention.kind == "burst" and mention.level and (mention.start, mention.end) not in felt
    }


@cache
def _neutral() -> re.Pattern[str]:
    """Return a pattern of the phrases that call a voice neutral."""
    phrases = (re.escape(phrase) for said in load_lexicon().neutral.values() for phrase in said)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(phrases)})\b", re.IGNORECASE)  # not "gender-neutral"


def _sounds(candidate: str) -> Iterator[Reason]:
    """Find words for sounds ("she laughs") outside of phrases with a meaning of their own."""
    tokens, sounds = tokenize(candidate), load_rules().sounds
    if sounds.isdisjoint(tokens):
        return
    for first, stop, entry in load_lexicon().phrases.scan(tokens):
        if entry.kind not in _MEANT:
            yield from (Reason("added-burst", token) for token in tokens[first:stop] if token in sounds)


def _same_trait(key: str, said: str | float, wanted: str | float) -> bool:
    """Compare words; of a voice attribute only the side of its scale."""
    if isinstance(said, str) or isinstance(wanted, str):
        return said == wanted
    scale = ATTRIBUTES[key].scale
    return (to_intensity(said, scale) > _MIDDLE) == (to_intensity(wanted, scale) > _MIDDLE)


def _pronoun_genders(candidate: str) -> set[str]:
    pronouns = load_rules().pronouns
    return {pronouns[word] for word in tokenize(candidate) if word in pronouns}


def _spoken(candidate: str, transcript: str) -> Iterator[Reason]:
    quoted = quoted_spans(candidate, load_lexicon().speaking)
    if quoted:
        start, end = quoted[0]
        yield Reason("spoken", candidate[start:end][:100])
    elif transcript:
        said, words = f" {folded(transcript)} ", folded(candidate).split()
        length = min(_SPOKEN_RUN, max(_SHORTEST_SPOKEN, said.count(" ") - 1))
        for first in range(len(words) - length + 1):
            run = " ".join(words[first : first + length])
            if f" {run} " in said:
                yield Reason("spoken", run)
                return


def overlap(one: str, other: str) -> float:
    """Return how much of the shorter caption is in the other, from 0 to 1, in about 10 µs.

    The share of its runs of five characters that the other has: unlike runs of words these survive changed
    endings, punctuation and order, and a copy with a clause added is still one. A text of fewer than 40 runs
    is a copy (1) only of the same text, else 0. Case and punctuation do not count.
    """
    left, right = folded(one), folded(other)
    if left == right:
        return 1.0
    if min(len(left), len(right)) < _FEWEST_RUNS + _RUN:
        return 0.0
    runs, others = _runs(left), _runs(right)
    return len(runs & others) / min(len(runs), len(others))


def folded(text: str) -> str:
    """Return a text in lower case, letters and digits only, with one space between words."""
    return _BETWEEN.sub(" ", text.casefold()).strip()


def _runs(text: str) -> set[str]:
    return {text[start : start + _RUN] for start in range(len(text) - _RUN + 1)}
