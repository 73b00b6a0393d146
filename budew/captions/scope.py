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
linear time. Each kind of phrase has a handler: here those of what a caption says and how strong it is, in
`scope_denial` those of what it takes back, in `scope_others` those of whom it speaks.
"""

from collections.abc import Callable, Sequence

from budew.captions.phrases import COMMA, MODERATE, UNKNOWN, Entry, Form, Kind, shifted
from budew.captions.scope_denial import HANDLERS as DENIAL_HANDLERS
from budew.captions.scope_others import HANDLERS as OTHERS_HANDLERS
from budew.captions.scope_others import is_of_others
from budew.captions.scope_state import (
    ADVERBS,
    BESIDE,
    BETWEEN,
    COPULAS,
    FRONTED,
    FULL,
    NEGATED,
    PAST,
    SLIGHT,
    STEP,
    STRONG,
    TURN,
    ScopeState,
    ends_clause,
    leads_on,
    next_emotion,
    separates,
)

_OF_THE_VOICE = ("timbre", "pace", "style")
_PERSONAL = ("gender", "age")
_CLAUSE_BEGINNINGS = (
    Kind.SUBJECT, Kind.LINK, Kind.NEGATION, Kind.INERT, Kind.BREAKING, Kind.PEAK, Kind.PASSING
)  # fmt: skip
"""Kinds of phrases with which the clause behind a sentence adverb begins."""
_FAR = 0.75
"""From this intensity on, a voice attribute is at its pole and not just near it."""


def resolve_scopes(entries: list[Entry]) -> tuple[list[float], list[str]]:
    """Return the level and the role of each phrase of a text.

    An emotion has the level that governs it, a burst and a trait 1, a voice attribute 1 at its pole and
    0.5 near it; all of them 0 where they are denied. The role of a word that turns out to name no feeling
    is empty.
    """
    state, handlers = ScopeState(entries), _HANDLERS
    for index, entry in enumerate(entries):
        handle = handlers[entry.kind]
        if handle is not None:
            handle(state, index, entry)
    return state.levels, state.roles


def emotion(state: ScopeState, index: int, entry: Entry) -> None:
    """A feeling: it has the level that governs it, else its own, and joins the list that is being read."""
    if index <= state.foreign:
        state.take_away(index)
        return
    if entry.either and state.pending is None and _is_no_feeling(state, index, entry):
        return
    governing = _governing(state, index, entry)
    state.set_level(index, entry.level if governing is None else shifted(entry.level, governing))
    if state.gap or (state.parted and not state.is_closed(index)):
        state.group.clear()
    state.group.append(index)
    state.mentioned.setdefault(entry.name, []).append(index)
    state.gap, state.parted = 0, False
    state.pending, state.carried, state.last = None, governing, index
    if state.comparison is not None and state.compared is None:
        state.compared = index


def _governing(state: ScopeState, index: int, entry: Entry) -> float | None:
    governing = state.pending if state.pending is not None else state.carried
    state.unknown_words = 0
    if governing is None and index - state.turning < TURN:
        state.role, governing = PAST, 0.0
    if state.fronted is not None:
        if governing is None and index - state.fronted[0] <= FRONTED:
            governing = state.fronted[1]
        state.fronted = None
    if index - state.hedged <= FRONTED:
        state.hedged = -FRONTED - 1
        if governing != 0.0:
            most = FULL + MODERATE - entry.level  # a stronger one would change nothing
            governing = max(SLIGHT, min(MODERATE if governing is None else governing, most) - STEP)
    return governing


def _is_no_feeling(state: ScopeState, index: int, entry: Entry) -> bool:
    """Read a word that elsewhere names an emotion: a voice quality, "Sadly, …", "bitterly sad"."""
    if entry.form is Form.DEGREE:
        following = _graded_by(state.entries, index)
        if following.kind is not Kind.EMOTION or following.form in ADVERBS:
            return False
        state.govern(STRONG)
    elif entry.form is Form.STANCE:
        if index != state.begun or not _is_stance(state.entries, index):
            return False
        state.other(index, entry)
    elif _is_quality(state.entries, index):
        _covered(state)
    else:
        return False
    state.roles[index] = ""
    return True


def _graded_by(entries: Sequence[Entry], index: int) -> Entry:
    """Return what stands behind an adverb of degree, or behind another one that "and" joins to it:
    "hopelessly and utterly lost".
    """
    joins = entries[index + 1].kind is Kind.CONJUNCTION and entries[index + 2].kind is Kind.INTENSITY
    return entries[index + 3 if joins else index + 1]


def _is_stance(entries: Sequence[Entry], index: int) -> bool:
    """Return whether an adverb or an exclamation at the head of a sentence is the writer's: "Sadly, the shop
    is closed.", "Gosh, that man is tired." Before a stop, and in a list of tags ("sadly, slowly"), it is the
    voice's.
    """
    comma = entries[index + 1] is COMMA
    entry = entries[index + 1 + comma]
    if entry is UNKNOWN:
        return comma
    return entry.kind in _CLAUSE_BEGINNINGS


def _is_quality(entries: Sequence[Entry], index: int) -> bool:
    """Return whether what stands beside is a voice quality and no feeling."""
    beside = (
        _neighbour(entries, range(index - 1, index - 1 - BESIDE, -1)),
        _neighbour(entries, range(index + 1, index + 1 + BESIDE)),
    )
    return Kind.QUALITY in beside and Kind.EMOTION not in beside


def _neighbour(entries: Sequence[Entry], places: range) -> Kind | None:
    for at in places:
        entry = entries[at]
        if entry.kind is Kind.ATTRIBUTE or (entry.kind is Kind.TRAIT and entry.name in _OF_THE_VOICE):
            return Kind.QUALITY
        if entry.kind not in BETWEEN and not (entry.kind is Kind.EMOTION and entry.either):
            return entry.kind
    return None


def thing(state: ScopeState, index: int, entry: Entry) -> None:
    """A burst or a trait; a hedge before it hedges nothing behind it."""
    state.hedged = -FRONTED - 1
    state.levels[index] = 1.0
    if entry.name in _PERSONAL:
        is_of_others(state, index)
    if state.carried == 0.0 and entry.name in _PERSONAL and _is_bystander(state, index):
        state.other(index, entry)
    elif entry.name == "pace" and _modifies_change(state.entries, index):
        state.levels[index], state.roles[index] = 0.0, ""
    elif _covered(state) and not _is_never_covered(state, index, entry):
        state.levels[index], state.roles[index] = 0.0, state.role


def _is_never_covered(state: ScopeState, index: int, entry: Entry) -> bool:
    """Return whether something is there although a feeling would not be: a sound or a person behind "from", a
    person behind "about"; whether that is the speaker is asked later.
    """
    if state.role == PAST:
        return entry.kind is Kind.BURST or entry.name in _PERSONAL
    topics = (state.entries[index - 1].kind, state.entries[index - 2].kind)
    return entry.name in _PERSONAL and Kind.TOPIC in topics


def _is_bystander(state: ScopeState, index: int) -> bool:
    """Return whether a feeling or an action is denied, and not the person behind it: "not a happy woman",
    "without warning a woman", but "not an old woman", "not old or female".
    """
    before = state.entries[index - 1]
    if state.pending is not None:
        return state.unknown_words > 0 and before.kind is Kind.LINK
    at = index - 2 if separates(before) else index - 1
    return state.entries[at].kind is not Kind.TRAIT or state.levels[at] > 0.0


def _modifies_change(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a pace is that of a turn: "fear slowly turns into relief", "gives way, slowly, to"."""
    before = entries[index - 2 if entries[index - 1] is COMMA else index - 1]
    return any(entry.kind in (Kind.LEFT, Kind.FADING) for entry in (before, entries[index + 1]))


def _covered(state: ScopeState) -> bool:
    """Return whether a negation covers something that is no feeling. It reaches over it, an intensity does
    not.
    """
    denied = state.pending == 0.0 or state.carried == 0.0
    state.pending, state.carried, state.last = None, 0.0 if denied else None, None
    state.gap += 1
    return denied


def origin(state: ScopeState, index: int, entry: Entry) -> None:
    """The name of an accent: one right before a person or a voice, else a word that means nothing."""
    following = state.entries[index + 1]
    personal = following.kind is Kind.TRAIT and following.name in _PERSONAL
    if not personal and following.form is not Form.PERSON:
        state.roles[index] = ""
        state.unknown(index, entry)
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


def subject(state: ScopeState, index: int, entry: Entry) -> None:
    """A pronoun: it begins a clause, which ends what is governed, but for what governs that clause."""
    if state.pending == 0.0 and _opens_clause(state.entries, index):
        state.gap += 1
    else:
        state.other(index, entry)


def _opens_clause(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a subject stands right behind what governs its clause: "if he is angry", "nor is he"."""
    for entry in (entries[index - 1], entries[index - 2]):
        if entry.kind in (Kind.UNREAL, Kind.CONDITION) or entry.form is Form.CLAUSAL:
            return True
        if entry.kind not in (Kind.LINK, Kind.PASSING):
            return False
    return False


def comma(state: ScopeState, index: int, entry: Entry) -> None:
    """A comma: only a list that is closed later goes on behind it."""
    if state.pending is not None:
        _end_pending(state, index)
    if state.hedged != index - 1:  # "perhaps, sad"
        state.hedged = -FRONTED - 1
    state.unknown_words = 0
    if state.carried is not None and not state.is_closed(index):
        state.carried = None
    state.parted = True


def conjunction(state: ScopeState, index: int, entry: Entry) -> None:
    """The words "and" and "or": what governs a list reaches over them, a negation not over every "and"."""
    if state.pending is not None:
        _end_pending(state, index)
    if state.carried == 0.0 and _ends_here(state, index, entry):
        state.carried = None
    state.last = None
    state.unknown_words = 0
    state.parted = False


def _end_pending(state: ScopeState, index: int) -> None:
    """End what waits for its word, but for an intensity that another one follows: "strong, clear anger"; not
    "a deep, sad voice".
    """
    entries = state.entries
    apart = entries[index - 1].form is Form.VOCAL and entries[index + 1].kind not in (
        Kind.INTENSITY,
        Kind.UNKNOWN,
    )
    if state.pending == 0.0 or apart or not leads_on(entries, index):
        state.pending = None


def _ends_here(state: ScopeState, index: int, entry: Entry) -> bool:
    """Return whether a negation does not reach over this "and", as it joins a new statement: "does not shout
    and sounds calm". Where the negation reached a word that means nothing, another may be a verb.
    """
    if entry.form is Form.OR or index == state.negation_end:
        return entry.form is not Form.OR
    following = state.entries[index + 1]
    return state.unknown_words > 0 if following is UNKNOWN else following.form in (*COPULAS, Form.FINITE)


def intensity(state: ScopeState, index: int, entry: Entry) -> None:
    """A word such as "very": before its word, or as a predicate behind it."""
    before = state.entries[index - 1]
    if before.kind is Kind.LINK:
        before = state.entries[index - 2]
    outer = state.pending
    if outer is None and state.carried == 0.0 and before.form is Form.OR:
        outer = 0.0  # "without a hint of anger or a trace of fear"
    level = entry.level if outer is None else _combined(outer, entry.level)
    if state.last is not None and _is_predicate(state.entries, index):
        if state.levels[state.last] and level != MODERATE:  # "slight fear is evident"
            state.grade(state.last, level or SLIGHT)  # "the anger is not strong"
        state.pending = state.carried = state.last = None
    else:
        state.pending, state.carried = level, None


def _combined(outer: float, inner: float) -> float:
    """Return the level of one intensity upon another: a weak one weakens, else the stronger counts."""
    return min(outer, inner) if min(outer, inner) < MODERATE else max(outer, inner)


def _is_predicate(entries: Sequence[Entry], index: int) -> bool:
    """Return whether an intensity says how strong the feeling before it is: "the fear is strong and …"."""
    if entries[index - 1].form in COPULAS:
        return entries[index + 1].kind not in (Kind.EMOTION, Kind.LINK)
    if entries[index].form is Form.VOCAL and separates(entries[index - 1]):  # "a malevolent, low voice"
        return False
    return ends_clause(entries, index)


def after(state: ScopeState, index: int, entry: Entry) -> None:
    """Words behind a feeling that say how strong it is; at the head of a sentence they wait for one."""
    if state.last is None and state.group and state.gap <= 1 and _is_addition(state.entries, index):
        state.last = state.group[-1]
    if state.last is not None:
        if state.levels[state.last]:
            state.grade(state.last, entry.level)
        state.pending = state.carried = state.last = None
    else:
        state.other(index, entry)
        state.fronted = index, entry.level


def _is_addition(entries: Sequence[Entry], index: int) -> bool:
    """Return whether an intensity is added at the end of a sentence: "a proud man, and extremely so."."""
    return separates(entries[index - 1]) and entries[index + 1].kind is Kind.STOP


def rating(state: ScopeState, index: int, entry: Entry) -> None:
    """A number: how strong the feeling before it is."""
    if state.last is None:
        state.other(index, entry)
    else:
        state.role = NEGATED
        state.set_level(state.last, entry.level if state.levels[state.last] else 0.0)
        state.pending = state.carried = state.last = None


def hedge(state: ScopeState, index: int, entry: Entry) -> None:
    """Words such as "perhaps": the next feeling is one level lower, never below slight."""
    state.hedged = index


def compare(state: ScopeState, index: int, entry: Entry) -> None:
    """The words "more" and "less"."""
    state.comparison, state.compared = entry, None
    if entry.kind is Kind.LESS and state.pending != 0.0:
        of_attribute = state.entries[index + 1].kind is Kind.ATTRIBUTE
        state.pending, state.carried = 0.0 if of_attribute else SLIGHT, None


def than(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "than": what stands behind it is one level lower, or not there."""
    first, comparison, last = state.compared, state.comparison, state.last
    state.rest()
    state.gap += 1
    state.comparison = state.compared = None
    second = next_emotion(state.entries, index)
    first = first if first is not None else last
    more = comparison is not None and comparison.kind is Kind.MORE
    comparative = last is not None and state.entries[last].form is Form.COMPARATIVE
    if comparison is not None and first is None and state.entries[index - 1] is comparison:
        state.pending = STRONG if more else 0.0  # "more than happy", "less than happy"
    elif second is not None and (more or comparative):
        level = MODERATE if first is None else state.levels[first]
        state.pending = max(SLIGHT, level - STEP) if level else None
    elif comparison is not None and not more and first is not None:
        state.grade(first, 0.0 if second is None else SLIGHT)


_HANDLERS: dict[Kind, Callable[[ScopeState, int, Entry], object] | None] = {
    **DENIAL_HANDLERS,
    **OTHERS_HANDLERS,
    Kind.UNKNOWN: ScopeState.unknown,
    Kind.BREAKING: ScopeState.other,
    Kind.INERT: ScopeState.other,
    Kind.SUBJECT: subject,
    Kind.STOP: ScopeState.stop,
    Kind.EMOTION: emotion,
    Kind.BURST: thing,
    Kind.TRAIT: thing,
    Kind.ORIGIN: origin,
    Kind.ATTRIBUTE: attribute,
    Kind.QUALITY: lambda state, *_: _covered(state),
    Kind.INTENSITY: intensity,
    Kind.AFTER: after,
    Kind.RATING: rating,
    Kind.HEDGE: hedge,
    Kind.MORE: compare,
    Kind.LESS: compare,
    Kind.THAN: than,
    Kind.COMMA: comma,
    Kind.LINK: None,
    Kind.NAMING: None,
    Kind.PASSING: ScopeState.passing,
    Kind.CONJUNCTION: conjunction,
}
