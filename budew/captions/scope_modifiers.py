"""Scope of what modifies: intensities, negations, hedges, conditions, changes ("from fear to relief"),
comparisons.
"""

from collections.abc import Sequence

from budew.captions.phrases import Entry, Form, Kind
from budew.captions.scope_state import (
    BESIDE,
    COMMA,
    CONJUNCTION,
    COPULAS,
    DENIED,
    LEFT_BEHIND,
    MODERATE,
    NOT_FELT,
    QUESTION,
    SLIGHT,
    STEP,
    STRONG,
    SUBJECT,
    TURN,
    Item,
    ScopeState,
    ends_clause,
    entry_at,
    entry_before,
    is_adverb,
    is_form,
    is_kind,
    next_emotion,
    says_something,
)

_SENTENCE = 12
"""Items on each side among which "if" says on what something _depends."""
_PAST = 3
"""Items before a feeling among which "was" says that it was."""
_CLOSING = 7
"""Items behind "not" in which the comma comes that ends an aside."""


def intensity(state: ScopeState, index: int, entry: Entry) -> None:
    """A word such as "very": before its word, or as a predicate behind it."""
    outer = state.pending
    if outer is None and state.carried == 0.0 and is_form(entry_before(state.items, index), Form.OR):
        outer = 0.0  # "without a hint of anger or a trace of fear"
    level = entry.level if outer is None else _combined(outer, entry.level)
    if state.last is not None and _is_predicate(state.items, index):
        if state.levels[state.last]:
            state.set_level(state.last, level or SLIGHT)  # "the anger is not strong"
        state.pending = state.carried = state.last = None
    else:
        state.pending, state.carried = level, None


def after(state: ScopeState, index: int, entry: Entry) -> None:
    """Words behind a feeling that say how strong it is; at the head of a sentence they wait for one."""
    if state.last is not None:
        state.set_level(state.last, entry.level if state.levels[state.last] else 0.0)
        state.pending = state.carried = state.last = None
    else:
        state.other(index, entry)
        state.fronted = index, entry.level


def rating(state: ScopeState, index: int, entry: Entry) -> None:
    """A number: how strong the feeling before it is."""
    if state.last is None:
        state.other(index, entry)
    else:
        state.role = DENIED
        after(state, index, entry)


def negation(state: ScopeState, index: int, entry: Entry) -> None:
    """A negation: of what comes, of what its clause ends with, or of the sentence before."""
    if state.group and entry.form is Form.ELLIPTIC and _stands_behind(state, index):  # "but anger is not"
        state.withdraw(DENIED, within=SUBJECT, parted=True)
    elif entry.form is Form.PREFIX and not says_something(entry_at(state.items, index + 1)):
        state.other(index, entry)  # "non-verbal"
    elif index == state.begun and state.before and _is_rejection(state.items, index):
        state.group = state.before
        state.withdraw(DENIED, within=SUBJECT)
    else:
        last = state.last if state.comes(index, Kind.INTENSITY) else None
        if entry.form is Form.NOBODY:
            state.negation_end = _end_of_denied_action(state.items, index)
        elif entry.form is Form.ELLIPTIC or (state.group and state.levels[state.group[-1]]):
            state.negation_end = _end_of_aside(state.items, index)
        state.govern(0.0)
        state.last = last


def _stands_behind(state: ScopeState, index: int) -> bool:
    """Return whether a negation denies what stands before it, as it ends its clause."""
    following = entry_at(state.items, index + 1)
    return (
        not is_kind(following, Kind.BREAKING)
        and not is_kind(following, Kind.SUBJECT)
        and ends_clause(state.items, index)
    )


def peak(state: ScopeState, index: int, entry: Entry) -> None:
    """Words such as "never" and "couldn't be": a negation, but "never sounded happier" is very happy."""
    following = next_emotion(state.items, index)
    if following is not None and is_form(state.items[following][2], Form.COMPARATIVE):
        state.govern(STRONG)
    else:
        negation(state, index, entry)


def unreal(state: ScopeState, index: int, entry: Entry) -> None:
    """Before what is feigned, or only thought of."""
    state.govern(0.0, NOT_FELT)


def conditional(state: ScopeState, index: int, entry: Entry) -> None:
    """Words such as "would be": unreal where the sentence says on what it _depends, "angry if he knew"."""
    if _depends(state.items, index):
        unreal(state, index, entry)
    else:
        state.passing(index, entry)


def condition(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "if"."""
    if index > state.begun and _is_concession(state.items, index):
        state.rest()
    else:
        unreal(state, index, entry)


def topic(state: ScopeState, index: int, entry: Entry) -> None:
    """Before what is spoken of; behind a feeling stands its cause: "happy about"."""
    if state.is_emotion(index - 1) or _is_manner(state.items, index):
        state.other(index, entry)
    else:
        unreal(state, index, entry)


def content(state: ScopeState, index: int, entry: Entry) -> None:
    """What is read or sung: a feeling right before it is its own, "a sad poem"."""
    before = state.items[index - 1][2] if index else None
    if is_kind(before, Kind.EMOTION) and not is_adverb(before):
        state.withdraw(NOT_FELT, within=0)
    else:
        state.unknown(index, None)


def absent(state: ScopeState, index: int, entry: Entry) -> None:
    """Words such as "is absent": they deny the feeling right before them."""
    state.withdraw(DENIED, within=0)


def hedge(state: ScopeState, index: int, entry: Entry) -> None:
    """Words such as "perhaps": the next feeling is one level lower, never below slight."""
    state.hedged = index


def _combined(outer: float, inner: float) -> float:
    """Return the level of one intensity upon another: a weak one weakens, else the stronger counts."""
    return min(outer, inner) if min(outer, inner) < MODERATE else max(outer, inner)


def leaving(state: ScopeState, index: int, entry: Entry) -> None:
    """Before what is left behind."""
    state.govern(0.0, LEFT_BEHIND)


def fading(state: ScopeState, index: int, entry: Entry) -> None:
    """Right behind what is left behind."""
    state.withdraw(LEFT_BEHIND, within=0)


def left(state: ScopeState, index: int, entry: Entry) -> None:
    """A verb behind what is left behind, with words in between: "fear … gives way to"."""
    if not state.group and index - state.begun <= 2:  # "Then fear. This gives way to relief."
        state.group = state.before
    reaches = entry.form is Form.PARTICIPLE and _is_attached(state.items, index)
    state.withdraw(LEFT_BEHIND, within=1 if reaches else SUBJECT, parted=reaches)


def now(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "now": what was, is left behind: "He was angry; he is now calm"."""
    resumed = _is_resumption(state.items, state.begun)
    same = not state.is_emotion(index - 1)
    for group in (state.before if resumed else [], state.group if same else []):
        if group and _is_past(state.items, group[0]):
            for at in group:
                state.levels[at], state.roles[at] = 0.0, LEFT_BEHIND
            group.clear()
    state.passing(index, entry)


def start(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "from"."""
    if state.ahead[index]:
        leaving(state, index, entry)
        state.turning = index
    else:
        state.other(index, entry)


def end(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "to", which without a "from" or a "too" before it is any word."""
    if index - state.excess <= BESIDE:  # "too tired to be angry"
        state.govern(0.0)
    elif state.turning >= 0:
        state.rest()
        state.group.clear()
        state.turning = -TURN
    elif entry.form is Form.BE:
        state.passing(index, entry)


def too(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "too"."""
    state.excess = index


def compare(state: ScopeState, index: int, entry: Entry) -> None:
    """The words "more" and "less"."""
    state.comparison, state.compared = entry, None
    if entry.kind is Kind.LESS and state.pending != 0.0:
        state.pending, state.carried = 0.0 if state.comes(index, Kind.ATTRIBUTE) else SLIGHT, None


def than(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "than": what stands behind it is one level lower, or not there."""
    first, comparison, last = state.compared, state.comparison, state.last
    state.rest()
    state.gap += 1
    state.comparison = state.compared = None
    second = next_emotion(state.items, index)
    first = first if first is not None else last
    more = comparison is not None and comparison.kind is Kind.MORE
    if comparison is not None and first is None and state.items[index - 1][2] is comparison:
        state.pending = STRONG if more else 0.0  # "more than happy", "less than happy"
    elif second is not None and (more or _is_comparative(state, last)):
        level = MODERATE if first is None else state.levels[first]
        state.pending = max(SLIGHT, level - STEP) if level else None
    elif comparison is not None and comparison.kind is Kind.LESS and first is not None:
        state.set_level(first, 0.0 if second is None else SLIGHT)


def _is_comparative(state: ScopeState, index: int | None) -> bool:
    return index is not None and is_form(state.items[index][2], Form.COMPARATIVE)


def _is_predicate(items: Sequence[Item], index: int) -> bool:
    """Return whether an intensity says how strong the feeling before it is: "the fear is strong and …"."""
    before = items[index - 1][2]
    if before is not None and before.form in COPULAS:
        of = entry_at(items, index + 1)
        return not is_kind(of, Kind.EMOTION) and not is_kind(of, Kind.LINK)
    return ends_clause(items, index)


def _is_concession(items: Sequence[Item], index: int) -> bool:
    """Return whether "if" concedes something: "happy, if a bit tired", "cheerful if tired"."""
    before, behind = entry_at(items, index - 1), entry_at(items, index + 1)
    said = says_something(before)
    if is_kind(behind, Kind.LINK):  # "a bit"
        behind = entry_at(items, index + 2)
    if is_kind(behind, Kind.INTENSITY):
        return said or before is COMMA
    return said and is_kind(behind, Kind.EMOTION)


def _depends(items: Sequence[Item], index: int) -> bool:
    """Return whether the sentence has an "if" that concedes nothing, near by."""
    for step in (1, -1):
        for at in range(index + step, index + step * (_SENTENCE + 1), step):
            entry = entry_at(items, at)
            if is_kind(entry, Kind.STOP):
                break
            if is_kind(entry, Kind.CONDITION) and not _is_concession(items, at):
                return True
    return False


def _is_attached(items: Sequence[Item], index: int) -> bool:
    """Return whether a participle belongs to a feeling: "surprise, quickly replaced by doubt"; not in "a sad
    voice, turning into a whisper".
    """
    comma = next((at for at in (index - 1, index - 2) if entry_at(items, at) is COMMA), None)
    before = None if comma is None else entry_at(items, comma - 1)
    return is_kind(before, Kind.EMOTION) or is_kind(before, Kind.AFTER)


def _is_resumption(items: Sequence[Item], begun: int) -> bool:
    """Return whether a sentence goes on about the same person: "He was angry; he is …", "… Now he is …"."""
    entry = entry_at(items, begun)
    return entry is not None and entry.kind in (Kind.SUBJECT, Kind.NOW, Kind.BREAKING, Kind.PASSING)


def _is_rejection(items: Sequence[Item], index: int) -> bool:
    """Return whether a negation answers the question before it: "Proud? Hardly.", "Angry? No, hurt."."""
    if entry_at(items, index - 1) is not QUESTION:
        return False
    for at in range(index + 1, index + 1 + BESIDE):
        entry = entry_at(items, at)
        if entry is None or entry is COMMA or entry.kind not in (Kind.LINK, Kind.INTENSITY):
            return entry is not None and (entry is COMMA or entry.kind in (Kind.STOP, Kind.BREAKING))
    return False


def _end_of_aside(items: Sequence[Item], index: int) -> int | None:
    """Return the "and" that goes on behind an aside: "happy, not sad, and proud"."""
    if entry_at(items, index - 1) is not COMMA:
        return None
    for at in range(index + 1, min(index + _CLOSING, len(items))):
        if items[at][2] is COMMA:
            behind = entry_at(items, at + 1)
            return at + 1 if is_kind(behind, CONJUNCTION) and not is_form(behind, Form.OR) else None
    return None


def _end_of_denied_action(items: Sequence[Item], index: int) -> int | None:
    """Return the "and" behind what nobody does: "sad that nobody came, and cries"."""
    for at in range(index + 1, min(index + _CLOSING, len(items))):
        entry = items[at][2]
        if is_kind(entry, CONJUNCTION) and not is_form(entry, Form.OR):
            return at
        if is_kind(entry, Kind.EMOTION):
            return None
    return None


def _is_manner(items: Sequence[Item], index: int) -> bool:
    """Return whether what stands behind a topic is no part of it: "talks about the weather angrily"."""
    unknown_words = 0
    for at in range(index + 1, min(index + 1 + BESIDE, len(items))):
        entry = items[at][2]
        unknown_words += entry is None
        if entry is not None and entry.kind is Kind.EMOTION:
            return unknown_words > 0 and is_adverb(entry)
    return False


def _is_past(items: Sequence[Item], index: int) -> bool:
    """Return whether a feeling stands behind "was"."""
    return any(is_form(items[at][2], Form.PAST) for at in range(max(0, index - _PAST), index))
