"""Scope of what does not count: feelings that are denied, imagined, left behind, or those of somebody else.

The last are "talks to a crying child", "her angry husband", "his daughter was scared": no part of the voice
that is described.
"""

from collections.abc import Sequence

from budew.captions.phrases import COMMA, PERSONAL, QUESTION, UNKNOWN, Entry, Form, Kind
from budew.captions.scope_state import (
    ADVERBS,
    BESIDE,
    CONJUNCTION,
    COPULAS,
    NEGATED,
    NOT_EXPRESSED,
    PAST,
    SAYING,
    STRONG,
    SUBJECT,
    TURN,
    Rule,
    ScopeState,
    ends_clause,
    following,
    next_emotion,
    preceding,
)

_IF = 12
"""Entries on each side among which "if" says on what something depends."""
_WAS = 3
"""Entries before a feeling among which "was" says that it is past."""
_CLOSING = 6
"""Entries after "not" in which the comma comes that ends an aside."""
_CLAUSE = 12
"""Entries that a clause about somebody else governs."""
_SINGULAR = ("is ", "was ", "seems ", "sounds ", "rings ")
"""Beginnings of what is said of one feeling."""
_PERFECT = ("has ", "have ", "had ", "(has|")
"""Beginnings of verbs that end a feeling wherever it was named: "the joy of the first words has faded"."""
_BEFORE_NOUN = frozenset((Kind.LINK, Kind.INTENSITY, Kind.CONJUNCTION, Kind.HEDGE, Kind.COMMA))
_ADJECTIVES = frozenset((Kind.EMOTION, Kind.INTENSITY, Kind.CONJUNCTION, Kind.COMMA))
_NOUNS = frozenset((Kind.UNKNOWN, Kind.CONTENT, Kind.OTHERS))


# Denied.


def negation(state: ScopeState, index: int, entry: Entry) -> None:
    """A negation: of what comes, of what its clause ends with, or of the sentence before."""
    after = state.entries[index + 1]
    if state.list and entry.form is Form.ELLIPTIC and _denies_before(state, index):  # "but anger is not"
        state.withdraw(NEGATED, within=SUBJECT, after_comma=True)
    elif entry.form is Form.PREFIX and after.kind not in SAYING:
        state.end_scope(index, entry)  # "non-verbal"
    elif index == state.sentence_start and state.previous_list and _is_answer(state.entries, index):
        state.list = state.previous_list
        state.withdraw(NEGATED, within=SUBJECT)
    else:
        last = state.last if after.kind is Kind.INTENSITY else None
        if entry.form is Form.NOBODY:
            state.negation_end = _end_of_denied_action(state.entries, index)
        elif entry.form is Form.ELLIPTIC or (state.list and state.levels[state.list[-1]]):
            state.negation_end = _end_of_aside(state.entries, index)
        state.govern(0.0)
        state.last = last


def _denies_before(state: ScopeState, index: int) -> bool:
    """Return whether a negation denies what stands before it, as it ends its clause."""
    after = state.entries[index + 1].kind
    return after not in (Kind.BREAKING, Kind.SUBJECT) and ends_clause(state.entries, index)


def _is_answer(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a negation answers the question before it: "Proud? Hardly.", "Angry? No, hurt."."""
    if entries[index - 1] is not QUESTION:
        return False
    for entry in following(entries, index, BESIDE):
        if entry.kind not in (Kind.LINK, Kind.INTENSITY):
            return entry.kind in (Kind.COMMA, Kind.STOP, Kind.BREAKING)
    return False


def _end_of_aside(entries: Sequence[Entry], index: int) -> int | None:
    """Return the "and" after an aside: "happy, not sad, and proud"."""
    if entries[index - 1] is not COMMA:
        return None
    for at in range(index + 1, index + 1 + _CLOSING):
        if entries[at] is COMMA:
            return at + 1 if _is_and(entries[at + 1]) else None
    return None


def _end_of_denied_action(entries: Sequence[Entry], index: int) -> int | None:
    """Return the "and" after what nobody does: "sad that nobody came, and cries"."""
    for at in range(index + 1, index + 1 + _CLOSING):
        if _is_and(entries[at]):
            return at
        if entries[at].kind is Kind.EMOTION:
            return None
    return None


def _is_and(entry: Entry) -> bool:
    return entry.kind is CONJUNCTION and entry.form is not Form.OR


def peak(state: ScopeState, index: int, entry: Entry) -> None:
    """Words such as "never" and "couldn't be": a negation, but "never sounded happier" is very happy."""
    emotion = next_emotion(state.entries, index)
    if emotion is not None and emotion.form is Form.COMPARATIVE:
        state.govern(STRONG)
    else:
        negation(state, index, entry)


def absent(state: ScopeState, index: int, entry: Entry) -> None:
    """Words after a feeling that say that it is not there; a singular verb says it of one feeling: "he is
    dismayed, and the cheer is put on".
    """
    if entry.phrase.startswith(_SINGULAR):
        state.list = state.list[-1:]
    state.withdraw(NEGATED, within=0)


def too(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "too": what comes after "to" is denied. At the end of a clause it means "also"."""
    if not ends_clause(state.entries, index):
        state.too_until = index + BESIDE


# Imagined, or spoken of.


def unreal(state: ScopeState, index: int, entry: Entry) -> None:
    """Words before what is feigned, or only thought of."""
    state.govern(0.0, NOT_EXPRESSED)


def conditional(state: ScopeState, index: int, entry: Entry) -> None:
    """Words such as "would be": unreal if the sentence says on what it depends, "angry if he knew"."""
    if _depends(state.entries, index):
        unreal(state, index, entry)
    else:
        state.passing(index, entry)


def _depends(entries: Sequence[Entry], index: int) -> bool:
    """Return whether the sentence has an "if" that concedes nothing, near by."""
    for places in (range(index + 1, index + 1 + _IF), range(index - 1, index - 1 - _IF, -1)):
        for at in places:
            if entries[at].kind is Kind.STOP:
                break
            if entries[at].kind is Kind.CONDITION and not _is_concession(entries, at):
                return True
    return False


def condition(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "if"."""
    if index > state.sentence_start and _is_concession(state.entries, index):
        state.govern_nothing()
    else:
        unreal(state, index, entry)


def _is_concession(entries: Sequence[Entry], index: int) -> bool:
    """Return whether "if" concedes something: "happy, if a bit tired", "cheerful if tired", "proud, if
    sad to a small extent".
    """
    before = entries[index - 1]
    first, second = following(entries, index, 2)
    after = second if first.kind is Kind.LINK else first  # "a bit"
    if before is COMMA:
        return after.kind is Kind.INTENSITY or second.kind is Kind.AFTER
    return before.kind in SAYING and after.kind in (Kind.INTENSITY, Kind.EMOTION)


def topic(state: ScopeState, index: int, entry: Entry) -> None:
    """Words before a topic; after a feeling they name its cause: "happy about"."""
    if state.entries[index - 1].kind is Kind.EMOTION or _manner_follows(state.entries, index):
        state.end_scope(index, entry)
    else:
        unreal(state, index, entry)


def _manner_follows(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a feeling is no part of the topic: "talks about the weather angrily"."""
    unknown_words = False
    for entry in following(entries, index, BESIDE):
        if entry.kind is Kind.EMOTION:
            return unknown_words and entry.form in ADVERBS
        unknown_words = unknown_words or entry is UNKNOWN
    return False


def content(state: ScopeState, index: int, entry: Entry) -> None:
    """What is read or sung, or any other thing: a feeling right before it is its own, "a sad poem",
    "a pain clinic", but not in "a delighted party voice".
    """
    before, after = state.entries[index - 1], state.entries[index + 1]
    is_felt = before.kind is Kind.EMOTION and before.form not in ADVERBS
    if is_felt and after.form is not Form.PERSON:
        state.withdraw(NOT_EXPRESSED, within=0)
    else:
        state.unknown_word(index, entry)


# Left behind.


def leaving(state: ScopeState, index: int, entry: Entry) -> None:
    """Words before what is left behind."""
    state.govern(0.0, PAST)


def left(state: ScopeState, index: int, entry: Entry) -> None:
    """A verb after what is left behind, with words in between: "fear … gives way to". What comes has to be a
    feeling: "amused, breaking into giggles" leaves nothing behind.
    """
    if not _has_target(state.entries, index):
        state.end_scope(index, entry)
        return
    if not state.list and index - state.sentence_start <= 2:  # "Then fear. This gives way to relief."
        state.list = state.previous_list
    is_attached = entry.form is Form.PARTICIPLE and _is_attached(state.entries, index)
    state.withdraw(PAST, within=1 if is_attached else SUBJECT, after_comma=is_attached)


def _has_target(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a feeling follows a verb that leaves one behind, or its clause ends there."""
    if entries[index + 1].kind is Kind.STOP:
        return True
    for entry in following(entries, index, TURN):
        if entry.kind is Kind.EMOTION:
            return True
        if entry.kind is Kind.STOP:
            return False
    return False


def _is_attached(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a participle belongs to a feeling: "surprise, quickly replaced by doubt"; not in "a sad
    voice, turning into a whisper".
    """
    first, second, third = preceding(entries, index, 3)
    if first is COMMA:
        return second.kind in (Kind.EMOTION, Kind.AFTER)
    return second is COMMA and third.kind in (Kind.EMOTION, Kind.AFTER)


def fading(state: ScopeState, index: int, entry: Entry) -> None:
    """A verb right after what is left behind, or after its place: "the fear in her voice fades"."""
    place, *_, emotion = preceding(state.entries, index, 4)
    if entry.phrase.startswith(_PERFECT):
        within = SUBJECT
    elif place.form is Form.PERSON and emotion.kind is Kind.EMOTION:
        within = 2
    else:
        within = 0
    state.withdraw(PAST, within=within)


def now(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "now": what was, is left behind: "He was angry; he is now calm", "… Now he is …"."""
    start = state.entries[state.sentence_start]
    resumes = start.kind in (Kind.SUBJECT, Kind.NOW, Kind.BREAKING, Kind.PASSING)
    follows_emotion = state.entries[index - 1].kind is Kind.EMOTION
    for emotions in (state.previous_list if resumes else [], [] if follows_emotion else state.list):
        if emotions and any(
            before.form is Form.PAST for before in preceding(state.entries, emotions[0], _WAS)
        ):
            for at in emotions:
                state.reject(at, PAST)
            emotions.clear()
    state.passing(index, entry)


def start_of_change(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "from"."""
    if state.leads_to(index):
        leaving(state, index, entry)
        state.from_until = index + TURN - 1
    else:
        state.end_scope(index, entry)


def end_of_change(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "to", which without a "from" or a "too" before it is any word."""
    if index <= state.too_until:  # "too tired to be angry"
        state.govern(0.0)
    elif state.from_until >= 0:
        state.govern_nothing()
        state.list.clear()
        state.from_until = -1
    elif entry.form is Form.BE:
        state.passing(index, entry)


# Of somebody else.


def addressing(state: ScopeState, index: int, entry: Entry) -> None:
    """Words before somebody else, with what is felt: "talks to a crying child", "quotes a man who was
    furious".
    """
    noun = _noun_after(state.entries, index)
    if noun is None:
        state.unknown_word(index, UNKNOWN)
    else:
        state.end_scope(index, entry)
        has_clause = _is_who(state.entries[noun + 1])
        state.others_until = _clause_end(state.entries, noun + 1) if has_clause else noun


def _noun_after(entries: Sequence[Entry], index: int) -> int | None:
    """Return where the noun stands to which a verb leads, across the feelings that are said of it."""
    has_feeling = False
    for at in range(index + 1, index + 1 + TURN):
        before, entry, after = entries[at - 1 : at + 2]
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


def _clause_end(entries: Sequence[Entry], index: int) -> int:
    """Return the last entry of a clause about somebody else."""
    for at in range(index, index + _CLAUSE):
        after = entries[at + 1]
        if after is COMMA or after.kind in (Kind.STOP, Kind.SUBJECT, Kind.NAMING):
            return at
        if after.kind is Kind.BREAKING and not _is_who(after):
            return at
    return index + _CLAUSE


def others(state: ScopeState, index: int, entry: Entry) -> None:
    """Somebody else: what stands between a possessive and the noun ("her angry husband"), and what the noun
    is said to be ("his daughter was scared").
    """
    if entry.form is not Form.OWNED:
        if not is_of_others(state, index):
            state.unknown_word(index, UNKNOWN)
            return
    elif state.entries[index + 1].form in (*COPULAS, Form.FINITE):
        state.others_until = _clause_end(state.entries, index)
    state.end_scope(index, entry)


def is_of_others(state: ScopeState, index: int) -> bool:
    """Return whether a noun is that of somebody else, and take away what stands between it and the possessive
    before it: "her angry husband", but not "her angry female voice".
    """
    if index <= state.others_until:
        return True
    entries = state.entries
    if entries[index - 1].kind is not Kind.EMOTION or entries[index + 1].form is Form.PERSON:
        return False
    possessive = index - 1
    while possessive > index - TURN and entries[possessive].kind in _ADJECTIVES:
        possessive -= 1
    if entries[possessive].form is not Form.POSSESSIVE:
        return False
    for between in range(possessive + 1, index):
        if entries[between].kind is Kind.EMOTION:
            state.reject(between, NOT_EXPRESSED)
    state.list = []
    return True


DENIAL_RULES: dict[Kind, Rule | None] = {
    Kind.NEGATION: negation,
    Kind.PEAK: peak,
    Kind.ABSENT: absent,
    Kind.EXCESS: too,
    Kind.UNREAL: unreal,
    Kind.CONDITIONAL: conditional,
    Kind.CONDITION: condition,
    Kind.TOPIC: topic,
    Kind.CONTENT: content,
    Kind.LEAVING: leaving,
    Kind.LEFT: left,
    Kind.FADING: fading,
    Kind.NOW: now,
    Kind.FROM: start_of_change,
    Kind.TO: end_of_change,
    Kind.ADDRESSING: addressing,
    Kind.OTHERS: others,
}
"""What each kind of phrase does that takes something back."""
