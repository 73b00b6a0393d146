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
linear time.
Each kind of phrase has a handler: those of intensities, negations and the like are in `scope_modifiers`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from budew.captions import scope_modifiers as modifiers
from budew.captions.phrases import Entry, Form, Kind
from budew.captions.scope_state import (
    BESIDE,
    BETWEEN,
    COMMA,
    COPULAS,
    FRONTED,
    LEFT_BEHIND,
    MODERATE,
    SLIGHT,
    STEP,
    STRONG,
    TURN,
    Item,
    ScopeState,
    entry_at,
    is_adverb,
    is_form,
    is_kind,
    leads_on,
    separates,
)

_OF_THE_VOICE = ("timbre", "pace", "style")
_PERSONAL = ("gender", "age")
_FAR = 0.75
"""From this intensity on, a voice attribute is at its pole and not just near it."""


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


def emotion(state: ScopeState, index: int, entry: Entry) -> None:
    """A feeling: it has the level that governs it, and joins the list that is being read."""
    if entry.either and state.pending is None and _is_no_feeling(state, index, entry):
        return
    governing = _governing(state, index)
    state.set_level(index, MODERATE if governing is None else governing)
    if state.gap or (state.parted and not state.closed[index]):
        state.group.clear()
    state.group.append(index)
    state.gap, state.parted = 0, False
    state.pending, state.carried, state.last = None, governing, index
    if state.comparison is not None and state.compared is None:
        state.compared = index


def _governing(state: ScopeState, index: int) -> float | None:
    governing = state.pending if state.pending is not None else state.carried
    state.unknown_words = 0
    if governing is None and index - state.turning < TURN:
        state.role, governing = LEFT_BEHIND, 0.0
    if state.fronted is not None:
        if governing is None and index - state.fronted[0] <= FRONTED:
            governing = state.fronted[1]
        state.fronted = None
    if index - state.hedged <= FRONTED:
        state.hedged = -FRONTED - 1
        if governing != 0.0:
            governing = max(SLIGHT, (MODERATE if governing is None else governing) - STEP)
    return governing


def thing(state: ScopeState, index: int, entry: Entry) -> None:
    """A burst or a trait."""
    state.levels[index] = 1.0
    if state.carried == 0.0 and entry.name in _PERSONAL and _is_bystander(state, index):
        state.other(index, entry)
        return
    if entry.name == "pace" and _modifies_change(state.items, index):
        state.levels[index], state.roles[index] = 0.0, ""
        return
    if _covered(state, entry):
        state.levels[index], state.roles[index] = 0.0, state.role


def _is_bystander(state: ScopeState, index: int) -> bool:
    """Return whether a feeling or a action is denied, and not the person behind it: "not a happy woman",
    "without warning a woman", but "not an old woman", "not old or female".
    """
    if state.pending is not None:
        return state.unknown_words > 0 and is_kind(state.items[index - 1][2], Kind.LINK)
    at = index - 2 if separates(state.items[index - 1][2]) else index - 1
    return not is_kind(entry_at(state.items, at), Kind.TRAIT) or state.levels[at] > 0.0


def origin(state: ScopeState, index: int, entry: Entry) -> None:
    """The name of an accent: one right before a person or a voice, else a word that means nothing."""
    following = entry_at(state.items, index + 1)
    personal = is_kind(following, Kind.TRAIT) and following is not None and following.name in _PERSONAL
    if not personal and not is_form(following, Form.PERSON):
        state.roles[index] = ""
        state.unknown(index, None)
    elif state.pending == 0.0 and not state.unknown_words:
        state.roles[index] = state.role
    else:
        state.levels[index] = 1.0


def attribute(state: ScopeState, index: int, entry: Entry) -> None:
    """A voice attribute: 1 at its pole, 0.5 near it."""
    pending = state.pending
    thing(state, index, entry)
    if state.levels[index]:
        state.levels[index] = 1.0 if pending is not None and pending >= _FAR else 0.5


def quality(state: ScopeState, index: int, entry: Entry) -> None:
    """A voice quality."""
    _covered(state, entry)


def _covered(state: ScopeState, entry: Entry) -> bool:
    """Return whether a negation covers something that is no feeling; it reaches over it, an
    intensity does not.
    """
    denied = state.pending == 0.0 or state.carried == 0.0
    state.pending, state.carried, state.last = None, 0.0 if denied else None, None
    state.gap += 1
    return denied


def subject(state: ScopeState, index: int, entry: Entry) -> None:
    """A pronoun: it begins a clause, which ends what is governed, but for what governs that clause."""
    if state.pending == 0.0 and _opens_clause(state.items, index):
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
        index == state.negation_end or _begins_predicate(state.items, index, reached=state.unknown_words > 0)
    )


def _begins_predicate(items: Sequence[Item], index: int, *, reached: bool) -> bool:
    """Return whether "and" joins a new statement, to which a negation before it does not reach: "does not
    shout and sounds calm". Where the negation `reached` a word that means nothing, another may be a verb.
    """
    entry = entry_at(items, index + 1)
    if entry is None:
        return reached
    return entry.form in (*COPULAS, Form.FINITE)


def _opens_clause(items: Sequence[Item], index: int) -> bool:
    """Return whether a subject stands right behind what governs its clause: "if he is angry", "nor is he"."""
    for at in (index - 1, index - 2):
        entry = entry_at(items, at)
        if entry is None:
            return False
        if entry.kind in (Kind.UNREAL, Kind.CONDITION) or entry.form is Form.CLAUSAL:
            return True
        if entry is COMMA or entry.kind not in (Kind.LINK, Kind.PASSING):
            return False
    return False


def _is_no_feeling(state: ScopeState, index: int, entry: Entry) -> bool:
    """Read a word that elsewhere names an emotion: a voice quality, "Sadly, …", "bitterly sad"."""
    if entry.form is Form.DEGREE:
        following = entry_at(state.items, index + 1)
        if not is_kind(following, Kind.EMOTION) or is_adverb(following):
            return False
        state.govern(STRONG)
    elif entry.form is Form.STANCE:
        if index != state.begun or not _is_stance(state.items, index):
            return False
        state.other(index, entry)
    elif _is_quality(state.items, index):
        quality(state, index, entry)
    else:
        return False
    state.roles[index] = ""
    return True


def _is_quality(items: Sequence[Item], index: int) -> bool:
    """Return whether what stands beside is a voice quality and no feeling."""
    beside = (
        _neighbour(items, range(index - 1, max(-1, index - 1 - BESIDE), -1)),
        _neighbour(items, range(index + 1, min(len(items), index + 1 + BESIDE))),
    )
    return Kind.QUALITY in beside and Kind.EMOTION not in beside


def _neighbour(items: Sequence[Item], places: range) -> Kind | None:
    for at in places:
        entry = items[at][2]
        if entry is None:
            return None
        if entry.kind is Kind.ATTRIBUTE or (entry.kind is Kind.TRAIT and entry.name in _OF_THE_VOICE):
            return Kind.QUALITY
        if entry.kind not in BETWEEN and not (entry.kind is Kind.EMOTION and entry.either):
            return entry.kind
    return None


def _is_stance(items: Sequence[Item], index: int) -> bool:
    """Return whether an adverb at the head of a sentence is the writer's: "Sadly, the shop is closed." Before
    a stop, and in a list of tags ("sadly, slowly"), it is the voice's.
    """
    comma = entry_at(items, index + 1) is COMMA
    entry = entry_at(items, index + 1 + comma)
    if entry is None:
        return comma
    return entry.kind in (Kind.SUBJECT, Kind.LINK, Kind.NEGATION, Kind.INERT, Kind.BREAKING, Kind.PEAK)


def _modifies_change(items: Sequence[Item], index: int) -> bool:
    """Return whether a pace is that of a turn: "fear slowly turns into relief", "gives way, slowly, to"."""
    before = entry_at(items, index - 1)
    beside = (entry_at(items, index - 2) if before is COMMA else before, entry_at(items, index + 1))
    return any(is_kind(entry, Kind.LEFT) or is_kind(entry, Kind.FADING) for entry in beside)


_HANDLERS: dict[Kind | None, Callable[[ScopeState, int, Any], None] | None] = {
    None: ScopeState.unknown,
    Kind.BREAKING: ScopeState.other,
    Kind.INERT: ScopeState.other,
    Kind.SUBJECT: subject,
    Kind.STOP: ScopeState.stop,
    Kind.EMOTION: emotion,
    Kind.BURST: thing,
    Kind.TRAIT: thing,
    Kind.ORIGIN: origin,
    Kind.ATTRIBUTE: attribute,
    Kind.QUALITY: quality,
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
