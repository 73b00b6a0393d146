"""Round-trip gate: does a rewritten caption still mean the profile it was made from?

A candidate is parsed and compared with the profile, linted, and held against the template it was made from
and the other captions of its clip. About 165 µs a caption of sixteen words on one core (benchmarks/gate.py),
so it runs inside the rewriting job and not after it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from budew.captions import ParsedCaption, expressible, parse
from budew.captions.entry import Kind
from budew.captions.lexicon import load_lexicon
from budew.captions.lint.caption import lint_caption
from budew.captions.lint.rules import load_rules
from budew.captions.quotes import quoted_spans
from budew.captions.tokens import tokenize
from budew.paraphrase.overlap import folded, overlap
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, LEVELS
from budew.taxonomy.scales import to_intensity

_LEVEL_INDEX = {level: index for index, level in enumerate(LEVELS)}
_MEANT = (Kind.EMOTION, Kind.BURST, Kind.TRAIT, Kind.ATTRIBUTE)
PARTS = frozenset(("emotions", "bursts", "traits"))
_SIDES = 0.5
_SPOKEN_RUN = 5  # words; four may coincide ("and a little sad")
_SHORTEST_SPOKEN = 3  # words of a transcript that is looked for whole


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a candidate is refused: a `code` to count by, and what it is about."""

    code: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome for one candidate.

    Attributes:
        accepted: whether it may stand for the profile.
        reasons: why not; empty exactly when it is accepted.
        missed: emotions that it had to name and did not, in the order of `EMOTIONS`.
        unknown: words that stand where an emotion stands and that the parser cannot read, lower-case.
    """

    accepted: bool
    reasons: tuple[Reason, ...] = ()
    missed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the reasons, each once, in their order."""
        return tuple(dict.fromkeys(reason.code for reason in self.reasons))


@dataclass(frozen=True, slots=True)
class Gate:
    """How strict the gate is, and in which language.

    Attributes:
        tolerance: levels (of five) that an intensity may move; absent and slight are never confused.
        nearest_source: most overlap with the template, see `budew.paraphrase.overlap`.
        nearest_sibling: most overlap with another caption of the same clip.
        most_words: the longest caption, as words for each thing that it has to say, over a base of as many
            as three things have.
        parts: of a profile that are known and compared: "emotions", "bursts", "traits".
        language: of the captions.
        count_tokens: tokens of a text by Whisper's tokenizer; an estimate on the safe side where None.
    """

    tolerance: int = 1
    nearest_source: float = 0.8
    nearest_sibling: float = 0.8
    most_words: int = 15
    parts: frozenset[str] = PARTS
    language: str = "en"
    count_tokens: Callable[[str], int] | None = None

    def settings(self) -> dict[str, Any]:
        """Return what decides a verdict, as JSON values."""
        return {
            "tolerance": self.tolerance,
            "nearest_source": self.nearest_source,
            "nearest_sibling": self.nearest_sibling,
            "most_words": self.most_words,
            "parts": sorted(self.parts),
            "language": self.language,
        }

    def judge(
        self,
        candidate: str,
        profile: VoiceProfile,
        *,
        source: str = "",
        siblings: Sequence[str] = (),
        transcript: str = "",
    ) -> Verdict:
        """Compare what a candidate says with the profile; see `judge`."""
        if not candidate.strip():
            return Verdict(False, (Reason("empty"),), tuple(profile.quantized().emotions))
        wanted = expressible(profile, language=self.language)
        said = parse(candidate, language=self.language)
        reasons = (
            *self._form(candidate, wanted),
            *(() if profile.emotions_known else _neutrality(candidate)),
            *self._meaning(candidate, said, wanted),
            *self._copies(candidate, source, siblings),
            *_spoken(candidate, transcript, self.language),
        )
        missed = tuple(name for name in wanted.emotions if name not in said.emotions)
        unknown = tuple(dict.fromkeys(word.word for word in said.unknown)) if reasons else ()
        return Verdict(not reasons, reasons, missed, unknown)

    def _meaning(self, candidate: str, said: ParsedCaption, wanted: VoiceProfile) -> Iterator[Reason]:
        if "emotions" in self.parts:
            yield from _emotions(said.emotions, wanted.emotions, self.tolerance)
        if "bursts" in self.parts:
            yield from _bursts(said, wanted)
            if not wanted.bursts:
                yield from _sounds(candidate, self.language)
        if "traits" in self.parts:
            yield from self._traits(candidate, said, wanted)
        yield from self._denied(said)

    def _denied(self, said: ParsedCaption) -> Iterator[Reason]:
        """Find emotions and bursts that are said to be absent: what a profile leaves out is not denied."""
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
        for finding in lint_caption(candidate, count_tokens=self.count_tokens, language=self.language):
            yield Reason(finding.code, finding.what[:100])

    def _traits(self, candidate: str, said: ParsedCaption, wanted: VoiceProfile) -> Iterator[Reason]:
        genders = _pronoun_genders(candidate, self.language)
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
    """Compare what a candidate says with the profile.

    Codes of the reasons: `empty`; `long` (for what it has to say); every code of the linter, which knows
    numbers, field names, markup, loops, other languages, refusals, contradictions, and what is too long for
    Whisper; `lost`, `added` and `moved` (an emotion, by more levels than `tolerance`); `lost-burst`,
    `added-burst`; `lost-trait`, `added-trait`, `other-trait`; `copy` (of the template), `sibling` (of another
    caption of the clip); `spoken` (quotes, or words of the transcript: five in a row, or all of up to four).

    Args:
        candidate: English caption.
        profile: what it must express; intensities in [0, 1]. What rounds to absent must not be said, no
            emotion or burst may be denied, and of unknown emotions not even that there are none.
        source: the template caption that was rewritten.
        siblings: captions of the same clip that it must not be like.
        transcript: what the clip says.
        tolerance: levels (of five) that an intensity may move; absent and slight are never confused.
    """
    return Gate(tolerance=tolerance).judge(
        candidate, profile, source=source, siblings=siblings, transcript=transcript
    )


def _emotions(said: Mapping[str, float], wanted: Mapping[str, float], tolerance: int) -> Iterator[Reason]:
    for name, level in wanted.items():
        if name not in said:
            yield Reason("lost", name)
        elif abs(_LEVEL_INDEX[said[name]] - _LEVEL_INDEX[level]) > tolerance:
            yield Reason("moved", name)
    yield from (Reason("added", name) for name in said if name not in wanted)


def _neutrality(candidate: str) -> Iterator[Reason]:
    """Find what says that there is no emotion at all."""
    if found := _neutral().search(candidate):
        yield Reason("added", found.group())


@cache
def _neutral() -> re.Pattern[str]:
    phrases = (re.escape(phrase) for said in load_lexicon().neutral.values() for phrase in said)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(phrases)})\b", re.IGNORECASE)  # not "gender-neutral"


def _bursts(said: ParsedCaption, wanted: VoiceProfile) -> Iterator[Reason]:
    yield from (Reason("lost-burst", name) for name in wanted.bursts if name not in said.bursts)
    yield from (Reason("added-burst", name) for name in said.bursts if name not in wanted.bursts)


def _sounds(candidate: str, language: str) -> Iterator[Reason]:
    """Find sounds of no burst in particular ("she laughs") that are no part of a phrase with a meaning."""
    tokens, sounds = tokenize(candidate), load_rules(language).sounds
    if sounds.isdisjoint(tokens):
        return
    for first, stop, entry in load_lexicon(language).phrases.scan(tokens):
        if entry is None or entry.kind not in _MEANT:
            heard = (token for token in tokens[first:stop] if token in sounds)
            yield from (Reason("added-burst", token) for token in heard)


def _same_trait(key: str, said: str | float, wanted: str | float) -> bool:
    """Compare words; of a voice attribute only the side of the middle, for captions grade it as they like."""
    if isinstance(said, str) or isinstance(wanted, str):
        return said == wanted
    scale = ATTRIBUTES[key].scale
    return (to_intensity(said, scale) > _SIDES) == (to_intensity(wanted, scale) > _SIDES)


def _pronoun_genders(candidate: str, language: str) -> set[str]:
    pronouns = load_rules(language).pronouns
    return {pronouns[word] for word in folded(candidate).split() if word in pronouns}


def _spoken(candidate: str, transcript: str, language: str) -> Iterator[Reason]:
    quoted = quoted_spans(candidate, load_lexicon(language).speaking)
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
