"""Scope: which intensity, negation, hedge or turn governs which emotion word.

    strong anger, fear and some joy   an intensity governs a list closed by "and" or "or", up to the next one
    very sad, tired, old              a list of commas alone is a list of tags: "tired" is moderate
    without a trace of anger or fear  a negation governs what an intensity would, and prevails over one
    not a happy woman                 it governs the feeling, and not the person after it
    fear to a high degree             an intensity after a word governs that word alone
    more tired than sad               the second is one level lower than the first
    from irritation to relief         the feeling that is left behind is not there
    if he is angry                    a feeling that is only thought or spoken of is not there

Any other word ends the scope. docs/captions.md has all the rules. The phrases are read once from left to
right: linear time. Each kind of phrase has a rule, which changes the `ScopeState`; `RULES` lists them. Here
are those of what a caption says and how strong it is, in `scope_denial` those of what it takes back or says
of others.
"""

from collections.abc import Sequence

from budew.captions.phrases import COMMA, MODERATE, PERSONAL, UNKNOWN, Entry, Form, Kind, shifted
from budew.captions.scope_denial import DENIAL_RULES, is_of_others
from budew.captions.scope_state import (
    ADVERBS,
    BESIDE,
    BETWEEN,
    COPULAS,
    FRONTED,
    FULL,
    NEGATED,
    NOT_EXPRESSED,
    PAST,
    SLIGHT,
    STEP,
    STRONG,
    Rule,
    ScopeState,
    ends_clause,
    following,
    leads_on,
    next_emotion,
    preceding,
    separates,
)

_OF_THE_VOICE = ("timbre", "pace", "style")
_CLAUSE_BEGINNINGS = (
    Kind.SUBJECT, Kind.LINK, Kind.NEGATION, Kind.INERT, Kind.BREAKING, Kind.PEAK, Kind.PASSING
)  # fmt: skip
"""Kinds of phrases with which the clause after a sentence adverb begins."""
_FAR = 0.75
"""From this intensity on, a voice attribute is at its pole and not just near it."""


def resolve_scopes(entries: Sequence[Entry]) -> tuple[list[float], list[str]]:
    """Return the level and the role of each phrase of a text.

    An emotion has the level that governs it, a burst and a trait 1, a voice attribute 1 at its pole and
    0.5 near it; all of them 0 where they are denied. The role of a word that turns out to name no feeling
    is empty.
    """
    state = ScopeState(entries)
    for index, entry in enumerate(entries):
        rule = RULES[entry.kind]
        if rule is not None:
            rule(state, index, entry)
    return state.levels, state.roles


# Feelings.


def feeling(state: ScopeState, index: int, entry: Entry) -> None:
    """An emotion: it has the level that governs it, else its own, and joins the list that is being read."""
    if index <= state.others_until:
        state.reject(index, NOT_EXPRESSED)
        return
    if entry.either and state.pending is None and _is_no_feeling(state, index, entry):
        return
    governing = _governing_level(state, index, entry)
    state.set_level(index, entry.level if governing is None else shifted(entry.level, governing))
    if state.words_since_list or (state.comma_since_list and not state.is_closed(index)):
        state.list.clear()
    state.list.append(index)
    state.mentioned.setdefault(entry.name, []).append(index)
    state.words_since_list = 0
    state.comma_since_list = False
    state.pending, state.carried, state.last = None, governing, index
    if state.comparison is not None and state.compared is None:
        state.compared = index


def _governing_level(state: ScopeState, index: int, entry: Entry) -> float | None:
    """Return the level that governs an emotion, None for its own; end what waited for a word."""
    level = state.pending if state.pending is not None else state.carried
    state.unknown_words = 0
    if level is None and index <= state.from_until:
        state.role, level = PAST, 0.0
    if state.fronted is not None:
        fronted_level, until = state.fronted
        if level is None and index <= until:
            level = fronted_level
        state.fronted = None
    if index <= state.hedge_until:
        state.hedge_until = -1
        if level != 0.0:
            most = FULL + MODERATE - entry.level  # a stronger one would change nothing
            level = max(SLIGHT, min(MODERATE if level is None else level, most) - STEP)
    return level


def _is_no_feeling(state: ScopeState, index: int, entry: Entry) -> bool:
    """Read a word that elsewhere names an emotion: a voice quality, "Sadly, …", "bitterly sad"."""
    if entry.form is Form.DEGREE:
        graded = _graded_by(state.entries, index)
        if graded.kind is not Kind.EMOTION or graded.form in ADVERBS:
            return False
        state.govern(STRONG)
    elif entry.form is Form.STANCE:
        if index != state.sentence_start or not _is_stance(state.entries, index):
            return False
        state.end_scope(index, entry)
    elif _is_quality(state.entries, index):
        _skip_quality(state)
    else:
        return False
    state.roles[index] = ""
    return True


def _graded_by(entries: Sequence[Entry], index: int) -> Entry:
    """Return what follows an adverb of degree, or another one that "and" joins to it: "hopelessly and utterly
    lost".
    """
    first, second, third = following(entries, index, 3)
    return third if first.kind is Kind.CONJUNCTION and second.kind is Kind.INTENSITY else first


def _is_stance(entries: Sequence[Entry], index: int) -> bool:
    """Return whether an adverb or an exclamation at the head of a sentence is the writer's: "Sadly, the shop
    is closed.", "Gosh, that man is tired." Before a stop, and in a list of tags ("sadly, slowly"), it is the
    voice's.
    """
    first, second = following(entries, index, 2)
    if first is COMMA:
        return second is UNKNOWN or second.kind in _CLAUSE_BEGINNINGS
    return first.kind in _CLAUSE_BEGINNINGS


def _is_quality(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a voice quality stands beside, and no feeling."""
    before = _neighbour(preceding(entries, index, BESIDE))
    after = _neighbour(following(entries, index, BESIDE))
    return Kind.QUALITY in (before, after) and Kind.EMOTION not in (before, after)


def _neighbour(entries: Sequence[Entry]) -> Kind | None:
    for entry in entries:
        if entry.kind is Kind.ATTRIBUTE or (entry.kind is Kind.TRAIT and entry.name in _OF_THE_VOICE):
            return Kind.QUALITY
        if entry.kind not in BETWEEN and not (entry.kind is Kind.EMOTION and entry.either):
            return entry.kind
    return None


# Bursts, traits and voice attributes.


def burst_or_trait(state: ScopeState, index: int, entry: Entry) -> None:
    """A burst or a trait; a hedge before it governs nothing after it."""
    state.hedge_until = -1
    state.levels[index] = 1.0
    if entry.name in PERSONAL:
        is_of_others(state, index)
    if state.carried == 0.0 and entry.name in PERSONAL and _is_bystander(state, index):
        state.end_scope(index, entry)
    elif entry.name == "pace" and _modifies_change(state.entries, index):
        state.reject(index, "")
    elif _skip_quality(state) and not _is_never_denied(state, index, entry):
        state.reject(index, state.role)


def _is_never_denied(state: ScopeState, index: int, entry: Entry) -> bool:
    """Return whether something is there although a feeling would not be: a sound or a person after "from", a
    person after "about"; whether that is the speaker is asked later.
    """
    if state.role == PAST:
        return entry.kind is Kind.BURST or entry.name in PERSONAL
    return entry.name in PERSONAL and any(
        before.kind is Kind.TOPIC for before in preceding(state.entries, index, 2)
    )


def _is_bystander(state: ScopeState, index: int) -> bool:
    """Return whether a feeling or an action is denied, and not the person after it: "not a happy woman",
    "without warning a woman", but "not an old woman", "not old or female".
    """
    before = state.entries[index - 1]
    if state.pending is not None:
        return state.unknown_words > 0 and before.kind is Kind.LINK
    denied = index - 2 if separates(before) else index - 1
    return state.entries[denied].kind is not Kind.TRAIT or state.levels[denied] > 0.0


def _modifies_change(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a pace is that of a turn: "fear slowly turns into relief", "gives way, slowly, to"."""
    first, second = preceding(entries, index, 2)
    before = second if first is COMMA else first
    return any(entry.kind in (Kind.LEFT, Kind.FADING) for entry in (before, entries[index + 1]))


def voice_quality(state: ScopeState, index: int, entry: Entry) -> None:
    """A voice quality that is no attribute, such as "focused"."""
    _skip_quality(state)


def _skip_quality(state: ScopeState) -> bool:
    """Skip something that is no feeling, as a negation does and an intensity does not; return whether it is
    denied.
    """
    denied = state.pending == 0.0 or state.carried == 0.0
    state.pending, state.carried, state.last = None, 0.0 if denied else None, None
    state.words_since_list += 1
    return denied


def origin(state: ScopeState, index: int, entry: Entry) -> None:
    """The name of an accent: one right before a person or a voice, else a word that means nothing."""
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
    """A voice attribute: 1 at its pole, 0.5 near it."""
    pending = state.pending
    burst_or_trait(state, index, entry)
    if state.levels[index]:
        state.levels[index] = 1.0 if pending is not None and pending >= _FAR else 0.5


# Clauses and lists.


def subject(state: ScopeState, index: int, entry: Entry) -> None:
    """A pronoun: it begins a clause, which ends what is governed, but for what governs that clause."""
    if state.pending == 0.0 and _is_governed_clause(state.entries, index):
        state.words_since_list += 1
    else:
        state.end_scope(index, entry)


def _is_governed_clause(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a subject follows what governs its clause: "if he is angry", "nor is he"."""
    for entry in preceding(entries, index, 2):
        if entry.kind in (Kind.UNREAL, Kind.CONDITION) or entry.form is Form.CLAUSAL:
            return True
        if entry.kind not in (Kind.LINK, Kind.PASSING):
            return False
    return False


def comma(state: ScopeState, index: int, entry: Entry) -> None:
    """A comma: only a list that is closed later continues after it."""
    if state.pending is not None:
        _end_pending(state, index)
    if state.entries[index - 1].kind is not Kind.HEDGE:  # "perhaps, sad"
        state.hedge_until = -1
    state.unknown_words = 0
    if state.carried is not None and not state.is_closed(index):
        state.carried = None
    state.comma_since_list = True


def conjunction(state: ScopeState, index: int, entry: Entry) -> None:
    """The words "and" and "or": what governs a list governs what follows them, too; a negation not always."""
    if state.pending is not None:
        _end_pending(state, index)
    if state.carried == 0.0 and _ends_negation(state, index, entry):
        state.carried = None
    state.last = None
    state.unknown_words = 0
    state.comma_since_list = False


def _end_pending(state: ScopeState, index: int) -> None:
    """End what waits for its word, but for an intensity that another one follows: "strong, clear anger"; not
    "a deep, sad voice".
    """
    before, after = state.entries[index - 1], state.entries[index + 1]
    of_voice = before.form is Form.VOCAL and after.kind not in (Kind.INTENSITY, Kind.UNKNOWN)
    if state.pending == 0.0 or of_voice or not leads_on(state.entries, index):
        state.pending = None


def _ends_negation(state: ScopeState, index: int, entry: Entry) -> bool:
    """Return whether a negation does not govern what follows this "and", as it joins a new statement: "does
    not shout and sounds calm". If the negation skipped a word that means nothing, another may be a verb.
    """
    if entry.form is Form.OR:
        return False
    if index == state.negation_end:
        return True
    after = state.entries[index + 1]
    return state.unknown_words > 0 if after is UNKNOWN else after.form in (*COPULAS, Form.FINITE)


# Intensities.


def intensity(state: ScopeState, index: int, entry: Entry) -> None:
    """A word such as "very": before its word, or as a predicate after it."""
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
    before, after = entries[index - 1], entries[index + 1]
    if before.form in COPULAS:
        return after.kind not in (Kind.EMOTION, Kind.LINK)
    if entries[index].form is Form.VOCAL and separates(before):  # "a malevolent, low voice"
        return False
    return ends_clause(entries, index)


def intensity_after(state: ScopeState, index: int, entry: Entry) -> None:
    """Words after a feeling that say how strong it is; at the head of a sentence they wait for one."""
    if state.last is None and state.list and state.words_since_list <= 1 and _is_addition(state, index):
        state.last = state.list[-1]
    if state.last is not None:
        if state.levels[state.last]:
            state.grade(state.last, entry.level)
        state.pending = state.carried = state.last = None
    else:
        state.end_scope(index, entry)
        state.fronted = entry.level, index + FRONTED


def _is_addition(state: ScopeState, index: int) -> bool:
    """Return whether an intensity is added at the end of a sentence: "a proud man, and extremely so."."""
    return separates(state.entries[index - 1]) and state.entries[index + 1].kind is Kind.STOP


def rating(state: ScopeState, index: int, entry: Entry) -> None:
    """A number: how strong the feeling before it is."""
    if state.last is None:
        state.end_scope(index, entry)
    else:
        state.role = NEGATED
        state.set_level(state.last, entry.level if state.levels[state.last] else 0.0)
        state.pending = state.carried = state.last = None


def hedge(state: ScopeState, index: int, entry: Entry) -> None:
    """Words such as "perhaps": the next feeling is one level lower, never below slight."""
    state.hedge_until = index + FRONTED


# Comparisons.


def comparison(state: ScopeState, index: int, entry: Entry) -> None:
    """The words "more" and "less"."""
    state.comparison, state.compared = entry, None
    if entry.kind is Kind.LESS and state.pending != 0.0:
        of_attribute = state.entries[index + 1].kind is Kind.ATTRIBUTE
        state.pending, state.carried = 0.0 if of_attribute else SLIGHT, None


def than(state: ScopeState, index: int, entry: Entry) -> None:
    """The word "than": the second of two emotions is one level lower, or not there."""
    first, word, last = state.compared, state.comparison, state.last
    state.govern_nothing()
    state.words_since_list += 1
    state.comparison = state.compared = None
    second = next_emotion(state.entries, index)
    first = first if first is not None else last
    is_more = word is not None and word.kind is Kind.MORE
    is_comparative = last is not None and state.entries[last].form is Form.COMPARATIVE
    if word is not None and first is None and state.entries[index - 1] is word:
        state.pending = STRONG if is_more else 0.0  # "more than happy", "less than happy"
    elif second is not None and (is_more or is_comparative):
        level = MODERATE if first is None else state.levels[first]
        state.pending = max(SLIGHT, level - STEP) if level else None
    elif word is not None and not is_more and first is not None:
        state.grade(first, 0.0 if second is None else SLIGHT)


RULES: dict[Kind, Rule | None] = {
    **DENIAL_RULES,
    Kind.EMOTION: feeling,
    Kind.BURST: burst_or_trait,
    Kind.TRAIT: burst_or_trait,
    Kind.ORIGIN: origin,
    Kind.ATTRIBUTE: attribute,
    Kind.QUALITY: voice_quality,
    Kind.SUBJECT: subject,
    Kind.COMMA: comma,
    Kind.CONJUNCTION: conjunction,
    Kind.STOP: ScopeState.stop,
    Kind.BREAKING: ScopeState.end_scope,
    Kind.INERT: ScopeState.end_scope,
    Kind.UNKNOWN: ScopeState.unknown_word,
    Kind.PASSING: ScopeState.passing,
    Kind.LINK: None,
    Kind.NAMING: None,
    Kind.INTENSITY: intensity,
    Kind.AFTER: intensity_after,
    Kind.RATING: rating,
    Kind.HEDGE: hedge,
    Kind.MORE: comparison,
    Kind.LESS: comparison,
    Kind.THAN: than,
}
"""What each kind of phrase does; None for nothing."""
