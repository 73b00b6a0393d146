"""Scope of what takes feelings back: negations, hypotheses ("if", "would be", "talks about"), and changes
("from fear to relief", "gives way to").
"""

from collections.abc import Callable, Sequence

from budew.captions.phrases import COMMA, QUESTION, UNKNOWN, Entry, Form, Kind
from budew.captions.scope_state import (
    ADVERBS,
    BESIDE,
    CONJUNCTION,
    NEGATED,
    NOT_EXPRESSED,
    PAST,
    SAYING,
    STRONG,
    SUBJECT,
    TURN,
    ScopeState,
    ends_clause,
    next_emotion,
)

_SENTENCE = 12
"""Entries on each side among which "if" says on what something depends."""
_PAST = 3
"""Entries before a feeling among which "was" says that it was."""
_CLOSING = 7
"""Entries behind "not" in which the comma comes that ends an aside."""
_SINGULAR = ("is ", "was ", "seems ", "sounds ", "rings ")
"""Beginnings of what is said of one feeling."""


def negation(state: ScopeState, index: int, entry: Entry) -> None:
    """A negation: of what comes, of what its clause ends with, or of the sentence before."""
    following = state.entries[index + 1]
    if state.group and entry.form is Form.ELLIPTIC and _stands_behind(state, index):  # "but anger is not"
        state.withdraw(NEGATED, within=SUBJECT, parted=True)
    elif entry.form is Form.PREFIX and following.kind not in SAYING:
        state.other(index, entry)  # "non-verbal"
    elif index == state.begun and state.before and _is_rejection(state.entries, index):
        state.group = state.before
        state.withdraw(NEGATED, within=SUBJECT)
    else:
        last = state.last if following.kind is Kind.INTENSITY else None
        if entry.form is Form.NOBODY:
            state.negation_end = _end_of_denied_action(state.entries, index)
        elif entry.form is Form.ELLIPTIC or (state.group and state.levels[state.group[-1]]):
            state.negation_end = _end_of_aside(state.entries, index)
        state.govern(0.0)
        state.last = last


def _stands_behind(state: ScopeState, index: int) -> bool:
    """Return whether a negation denies what stands before it, as it ends its clause."""
    following = state.entries[index + 1].kind
    return following not in (Kind.BREAKING, Kind.SUBJECT) and ends_clause(state.entries, index)


def _is_rejection(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a negation answers the question before it: "Proud? Hardly.", "Angry? No, hurt."."""
    if entries[index - 1] is not QUESTION:
        return False
    for at in range(index + 1, index + 1 + BESIDE):
        entry = entries[at]
        if entry.kind not in (Kind.LINK, Kind.INTENSITY):
            return entry.kind in (Kind.COMMA, Kind.STOP, Kind.BREAKING)
    return False


def _end_of_aside(entries: Sequence[Entry], index: int) -> int | None:
    """Return the "and" that goes on behind an aside: "happy, not sad, and proud"."""
    if entries[index - 1] is not COMMA:
        return None
    for at in range(index + 1, index + _CLOSING):
        if entries[at] is COMMA:
            return at + 1 if _is_and(entries[at + 1]) else None
    return None


def _end_of_denied_action(entries: Sequence[Entry], index: int) -> int | None:
    """Return the "and" behind what nobody does: "sad that nobody came, and cries"."""
    for at in range(index + 1, index + _CLOSING):
        if _is_and(entries[at]):
            return at
        if entries[at].kind is Kind.EMOTION:
            return None
    return None


def _is_and(entry: Entry) -> bool:
    return entry.kind is CONJUNCTION and entry.form is not Form.OR


def peak(state: ScopeState, index: int, entry: Entry) -> None:
    """Words such as "never" and "couldn't be": a negation, but "never sounded happier" is very happy."""
    following = next_emotion(state.entries, index)
    if following is not None and state.entries[following].form is Form.COMPARATIVE:
        state.govern(STRONG)
    else:
        negation(state, index, entry)


def unreal(state: ScopeState, index: int, entry: Entry) -> None:
    """Before what is feigned, or only thought of."""
    state.govern(0.0, NOT_EXPRESSED)


def conditional(state: ScopeState, index: int, entry: Entry) -> None:
    """Words such as "would be": unreal where the sentence says on what it depends, "angry if he knew"."""
    if _depends(state.entries, index):
        unreal(state, index, entry)
    else:
        state.passing(index, entry)


def _depends(entries: Sequence[Entry], index: int) -> bool:
    """Return whether the sentence has an "if" that concedes nothing, near by."""
    for step in (1, -1):
        for at in range(index + step, index + step * (_SENTENCE + 1), step):
            if entries[at].kind is Kind.STOP:
                break
            if entries[at].kind is Kind.CONDITION and not _is_concession(entries, at):
                return True
    return False


def condition(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "if"."""
    if index > state.begun and _is_concession(state.entries, index):
        state.rest()
    else:
        unreal(state, index, entry)


def _is_concession(entries: Sequence[Entry], index: int) -> bool:
    """Return whether "if" concedes something: "happy, if a bit tired", "cheerful if tired", "proud, if
    sad to a small extent".
    """
    before, behind = entries[index - 1], entries[index + 1]
    if behind.kind is Kind.LINK:  # "a bit"
        behind = entries[index + 2]
    if before is COMMA:
        return behind.kind is Kind.INTENSITY or entries[index + 2].kind is Kind.AFTER
    return before.kind in SAYING and behind.kind in (Kind.INTENSITY, Kind.EMOTION)


def topic(state: ScopeState, index: int, entry: Entry) -> None:
    """Before what is spoken of; behind a feeling stands its cause: "happy about"."""
    if state.entries[index - 1].kind is Kind.EMOTION or _is_manner(state.entries, index):
        state.other(index, entry)
    else:
        unreal(state, index, entry)


def _is_manner(entries: Sequence[Entry], index: int) -> bool:
    """Return whether what stands behind a topic is no part of it: "talks about the weather angrily"."""
    unknown_words = False
    for entry in entries[index + 1 : index + 1 + BESIDE]:
        if entry.kind is Kind.EMOTION:
            return unknown_words and entry.form in ADVERBS
        unknown_words = unknown_words or entry is UNKNOWN
    return False


def content(state: ScopeState, index: int, entry: Entry) -> None:
    """What is read or sung, or any other thing: a feeling right before it is its own, "a sad poem",
    "a pain clinic", but not in "a delighted party voice".
    """
    before, following = state.entries[index - 1], state.entries[index + 1]
    is_felt = before.kind is Kind.EMOTION and before.form not in ADVERBS
    if is_felt and following.form is not Form.PERSON:
        state.withdraw(NOT_EXPRESSED, within=0)
    else:
        state.unknown(index, entry)


def absent(state: ScopeState, index: int, entry: Entry) -> None:
    """Words behind a feeling that say that it is not there; a singular verb says it of one feeling: "he is
    dismayed, and the cheer is put on".
    """
    if entry.phrase.startswith(_SINGULAR):
        state.group = state.group[-1:]
    state.withdraw(NEGATED, within=0)


def leaving(state: ScopeState, index: int, entry: Entry) -> None:
    """Before what is left behind."""
    state.govern(0.0, PAST)


def left(state: ScopeState, index: int, entry: Entry) -> None:
    """A verb behind what is left behind, with words in between: "fear … gives way to". What comes has to be a
    feeling: "amused, breaking into giggles" leaves nothing behind.
    """
    if not _has_target(state.entries, index):
        state.other(index, entry)
        return
    if not state.group and index - state.begun <= 2:  # "Then fear. This gives way to relief."
        state.group = state.before
    reaches = entry.form is Form.PARTICIPLE and _is_attached(state.entries, index)
    state.withdraw(PAST, within=1 if reaches else SUBJECT, parted=reaches)


def _has_target(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a feeling comes behind a verb that leaves one behind, or its clause ends there."""
    if entries[index + 1].kind is Kind.STOP:
        return True
    for at in range(index + 1, index + 1 + TURN):
        if entries[at].kind is Kind.EMOTION:
            return True
        if entries[at].kind is Kind.STOP:
            return False
    return False


def _is_attached(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a participle belongs to a feeling: "surprise, quickly replaced by doubt"; not in "a sad
    voice, turning into a whisper".
    """
    comma = next((at for at in (index - 1, index - 2) if entries[at] is COMMA), None)
    return comma is not None and entries[comma - 1].kind in (Kind.EMOTION, Kind.AFTER)


def fading(state: ScopeState, index: int, entry: Entry) -> None:
    """A verb right behind what is left behind, or behind its place: "the fear in her voice fades"."""
    entries = state.entries
    placed = entries[index - 1].form is Form.PERSON and entries[index - 4].kind is Kind.EMOTION
    perfect = entry.phrase.startswith(
        ("has ", "have ", "had ", "(has|")
    )  # "the joy of the first words has faded"
    state.withdraw(PAST, within=SUBJECT if perfect else 2 if placed else 0)


def now(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "now": what was, is left behind: "He was angry; he is now calm", "… Now he is …"."""
    resumed = state.entries[state.begun].kind in (Kind.SUBJECT, Kind.NOW, Kind.BREAKING, Kind.PASSING)
    same = state.entries[index - 1].kind is not Kind.EMOTION
    for group in (state.before if resumed else [], state.group if same else []):
        if group and _is_past(state.entries, group[0]):
            for at in group:
                state.levels[at], state.roles[at] = 0.0, PAST
            group.clear()
    state.passing(index, entry)


def _is_past(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a feeling stands behind "was"."""
    return any(entries[at].form is Form.PAST for at in range(index - _PAST, index))


def start(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "from"."""
    if state.leads_to(index):
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
    """The word "too"; at the end of a clause it means "also"."""
    if not ends_clause(state.entries, index):
        state.excess = index


HANDLERS: dict[Kind, Callable[[ScopeState, int, Entry], object] | None] = {
    Kind.NEGATION: negation,
    Kind.PEAK: peak,
    Kind.ABSENT: absent,
    Kind.UNREAL: unreal,
    Kind.CONDITIONAL: conditional,
    Kind.CONDITION: condition,
    Kind.TOPIC: topic,
    Kind.CONTENT: content,
    Kind.LEAVING: leaving,
    Kind.LEFT: left,
    Kind.FADING: fading,
    Kind.NOW: now,
    Kind.FROM: start,
    Kind.TO: end,
    Kind.EXCESS: too,
}
