"""State of scope resolution: what governs the next phrase, and looks at its neighbours.

Each look is bounded by a few entries, so that scope resolution stays linear in the length of the text.
"""

from collections.abc import Callable, Sequence

from budew.captions.phrases import COLON, COMMA, STOP, UNKNOWN, Entry, Form, Kind, shifted

AFFIRMED, NEGATED, PAST, NOT_EXPRESSED = "affirmed", "negated", "past", "not expressed"
"""Roles of a phrase: it counts, or why it does not."""
STEP = 0.25
SLIGHT = 0.25
STRONG = 0.75
FULL = 1.0

BESIDE = 4
"""Entries on each side of a phrase that are looked at."""
FRONTED = 6
"""Entries that a hedge or an intensity at the head of a sentence governs."""
SUBJECT = 4
"""Words between a feeling and the verb that leaves it behind: "the fear of the first words fades into"."""
TURN = 8
"""Entries after "from" in which something is left behind, if "to" follows."""
_UNKNOWN_WORDS = 2
"""Words without a meaning that a negation skips."""
_MARGIN = [STOP] * 16
"""Added after the last entry. Places before the first and after the last are then stops: a negative place is
one in this margin.
"""

COPULAS = (Form.PRESENT, Form.PAST)
ADVERBS = (Form.ADVERB, Form.STANCE, Form.DEGREE)
CONJUNCTION = Kind.CONJUNCTION  # a name is found faster than an attribute
BETWEEN = frozenset((Kind.LINK, Kind.COMMA, Kind.EXCESS, Kind.NAMING, Kind.CONJUNCTION, Kind.INTENSITY))
"""Kinds of phrases that may stand between an intensity and its word."""
SAYING = frozenset((Kind.EMOTION, Kind.AFTER, Kind.BURST, Kind.ATTRIBUTE, Kind.QUALITY, Kind.TRAIT))
"""Kinds of phrases that say something of a voice or a speaker."""
_LISTED = frozenset((
    Kind.EMOTION, Kind.BURST, Kind.INTENSITY, Kind.AFTER, Kind.NEGATION, Kind.PEAK, Kind.LINK, Kind.COMMA,
    Kind.EXCESS, Kind.NAMING, Kind.HEDGE, Kind.QUALITY,
))  # fmt: skip


class ScopeState:
    """What governs the words to come, and what was found so far.

    Attributes:
        entries: phrases of the text, and a margin of stops.
        levels, roles: of each phrase, see `resolve_scopes`.
        pending: level of an intensity (0 for a negation) that waits for its word.
        carried: level that governs the list that is being read.
        role: what level 0 means.
        last: the emotion just read, which an intensity after it may still change.
        list: emotions of the list read last, which a turn after it leaves behind.
        previous_list: the same, of the sentence before.
        words_since_list, comma_since_list: what came after this list.
        mentioned: where each emotion was read.
        sentence_start: where this sentence began.
        unknown_words: words without a meaning since a negation.
        negation_end: the "and" that a negation does not govern.
        others_until: up to here, the text is about somebody else.
        hedge_until: up to here, a hedge waits for its word.
        too_until: up to here, "to" denies, as a "too" came before it.
        from_until: up to here, emotions are left behind, as a "from" came before them and "to" follows.
        fronted: level of an intensity at the head of a sentence, and up to where it waits for its word.
        comparison: "more" or "less", waiting for "than".
        compared: the first of two emotions that are compared.
    """

    __slots__ = (
        "_closed_until",
        "_is_closed",
        "_last_to",
        "_sentence_end",
        "carried",
        "comma_since_list",
        "compared",
        "comparison",
        "entries",
        "from_until",
        "fronted",
        "hedge_until",
        "last",
        "levels",
        "list",
        "mentioned",
        "negation_end",
        "others_until",
        "pending",
        "previous_list",
        "role",
        "roles",
        "sentence_start",
        "too_until",
        "unknown_words",
        "words_since_list",
    )  # fmt: skip

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = [*entries, *_MARGIN]
        self.levels = [0.0] * len(entries)
        self.roles = [AFFIRMED] * len(entries)
        self.mentioned: dict[str, list[int]] = {}
        self.list: list[int] = []
        self.previous_list: list[int] = []
        self.negation_end: int | None = None
        self.too_until = -1
        self.others_until = -1
        self.unknown_words = 0
        self._is_closed = False  # answer of `is_closed`,
        self._closed_until = -1  # and up to where it holds
        self._last_to = -1  # place that answers `leads_to`,
        self._sentence_end = -1  # and up to where it holds
        self.stop(-1)

    def stop(self, index: int, entry: Entry = STOP) -> None:
        """The end of a sentence."""
        self.govern_nothing()
        self.previous_list, self.list = self.list, []
        self.sentence_start = index + 1
        self.words_since_list = 0
        self.comma_since_list = False
        self.from_until = -1
        self.hedge_until = -1
        self.fronted: tuple[float, int] | None = None
        self.comparison: Entry | None = None
        self.compared: int | None = None

    def govern_nothing(self) -> None:
        """End whatever governs the words to come."""
        self.pending: float | None = None
        self.carried: float | None = None
        self.role = NEGATED
        self.last: int | None = None

    def govern(self, level: float, role: str = NEGATED) -> None:
        """Let this govern the words to come, whatever governed them before."""
        self.pending, self.carried, self.role, self.last = level, None, role, None
        self.unknown_words = 0

    def is_closed(self, index: int) -> bool:
        """Return whether "and" or "or" is still to come in the list that an entry stands in. Ask from left to
        right: each entry is looked at once.
        """
        if index >= self._closed_until:
            at = index
            while (kind := self.entries[at].kind) in _LISTED or (
                kind is Kind.UNKNOWN and separates(self.entries[at + 1])  # between marks: a member of it
            ):
                at += 1
            self._is_closed, self._closed_until = kind is CONJUNCTION, at + 1
        return self._is_closed

    def leads_to(self, index: int) -> bool:
        """Return whether "to" follows an entry in its sentence. Ask from left to right."""
        if index > self._sentence_end:
            at = index
            while (kind := self.entries[at].kind) is not Kind.STOP:
                if kind is Kind.TO and not self.entries[at].form:
                    self._last_to = at
                at += 1
            self._sentence_end = at
        return index < self._last_to

    def end_scope(self, index: int, entry: Entry) -> None:
        """A phrase that is skipped as a whole, or a word that ends what is governed."""
        self.govern_nothing()
        self.words_since_list += 1
        self.unknown_words = 0

    def unknown_word(self, index: int, entry: Entry) -> None:
        """A word that means nothing here. A negation skips two of them, and those that it lists beside a
        feeling ("no tension, stress or anger"); an intensity skips one adjective right before its word, or a
        noun ("a faint quiver of joy").
        """
        listed = self.carried == 0.0 and separates(self.entries[index - 1])
        if (self.pending == 0.0 or listed) and self.unknown_words < _UNKNOWN_WORDS:
            self.unknown_words += 1
            self.carried, self.last = 0.0, None
            self.words_since_list += 1
        elif self.pending is not None and self._qualifies(index):
            self.last = None
        else:
            self.end_scope(index, entry)

    def _qualifies(self, index: int) -> bool:
        """Return whether a word that means nothing stands before a feeling, or before "of" and one."""
        following, second = self.entries[index + 1 : index + 3]
        qualified = second if following.phrase == "of" else following
        return qualified.kind is Kind.EMOTION

    def passing(self, index: int, entry: Entry) -> None:
        """A word that governs nothing and ends nothing but an intensity that it parts from its word."""
        if self.pending is None or (self.pending != 0.0 and not leads_on(self.entries, index)):
            self.pending = self.carried = None

    def set_level(self, index: int, level: float) -> None:
        """Give an emotion its level, and the role that goes with it."""
        self.levels[index] = level
        self.roles[index] = AFFIRMED if level else self.role

    def reject(self, index: int, role: str) -> None:
        """Let a phrase not count, for the reason that the role says."""
        self.levels[index], self.roles[index] = 0.0, role

    def grade(self, index: int, intensity: float) -> None:
        """Let an intensity govern an emotion that is read already."""
        self.set_level(index, shifted(self.entries[index].level, intensity))

    def withdraw(self, role: str, *, within: int, after_comma: bool = False) -> None:
        """Take back the feelings just read, unless more than `within` words came in between, or a comma."""
        if self.words_since_list <= within and (after_comma or not self.comma_since_list):
            for index in self.list:
                self.reject(index, role)
                if role == PAST:
                    self._end_earlier(self.entries[index].name)
        self.govern_nothing()
        self.list = []

    def _end_earlier(self, name: str) -> None:
        """Leave behind earlier mentions of an emotion that has ended: "hopeful; now the hope has gone"."""
        for index in self.mentioned.pop(name, ()):
            if self.levels[index]:
                self.reject(index, PAST)


Rule = Callable[[ScopeState, int, Entry], object]
"""What a kind of phrase does: called with the state, the place of the phrase and its meaning."""


def following(entries: Sequence[Entry], index: int, count: int) -> Sequence[Entry]:
    """Return the entries after one, the nearest first."""
    return entries[index + 1 : index + 1 + count]


def preceding(entries: Sequence[Entry], index: int, count: int) -> Sequence[Entry]:
    """Return the entries before one, the nearest first; stops before the first."""
    return [entries[at] for at in range(index - 1, index - 1 - count, -1)]


def separates(entry: Entry) -> bool:
    """Return whether an entry parts the members of a list."""
    return entry is COMMA or entry.kind is CONJUNCTION


def leads_on(entries: Sequence[Entry], index: int) -> bool:
    """Return whether an intensity governs its word across others of its kind: "strong, clear anger"."""
    if entries[index - 1].kind is not Kind.INTENSITY:
        return False
    before = entries[index]
    for entry in following(entries, index, BESIDE):
        if entry.kind is Kind.EMOTION:
            return before.kind is not Kind.PASSING
        if entry is not UNKNOWN and (entry.kind not in BETWEEN or entry.form in COPULAS):
            return False
        before = entry
    return False


def next_emotion(entries: Sequence[Entry], index: int) -> Entry | None:
    """Return the emotion that comes next, after nothing but links and intensities."""
    for entry in following(entries, index, BESIDE):
        if entry.kind is Kind.EMOTION:
            return entry
        if entry is COMMA or entry.kind not in BETWEEN:
            return None
    return None


def ends_clause(entries: Sequence[Entry], index: int) -> bool:
    """Return whether a mark, "but", "and" or the end follows an entry."""
    entry = entries[index + 1]
    if entry.kind is CONJUNCTION:
        return next_emotion(entries, index + 1) is None
    return entry is COMMA or entry is COLON or entry.kind in (Kind.STOP, Kind.BREAKING, Kind.SUBJECT)
