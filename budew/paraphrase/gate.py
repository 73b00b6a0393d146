"""Round-trip gate: does a rewritten caption still express the profile it was made from?

A candidate is parsed and compared with the profile, linted, and compared with the template it was made from
and the other captions of its clip. About 170 µs a caption of sixteen words on one core (benchmarks/gate.py),
so it runs inside the rewriting job and not after it.
"""

import re
from collections.abc import Iterator, Sequence
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
from budew.io.settings import Settings
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, LEVELS, SAME_SOUND
from budew.taxonomy.rating_scales import to_intensity

Part = Literal["emotions", "bursts", "traits"]
_NAMED_KINDS = (Kind.EMOTION, Kind.BURST, Kind.TRAIT, Kind.ATTRIBUTE)
_NGRAM = 5
"""Characters of the n-grams of `overlap`: all English texts share shorter ones."""
_FEWEST_NGRAMS = 40
"""N-grams of a text that can be a near copy."""
_NO_LETTERS = re.compile(r"[\W_]+")
_SPOKEN_WORDS = 5  # in a row; four may coincide ("and a little sad")
_SHORTEST_SPOKEN = 3  # words of a transcript that is searched for as a whole


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a candidate is refused: a `code` to count by, and its subject `what`."""

    code: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome for one candidate.

    Attributes:
        reasons: why it is refused; empty where it is accepted.
        missed: emotions that it had to name and did not, in the order of `EMOTIONS`.
        unknown: words in the position of an emotion that the parser does not know, lower-case.

    Example:
        >>> verdict = Verdict((Reason("lost", "Anger"), Reason("lost", "Fear")))
        >>> verdict.accepted, verdict.codes
        (False, ('lost',))
    """

    reasons: tuple[Reason, ...] = ()
    missed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the candidate expresses the profile."""
        return not self.reasons

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the reasons, each once, in their order."""
        return tuple(dict.fromkeys(reason.code for reason in self.reasons))


class Gate(Settings):
    """How strict the gate is.

    Example:
        >>> sad = VoiceProfile({"Sadness": 0.75})
        >>> judge("A moderately sad voice.", sad).accepted
        True
        >>> judge("A moderately sad voice.", sad, Gate(tolerance=0)).codes
        ('moved',)
    """

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


_DEFAULT = Gate()


def judge(
    candidate: str,
    profile: VoiceProfile,
    gate: Gate = _DEFAULT,
    *,
    source: str = "",
    siblings: Sequence[str] = (),
    transcript: str = "",
) -> Verdict:
    """Compare a candidate, an English caption, with the profile.

    Codes of the reasons: `empty`; `withheld` (a minor joined with sexual content); `long` (for its profile);
    every code of the linter (numbers, markup, loops, other languages, refusals, contradictions, too long for
    Whisper, …); `lost`, `added` and `moved` (an emotion, by more levels than `tolerance`); `lost-burst`,
    `added-burst`; `lost-trait`, `added-trait`, `other-trait`; `copy` (of the template), `sibling` (of another
    caption of the clip); `spoken` (quotes, or words of the transcript: five in a row, or all of up to four).

    Args:
        candidate: the caption.
        profile: what it must express; intensities in [0, 1]. What rounds to absent must not be mentioned, no
            emotion or burst may be denied, and where emotions are unrated the voice is not called neutral.
        gate: limits.
        source: the template caption that was rewritten.
        siblings: captions of the same clip that it must not resemble.
        transcript: words spoken in the clip.

    Example:
        >>> angry = VoiceProfile({"Anger": 0.75}, traits={"gender": "male"})
        >>> judge("A man, deeply angry.", angry).accepted
        True
        >>> judge("A man, deeply content.", angry).codes
        ('lost', 'added')
    """
    if not candidate.strip():
        return Verdict((Reason("empty"),), tuple(profile.quantized().emotions))
    parsed = parse(candidate)
    if profile.is_withheld or parsed.is_withheld:
        return Verdict((Reason("withheld"),))
    wanted = expressible(profile)
    reasons = list(_form_reasons(candidate, wanted, gate))
    if not profile.fully_rated and (neutral := _neutral_words().search(candidate)):
        reasons.append(Reason("added", neutral.group()))
    if "emotions" in gate.parts:
        reasons += _emotion_reasons(parsed, wanted, gate.tolerance)
    if "bursts" in gate.parts:
        reasons += _burst_reasons(candidate, parsed, wanted)
    if "traits" in gate.parts:
        reasons += _trait_reasons(candidate, parsed, wanted)
    reasons += _denials(parsed, gate.parts)
    reasons += _copies(candidate, source, siblings, gate)
    reasons += _spoken_words(candidate, transcript)
    missed = tuple(name for name in wanted.emotions if name not in parsed.emotions)
    unknown = tuple(dict.fromkeys(word.word for word in parsed.unknown)) if reasons else ()
    return Verdict(tuple(reasons), missed, unknown)


def _form_reasons(candidate: str, wanted: VoiceProfile, gate: Gate) -> Iterator[Reason]:
    parts = len(wanted.emotions) + len(wanted.bursts) + len(wanted.traits)
    words = candidate.count(" ") + 1
    if words > gate.most_words * (3 + parts):
        yield Reason("long", f"{words} words")
    for finding in lint_caption(candidate):
        yield Reason(finding.code, finding.what[:100])


def _emotion_reasons(parsed: ParsedCaption, wanted: VoiceProfile, tolerance: int) -> Iterator[Reason]:
    in_bursts: set[str] = set()
    if len(parsed.emotions) > len(wanted.emotions):
        in_bursts = _emotions_of_bursts(parsed, wanted)
    for name, level in wanted.emotions.items():
        if name not in parsed.emotions:
            yield Reason("lost", name)
        elif abs(LEVELS.index(parsed.emotions[name]) - LEVELS.index(level)) > tolerance:
            yield Reason("moved", name)
    for name in parsed.emotions:
        if name not in wanted.emotions and name not in in_bursts:
            yield Reason("added", name)


def _emotions_of_bursts(parsed: ParsedCaption, wanted: VoiceProfile) -> set[str]:
    """Return the emotions that only a burst of the profile expresses: "sighs with relief"."""
    burst_spans = {
        (mention.start, mention.end)
        for mention in parsed.mentions
        if mention.kind == "burst" and mention.name in wanted.bursts
    }
    in_bursts: set[str] = set()
    elsewhere = set(wanted.emotions)
    for mention in parsed.mentions:
        if mention.kind == "emotion" and mention.level:
            found = in_bursts if (mention.start, mention.end) in burst_spans else elsewhere
            found.add(mention.name)
    return in_bursts - elsewhere


def _burst_reasons(candidate: str, parsed: ParsedCaption, wanted: VoiceProfile) -> Iterator[Reason]:
    for name in _other_bursts(wanted.bursts, parsed.bursts):
        yield Reason("lost-burst", name)
    if added := _other_bursts(parsed.bursts, wanted.bursts):
        # "crying" is a word for sadness, too: only a mention that no emotion shares adds a burst
        felt = {(mention.start, mention.end) for mention in parsed.mentions if mention.kind == "emotion"}
        bursts = [mention for mention in parsed.mentions if mention.kind == "burst" and mention.level]
        named = {mention.name for mention in bursts if (mention.start, mention.end) not in felt}
        yield from (Reason("added-burst", name) for name in added if name in named)
    if not wanted.bursts:
        yield from _sound_words(candidate)


def _other_bursts(bursts: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the bursts that are no sound of `known`, under whatever name."""
    sounds = {SAME_SOUND.get(name, name) for name in known}
    return [name for name in bursts if SAME_SOUND.get(name, name) not in sounds]


def _sound_words(candidate: str) -> Iterator[Reason]:
    """Find words for sounds ("she laughs") outside of phrases with a meaning of their own."""
    tokens, sounds = tokenize(candidate), load_rules().sounds
    if sounds.isdisjoint(tokens):
        return
    for first, stop, entry in load_lexicon().phrases.scan(tokens):
        if entry.kind not in _NAMED_KINDS:
            yield from (Reason("added-burst", token) for token in tokens[first:stop] if token in sounds)


def _trait_reasons(candidate: str, parsed: ParsedCaption, wanted: VoiceProfile) -> Iterator[Reason]:
    pronouns = load_rules().pronouns
    genders = {pronouns[word] for word in tokenize(candidate) if word in pronouns}
    if genders - {wanted.traits.get("gender")} and "gender" not in parsed.traits:
        yield Reason("other-trait" if "gender" in wanted.traits else "added-trait", "gender")
    for key, value in wanted.traits.items():
        if key not in parsed.traits:
            if key != "gender" or not genders:
                yield Reason("lost-trait", key)
        elif not _same_trait(key, parsed.traits[key], value):
            yield Reason("other-trait", key)
    yield from (Reason("added-trait", key) for key in parsed.traits if key not in wanted.traits)


def _same_trait(key: str, parsed: str | float, wanted: str | float) -> bool:
    """Compare words; of a voice attribute only the side of its scale."""
    if isinstance(parsed, str) or isinstance(wanted, str):
        return parsed == wanted
    scale = ATTRIBUTES[key].scale
    return (to_intensity(parsed, scale) > 0.5) == (to_intensity(wanted, scale) > 0.5)


def _denials(parsed: ParsedCaption, parts: Sequence[Part]) -> Iterator[Reason]:
    """Find emotions and bursts that the caption says are absent: captions must deny nothing."""
    for mention in parsed.mentions:
        if mention.level or mention.role == "quoted":
            continue
        if mention.kind == "emotion" and "emotions" in parts and mention.name not in parsed.emotions:
            yield Reason("added", f"not {mention.name}")
        elif mention.kind == "burst" and "bursts" in parts and mention.name not in parsed.bursts:
            yield Reason("added-burst", f"not {mention.name}")


def _copies(candidate: str, source: str, siblings: Sequence[str], gate: Gate) -> Iterator[Reason]:
    if source and (share := overlap(candidate, source)) > gate.nearest_source:
        yield Reason("copy", f"{share:.0%} of the template")
    for sibling in siblings:
        if (share := overlap(candidate, sibling)) > gate.nearest_sibling:
            yield Reason("sibling", f"{share:.0%} of {sibling[:60]!r}")
            return


@cache
def _neutral_words() -> re.Pattern[str]:
    """Return a pattern of the phrases that call a voice neutral."""
    phrases = (re.escape(phrase) for phrases in load_lexicon().varied.neutral.values() for phrase in phrases)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(phrases)})\b", re.IGNORECASE)  # not "gender-neutral"


def _spoken_words(candidate: str, transcript: str) -> Iterator[Reason]:
    quoted = quoted_spans(candidate, load_lexicon().speaking)
    if quoted:
        start, end = quoted[0]
        yield Reason("spoken", candidate[start:end][:100])
    elif transcript:
        spoken, words = f" {folded(transcript)} ", folded(candidate).split()
        length = min(_SPOKEN_WORDS, max(_SHORTEST_SPOKEN, spoken.count(" ") - 1))
        for first in range(len(words) - length + 1):
            run = " ".join(words[first : first + length])
            if f" {run} " in spoken:
                yield Reason("spoken", run)
                return


def overlap(one: str, other: str) -> float:
    """Return the share of the character 5-grams of the shorter caption that the other has, in about 10 µs.

    Unlike word n-grams these survive changed endings and order. Case and punctuation do not count. A text of
    fewer than 40 n-grams is a copy (1) only of the same text, else 0.
    """
    left, right = folded(one), folded(other)
    if left == right:
        return 1.0
    if min(len(left), len(right)) < _FEWEST_NGRAMS + _NGRAM:
        return 0.0
    ngrams, others = _ngrams(left), _ngrams(right)
    return len(ngrams & others) / min(len(ngrams), len(others))


def folded(text: str) -> str:
    """Return a text in lower case, letters and digits only, with one space between words."""
    return _NO_LETTERS.sub(" ", text.casefold()).strip()


def _ngrams(text: str) -> set[str]:
    return {text[start : start + _NGRAM] for start in range(len(text) - _NGRAM + 1)}
