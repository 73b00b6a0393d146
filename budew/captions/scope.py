"""Scope: which intensity, negation, hedge or turn governs which emotion word.

    strong anger, fear and some joy   an intensity governs a list closed by "and" or "or", up to the next one
    very sad, tired, old              a list of commas alone is a list of tags: "tired" is moderate
    without a trace of anger or fear  a negation governs what an intensity would, and prevails over one
    not a happy woman                 it reaches to the feeling, and not to the person behind it
    fear to a high degree             an intensity behind a word governs that word alone
    more tired than sad               the second is one level lower than the first
    from irritation to relief         what is left behind is not there
    if he is angry                    what is only thought or spoken of is not there

Any other word ends what is governed. docs/captions.md has all the rules. One pass from the right, one from
the left: linear time. Each kind of phrase has a function that is told of it: here those of the marks of a
list, in `scope_governing`, `scope_governed` and `scope_turns` the others. `scope_state` is what they change.
"""

from collections.abc import Callable, Sequence
from typing import Any

from budew.captions import scope_governed as governed
from budew.captions import scope_governing as governing
from budew.captions import scope_turns as turns
from budew.captions.entry import Entry, Form, Kind
from budew.captions.scope_state import Reading
from budew.captions.surroundings import (
    Item,
    begins_predicate,
    leads_on,
    opens_clause,
)


def read(items: Sequence[Item]) -> tuple[list[float], list[str]]:
    """Return the level and the role of each item.

    An emotion has the level that governs it, a burst and a trait 1, a voice attribute 1 at its pole and
    0.5 near it; all of them 0 where they are denied. The role of a word that turns out to name no feeling
    is empty.
    """
    reader, handlers = Reading(items), _HANDLERS
    for index, (_, _, entry) in enumerate(items):
        handle = handlers[entry.kind if entry is not None else None]
        if handle is not None:
            handle(reader, index, entry)
    reader.stop()
    return reader.levels, reader.roles


def subject(reading: Reading, index: int, entry: Entry) -> None:
    """A pronoun: it begins a clause, which ends what is governed, but for what governs that clause."""
    if reading.pending == 0.0 and opens_clause(reading.items, index):
        reading.gap += 1
    else:
        reading.other(index, entry)


def comma(reading: Reading, index: int, entry: Entry) -> None:
    """A comma: only a list that is closed later goes on behind it."""
    if reading.pending is not None and (reading.pending == 0.0 or not leads_on(reading.items, index)):
        reading.pending = None
    reading.carried = reading.carried if reading.closed[index] else None
    reading.strangers = 0
    reading.parted = True


def conjunction(reading: Reading, index: int, entry: Entry) -> None:
    """The words "and" and "or": what governs a list reaches over them, a negation not over every "and"."""
    if reading.pending is not None and (reading.pending == 0.0 or not leads_on(reading.items, index)):
        reading.pending = None
    if reading.carried == 0.0 and _ends_here(reading, index, entry):
        reading.carried = None
    reading.last = None
    reading.strangers = 0
    reading.parted = False


def _ends_here(reading: Reading, index: int, entry: Entry) -> bool:
    """Tell whether a negation does not reach over this "and"."""
    joins = entry.form is not Form.OR
    return joins and (
        index == reading.fence or begins_predicate(reading.items, index, reached=reading.strangers > 0)
    )


_HANDLERS: dict[Kind | None, Callable[[Reading, int, Any], None] | None] = {
    None: Reading.stranger,
    Kind.BREAKING: Reading.other,
    Kind.INERT: Reading.other,
    Kind.SUBJECT: subject,
    Kind.STOP: Reading.stop,
    Kind.EMOTION: governed.emotion,
    Kind.BURST: governed.thing,
    Kind.TRAIT: governed.thing,
    Kind.ORIGIN: governed.origin,
    Kind.ATTRIBUTE: governed.attribute,
    Kind.QUALITY: governed.quality,
    Kind.INTENSITY: governing.intensity,
    Kind.AFTER: governing.after,
    Kind.RATING: governing.rating,
    Kind.NEGATION: governing.negation,
    Kind.PEAK: governing.peak,
    Kind.UNREAL: governing.unreal,
    Kind.CONDITIONAL: governing.conditional,
    Kind.CONDITION: governing.condition,
    Kind.TOPIC: governing.topic,
    Kind.CONTENT: governing.content,
    Kind.ABSENT: governing.absent,
    Kind.LEAVING: turns.leaving,
    Kind.LEFT: turns.left,
    Kind.FADING: turns.fading,
    Kind.NOW: turns.now,
    Kind.HEDGE: governing.hedge,
    Kind.FROM: turns.start,
    Kind.TO: turns.end,
    Kind.EXCESS: turns.too,
    Kind.MORE: turns.compare,
    Kind.LESS: turns.compare,
    Kind.THAN: turns.than,
    Kind.COMMA: comma,
    Kind.LINK: None,
    Kind.NAMING: None,
    Kind.PASSING: Reading.passing,
    Kind.CONJUNCTION: conjunction,
}
