"""Marks: the phrases of a parsed caption with their meaning and colour, for the terminal and for pages.

Captions come from outside: control characters are made visible.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from budew.captions import Mention, ParsedCaption, load_lexicon
from budew.captions.tokens import quoted_spans
from budew.resources import packaged_table
from budew.taxonomy import ATTRIBUTES, EMOTIONS, LEVELS, emotion_group
from budew.taxonomy.scales import level_name, nearest_level, to_intensity
from budew.terminal import visible

LONGEST_CELL = 80
"""Characters of a phrase that a table shows: quoted speech can be as long as the caption."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A phrase of a caption and its meaning in words.

    Attributes:
        start, end: the span in the text, in characters. Marks never overlap.
        kind: emotion, burst, trait, attribute, quoted or unknown.
        meaning: what it stands for, such as "Sadness" or "gender: female".
        level: "strong", "towards very warm"; empty for what has no level.
        role: said, denied, left behind, quoted or unknown. Only "said" counts.
        phrase: the entry of the lexicon that was found; empty for quoted and unknown words.
        tone: its colour, `#rrggbb`.
    """

    start: int
    end: int
    kind: str
    meaning: str
    level: str
    role: str
    phrase: str
    tone: str

    @property
    def summary(self) -> str:
        """All of it on one line."""
        found = self.phrase and f"lexicon: {self.phrase}"
        return " · ".join(filter(None, (self.meaning, self.level, self.role, found)))


def marks_of(parsed: ParsedCaption) -> tuple[Mark, ...]:
    """Return the mentions, quotations and unknown words of a caption, in its order."""
    quoted = quoted_spans(parsed.text, load_lexicon(parsed.language).speaking)
    found = [_mark(mention) for mention in parsed.mentions]
    found += [
        Mark(*span, "quoted", "spoken words, not parsed", "", "quoted", "", tone("quoted")) for span in quoted
    ]
    found += [
        Mark(word.start, word.end, "unknown", "not in the lexicon", "", "unknown", "", tone("unknown"))
        for word in parsed.unknown
    ]
    disjoint: list[Mark] = []
    for mark in sorted(found, key=lambda mark: mark.start):
        if not disjoint or mark.start >= disjoint[-1].end:  # an unknown word in quotation marks is spoken
            disjoint.append(mark)
    return tuple(disjoint)


def pieces(text: str, found: Sequence[Mark]) -> Iterator[tuple[str, Mark | None]]:
    """Yield marked and unmarked pieces of a text, which together are the text made visible."""
    at = 0
    for mark in found:
        yield visible(text[at : mark.start]), None
        yield visible(text[mark.start : mark.end]), mark
        at = mark.end
    yield visible(text[at:]), None


def cell(text: str) -> str:
    """Return a phrase as a table shows it: on one line, cut where it is long."""
    line = " ".join(visible(text[: 2 * LONGEST_CELL]).split())
    return line if len(line) <= LONGEST_CELL else line[: LONGEST_CELL - 1] + "…"


def strongest_first(emotions: Mapping[str, float]) -> list[str]:
    """Return the names; of equally strong ones the earlier in `EMOTIONS` first."""
    return sorted(emotions, key=lambda name: (-emotions[name], EMOTIONS.index(name)))


def plain_name(attribute: str) -> str:
    """Return the published name of a voice attribute, "Warm_vs._Cold", with spaces."""
    return attribute.replace("_", " ")


def trait_words(name: str, value: str | float) -> str:
    """Return the value of a trait in words; of a voice attribute, where on its scale it is."""
    if isinstance(value, str):
        return visible(value)
    low, high = ATTRIBUTES[name].at_low, ATTRIBUTES[name].at_high
    place = LEVELS.index(nearest_level(to_intensity(value, ATTRIBUTES[name].scale)))
    return (low, f"towards {low}", f"between {low} and {high}", f"towards {high}", high)[place]


def family_tone(family: str) -> str:
    """Return the colour of a family of emotions."""
    return _tones()["emotions"][family]


def emotion_tone(name: str) -> str:
    """Return the colour of an emotion, that of its family."""
    return family_tone(emotion_group(name))


def tone(kind: str) -> str:
    """Return the colour of a burst, trait, attribute, unknown or quoted phrase."""
    return _tones()["others"][kind]


@cache
def _tones() -> Mapping[str, Mapping[str, str]]:
    table: Mapping[str, Mapping[str, str]] = packaged_table(__package__, "tones")
    return table


def _mark(mention: Mention) -> Mark:
    meaning, level = mention.name, ""
    if mention.kind == "trait":
        meaning = f"{mention.name}: {visible(str(mention.value))}"
    elif mention.kind == "attribute":
        meaning = plain_name(mention.name)
        level = "" if isinstance(mention.value, str) else trait_words(mention.name, mention.value)
    elif mention.kind == "emotion":
        level = level_name(mention.level)
    return Mark(
        mention.start,
        mention.end,
        mention.kind,
        meaning,
        level if mention.level else level_name(0),
        mention.role,
        visible(mention.phrase),
        emotion_tone(mention.name) if mention.kind == "emotion" else tone(mention.kind),
    )
