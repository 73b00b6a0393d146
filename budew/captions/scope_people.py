"""Scope rules for statements about the speaker, the voice and other people.

Bursts, traits and voice attributes are present unless they are denied. Emotions of other people do not count:
"talks to a crying child", "her angry husband", "his daughter was scared".
"""

from budew.captions.phrases import COMMA, PERSONAL, UNKNOWN, Entry, Form, Kind
from budew.captions.scope_state import ADVERBS, COPULAS, NOT_EXPRESSED, PAST, Rule, ScopeState, separates

_FAR = 0.75
"""From this intensity on, a voice attribute is at its pole and not just near it."""
_NEAR = 8
"""Most entries between a verb or possessive and the noun for another person."""
_CLAUSE = 12
"""Most entries of a clause about somebody else."""
_BEFORE_NOUN = frozenset((Kind.LINK, Kind.INTENSITY, Kind.CONJUNCTION, Kind.HEDGE, Kind.COMMA))
_ADJECTIVES = frozenset((Kind.EMOTION, Kind.INTENSITY, Kind.CONJUNCTION, Kind.COMMA))
_NOUNS = frozenset((Kind.UNKNOWN, Kind.CONTENT, Kind.OTHERS))


# Bursts, traits and voice attributes.


def burst_or_trait(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a burst or a trait; it ends the scope of a hedge. A sound or person after "from", and a person
    after "about", count, although an emotion would not; `speaker` decides later who speaks.
    """
    state.hedge_until = -1
    state.levels[index] = 1.0
    is_person = entry.name in PERSONAL
    if is_person:
        is_of_others(state, index)
    if state.carried == 0.0 and is_person and _is_bystander(state, index):
        state.end_scope(index, entry)
    elif entry.name == "pace" and _is_of_turn(state, index):
        state.reject(index, "")
    elif skip_quality(state, index, entry):
        if state.role == PAST:
            stays = is_person or entry.kind is Kind.BURST
        else:
            stays = is_person and any(before.kind is Kind.TOPIC for before in state.preceding(index, 2))
        if not stays:
            state.reject(index, state.role)


def _is_of_turn(state: ScopeState, index: int) -> bool:
    """Return whether a pace describes a change: "fear slowly turns into relief", "gives way, slowly, to"."""
    first, second = state.preceding(index, 2)
    beside = second if first is COMMA else first, state.entries[index + 1]
    return any(entry.kind in (Kind.LEFT, Kind.FADING) for entry in beside)


def _is_bystander(state: ScopeState, index: int) -> bool:
    """Return whether a negation denies an emotion or action, and not the person after it: "not a happy
    woman", "without warning a woman"; False for "not an old woman" and "not old or female".
    """
    before = state.entries[index - 1]
    if state.pending is not None:
        return state.unknown_words > 0 and before.kind is Kind.LINK
    denied = index - 2 if separates(before) else index - 1
    return state.entries[denied].kind is not Kind.TRAIT or state.levels[denied] > 0.0


def skip_quality(state: ScopeState, index: int, entry: Entry) -> bool:
    """Handle a phrase that is not an emotion: it ends pending intensities, but not negations. Return whether
    it is denied.
    """
    denied = state.pending == 0.0 or state.carried == 0.0
    state.pending, state.carried, state.last = None, 0.0 if denied else None, None
    state.words_since_list += 1
    return denied


def origin(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a place name such as "German": an accent right before a person or voice, else unknown."""
    after = state.entries[index + 1]
    personal = after.kind is Kind.TRAIT and after.name in PERSONAL
    if not personal and after.form is not Form.PERSON:
        state.roles[index] = ""
        state.unknown_word(index, entry)
    elif state.pending == 0.0 and not state.unknown_words:
        state.roles[index] = state.role
    else:
        state.levels[index] = 1.0


def attribute(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a voice attribute: level 1 at a pole of its scale, 0.5 near it."""
    pending = state.pending
    burst_or_trait(state, index, entry)
    if state.levels[index]:
        state.levels[index] = 1.0 if pending is not None and pending >= _FAR else 0.5


# Of somebody else.


def addressing(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for words before another person, whose emotions do not count: "talks to a crying child", "quotes a
    man who was furious".
    """
    noun = _noun_after(state, index)
    if noun is None:
        state.unknown_word(index, UNKNOWN)
    else:
        state.end_scope(index, entry)
        has_clause = _is_who(state.entries[noun + 1])
        state.others_until = _clause_end(state, noun + 1) if has_clause else noun


def _noun_after(state: ScopeState, index: int) -> int | None:
    """Return the index of the noun after a verb, across emotion words before the noun, or None."""
    has_feeling = False
    for at in range(index + 1, index + 1 + _NEAR):
        before, entry, after = state.entries[at - 1 : at + 2]
        if entry.kind is Kind.EMOTION and entry.form not in ADVERBS:
            has_feeling = True
        elif entry.kind is Kind.TRAIT and entry.name in PERSONAL:
            if after.kind is not Kind.TRAIT and after.kind not in _NOUNS:
                return None if after.form is Form.PERSON else at
        elif entry.kind in _NOUNS:
            is_felt = has_feeling and before.kind in (Kind.EMOTION, Kind.TRAIT)
            return at if is_felt or _is_who(after) else None
        elif entry.kind not in _BEFORE_NOUN or (entry is COMMA and not has_feeling):
            return None
    return None


def _is_who(entry: Entry) -> bool:
    return entry.kind is Kind.BREAKING and entry.phrase == "who"


def _clause_end(state: ScopeState, index: int) -> int:
    """Return the index of the last entry of a clause about somebody else."""
    for at in range(index, index + _CLAUSE):
        after = state.entries[at + 1]
        if after is COMMA or after.kind in (Kind.STOP, Kind.SUBJECT, Kind.NAMING):
            return at
        if after.kind is Kind.BREAKING and not _is_who(after):
            return at
    return index + _CLAUSE


def others(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for another person: emotions between a possessive and the noun ("her angry husband"), or in the
    predicate of the noun ("his daughter was scared"), do not count.
    """
    if entry.form is not Form.OWNED:
        if not is_of_others(state, index):
            state.unknown_word(index, UNKNOWN)
            return
    elif state.entries[index + 1].form in (*COPULAS, Form.FINITE):
        state.others_until = _clause_end(state, index)
    state.end_scope(index, entry)


def is_of_others(state: ScopeState, index: int) -> bool:
    """Return whether a noun means somebody else, and if so, reject emotions between it and the possessive:
    "her angry husband", but not "her angry female voice".
    """
    if index <= state.others_until:
        return True
    if state.entries[index - 1].kind is not Kind.EMOTION or state.entries[index + 1].form is Form.PERSON:
        return False
    possessive = index - 1
    while possessive > index - _NEAR and state.entries[possessive].kind in _ADJECTIVES:
        possessive -= 1
    if state.entries[possessive].form is not Form.POSSESSIVE:
        return False
    for between in range(possessive + 1, index):
        if state.entries[between].kind is Kind.EMOTION:
            state.reject(between, NOT_EXPRESSED)
    state.listed = []
    return True


RULES: dict[Kind, Rule] = {
    Kind.BURST: burst_or_trait,
    Kind.TRAIT: burst_or_trait,
    Kind.ORIGIN: origin,
    Kind.ATTRIBUTE: attribute,
    Kind.QUALITY: skip_quality,
    Kind.ADDRESSING: addressing,
    Kind.OTHERS: others,
}
"""Kinds of phrases about people and voices, to their rules."""
