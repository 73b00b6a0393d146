"""State of scope resolution: what governs the next phrase, and looks at its neighbours.

Each look is bounded by a few entries, so that scope resolution stays linear in the length of the text.
"""

from collections.abc import Sequence

from budew.captions.phrases import COLON, COMMA, STOP, UNKNOWN, Entry, Form, Kind, shifted

BESIDE = 4
"""Entries on each side that are looked at."""
AFFIRMED, NEGATED, PAST, NOT_EXPRESSED = "affirmed", "negated", "past", "not expressed"
STEP = 0.25
SLIGHT = 0.25
STRONG = 0.75
FULL = 1.0
FRONTED = 6
"""Entries over which a hedge or an intensity at the head of a sentence reaches."""
SUBJECT = 4
"""Words between a feeling and the verb that leaves it behind: "the fear of the first words fades into"."""
TURN = 8
"""Entries behind "from" in which what is left behind is named, where "to" comes."""
COPULAS = (Form.PRESENT, Form.PAST)
ADVERBS = (Form.ADVERB, Form.STANCE, Form.DEGREE)
_UNKNOWN_WORDS = 2
"""Words without a meaning that a negation reaches over."""
_MARGIN = [STOP] * 16
"""Stands behind the last entry, so that looks before the first and behind the last find a stop."""

CONJUNCTION = Kind.CONJUNCTION  # a name is found faster than an attribute
_LISTED = frozenset(
    (Kind.EMOTION, Kind.BURST, Kind.INTENSITY, Kind.AFTER, Kind.NEGATION, Kind.PEAK, Kind.LINK, Kind.COMMA,
    Kind.EXCESS, Kind.NAMING, Kind.HEDGE, Kind.QUALITY)
)  # fmt: skip
BETWEEN = frozenset((Kind.LINK, Kind.COMMA, Kind.EXCESS, Kind.NAMING, Kind.CONJUNCTION, Kind.INTENSITY))
SAYING = frozenset((Kind.EMOTION, Kind.AFTER, Kind.BURST, Kind.ATTRIBUTE, Kind.QUALITY, Kind.TRAIT))
"""Kinds of phrases that say something of a voice or a speaker."""


class ScopeState:
    """What governs the words to come, and what was found so far."""

    __slots__ = (
        "_closed", "_last_to", "_listed_to", "_sentence_end", "before", "begun", "carried", "compared",
        "comparison", "entries", "excess", "foreign", "fronted", "gap", "group", "hedged", "last", "levels",
        "mentioned", "negation_end", "parted", "pending", "role", "roles", "turning", "unknown_words",
    )  # fmt: skip

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries + _MARGIN
        self.levels = [0.0] * len(entries)
        self.roles = [AFFIRMED] * len(entries)
        self.mentioned: dict[str, list[int]] = {}  # where each emotion was read
        self.group: list[int] = []  # emotions of the list read last, which a turn behind it leaves behind
        self.before: list[int] = []  # the same, of the sentence before
        self.negation_end: int | None = None  # the "and" that a negation does not reach over
        self.excess = -BESIDE - 1  # where "too" was read
        self.foreign = -1  # up to here, what is said is said of somebody else
        self.unknown_words = 0  # words without a meaning since a negation
        self._closed, self._listed_to = False, -1  # the answer of `is_closed`, and up to where it holds
        self._last_to, self._sentence_end = -1, -1  # the same of `leads_to`
        self.stop(-1)

    def stop(self, index: int, entry: Entry = STOP) -> None:
        """The end of a sentence."""
        self.rest()
        self.before, self.group = self.group, []
        self.begun = index + 1  # where this sentence began
        self.gap, self.parted = 0, False  # words since the group, and whether a comma came
        self.turning = -TURN  # where "from" was read, if "to" comes
        self.hedged = -FRONTED - 1  # where a hedge stands that waits for its word
        self.fronted: tuple[int, float] | None = None  # where an intensity stands at the head of a sentence
        self.comparison: Entry | None = None  # "more" or "less", waiting for "than"
        self.compared: int | None = None  # the first of two that are compared

    def rest(self) -> None:
        """Nothing governs what comes."""
        self.pending: float | None = None  # an intensity or negation that waits for its word
        self.carried: float | None = None  # what governs the list that is being read
        self.role = NEGATED  # what level 0 means
        self.last: int | None = None  # the emotion just read, which an intensity behind it may still change

    def govern(self, level: float, role: str = NEGATED) -> None:
        """Let this govern what comes, whatever governed it before."""
        self.pending, self.carried, self.role, self.last = level, None, role, None
        self.unknown_words = 0

    def is_closed(self, index: int) -> bool:
        """Return whether the list that goes on behind an entry has an "and" or "or" still to come. Ask from
        left to right: each entry is looked at once.
        """
        if index >= self._listed_to:
            at = index
            while (kind := self.entries[at].kind) in _LISTED or (
                kind is Kind.UNKNOWN and separates(self.entries[at + 1])  # between marks: a member of it
            ):
                at += 1
            self._closed, self._listed_to = kind is CONJUNCTION, at + 1
        return self._closed

    def leads_to(self, index: int) -> bool:
        """Return whether the sentence of an entry has a "to" behind it. Ask from left to right."""
        if index > self._sentence_end:
            at = index
            while (kind := self.entries[at].kind) is not Kind.STOP:
                if kind is Kind.TO and not self.entries[at].form:
                    self._last_to = at
                at += 1
            self._sentence_end = at
        return index < self._last_to

    def other(self, index: int, entry: Entry) -> None:
        """A phrase read over as a whole, or a word that ends what is governed."""
        self.rest()
        self.gap += 1
        self.unknown_words = 0

    def unknown(self, index: int, entry: Entry) -> None:
        """A word that means nothing here. A negation reaches over two of them, and over what it lists beside
        a feeling ("no tension, stress or anger"); an intensity over one adjective right before its word, or a
        noun ("a faint quiver of joy").
        """
        listed = self.carried == 0.0 and separates(self.entries[index - 1])
        if (self.pending == 0.0 or listed) and self.unknown_words < _UNKNOWN_WORDS:
            self.unknown_words += 1
            self.carried, self.last = 0.0, None
            self.gap += 1
        elif self.pending is not None and self._qualifies(index):
            self.last = None
        else:
            self.other(index, entry)

    def _qualifies(self, index: int) -> bool:
        """Return whether a word that means nothing stands before a feeling, or before "of" and one."""
        at = index + 2 if self.entries[index + 1].phrase == "of" else index + 1
        return self.entries[at].kind is Kind.EMOTION

    def passing(self, index: int, entry: Entry) -> None:
        """A word that governs nothing and ends nothing but an intensity that it parts from its word."""
        if self.pending is None or (self.pending != 0.0 and not leads_on(self.entries, index)):
            self.pending = self.carried = None

    def set_level(self, index: int, level: float) -> None:
        """Give an emotion its level, and the role that goes with it."""
        self.levels[index] = level
        self.roles[index] = AFFIRMED if level else self.role

    def take_away(self, index: int) -> None:
        """Let a phrase say something of somebody else."""
        self.levels[index], self.roles[index] = 0.0, NOT_EXPRESSED

    def grade(self, index: int, intensity: float) -> None:
        """Let an intensity govern an emotion that is read already."""
        self.set_level(index, shifted(self.entries[index].level, intensity))

    def withdraw(self, role: str, *, within: int, parted: bool = False) -> None:
        """Take back the feelings just read, unless more than so many words came in between, or a comma."""
        if self.gap <= within and (parted or not self.parted):
            for index in self.group:
                self.levels[index], self.roles[index] = 0.0, role
                if role == PAST:
                    self._end_earlier(self.entries[index].name)
        self.rest()
        self.group = []

    def _end_earlier(self, name: str) -> None:
        """Leave behind earlier mentions of an emotion that has ended: "hopeful; now the hope has gone"."""
        for index in self.mentioned.pop(name, ()):
            if self.levels[index]:
                self.levels[index], self.roles[index] = 0.0, PAST


def separates(entry: Entry) -> bool:
    """Return whether an entry parts the members of a list."""
    return entry is COMMA or entry.kind is CONJUNCTION


def leads_on(entries: Sequence[Entry], index: int) -> bool:
    """Return whether an intensity reaches its word over others of its kind: "strong, clear anger"."""
    if entries[index - 1].kind is not Kind.INTENSITY:
        return False
    for at in range(index + 1, index + 1 + BESIDE):
        entry = entries[at]
        if entry.kind is Kind.EMOTION:
            return entries[at - 1].kind is not Kind.PASSING
        if entry is not UNKNOWN and (entry.kind not in BETWEEN or entry.form in COPULAS):
            return False
    return False


def next_emotion(entries: Sequence[Entry], index: int) -> int | None:
    """Return the emotion that comes next, through nothing but links and intensities."""
    for at in range(index + 1, index + 1 + BESIDE):
        entry = entries[at]
        if entry.kind is Kind.EMOTION:
            return at
        if entry is COMMA or entry.kind not in BETWEEN:
            return None
    return None


def ends_clause(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a mark, "but", "and" or the end stands behind an entry."""
    entry = entries[index + 1]
    if entry.kind is CONJUNCTION:
        return next_emotion(entries, index + 1) is None
    return entry is COMMA or entry is COLON or entry.kind in (Kind.STOP, Kind.BREAKING, Kind.SUBJECT)
