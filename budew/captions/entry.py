"""What a phrase of a caption language means: its kind says what it does, its form what else is known."""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a phrase does in a caption."""

    EMOTION = "emotion"
    BURST = "burst"
    TRAIT = "trait"
    ATTRIBUTE = "attribute"
    INTENSITY = "intensity"  # before what it governs
    RATING = "rating"  # a number behind what it rates
    AFTER = "after"  # an intensity behind what it governs
    NEGATION = "negation"
    PEAK = "peak"  # a negation, but before a comparative as much as can be
    UNREAL = "unreal"  # before what is feigned, or only thought of
    CONDITIONAL = "conditional"  # the same, where the sentence has an "if"
    CONDITION = "condition"  # the same, or before an intensity a concession
    TOPIC = "topic"  # before what is spoken of
    CONTENT = "content"  # behind an emotion of what is read or sung
    ABSENT = "absent"  # a negation behind what it governs
    HEDGE = "hedge"
    MORE = "more"
    LESS = "less"
    THAN = "than"
    LEAVING = "leaving"  # before what is left behind
    LEFT = "left"  # behind it, before what comes
    FADING = "fading"  # right behind it
    NOW = "now"  # behind what was
    FROM = "from"
    TO = "to"
    LINK = "link"
    EXCESS = "excess"  # a link that denies what stands behind "to"
    NAMING = "naming"  # a link behind which an emotion stands
    CONJUNCTION = "conjunction"
    PASSING = "passing"
    QUALITY = "quality"
    ORIGIN = "origin"  # an accent, right before a person or a voice
    BREAKING = "breaking"
    SUBJECT = "subject"  # the same, but where it follows what governs its clause
    INERT = "inert"
    COMMA = "comma"
    STOP = "stop"  # a mark that ends a sentence


class Form(StrEnum):
    """What else is known of some phrases."""

    NONE = ""
    ADVERB = "adverb"
    COMPARATIVE = "comparative"
    STANCE = "stance"  # an adverb that at the head of a sentence is the writer's
    DEGREE = "degree"  # an adverb that before an emotion is its intensity
    ELLIPTIC = "elliptic"  # a negation that may stand behind what it denies
    NOBODY = "nobody"  # a negation of what somebody does
    CLAUSAL = "clausal"  # a negation of the clause behind it
    PREFIX = "prefix"  # a negation of the next word alone
    PRESENT = "present"  # a copula
    PAST = "past"  # one of what was
    FINITE = "finite"  # a verb behind which an emotion is named
    OR = "or"  # a conjunction of alternatives
    BE = "be"  # behind "to"
    PARTICIPLE = "participle"  # leaves behind what stands before a comma, too
    PERSON = "person"  # has an origin


GOVERNING = (
    Kind.NEGATION, Kind.PEAK, Kind.UNREAL, Kind.CONDITIONAL, Kind.CONDITION, Kind.TOPIC, Kind.CONTENT,
    Kind.ABSENT,
    Kind.HEDGE, Kind.MORE, Kind.LESS, Kind.THAN, Kind.LEAVING, Kind.LEFT, Kind.FADING, Kind.NOW, Kind.FROM,
    Kind.TO, Kind.LINK, Kind.EXCESS, Kind.NAMING, Kind.CONJUNCTION, Kind.PASSING, Kind.QUALITY,
    Kind.BREAKING, Kind.SUBJECT, Kind.INERT,
)  # fmt: skip
"""Kinds that a lexicon lists under their own name, as phrases and nothing more."""
FORMS = {
    Form.ELLIPTIC: Kind.NEGATION, Form.NOBODY: Kind.NEGATION, Form.CLAUSAL: Kind.NEGATION,
    Form.PREFIX: Kind.NEGATION,
    Form.PRESENT: Kind.LINK, Form.PAST: Kind.LINK, Form.FINITE: Kind.NAMING, Form.OR: Kind.CONJUNCTION,
    Form.BE: Kind.TO, Form.PARTICIPLE: Kind.LEFT, Form.PERSON: Kind.INERT,
}  # fmt: skip
"""Forms that a lexicon lists under their own name, and the kind of these phrases."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The meaning of a phrase.

    Attributes:
        kind: what it does.
        name: canonical name of an emotion, burst or attribute, key of a trait, name of an intensity.
        level: of an intensity; of an attribute 0 for the low pole of its scale, 1 for the high one.
        value: word of a trait.
        either: an emotion that may be no feeling: a voice quality among voice qualities, or what `form` says.
        form: what else is known of the phrase.
        phrase: as the lexicon spells it.
    """

    kind: Kind
    name: str = ""
    level: float = 0.0
    value: str = ""
    either: bool = False
    form: Form = Form.NONE
    phrase: str = field(default="", compare=False)
