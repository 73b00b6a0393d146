"""Scope: which intensity, negation, hedge or turn governs which emotion word.

    strong anger, fear and some joy   an intensity governs a list with "and" or "or", up to the next intensity
    very sad, tired, old              in a list with commas only (tags), it governs one word: "tired" is
    moderate without a trace of anger or fear  a negation governs like an intensity, and has priority over one
    not a happy woman                 a negation governs the emotion, and not the person after it
    fear to a high degree             an intensity after a word governs only that word
    more tired than sad               the second emotion is one level lower than the first
    from irritation to relief         the earlier emotion of a change is absent
    if he is angry                    an emotion that is only imagined or talked about is absent

Any other word ends the scope. docs/captions.md has all the rules. The phrases are read once from left to
right, in linear time. Each kind of phrase has a rule, a function that changes the `ScopeState`; `RULES` lists
them. This module has the rules for emotions and intensities, `scope_denial` those for emotions that are
denied, imagined or past, `scope_people` those for voices and people.
"""

from collections.abc import Sequence

from budew.captions import scope_denial, scope_people
from budew.captions.phrases import (
    COLON,
    COMMA,
    DASH,
    FULL,
    MODERATE,
    SLIGHT,
    STEP,
    STRONG,
    UNKNOWN,
    Entry,
    Form,
    Kind,
)
from budew.captions.scope_people import skip_quality
from budew.captions.scope_state import (
    ADVERBS,
    BESIDE,
    BETWEEN,
    COPULAS,
    NEGATED,
    NOT_EXPRESSED,
    PAST,
    Rule,
    ScopeState,
    separates,
)
from budew.taxonomy import RECORDING_TRAITS

_FRONTED = 6
"""Number of entries that a hedge or an intensity at the start of a sentence governs."""
_OF_THE_VOICE = ("timbre", "pace", "style", *RECORDING_TRAITS)
_CLAUSE_BEGINNINGS = (
    Kind.SUBJECT, Kind.LINK, Kind.NEGATION, Kind.INERT, Kind.BREAKING, Kind.PEAK, Kind.PASSING
)  # fmt: skip
"""Kinds of phrases that can begin the clause after a sentence adverb."""
_BEFORE_RATED = (Kind.LINK, Kind.BREAKING, Kind.PASSING)
"""Kinds of phrases between a rating and the emotion after it: "80% of fear", "0.8 for fear"."""


def resolve_scopes(entries: Sequence[Entry]) -> tuple[list[float], list[str]]:
    """Return the levels and the roles of the phrases of a text.

    An emotion has the level that governs it; a burst or trait has 1; a voice attribute has 1 at a pole of its
    scale, 0.5 near one. All have 0 if they do not count, and the role gives the reason (see `Mention.role`).
    The role is "" for a word that turns out not to name an emotion.
    """
    state = ScopeState.of(entries)
    for index, entry in enumerate(entries):
        rule = RULES[entry.kind]
        if rule is not None:
            rule(state, index, entry)
    return state.levels, state.roles


# Feelings.


def feeling(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for an emotion: set the level that governs it, else its own, and add it to the current list."""
    if index <= state.others_until:
        state.reject(index, NOT_EXPRESSED)
        return
    if entry.either and state.pending is None and _is_no_feeling(state, index, entry):
        return
    governing = _governing_level(state, index, entry)
    if governing is None or entry.level == MODERATE:
        state.set_level(index, entry.level if governing is None else governing)
    else:
        state.grade(index, governing)
    if state.words_since_list or (state.comma_since_list and not state.is_closed(index)):
        state.listed.clear()
    state.listed.append(index)
    state.mentioned.setdefault(entry.name, []).append(index)
    state.words_since_list = 0
    state.comma_since_list = False
    state.pending, state.carried, state.last = None, governing, index
    if state.comparison is not None and state.compared is None:
        state.compared = index


def _governing_level(state: ScopeState, index: int, entry: Entry) -> float | None:
    """Return the level that governs an emotion (None: its own level), and end a pending intensity."""
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
            most = FULL + MODERATE - entry.level  # a stronger intensity would change nothing
            level = max(SLIGHT, min(MODERATE if level is None else level, most) - STEP)
    return level


def _is_no_feeling(state: ScopeState, index: int, entry: Entry) -> bool:
    """Return whether an ambiguous word is not an emotion here, and apply its other meaning: a voice quality,
    a comment ("Sadly, …") or an intensity ("bitterly sad").
    """
    if entry.form is Form.DEGREE:
        first, second, third = state.following(index, 3)
        is_joined = first.kind is Kind.CONJUNCTION and second.kind is Kind.INTENSITY
        graded = third if is_joined else first  # "hopelessly and utterly lost"
        if graded.kind is not Kind.EMOTION or graded.form in ADVERBS:
            return False
        state.govern(STRONG)
    elif entry.form is Form.STANCE:
        if index != state.sentence_start or not _is_stance(state, index):
            return False
        state.end_scope(index, entry)
    elif _is_quality(state, index):
        skip_quality(state, index, entry)
    else:
        return False
    state.roles[index] = ""
    return True


def _is_stance(state: ScopeState, index: int) -> bool:
    """Return whether an adverb or exclamation at the start of a sentence is a comment of the writer: "Sadly,
    the shop is closed.", "Gosh, that man is tired." Before a stop, or in a list of tags ("sadly, slowly"), it
    describes the voice.
    """
    first, second = state.following(index, 2)
    if first is COMMA:
        return second is UNKNOWN or second.kind in _CLAUSE_BEGINNINGS
    return first.kind in _CLAUSE_BEGINNINGS


def _is_quality(state: ScopeState, index: int) -> bool:
    """Return whether a voice quality, and no emotion, is next to the word."""
    before = _neighbour(state.preceding(index))
    after = _neighbour(state.following(index))
    return Kind.QUALITY in (before, after) and Kind.EMOTION not in (before, after)


def _neighbour(entries: Sequence[Entry]) -> Kind | None:
    for entry in entries:
        if entry.kind is Kind.ATTRIBUTE or (entry.kind is Kind.TRAIT and entry.name in _OF_THE_VOICE):
            return Kind.QUALITY
        if entry.kind not in BETWEEN and not (entry.kind is Kind.EMOTION and entry.either):
            return entry.kind
    return None


# Clauses and lists.


def subject(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a pronoun as subject: it begins a clause, which ends all scopes except those that govern this
    clause: "if he is angry", "nor is he".
    """
    if state.pending == 0.0:
        first, second = state.preceding(index, 2)
        governor = second if first.kind in (Kind.LINK, Kind.PASSING) else first
        if governor.kind in (Kind.UNREAL, Kind.CONDITION) or governor.form is Form.CLAUSAL:
            state.words_since_list += 1
            return
    state.end_scope(index, entry)


def comma(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a comma: a scope continues after it only in a list that ends with "and" or "or"."""
    if state.pending is not None:
        _end_pending(state, index)
    if state.entries[index - 1].kind is not Kind.HEDGE:  # "perhaps, sad"
        state.hedge_until = -1
    state.unknown_words = 0
    if state.carried is not None and not state.is_closed(index):
        state.carried = None
    state.comma_since_list = True


def conjunction(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for "and" and "or": the scope of a list continues after them. A negation ends if "and" begins a
    new statement: "does not shout and sounds calm".
    """
    if state.pending is not None:
        _end_pending(state, index)
    if state.carried == 0.0 and entry.form is not Form.OR:
        after = state.entries[index + 1]
        is_verb = after.form in (*COPULAS, Form.FINITE)
        may_be_verb = after is UNKNOWN and state.unknown_words > 0  # as another one that the negation skipped
        if is_verb or may_be_verb or index == state.negation_end:
            state.carried = None
    state.last = None
    state.unknown_words = 0
    state.comma_since_list = False


def _end_pending(state: ScopeState, index: int) -> None:
    """End a pending intensity, unless another intensity follows: "strong, clear anger", but not "a deep, sad
    voice".
    """
    before, after = state.entries[index - 1], state.entries[index + 1]
    of_voice = before.form is Form.VOCAL and after.kind not in (Kind.INTENSITY, Kind.UNKNOWN)
    if state.pending == 0.0 or of_voice or not state.leads_on(index):
        state.pending = None


# Intensities.


def intensity(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for an intensity such as "very", before its word or as a predicate after it."""
    before = state.entries[index - 1]
    if before.kind is Kind.LINK:
        before = state.entries[index - 2]
    outer = state.pending
    if outer is None and state.carried == 0.0 and before.form is Form.OR:
        outer = 0.0  # "without a hint of anger or a trace of fear"
    level = entry.level
    if outer is not None:  # a weak one weakens, else the stronger counts
        level = min(outer, level) if min(outer, level) < MODERATE else max(outer, level)
    if state.last is not None and _is_predicate(state, index):
        mark = state.entries[index - 1]
        is_stated = level != MODERATE or mark is COLON or mark is DASH  # identity: equality takes longer
        if state.levels[state.last] and is_stated:  # not "slight fear is evident"
            state.grade(state.last, level or SLIGHT)  # "the anger is not strong"
        state.pending = state.carried = state.last = None
    else:
        state.pending, state.carried = level, None


def _is_predicate(state: ScopeState, index: int) -> bool:
    """Return whether an intensity is the predicate of the emotion before it: "the fear is strong and …"."""
    before, entry, after = state.entries[index - 1 : index + 2]
    if after is COLON and separates(before) and state.entries[index + 2].kind is Kind.EMOTION:
        return False  # "strong: fear, slight: joy"
    if after.kind is Kind.LINK and state.ends_clause(index + 1):  # "fear (low intensity)", "faintly audible"
        return before.kind in (Kind.EMOTION, Kind.LINK, Kind.PASSING)
    if before.form in COPULAS:
        return after.kind not in (Kind.EMOTION, Kind.LINK, Kind.INTENSITY)
    if entry.form is Form.VOCAL and separates(before):  # "a malevolent, low voice"
        return False
    return state.ends_clause(index)


def intensity_after(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for an intensity that follows its emotion: "fear to a high degree".

    At the start of a sentence it governs the next emotion: "To a high degree she is afraid."
    """
    is_addition = separates(state.entries[index - 1]) and state.entries[index + 1].kind is Kind.STOP
    if (
        state.last is None and state.listed and state.words_since_list <= 1 and is_addition
    ):  # "and very much so."
        state.last = state.listed[-1]
    if state.last is not None:
        if state.levels[state.last]:
            state.grade(state.last, entry.level)
        state.pending = state.carried = state.last = None
    else:
        state.end_scope(index, entry)
        state.fronted = entry.level, index + _FRONTED


def rating(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a rating: it is the level of the emotion before it, or after it ("80% fear")."""
    rated = state.last
    if rated is None or separates(state.entries[index - 1]):
        first, second = state.following(index, 2)
        if Kind.EMOTION in (first.kind, second.kind if first.kind in _BEFORE_RATED else None):
            state.end_scope(index, entry)
            state.fronted = entry.level, index + 2
            return
    is_near = state.listed and state.words_since_list <= BESIDE and not state.comma_since_list
    if rated is None and is_near and state.ends_clause(index):  # "fear was given 0.8"
        rated = state.listed[-1]
    if rated is None:
        state.end_scope(index, entry)
    else:
        state.role = NEGATED
        state.set_level(rated, entry.level if state.levels[rated] else 0.0)
        state.pending = state.carried = state.last = None


def hedge(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for a hedge such as "perhaps": the next emotion is one level lower, but at least slight."""
    state.hedge_until = index + _FRONTED


# Comparisons.


def comparison(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for "more" and "less" in a comparison."""
    state.comparison, state.compared = entry, None
    if entry.kind is Kind.LESS and state.pending != 0.0:
        of_attribute = state.entries[index + 1].kind is Kind.ATTRIBUTE
        state.pending, state.carried = 0.0 if of_attribute else SLIGHT, None


def than(state: ScopeState, index: int, entry: Entry) -> None:
    """Rule for "than": the second of the compared emotions is one level lower, or absent."""
    first, word, last = state.compared, state.comparison, state.last
    state.govern_nothing()
    state.words_since_list += 1
    state.comparison = state.compared = None
    second = state.next_emotion(index)
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
    **scope_denial.RULES,
    **scope_people.RULES,
    Kind.EMOTION: feeling,
    Kind.SUBJECT: subject,
    Kind.COMMA: comma,
    Kind.CONJUNCTION: conjunction,
    Kind.STOP: ScopeState.stop,
    Kind.BREAKING: ScopeState.breaking,
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
"""Kind of phrase to its rule; None: the phrase changes nothing."""
