"""Round-trip gate: does a rewritten caption still express the profile it was made from?

A candidate is parsed and compared with the profile, linted, searched for added content, and compared with the
template it was made from and the other captions of its clip. About 610 µs a caption of twelve words on one
core, six times as long as parsing (benchmarks/gate.py), so it runs inside the rewriting job, not after it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import Field

from budew.captions import ParsedCaption, expressible, parse
from budew.captions.content_selection import denied_emotions
from budew.captions.lexicon import load_lexicon
from budew.captions.lint.caption import lint_caption
from budew.captions.lint.rules import load_rules
from budew.captions.phrases import Kind
from budew.captions.tokens import quoted_spans, tokenize
from budew.io.settings import Settings
from budew.paraphrase.added_content import added_content
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, LEVELS, SAME_SOUND
from budew.taxonomy.rating_scales import to_intensity

Part = Literal["emotions", "bursts", "traits"]
_NAMED_KINDS = (Kind.EMOTION, Kind.BURST, Kind.TRAIT, Kind.ATTRIBUTE)
_NGRAM = 5
"""Length of the n-grams of `overlap` in characters; shorter n-grams occur in most English texts."""
_FEWEST_NGRAMS = 40
"""Least number of n-grams of texts that are compared by n-grams; shorter texts are compared as a whole."""
_NO_LETTERS = re.compile(r"[\W_]+")
_SPOKEN_WORDS = 5  # consecutive words of the transcript; four may be a coincidence ("and a little sad")
_SHORTEST_SPOKEN = 3  # words of the shortest transcript that is searched for as a whole


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for which the gate refuses a candidate.

    Attributes:
        code: kind of fault, such as "lost"; `judge` lists the codes.
        what: what the fault concerns, such as the name of an emotion; "" if there is nothing to name.
    """

    code: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Decision of the gate on one candidate.

    Attributes:
        reasons: reasons for which the candidate is refused; () if it is accepted.
        missed: emotions of the profile that the candidate does not express, in the order of `EMOTIONS`.
        unknown: words of a refused candidate that stand where an emotion is expected but are not in the
            lexicon, lower-case.

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
        """Whether the candidate is accepted: there is no reason to refuse it."""
        return not self.reasons

    @property
    def added(self) -> tuple[str, ...]:
        """Content that no profile has, such as "because his boss fired him"; () if there is none."""
        return tuple(reason.what for reason in self.reasons if reason.code == "added-content")

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the reasons in their order, without duplicates."""
        return tuple(dict.fromkeys(reason.code for reason in self.reasons))


class Gate(Settings):
    """Limits of the gate, by which `judge` accepts or refuses candidates.

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
        description="Most levels (of five) by which an intensity may differ from the profile. Whether an "
        "emotion is present must be as in the profile, whatever the tolerance.",
    )
    nearest_source: float = Field(
        default=0.8, ge=0, le=1, description="Largest `overlap` with the template, 0 to 1."
    )
    nearest_sibling: float = Field(
        default=0.8, ge=0, le=1, description="Largest `overlap` with another caption of the clip, 0 to 1."
    )
    most_words: int = Field(
        default=15,
        ge=1,
        description="Most words of a caption: this number × (3 + emotions + bursts + traits of the profile).",
    )
    parts: tuple[Part, ...] = Field(
        default=("emotions", "bursts", "traits"),
        description="Parts of the profile that are compared; leave out parts that are unknown.",
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
    """Decide whether a rewritten caption expresses a profile, adds nothing, and is well-formed.

    Codes of the reasons to refuse it: `empty`; `withheld` (a minor together with sexual content); `long` (too
    many words for the profile); codes of the linter (numbers, markup, repetition, other languages, refusals,
    contradictions, too long for Whisper, …); `lost`, `added` and `moved` (an emotion or a denial is missing,
    is not in the profile, or differs by more levels than `tolerance`); `lost-burst`, `added-burst`;
    `lost-trait`, `added-trait`, `other-trait` (another value); `added-content` (a cause, event, place,
    another person: neither about the voice nor a figure of speech for it); `copy` (resembles the template);
    `sibling` (resembles another caption of the clip); `spoken` (a quotation, five consecutive words of the
    transcript, or all of a transcript of three or four words).

    Args:
        candidate: English caption to judge.
        profile: what the caption must express; intensities in [0, 1]. Emotions that round to absent must not
            be mentioned, nor any emotion or burst denied, except for `denied_emotions`, which must be. If
            emotions are unrated, the voice must not be called neutral.
        gate: limits.
        source: template caption that was rewritten; "" skips the comparison.
        siblings: other captions of the clip, which the candidate must not resemble.
        transcript: words spoken in the clip; "" if they are unknown.

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
    reasons += _denials(parsed, gate.parts, denied_emotions(profile))
    if content := added_content(candidate):
        reasons.append(Reason("added-content", content[:100]))
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
    """Return emotions that are mentioned only by words for a burst of the profile: "sighs with relief"."""
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
        # "crying" also expresses sadness: words that mention an emotion as well do not add a burst
        felt = {(mention.start, mention.end) for mention in parsed.mentions if mention.kind == "emotion"}
        bursts = [mention for mention in parsed.mentions if mention.kind == "burst" and mention.level]
        named = {mention.name for mention in bursts if (mention.start, mention.end) not in felt}
        yield from (Reason("added-burst", name) for name in added if name in named)
    if not wanted.bursts:
        yield from _sound_words(candidate)


def _other_bursts(bursts: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the bursts whose sound is not among those of `known`; some bursts are the same sound."""
    sounds = {SAME_SOUND.get(name, name) for name in known}
    return [name for name in bursts if SAME_SOUND.get(name, name) not in sounds]


def _sound_words(candidate: str) -> Iterator[Reason]:
    """Find words for sounds ("she laughs") that are not part of a phrase for an emotion, burst or trait."""
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
    """Return whether two values of a trait agree; numbers agree on the same side of the scale's middle."""
    if isinstance(parsed, str) or isinstance(wanted, str):
        return parsed == wanted
    scale = ATTRIBUTES[key].scale
    return (to_intensity(parsed, scale) > 0.5) == (to_intensity(wanted, scale) > 0.5)


def _denials(parsed: ParsedCaption, parts: Sequence[Part], wanted: Sequence[str]) -> Iterator[Reason]:
    """Find emotions and bursts that the caption denies ("no anger") but must not, and the reverse."""
    known = (*parsed.emotions, *wanted)
    if "emotions" in parts:
        yield from (Reason("lost", f"not {name}") for name in wanted if name not in parsed.absent)
    for mention in parsed.mentions:
        if mention.level or mention.role == "quoted":
            continue
        if mention.kind == "emotion" and "emotions" in parts and mention.name not in known:
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
    """Return a pattern that matches phrases for neutral voices."""
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
    """Return how similar two captions are: the share of 5-grams of the shorter one that are in the other.

    The n-grams are of characters, so changed endings and word order matter little; case and punctuation are
    ignored. If a caption has fewer than 40 n-grams, the result is 1 for equal texts, else 0. Takes 10 µs.
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
