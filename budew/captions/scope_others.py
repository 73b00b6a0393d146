"""Scope of what is said of somebody else: "talks to a crying child", "her angry husband", "his daughter was
scared". It is no part of the voice that is described.
"""

from collections.abc import Callable, Sequence

from budew.captions.phrases import COMMA, UNKNOWN, Entry, Form, Kind
from budew.captions.scope_state import ADVERBS, COPULAS, TURN, ScopeState

_PERSONAL = ("gender", "age")
_CLAUSE = 12
"""Entries over which a clause about somebody else reaches."""
_BEFORE_NOUN = frozenset((Kind.LINK, Kind.INTENSITY, Kind.CONJUNCTION, Kind.HEDGE, Kind.COMMA))
_ADJECTIVES = frozenset((Kind.EMOTION, Kind.INTENSITY, Kind.CONJUNCTION, Kind.COMMA))
_NOUNS = frozenset((Kind.UNKNOWN, Kind.CONTENT, Kind.OTHERS))


def addressing(state: ScopeState, index: int, entry: Entry) -> None:
    """Before somebody else, with what is felt: "talks to a crying child", "quotes a man who was furious"."""
    noun = _noun_behind(state.entries, index)
    if noun is None:
        state.unknown(index, UNKNOWN)
    else:
        state.other(index, entry)
        state.foreign = _clause_end(state.entries, noun + 1) if _is_who(state.entries[noun + 1]) else noun


def _noun_behind(entries: Sequence[Entry], index: int) -> int | None:
    """Return where the noun stands to which a verb leads, through the feelings that are said of it."""
    feeling = False
    for at in range(index + 1, index + 1 + TURN):
        entry = entries[at]
        if entry.kind is Kind.EMOTION and entry.form not in ADVERBS:
            feeling = True
        elif entry.kind is Kind.TRAIT and entry.name in _PERSONAL:
            if entries[at + 1].kind is not Kind.TRAIT and entries[at + 1].kind not in _NOUNS:
                return None if entries[at + 1].form is Form.PERSON else at
        elif entry.kind in _NOUNS:
            is_felt = feeling and entries[at - 1].kind in (Kind.EMOTION, Kind.TRAIT)
            return at if is_felt or _is_who(entries[at + 1]) else None
        elif entry.kind not in _BEFORE_NOUN or (entry is COMMA and not feeling):
            return None
    return None


def _is_who(entry: Entry) -> bool:
    return entry.kind is Kind.BREAKING and entry.phrase == "who"


def _clause_end(entries: Sequence[Entry], index: int) -> int:
    """Return the last entry of a clause about somebody else."""
    for at in range(index, index + _CLAUSE):
        following = entries[at + 1]
        if following is COMMA or following.kind in (Kind.STOP, Kind.SUBJECT, Kind.NAMING):
            return at
        if following.kind is Kind.BREAKING and not _is_who(following):
            return at
    return index + _CLAUSE


def others(state: ScopeState, index: int, entry: Entry) -> None:
    """Somebody else: what stands between a possessive and the noun ("her angry husband"), and what the noun
    is said to be ("his daughter was scared").
    """
    if entry.form is not Form.OWNED:
        if not is_of_others(state, index):
            state.unknown(index, UNKNOWN)
            return
    elif (*COPULAS, Form.FINITE).count(state.entries[index + 1].form):
        state.foreign = _clause_end(state.entries, index)
    state.other(index, entry)


def is_of_others(state: ScopeState, index: int) -> bool:
    """Return whether a noun is that of somebody else, and take away what stands between it and the possessive
    before it: "her angry husband", but not "her angry female voice".
    """
    if index <= state.foreign:
        return True
    entries = state.entries
    if entries[index - 1].kind is not Kind.EMOTION or entries[index + 1].form is Form.PERSON:
        return False
    at = index - 1
    while at > index - TURN and entries[at].kind in _ADJECTIVES:
        at -= 1
    if entries[at].form is not Form.POSSESSIVE:
        return False
    for between in range(at + 1, index):
        if entries[between].kind is Kind.EMOTION:
            state.take_away(between)
    state.group = []
    return True


HANDLERS: dict[Kind, Callable[[ScopeState, int, Entry], object] | None] = {
    Kind.ADDRESSING: addressing,
    Kind.OTHERS: others,
}
