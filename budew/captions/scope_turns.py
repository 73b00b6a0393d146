"""Turns and comparisons: what is left behind, what comes now, and which of two is the stronger."""

from budew.captions.entry import Entry, Form, Kind
from budew.captions.scope_state import LEFT_BEHIND, MODERATE, SLIGHT, STEP, STRONG, SUBJECT, TURN, Reading
from budew.captions.surroundings import (
    BESIDE,
    is_attached,
    is_form,
    is_resumption,
    next_emotion,
    was,
)


def leaving(reading: Reading, index: int, entry: Entry) -> None:
    """Before what is left behind."""
    reading.govern(0.0, LEFT_BEHIND)


def fading(reading: Reading, index: int, entry: Entry) -> None:
    """Right behind what is left behind."""
    reading.withdraw(LEFT_BEHIND, within=0)


def left(reading: Reading, index: int, entry: Entry) -> None:
    """A verb behind what is left behind, with words in between: "fear … gives way to"."""
    if not reading.group and index - reading.begun <= 2:  # "Then fear. This gives way to relief."
        reading.group = reading.before
    reaches = entry.form is Form.PARTICIPLE and is_attached(reading.items, index)
    reading.withdraw(LEFT_BEHIND, within=1 if reaches else SUBJECT, parted=reaches)


def now(reading: Reading, index: int, entry: Entry) -> None:
    """The word "now": what was, is left behind: "He was angry; he is now calm"."""
    resumed = is_resumption(reading.items, reading.begun)
    same = not reading.is_emotion(index - 1)
    for group in (reading.before if resumed else [], reading.group if same else []):
        if group and was(reading.items, group[0]):
            for at in group:
                reading.levels[at], reading.roles[at] = 0.0, LEFT_BEHIND
            group.clear()
    reading.passing(index, entry)


def start(reading: Reading, index: int, entry: Entry) -> None:
    """The word "from"."""
    if reading.ahead[index]:
        leaving(reading, index, entry)
        reading.turning = index
    else:
        reading.other(index, entry)


def end(reading: Reading, index: int, entry: Entry) -> None:
    """The word "to", which without a "from" or a "too" before it is any word."""
    if index - reading.excess <= BESIDE:  # "too tired to be angry"
        reading.govern(0.0)
    elif reading.turning >= 0:
        reading.rest()
        reading.group.clear()
        reading.turning = -TURN
    elif entry.form is Form.BE:
        reading.passing(index, entry)


def too(reading: Reading, index: int, entry: Entry) -> None:
    """The word "too"."""
    reading.excess = index


def compare(reading: Reading, index: int, entry: Entry) -> None:
    """The words "more" and "less"."""
    reading.comparison, reading.compared = entry, None
    if entry.kind is Kind.LESS and reading.pending != 0.0:
        reading.pending, reading.carried = 0.0 if reading.comes(index, Kind.ATTRIBUTE) else SLIGHT, None


def than(reading: Reading, index: int, entry: Entry) -> None:
    """The word "than": what stands behind it is one level lower, or not there."""
    first, comparison, last = reading.compared, reading.comparison, reading.last
    reading.rest()
    reading.gap += 1
    reading.comparison = reading.compared = None
    second = next_emotion(reading.items, index)
    first = first if first is not None else last
    more = comparison is not None and comparison.kind is Kind.MORE
    if comparison is not None and first is None and reading.items[index - 1][2] is comparison:
        reading.pending = STRONG if more else 0.0  # "more than happy", "less than happy"
    elif second is not None and (more or _is_comparative(reading, last)):
        level = MODERATE if first is None else reading.levels[first]
        reading.pending = max(SLIGHT, level - STEP) if level else None
    elif comparison is not None and comparison.kind is Kind.LESS and first is not None:
        reading.set_level(first, 0.0 if second is None else SLIGHT)


def _is_comparative(reading: Reading, index: int | None) -> bool:
    return index is not None and is_form(reading.items[index][2], Form.COMPARATIVE)
