"""Consistency: does a caption contradict itself, or claim traits of the speaker that the profile lacks?

It checks the mentions that `parse` returns, so that linter, evaluation and gate read a caption in the same
way. A change is not a contradiction: "starts soft, ends harsh".
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from budew.captions.lexicon import load_lexicon
from budew.captions.lint.rules import LintFinding, Rules
from budew.captions.parse import Mention, mentions
from budew.captions.phrases import MODERATE, STEP
from budew.captions.tokens import Word, is_within, quoted_spans
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES
from budew.taxonomy.rating_scales import to_intensity

_PERSONAL = ("gender", "age", "accent")
_SENTENCE_ENDS = ".!?\n"
_SIMILE = 30
"""Characters before a person in which "like a" means that the voice is only compared to this person."""


class Fact(NamedTuple):
    """A trait in a caption: its span, name, and value (the word, or `low` or `high` of a voice attribute)."""

    start: int
    end: int
    name: str
    value: str


def contradictions(
    text: str, words: Sequence[Word], profile: VoiceProfile | None, rules: Rules
) -> Iterator[LintFinding]:
    """Find contradictions and, if a profile is given, genders, ages and accents that the profile lacks."""
    found = mentions(text)
    facts = _facts(text, words, found, rules)
    yield from _emotions(text, found, rules)
    yield from _contradictions(text, facts, rules)
    if profile is not None:
        yield from _unsupported(facts, profile, rules)


def _facts(text: str, words: Sequence[Word], mentions: Iterable[Mention], rules: Rules) -> list[Fact]:
    """Return the traits in a caption in the order of the text, each value once."""
    quoted = quoted_spans(text, load_lexicon().speaking)
    found = [
        Fact(start, end, "gender", rules.pronouns[word])
        for word, start, end in words
        if word in rules.pronouns and not is_within(quoted, start)
    ]
    for mention in mentions:
        if mention.kind in ("trait", "attribute") and mention.level:
            found.append(Fact(mention.start, mention.end, mention.name, _value(mention)))
    first: dict[tuple[str, str], Fact] = {}
    for fact in sorted(found):
        first.setdefault((fact.name, fact.value), fact)
    return list(first.values())


@lru_cache(maxsize=1024)
def _value(mention: Mention) -> str:
    """Return the word of a trait, or the pole of a voice attribute that is named."""
    if isinstance(mention.value, str):
        return mention.value
    return "high" if to_intensity(mention.value, ATTRIBUTES[mention.name].scale) > 0.5 else "low"


def _emotions(text: str, mentions: Iterable[Mention], rules: Rules) -> Iterator[LintFinding]:
    affirmed: dict[str, list[Mention]] = {}
    denied: dict[str, Mention] = {}
    mentions = list(mentions)
    sounds = {(mention.start, mention.end) for mention in mentions if mention.kind == "burst"}
    for mention in mentions:
        if (mention.start, mention.end) in sounds:
            continue  # "gasps in surprise" hardly says how strong the surprise is
        if mention.kind == "emotion" and mention.role == "affirmed":
            affirmed.setdefault(mention.name, []).append(mention)
        elif mention.kind == "emotion" and mention.role == "negated":
            denied.setdefault(mention.name, mention)
    for name, places in affirmed.items():
        if name in denied and not _excused(text, places[0], denied[name], rules):
            what = f"{name} is affirmed and negated"
            yield _about("contradictory-emotion", what, places[0], denied[name])
        yield from _far_apart(text, name, places, rules)


def _far_apart(text: str, name: str, places: Sequence[Mention], rules: Rules) -> Iterator[LintFinding]:
    graded = [mention for mention in places if mention.level != MODERATE]  # a bare word leaves it open
    if not graded:
        return
    weakest = min(graded, key=lambda mention: mention.level)
    strongest = max(graded, key=lambda mention: mention.level)
    if strongest.level - weakest.level >= rules.caption.level_steps * STEP and not _excused(
        text, weakest, strongest, rules
    ):
        what = f"{name} at {weakest.level:g} and at {strongest.level:g}"
        yield _about("contradictory-level", what, weakest, strongest)


def _contradictions(text: str, facts: Sequence[Fact], rules: Rules) -> Iterator[LintFinding]:
    """Compare the facts that have the same name; each value is compared once, however long the text is."""
    by_name: dict[str, list[Fact]] = {}
    for fact in facts:
        for earlier in by_name.get(fact.name, ()):
            if _opposite(earlier, fact, rules) and not _excused(text, earlier, fact, rules):
                code = "attribute" if fact.name in ATTRIBUTES else fact.name
                what = f"{text[earlier.start : earlier.end]} and {text[fact.start : fact.end]}"
                yield _about(f"contradictory-{code}", what, earlier, fact)
                break
        if fact.name in rules.opposites or fact.name in ATTRIBUTES:
            by_name.setdefault(fact.name, []).append(fact)


def _opposite(one: Fact, other: Fact, rules: Rules) -> bool:
    return one.name in ATTRIBUTES or {one.value, other.value} in rules.opposites[one.name]


def _excused(text: str, one: Fact | Mention, other: Fact | Mention, rules: Rules) -> bool:
    """Return whether their sentences say that one follows the other, that there are two speakers, or that the
    voice is only likened to somebody.
    """
    first, last = min(one.start, other.start), max(one.end, other.end)
    later = max(one.start, other.start)
    if one.name in _PERSONAL and rules.similes.search(text, max(first, later - _SIMILE), later):
        return True
    start = max(text.rfind(mark, 0, first) for mark in _SENTENCE_ENDS) + 1
    ends = [end for end in (text.find(mark, last) for mark in _SENTENCE_ENDS) if end >= 0]
    end = min(ends, default=len(text))
    excuse = rules.several if one.name in _PERSONAL else rules.changing
    return excuse.search(text, start, end) is not None


def _about(code: str, what: str, one: Fact | Mention, other: Fact | Mention) -> LintFinding:
    return LintFinding(code, what, min(one.start, other.start), max(one.end, other.end))


def _unsupported(facts: Iterable[Fact], profile: VoiceProfile, rules: Rules) -> Iterator[LintFinding]:
    for start, end, name, value in facts:
        if name in _PERSONAL and not _supported(name, value, profile, rules):
            has = profile.traits.get(name)
            what = f"{value}, where the profile has {has}" if has else f"{value}, where the profile has none"
            yield LintFinding(f"unsupported-{name}", what, start, end)


def _supported(name: str, value: str, profile: VoiceProfile, rules: Rules) -> bool:
    """Return whether a profile has this gender, age or accent.

    Where it has only the number `Gender`, the word must be on that side; any word suits the number `Age`,
    whose scale has no agreed words.
    """
    known = profile.traits.get(name)
    if name == "accent":
        words = set(value.lower().split()) - rules.vague_accents
        return not words or words == set(str(known or "").lower().split()) - rules.vague_accents
    if known is not None:
        return known == value
    number = profile.traits.get(name.capitalize())
    if name == "age" or number is None:
        return number is not None
    return value == "androgynous" or float(number) == 0 or (value == "female") == (float(number) > 0)
