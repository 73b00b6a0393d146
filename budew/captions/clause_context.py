"""What stands around a phrase: the marks between phrases, and looks ahead and back from one of them.

Each look is bounded by a few items, so that state stays linear in the length of the text.
"""

from collections.abc import Sequence

from budew.captions.entry import Entry, Form, Kind

COMMA = Entry(Kind.COMMA, ",")
"""The meaning of a comma, which belongs to the grammar and not to the lexicon."""
STOP = Entry(Kind.STOP, ".")
"""The meaning of a mark that ends a sentence."""
QUESTION = Entry(Kind.STOP, "?")
"""The meaning of one that asks: what is asked may be rejected."""
MARK = Entry(Kind.BREAKING, "mark")
"""The meaning of any other mark, which ends what is governed."""
QUOTE = Entry(Kind.LINK, '"')
"""The meaning of quotation marks around what nobody speaks: a so-called "happy" voice."""
QUOTED = Entry(Kind.INERT, "quoted")
"""The meaning of words that are spoken."""
COLON = Entry(Kind.PASSING, ":")
"""The meaning of a mark between a feeling and what is said of it: "fear: strong", "fear (strong)"."""
MARKS = {
    **dict.fromkeys(",\n", COMMA), **dict.fromkeys(".!;", STOP), "?": QUESTION,
    **dict.fromkeys(":()=", COLON), **dict.fromkeys('"“”', QUOTE),
}  # fmt: skip
"""Marks with a meaning of their own."""

Item = tuple[int, int, Entry | None]
"""A phrase of the text: the tokens from the first number to before the second, and its meaning (None:
it has none).
"""

BESIDE = 4
"""Items that are looked at on each side."""
_SENTENCE = 12
"""Items on each side among which "if" says on what something depends."""
_PAST = 3
"""Items before a feeling among which "was" says that it was."""
_CLOSING = 7
"""Items behind "not" in which the comma comes that ends an aside."""

CONJUNCTION, STOPPING, TO = Kind.CONJUNCTION, Kind.STOP, Kind.TO  # a name is found faster than an attribute
_LISTED = frozenset(
    (Kind.EMOTION, Kind.BURST, Kind.INTENSITY, Kind.AFTER, Kind.NEGATION, Kind.PEAK, Kind.LINK, Kind.COMMA,
    Kind.EXCESS, Kind.NAMING, Kind.HEDGE, Kind.QUALITY)
)  # fmt: skip
_BETWEEN = frozenset((Kind.LINK, Kind.COMMA, Kind.EXCESS, Kind.NAMING, Kind.CONJUNCTION, Kind.INTENSITY))
_SAYING = frozenset((Kind.EMOTION, Kind.AFTER, Kind.BURST, Kind.ATTRIBUTE, Kind.QUALITY, Kind.TRAIT))
_OF_THE_VOICE = ("timbre", "pace", "style")
_ADVERBS = (Form.ADVERB, Form.STANCE, Form.DEGREE)
_COPULAS = (Form.PRESENT, Form.PAST)


def entry_at(items: Sequence[Item], index: int) -> Entry | None:
    """Return the meaning of an item; that of a stop before the first and behind the last."""
    return items[index][2] if 0 <= index < len(items) else STOP


def entry_before(items: Sequence[Item], index: int) -> Entry | None:
    """Return the meaning of what stands before an item and its article."""
    before = entry_at(items, index - 1)
    return entry_at(items, index - 2) if is_kind(before, Kind.LINK) else before


def is_kind(entry: Entry | None, kind: Kind) -> bool:
    """Return whether a phrase has a meaning of this kind."""
    return entry is not None and entry.kind is kind


def separates(entry: Entry | None) -> bool:
    """Return whether an item parts the members of a list."""
    return entry is COMMA or is_kind(entry, CONJUNCTION)


def from_the_right(items: Sequence[Item]) -> tuple[list[bool], list[bool]]:
    """Return, for each item, whether the list that goes on behind it has an "and" or "or" still to come, and
    whether its sentence has a "to".
    """
    closed, ahead = [False] * len(items), [False] * len(items)
    closing = coming = False
    for index in range(len(items) - 1, -1, -1):
        entry = items[index][2]
        if entry is None:  # in a list, a word between marks is a member of it
            closing = closing and index + 1 < len(items) and separates(items[index + 1][2])
        else:
            kind = entry.kind
            if kind is STOPPING:
                closing = coming = False
            else:
                closing = kind is CONJUNCTION or (closing and kind in _LISTED)
                coming = coming or (kind is TO and not entry.form)
        closed[index], ahead[index] = closing, coming
    return closed, ahead


def is_predicate(items: Sequence[Item], index: int) -> bool:
    """Return whether an intensity says how strong the feeling before it is: "the fear is strong and …"."""
    before = items[index - 1][2]
    if before is not None and before.form in _COPULAS:
        of = entry_at(items, index + 1)
        return not is_kind(of, Kind.EMOTION) and not is_kind(of, Kind.LINK)
    return ends_clause(items, index)


def leads_on(items: Sequence[Item], index: int) -> bool:
    """Return whether an intensity reaches its word over others of its kind: "strong, clear anger"."""
    if not is_kind(items[index - 1][2], Kind.INTENSITY):
        return False
    for at in range(index + 1, min(index + 1 + BESIDE, len(items))):
        entry = items[at][2]
        if is_kind(entry, Kind.EMOTION):
            return items[at - 1][2] is None or not is_kind(items[at - 1][2], Kind.PASSING)
        if entry is not None and (entry.kind not in _BETWEEN or entry.form in _COPULAS):
            return False
    return False


def ends_clause(items: Sequence[Item], index: int) -> bool:
    """Return whether a mark, "but", "and" or the end stands behind an item."""
    entry = entry_at(items, index + 1)
    if entry is None:
        return False
    if entry is COMMA or entry is COLON or entry.kind in (Kind.STOP, Kind.BREAKING, Kind.SUBJECT):
        return True
    return entry.kind is CONJUNCTION and next_emotion(items, index + 1) is None


def next_emotion(items: Sequence[Item], index: int) -> int | None:
    """Return the emotion that comes next, through nothing but links and intensities."""
    for at in range(index + 1, min(index + 1 + BESIDE, len(items))):
        entry = items[at][2]
        if entry is not None and entry.kind is Kind.EMOTION:
            return at
        if entry is None or entry is COMMA or entry.kind not in _BETWEEN:
            return None
    return None


def is_quality(items: Sequence[Item], index: int) -> bool:
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
        if entry.kind not in _BETWEEN and not (entry.kind is Kind.EMOTION and entry.either):
            return entry.kind
    return None


def is_stance(items: Sequence[Item], index: int) -> bool:
    """Return whether an adverb at the head of a sentence is the writer's: "Sadly, the shop is closed." Before
    a stop, and in a list of tags ("sadly, slowly"), it is the voice's.
    """
    comma = entry_at(items, index + 1) is COMMA
    entry = entry_at(items, index + 1 + comma)
    if entry is None:
        return comma
    return entry.kind in (Kind.SUBJECT, Kind.LINK, Kind.NEGATION, Kind.INERT, Kind.BREAKING, Kind.PEAK)


def is_concession(items: Sequence[Item], index: int) -> bool:
    """Return whether "if" concedes something: "happy, if a bit tired", "cheerful if tired"."""
    before, behind = entry_at(items, index - 1), entry_at(items, index + 1)
    said = says_something(before)
    if is_kind(behind, Kind.LINK):  # "a bit"
        behind = entry_at(items, index + 2)
    if is_kind(behind, Kind.INTENSITY):
        return said or before is COMMA
    return said and is_kind(behind, Kind.EMOTION)


def depends(items: Sequence[Item], index: int) -> bool:
    """Return whether the sentence has an "if" that concedes nothing, near by."""
    for step in (1, -1):
        for at in range(index + step, index + step * (_SENTENCE + 1), step):
            entry = entry_at(items, at)
            if is_kind(entry, Kind.STOP):
                break
            if is_kind(entry, Kind.CONDITION) and not is_concession(items, at):
                return True
    return False


def is_attached(items: Sequence[Item], index: int) -> bool:
    """Return whether a participle belongs to a feeling: "surprise, quickly replaced by doubt"; not in "a sad
    voice, turning into a whisper".
    """
    comma = next((at for at in (index - 1, index - 2) if entry_at(items, at) is COMMA), None)
    before = None if comma is None else entry_at(items, comma - 1)
    return is_kind(before, Kind.EMOTION) or is_kind(before, Kind.AFTER)


def is_resumption(items: Sequence[Item], begun: int) -> bool:
    """Return whether a sentence goes on about the same person: "He was angry; he is …", "… Now he is …"."""
    entry = entry_at(items, begun)
    return entry is not None and entry.kind in (Kind.SUBJECT, Kind.NOW, Kind.BREAKING, Kind.PASSING)


def is_rejection(items: Sequence[Item], index: int) -> bool:
    """Return whether a negation answers the question before it: "Proud? Hardly.", "Angry? No, hurt."."""
    if entry_at(items, index - 1) is not QUESTION:
        return False
    for at in range(index + 1, index + 1 + BESIDE):
        entry = entry_at(items, at)
        if entry is None or entry is COMMA or entry.kind not in (Kind.LINK, Kind.INTENSITY):
            return entry is not None and (entry is COMMA or entry.kind in (Kind.STOP, Kind.BREAKING))
    return False


def end_of_aside(items: Sequence[Item], index: int) -> int | None:
    """Return the "and" that goes on behind an aside: "happy, not sad, and proud"."""
    if entry_at(items, index - 1) is not COMMA:
        return None
    for at in range(index + 1, min(index + _CLOSING, len(items))):
        if items[at][2] is COMMA:
            behind = entry_at(items, at + 1)
            return at + 1 if is_kind(behind, CONJUNCTION) and not is_form(behind, Form.OR) else None
    return None


def end_of_denied_action(items: Sequence[Item], index: int) -> int | None:
    """Return the "and" behind what nobody does: "sad that nobody came, and cries"."""
    for at in range(index + 1, min(index + _CLOSING, len(items))):
        entry = items[at][2]
        if is_kind(entry, CONJUNCTION) and not is_form(entry, Form.OR):
            return at
        if is_kind(entry, Kind.EMOTION):
            return None
    return None


def modifies_change(items: Sequence[Item], index: int) -> bool:
    """Return whether a pace is that of a turn: "fear slowly turns into relief", "gives way, slowly, to"."""
    before = entry_at(items, index - 1)
    beside = (entry_at(items, index - 2) if before is COMMA else before, entry_at(items, index + 1))
    return any(is_kind(entry, Kind.LEFT) or is_kind(entry, Kind.FADING) for entry in beside)


def begins_predicate(items: Sequence[Item], index: int, *, reached: bool) -> bool:
    """Return whether "and" joins a new statement, to which a negation before it does not reach: "does not
    shout and sounds calm". Where the negation `reached` a word that means nothing, another may be a verb.
    """
    entry = entry_at(items, index + 1)
    if entry is None:
        return reached
    return entry.form in (*_COPULAS, Form.FINITE)


def is_manner(items: Sequence[Item], index: int) -> bool:
    """Return whether what stands behind a topic is no part of it: "talks about the weather angrily"."""
    unknown_words = 0
    for at in range(index + 1, min(index + 1 + BESIDE, len(items))):
        entry = items[at][2]
        unknown_words += entry is None
        if entry is not None and entry.kind is Kind.EMOTION:
            return unknown_words > 0 and is_adverb(entry)
    return False


def is_past(items: Sequence[Item], index: int) -> bool:
    """Return whether a feeling stands behind "was"."""
    return any(is_form(items[at][2], Form.PAST) for at in range(max(0, index - _PAST), index))


def is_adverb(entry: Entry | None) -> bool:
    """Return whether a phrase is an adverb: "sadly", "bitterly"."""
    return entry is not None and entry.form in _ADVERBS


def says_something(entry: Entry | None) -> bool:
    """Return whether a phrase says something of a voice or a speaker."""
    return entry is not None and entry.kind in _SAYING


def is_form(entry: Entry | None, form: Form) -> bool:
    """Return whether a phrase has this form."""
    return entry is not None and entry.form is form


def opens_clause(items: Sequence[Item], index: int) -> bool:
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
