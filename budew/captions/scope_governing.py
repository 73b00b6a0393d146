"""What governs: intensities, negations, hedges, and what makes a feeling one that is only thought of."""

from budew.captions.entry import Entry, Form, Kind
from budew.captions.scope_state import DENIED, MODERATE, NOT_FELT, SLIGHT, STRONG, SUBJECT, Reading
from budew.captions.surroundings import (
    depends,
    end_of_aside,
    end_of_deed,
    ends_clause,
    entry_at,
    entry_before,
    is_adverb,
    is_concession,
    is_form,
    is_kind,
    is_manner,
    is_predicate,
    is_rejection,
    next_emotion,
    says_something,
)


def intensity(reading: Reading, index: int, entry: Entry) -> None:
    """A word such as "very": before its word, or as a predicate behind it."""
    outer = reading.pending
    if outer is None and reading.carried == 0.0 and is_form(entry_before(reading.items, index), Form.OR):
        outer = 0.0  # "without a hint of anger or a trace of fear"
    level = entry.level if outer is None else _combined(outer, entry.level)
    if reading.last is not None and is_predicate(reading.items, index):
        if reading.levels[reading.last]:
            reading.set_level(reading.last, level or SLIGHT)  # "the anger is not strong"
        reading.pending = reading.carried = reading.last = None
    else:
        reading.pending, reading.carried = level, None


def after(reading: Reading, index: int, entry: Entry) -> None:
    """Words behind a feeling that say how strong it is; at the head of a sentence they wait for one."""
    if reading.last is not None:
        reading.set_level(reading.last, entry.level if reading.levels[reading.last] else 0.0)
        reading.pending = reading.carried = reading.last = None
    else:
        reading.other(index, entry)
        reading.afloat = index, entry.level


def rating(reading: Reading, index: int, entry: Entry) -> None:
    """A number: how strong the feeling before it is."""
    if reading.last is None:
        reading.other(index, entry)
    else:
        reading.role = DENIED
        after(reading, index, entry)


def negation(reading: Reading, index: int, entry: Entry) -> None:
    """A negation: of what comes, of what its clause ends with, or of the sentence before."""
    if reading.group and entry.form is Form.ELLIPTIC and _stands_behind(reading, index):  # "but anger is not"
        reading.withdraw(DENIED, within=SUBJECT, parted=True)
    elif entry.form is Form.PREFIX and not says_something(entry_at(reading.items, index + 1)):
        reading.other(index, entry)  # "non-verbal"
    elif index == reading.begun and reading.before and is_rejection(reading.items, index):
        reading.group = reading.before
        reading.withdraw(DENIED, within=SUBJECT)
    else:
        last = reading.last if reading.comes(index, Kind.INTENSITY) else None
        if entry.form is Form.NOBODY:
            reading.fence = end_of_deed(reading.items, index)
        elif entry.form is Form.ELLIPTIC or (reading.group and reading.levels[reading.group[-1]]):
            reading.fence = end_of_aside(reading.items, index)
        reading.govern(0.0)
        reading.last = last


def _stands_behind(reading: Reading, index: int) -> bool:
    """Tell whether a negation denies what stands before it, as it ends its clause."""
    following = entry_at(reading.items, index + 1)
    return (
        not is_kind(following, Kind.BREAKING)
        and not is_kind(following, Kind.SUBJECT)
        and ends_clause(reading.items, index)
    )


def peak(reading: Reading, index: int, entry: Entry) -> None:
    """Words such as "never" and "couldn't be": a negation, but "never sounded happier" is very happy."""
    following = next_emotion(reading.items, index)
    if following is not None and is_form(reading.items[following][2], Form.COMPARATIVE):
        reading.govern(STRONG)
    else:
        negation(reading, index, entry)


def unreal(reading: Reading, index: int, entry: Entry) -> None:
    """Before what is feigned, or only thought of."""
    reading.govern(0.0, NOT_FELT)


def conditional(reading: Reading, index: int, entry: Entry) -> None:
    """Words such as "would be": unreal where the sentence says on what it depends, "angry if he knew"."""
    if depends(reading.items, index):
        unreal(reading, index, entry)
    else:
        reading.passing(index, entry)


def condition(reading: Reading, index: int, entry: Entry) -> None:
    """The word "if"."""
    if index > reading.begun and is_concession(reading.items, index):
        reading.rest()
    else:
        unreal(reading, index, entry)


def topic(reading: Reading, index: int, entry: Entry) -> None:
    """Before what is spoken of; behind a feeling stands its cause: "happy about"."""
    if reading.is_emotion(index - 1) or is_manner(reading.items, index):
        reading.other(index, entry)
    else:
        unreal(reading, index, entry)


def content(reading: Reading, index: int, entry: Entry) -> None:
    """What is read or sung: a feeling right before it is its own, "a sad poem"."""
    before = reading.items[index - 1][2] if index else None
    if is_kind(before, Kind.EMOTION) and not is_adverb(before):
        reading.withdraw(NOT_FELT, within=0)
    else:
        reading.stranger(index, None)


def absent(reading: Reading, index: int, entry: Entry) -> None:
    """Words such as "is absent": they deny the feeling right before them."""
    reading.withdraw(DENIED, within=0)


def hedge(reading: Reading, index: int, entry: Entry) -> None:
    """Words such as "perhaps": the next feeling is one level lower, never below slight."""
    reading.hedged = index


def _combined(outer: float, inner: float) -> float:
    """Return the level of one intensity upon another: a weak one weakens, else the stronger counts."""
    return min(outer, inner) if min(outer, inner) < MODERATE else max(outer, inner)
