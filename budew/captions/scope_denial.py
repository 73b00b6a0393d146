"""Scope rules for emotions that do not count, because they are denied, imagined or past."""

from budew.captions.phrases import COLON, COMMA, DASH, QUESTION, STRONG, UNKNOWN, Entry, Form, Kind
from budew.captions.scope_state import ADVERBS, NEGATED, NOT_EXPRESSED, PAST, Rule, ScopeState

_SUBJECT = 4
"""Most words between an emotion and the verb that ends it: "the fear of the first words fades into"."""
_TURN = 8
"""Entries after "from" in which emotions are past, if "to" follows."""
_IF = 12
"""Entries on each side of "would be" in which an "if" is searched."""
_WAS = 3
"""Entries before an emotion in which a "was" means that it is past."""
_CLOSING = 6
"""Entries after "not" in which the comma at the end of an aside is searched."""
_TOO = 4
"""Number of entries that "too" governs."""
_SINGULAR = ("is ", "was ", "seems ", "sounds ", "rings ")
"""Beginnings of singular predicates, which apply to one emotion only."""
_PERFECT = ("has ", "have ", "had ", "(has|")
"""Beginnings of verbs that end an emotion anywhere before: "the joy of the first words has faded"."""
_SAYING = frozenset((Kind.EMOTION, Kind.AFTER, Kind.BURST, Kind.ATTRIBUTE, Kind.QUALITY, Kind.TRAIT))
"""Kinds of phrases that describe a voice or a speaker."""


# Denied.


def negation(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a negation of what follows, of what precedes ("but anger is not"), or of the last sentence."""
    before, after = state.entries[index - 1], state.entries[index + 1]
    is_answer = before is COLON or before is DASH  # "anger: no"
    may_deny_before = state.listed and (is_answer or entry.form is Form.ELLIPTIC)  # "but anger is not"
    if may_deny_before and after.kind not in (Kind.BREAKING, Kind.SUBJECT) and state.ends_clause(index):
        state.withdraw(NEGATED, within=_SUBJECT, after_comma=True)
    elif entry.form is Form.PREFIX and after.kind not in _SAYING:
        state.end_scope(index, entry)  # "non-verbal"
    elif index == state.sentence_start and state.previously_listed and _is_answer(state, index):
        state.listed = state.previously_listed
        state.withdraw(NEGATED, within=_SUBJECT)
    else:
        last = state.last if after.kind is Kind.INTENSITY else None
        if entry.form is Form.NOBODY:
            state.negation_end = _end_of_denied_action(state, index)
        elif entry.form is Form.ELLIPTIC or (state.listed and state.levels[state.listed[-1]]):
            state.negation_end = _end_of_aside(state, index)
        state.govern(0.0)
        state.last = last


def _is_answer(state: ScopeState, index: int) -> bool:
    """Return whether a negation answers the question before it: "Proud? Hardly.", "Angry? No, hurt."."""
    if state.entries[index - 1] is not QUESTION:
        return False
    for entry in state.following(index):
        if entry.kind not in (Kind.LINK, Kind.INTENSITY):
            return entry.kind in (Kind.COMMA, Kind.STOP, Kind.BREAKING)
    return False


def _end_of_aside(state: ScopeState, index: int) -> int | None:
    """Return the index of the "and" after an aside ("happy, not sad, and proud"); None without an aside."""
    if state.entries[index - 1] is not COMMA:
        return None
    for at in range(index + 1, index + 1 + _CLOSING):
        if state.entries[at] is COMMA:
            return at + 1 if _is_and(state.entries[at + 1]) else None
    return None


def _end_of_denied_action(state: ScopeState, index: int) -> int | None:
    """Return the index of the "and" after a denied action ("sad that nobody came, and cries"), or None."""
    for at in range(index + 1, index + 1 + _CLOSING):
        if _is_and(state.entries[at]):
            return at
        if state.entries[at].kind is Kind.EMOTION:
            return None
    return None


def _is_and(entry: Entry) -> bool:
    return entry.kind is Kind.CONJUNCTION and entry.form is not Form.OR


def peak(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for "never", "couldn't be" and the like: a negation, but "never sounded happier" is very happy."""
    emotion = state.next_emotion(index)
    if emotion is not None and emotion.form is Form.COMPARATIVE:
        state.govern(STRONG)
    else:
        negation(state, index, entry)


def absent(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for words after an emotion that deny it; a singular verb denies only one emotion: "he is dismayed,
    and the cheer is put on".
    """
    if [after.kind for after in state.following(index, 2)] == [COLON.kind, Kind.EMOTION]:  # "Absent: fear"
        state.govern(0.0)
        return
    if state.entries[index - 1] is QUESTION:  # "Fear? None."
        state.listed = state.previously_listed
    if entry.phrase.startswith(_SINGULAR):
        state.listed = state.listed[-1:]
    state.withdraw(NEGATED, within=0, after_comma=state.entries[index - 1] is COLON)


def too(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for "too": phrases after a following "to" are denied. At the end of a clause it means "also"."""
    if not state.ends_clause(index):
        state.too_until = index + _TOO


# Imagined, or spoken of.


def unreal(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for words before a feigned or imagined emotion."""
    state.govern(0.0, NOT_EXPRESSED)


def conditional(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for "would be" and the like: emotions are imagined if there is a condition ("if he knew")."""
    if _depends(state, index):
        unreal(state, index, entry)
    else:
        state.passing(index, entry)


def _depends(state: ScopeState, index: int) -> bool:
    """Return whether a conditional "if", not a concessive one, is nearby in the sentence."""
    for places in (range(index + 1, index + 1 + _IF), range(index - 1, index - 1 - _IF, -1)):
        for at in places:
            if state.entries[at].kind is Kind.STOP:
                break
            if state.entries[at].kind is Kind.CONDITION and not _is_concession(state, at):
                return True
    return False


def condition(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for "if": it begins a condition, whose emotions are imagined, or a concession."""
    if _is_concession(state, index):
        state.govern_nothing()
    else:
        unreal(state, index, entry)


def _is_concession(state: ScopeState, index: int) -> bool:
    """Return whether "if" begins a concession: "happy, if a bit tired", "cheerful if tired", "proud, if sad
    to a small extent".
    """
    before = state.entries[index - 1]
    first, second = state.following(index, 2)
    after = second if first.kind is Kind.LINK else first  # "a bit"
    if before is COMMA:
        return after.kind is Kind.INTENSITY or second.kind is Kind.AFTER
    return before.kind in _SAYING and after.kind in (Kind.INTENSITY, Kind.EMOTION)


def topic(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for words before a topic, such as "about"; after an emotion they name its cause: "happy about"."""
    if state.entries[index - 1].kind is Kind.EMOTION or _manner_follows(state, index):
        state.end_scope(index, entry)
    else:
        unreal(state, index, entry)


def _manner_follows(state: ScopeState, index: int) -> bool:
    """Return whether an emotion is the manner, not the topic: "talks about the weather angrily"."""
    unknown_words = False
    for entry in state.following(index):
        if entry.kind is Kind.EMOTION:
            return unknown_words and entry.form in ADVERBS
        unknown_words = unknown_words or entry is UNKNOWN
    return False


def content(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a noun for something read or sung, or another thing: an emotion right before it describes the
    thing, not the voice: "a sad poem", "a pain clinic", but not in "a delighted party voice".
    """
    before, after = state.entries[index - 1], state.entries[index + 1]
    is_felt = before.kind is Kind.EMOTION and before.form not in ADVERBS
    if is_felt and after.kind is Kind.RATING:  # "fear scores 3/4"
        return
    if is_felt and after.form is not Form.PERSON:
        state.withdraw(NOT_EXPRESSED, within=0)
    else:
        state.unknown_word(index, entry)


# Left behind.


def leaving(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for words that make the emotion after them past: "no longer sad", "gets over her fear"."""
    state.govern(0.0, PAST)


def left(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a verb of change after an emotion that is then past: "fear … gives way to". An emotion must
    follow the verb: in "amused, breaking into giggles" nothing is past.
    """
    if not _has_target(state, index):
        state.end_scope(index, entry)
        return
    if not state.listed and index - state.sentence_start <= 2:  # "Then fear. This gives way to relief."
        state.listed = state.previously_listed
    is_attached = entry.form is Form.PARTICIPLE and _is_attached(state, index)
    state.withdraw(PAST, within=1 if is_attached else _SUBJECT, after_comma=is_attached)


def _has_target(state: ScopeState, index: int) -> bool:
    """Return whether an emotion follows a verb of change, or the clause ends after the verb."""
    if state.entries[index + 1].kind is Kind.STOP:
        return True
    for entry in state.following(index, _TURN):
        if entry.kind is Kind.EMOTION:
            return True
        if entry.kind is Kind.STOP:
            return False
    return False


def _is_attached(state: ScopeState, index: int) -> bool:
    """Return whether a participle belongs to an emotion: "surprise, quickly replaced by doubt"; not in "a sad
    voice, turning into a whisper".
    """
    first, second, third = state.preceding(index, 3)
    if first is COMMA:
        return second.kind in (Kind.EMOTION, Kind.AFTER)
    return second is COMMA and third.kind in (Kind.EMOTION, Kind.AFTER)


def fading(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a verb such as "fades" after an emotion that is then past: "the fear in her voice fades"."""
    place, *_, emotion = state.preceding(index, 4)
    if entry.phrase.startswith(_PERFECT):
        within = _SUBJECT
    elif place.form is Form.PERSON and emotion.kind is Kind.EMOTION:
        within = 2
    else:
        within = 0
    state.withdraw(PAST, within=within)


def now(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for "now": emotions after "was" are past: "He was angry; he is now calm", "… Now he is …"."""
    start = state.entries[state.sentence_start]
    resumes = start.kind in (Kind.SUBJECT, Kind.NOW, Kind.BREAKING, Kind.PASSING)
    follows_emotion = state.entries[index - 1].kind is Kind.EMOTION
    for emotions in (state.previously_listed if resumes else [], [] if follows_emotion else state.listed):
        if emotions and any(before.form is Form.PAST for before in state.preceding(emotions[0], _WAS)):
            for at in emotions:
                state.reject(at, PAST)
            emotions.clear()
    state.passing(index, entry)


def start_of_change(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for "from" at the start of a change: emotions up to a following "to" are past."""
    if state.leads_to(index):
        leaving(state, index, entry)
        state.from_until = index + _TURN - 1
    else:
        state.end_scope(index, entry)


def end_of_change(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for "to": it ends the past part of a change after "from"; phrases after "too … to" are denied."""
    if index <= state.too_until:  # "too tired to be angry"
        state.govern(0.0)
    elif state.from_until >= 0:
        state.govern_nothing()
        state.listed.clear()
        state.from_until = -1
    elif entry.form is Form.BE:
        state.passing(index, entry)


RULES: dict[Kind, Rule | None] = {
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
}
"""Kinds of phrases that deny, imagine or end an emotion, to their rules."""
