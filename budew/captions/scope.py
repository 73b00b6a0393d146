"""Scope: which intensity, negation, hedge or turn governs which emotion word.

    strong anger, fear and some joy   an intensity governs a list closed by "and" or "or", up to the next one
    very sad, tired, old              a list of commas alone is a list of tags: "tired" is moderate
    without a trace of anger or fear  a negation governs what an intensity would, and prevails over one
    not a happy woman                 it reaches to the feeling, and not to the person behind it
    fear to a high degree             an intensity behind a word governs that word alone
    more tired than sad               the second is one level lower than the first
    from irritation to relief         what is left behind is not there
    if he is angry                    what is only thought or spoken of is not there

Any other word ends the scope. docs/captions.md has all the rules. One pass from the right, one from the left:
linear time. Each kind of phrase has a handler: here those of the marks of a list, in `scope_modifiers` and
`scope_targets` the others.
"""

from collections.abc import Callable, Sequence
from typing import Any

from budew.captions import scope_modifiers as modifiers
from budew.captions import scope_targets as targets
from budew.captions.clause_context import (
    Item,
    begins_predicate,
    leads_on,
    opens_clause,
)
from budew.captions.entry import Entry, Form, Kind
from budew.captions.scope_targets import ScopeState


def resolve_scopes(items: Sequence[Item]) -> tuple[list[float], list[str]]:
    """Return the level and the role of each item.

    An emotion has the level that governs it, a burst and a trait 1, a voice attribute 1 at its pole and
    0.5 near it; all of them 0 where they are denied. The role of a word that turns out to name no feeling
    is empty.
    """
    state, handlers = ScopeState(items), _HANDLERS
    for index, (_, _, entry) in enumerate(items):
        handle = handlers[entry.kind if entry is not None else None]
        if handle is not None:
            handle(state, index, entry)
    state.stop()
    return state.levels, state.roles


def subject(state: ScopeState, index: int, entry: Entry) -> None:
    """A pronoun: it begins a clause, which ends what is governed, but for what governs that clause."""
    if state.pending == 0.0 and opens_clause(state.items, index):
        state.gap += 1
    else:
        state.other(index, entry)


def comma(state: ScopeState, index: int, entry: Entry) -> None:
    """A comma: only a list that is closed later goes on behind it."""
    if state.pending is not None and (state.pending == 0.0 or not leads_on(state.items, index)):
        state.pending = None
    state.carried = state.carried if state.closed[index] else None
    state.unknown_words = 0
    state.parted = True


def conjunction(state: ScopeState, index: int, entry: Entry) -> None:
    """The words "and" and "or": what governs a list reaches over them, a negation not over every "and"."""
    if state.pending is not None and (state.pending == 0.0 or not leads_on(state.items, index)):
        state.pending = None
    if state.carried == 0.0 and _ends_here(state, index, entry):
        state.carried = None
    state.last = None
    state.unknown_words = 0
    state.parted = False


def _ends_here(state: ScopeState, index: int, entry: Entry) -> bool:
    """Return whether a negation does not reach over this "and"."""
    joins = entry.form is not Form.OR
    return joins and (
        index == state.negation_end or begins_predicate(state.items, index, reached=state.unknown_words > 0)
    )


_HANDLERS: dict[Kind | None, Callable[[ScopeState, int, Any], None] | None] = {
    None: ScopeState.unknown,
    Kind.BREAKING: ScopeState.other,
    Kind.INERT: ScopeState.other,
    Kind.SUBJECT: subject,
    Kind.STOP: ScopeState.stop,
    Kind.EMOTION: targets.emotion,
    Kind.BURST: targets.thing,
    Kind.TRAIT: targets.thing,
    Kind.ORIGIN: targets.origin,
    Kind.ATTRIBUTE: targets.attribute,
    Kind.QUALITY: targets.quality,
    Kind.INTENSITY: modifiers.intensity,
    Kind.AFTER: modifiers.after,
    Kind.RATING: modifiers.rating,
    Kind.NEGATION: modifiers.negation,
    Kind.PEAK: modifiers.peak,
    Kind.UNREAL: modifiers.unreal,
    Kind.CONDITIONAL: modifiers.conditional,
    Kind.CONDITION: modifiers.condition,
    Kind.TOPIC: modifiers.topic,
    Kind.CONTENT: modifiers.content,
    Kind.ABSENT: modifiers.absent,
    Kind.LEAVING: modifiers.leaving,
    Kind.LEFT: modifiers.left,
    Kind.FADING: modifiers.fading,
    Kind.NOW: modifiers.now,
    Kind.HEDGE: modifiers.hedge,
    Kind.FROM: modifiers.start,
    Kind.TO: modifiers.end,
    Kind.EXCESS: modifiers.too,
    Kind.MORE: modifiers.compare,
    Kind.LESS: modifiers.compare,
    Kind.THAN: modifiers.than,
    Kind.COMMA: comma,
    Kind.LINK: None,
    Kind.NAMING: None,
    Kind.PASSING: ScopeState.passing,
    Kind.CONJUNCTION: conjunction,
}
