"""State of scope resolution: the items of a text, what governs the next one, and looks at its neighbours.

Each look is bounded by a few items, so that scope resolution stays linear in the length of the text.
"""

from collections.abc import Sequence

from budew.captions.phrases import Entry, Form, Kind

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
"""Items on each side that are looked at."""
SAID, DENIED, LEFT_BEHIND, NOT_FELT = "said", "denied", "left behind", "not felt"
MODERATE = 0.5
"""The level of an emotion word that nothing governs."""
STEP = 0.25
SLIGHT = 0.25
STRONG = 0.75
FRONTED = 6
"""Items over which a hedge or an intensity at the head of a sentence reaches."""
SUBJECT = 4
"""Words that may stand between a feeling and the verb that leaves it behind: "the fear of the first
words fades into".
"""
TURN = 8
"""Items behind "from" in which what is left behind is named, where "to" comes."""
COPULAS = (Form.PRESENT, Form.PAST)
_UNKNOWN_WORDS = 2
"""Words without a meaning that a negation reaches over."""

CONJUNCTION, STOPPING, TO = Kind.CONJUNCTION, Kind.STOP, Kind.TO  # a name is found faster than an attribute
_LISTED = frozenset(
    (Kind.EMOTION, Kind.BURST, Kind.INTENSITY, Kind.AFTER, Kind.NEGATION, Kind.PEAK, Kind.LINK, Kind.COMMA,
    Kind.EXCESS, Kind.NAMING, Kind.HEDGE, Kind.QUALITY)
)  # fmt: skip
BETWEEN = frozenset((Kind.LINK, Kind.COMMA, Kind.EXCESS, Kind.NAMING, Kind.CONJUNCTION, Kind.INTENSITY))
_SAYING = frozenset((Kind.EMOTION, Kind.AFTER, Kind.BURST, Kind.ATTRIBUTE, Kind.QUALITY, Kind.TRAIT))
_ADVERBS = (Form.ADVERB, Form.STANCE, Form.DEGREE)


class ScopeState:
    """What governs the words to come, and what was found so far."""

    __slots__ = (
        "ahead", "before", "begun", "carried", "closed", "compared", "comparison", "excess", "fronted", "gap",
        "group", "hedged", "items", "last", "levels", "negation_end", "parted", "pending", "role", "roles",
        "turning", "unknown_words",
    )  # fmt: skip

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.levels = [0.0] * len(items)
        self.roles = [SAID] * len(items)
        self.closed, self.ahead = _from_the_right(items)
        self.group: list[int] = []  # emotions of the list read last, which a turn behind it leaves behind
        self.before: list[int] = []  # the same, of the sentence before
        self.begun = 0  # where this sentence began
        self.gap = 0  # words since, and whether a comma came
        self.parted = False
        self.hedged = -FRONTED - 1  # where a hedge stands that waits for its word
        self.fronted: tuple[int, float] | None = None  # where an intensity stands at the head of a sentence
        self.comparison: Entry | None = None  # "more" or "less", waiting for "than"
        self.compared: int | None = None  # the first of two that are compared
        self.turning = -TURN  # where "from" was read, if "to" comes
        self.excess = -BESIDE - 1  # where "too" was read
        self.negation_end: int | None = None  # the "and" that a negation does not reach over
        self.unknown_words = 0  # words without a meaning since a negation
        self.rest()

    def rest(self) -> None:
        """Nothing governs what comes."""
        self.pending: float | None = None  # an intensity or negation that waits for its word
        self.carried: float | None = None  # what governs the list that is being read
        self.role = DENIED  # what level 0 means
        self.last: int | None = None  # the emotion just read, which an intensity behind it may still change

    def govern(self, level: float, role: str = DENIED) -> None:
        """Let this govern what comes, whatever governed it before."""
        self.pending, self.carried, self.role, self.last = level, None, role, None
        self.unknown_words = 0

    def other(self, index: int, entry: Entry | None) -> None:
        """A phrase read over as a whole, or a word that ends what is governed."""
        self.rest()
        self.gap += 1
        self.unknown_words = 0

    def unknown(self, index: int, entry: Entry | None) -> None:
        """A word that means nothing here. A negation reaches over two of them, and over what it lists beside
        a feeling ("no tension, stress or anger"); an intensity over one adjective right before its word.
        """
        listed = self.carried == 0.0 and index and separates(self.items[index - 1][2])
        if (self.pending == 0.0 or listed) and self.unknown_words < _UNKNOWN_WORDS:
            self.unknown_words += 1
            self.carried, self.last = 0.0, None
            self.gap += 1
        elif self.pending is not None and self.is_emotion(index + 1):
            self.last = None
        else:
            self.other(index, entry)

    def stop(self, index: int = 0, entry: Entry | None = None) -> None:
        """The end of a sentence."""
        self.rest()
        self.before, self.group = self.group, []
        self.begun = index + 1
        self.gap, self.parted = 0, False
        self.turning = -TURN
        self.hedged = -FRONTED - 1
        self.fronted = None
        self.comparison = self.compared = None

    def passing(self, index: int, entry: Entry) -> None:
        """A word that governs nothing and ends nothing but an intensity that it parts from its word."""
        if self.pending is None or (self.pending != 0.0 and not leads_on(self.items, index)):
            self.pending = self.carried = None

    def set_level(self, index: int, level: float) -> None:
        """Give an item its level, and the role that goes with it."""
        self.levels[index] = level
        self.roles[index] = SAID if level else self.role

    def withdraw(self, role: str, *, within: int, parted: bool = False) -> None:
        """Take back the feelings just read, unless more than so many words came in between, or a comma."""
        if self.gap <= within and (parted or not self.parted):
            for index in self.group:
                self.levels[index], self.roles[index] = 0.0, role
        self.rest()
        self.group = []

    def is_emotion(self, index: int) -> bool:
        """Return whether this item is a feeling."""
        return index >= 0 and is_kind(entry_at(self.items, index), Kind.EMOTION)

    def comes(self, index: int, kind: Kind) -> bool:
        """Return whether a phrase of this kind comes next."""
        return is_kind(entry_at(self.items, index + 1), kind)


def _from_the_right(items: Sequence[Item]) -> tuple[list[bool], list[bool]]:
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


def is_form(entry: Entry | None, form: Form) -> bool:
    """Return whether a phrase has this form."""
    return entry is not None and entry.form is form


def is_adverb(entry: Entry | None) -> bool:
    """Return whether a phrase is an adverb: "sadly", "bitterly"."""
    return entry is not None and entry.form in _ADVERBS


def separates(entry: Entry | None) -> bool:
    """Return whether an item parts the members of a list."""
    return entry is COMMA or is_kind(entry, CONJUNCTION)


def leads_on(items: Sequence[Item], index: int) -> bool:
    """Return whether an intensity reaches its word over others of its kind: "strong, clear anger"."""
    if not is_kind(items[index - 1][2], Kind.INTENSITY):
        return False
    for at in range(index + 1, min(index + 1 + BESIDE, len(items))):
        entry = items[at][2]
        if is_kind(entry, Kind.EMOTION):
            return items[at - 1][2] is None or not is_kind(items[at - 1][2], Kind.PASSING)
        if entry is not None and (entry.kind not in BETWEEN or entry.form in COPULAS):
            return False
    return False


def next_emotion(items: Sequence[Item], index: int) -> int | None:
    """Return the emotion that comes next, through nothing but links and intensities."""
    for at in range(index + 1, min(index + 1 + BESIDE, len(items))):
        entry = items[at][2]
        if entry is not None and entry.kind is Kind.EMOTION:
            return at
        if entry is None or entry is COMMA or entry.kind not in BETWEEN:
            return None
    return None


def ends_clause(items: Sequence[Item], index: int) -> bool:
    """Return whether a mark, "but", "and" or the end stands behind an item."""
    entry = entry_at(items, index + 1)
    if entry is None:
        return False
    if entry is COMMA or entry is COLON or entry.kind in (Kind.STOP, Kind.BREAKING, Kind.SUBJECT):
        return True
    return entry.kind is CONJUNCTION and next_emotion(items, index + 1) is None


def says_something(entry: Entry | None) -> bool:
    """Return whether a phrase says something of a voice or a speaker."""
    return entry is not None and entry.kind in _SAYING
