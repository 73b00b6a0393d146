"""State of scope resolution: what governs the next phrase, and looks at its neighbours.

Each look is bounded by a few entries, so that scope resolution stays linear in the length of the text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from budew.captions.phrases import COLON, COMMA, STOP, UNKNOWN, Entry, Form, Kind, shifted

AFFIRMED, NEGATED, PAST, NOT_EXPRESSED = "affirmed", "negated", "past", "not expressed"
"""Roles of a phrase: it counts, or why it does not."""

BESIDE = 4
"""Entries on each side of a phrase that are looked at."""
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
_LISTED = BETWEEN - {Kind.CONJUNCTION} | {
    Kind.EMOTION, Kind.BURST, Kind.AFTER, Kind.NEGATION, Kind.PEAK, Kind.HEDGE, Kind.QUALITY,
}  # fmt: skip
"""Kinds of phrases in a list that "and" or "or" closes."""


@dataclass(slots=True)
class ScopeState:
    """What governs the words to come, and what was found so far."""

    entries: Sequence[Entry]  # phrases of the text, and a margin of stops
    levels: list[float]  # of each phrase, see `resolve_scopes`
    roles: list[str]
    pending: float | None = None  # level of an intensity (0 for a negation) that waits for its word
    carried: float | None = None  # level that governs the list that is being read
    role: str = NEGATED  # what level 0 means
    last: int | None = None  # the emotion just read, which an intensity after it may still change
    listed: list[int] = field(default_factory=list)  # emotions read last, which a turn leaves behind
    previously_listed: list[int] = field(default_factory=list)  # the same, of the sentence before
    words_since_list: int = 0  # what came after this list
    comma_since_list: bool = False
    mentioned: dict[str, list[int]] = field(default_factory=dict)  # where each emotion was read
    sentence_start: int = 0
    unknown_words: int = 0  # words without a meaning since a negation
    negation_end: int | None = None  # the "and" that a negation does not govern
    others_until: int = -1  # up to here, the text is about somebody else
    hedge_until: int = -1  # up to here, a hedge waits for its word
    too_until: int = -1  # up to here, "to" denies, as a "too" came before it
    from_until: int = -1  # up to here, emotions are left behind, as "from" came before and "to" follows
    fronted: tuple[float, int] | None = None  # intensity at the head of a sentence, and how far it waits
    comparison: Entry | None = None  # "more" or "less", waiting for "than"
    compared: int | None = None  # the first of two emotions that are compared
    _is_closed: bool = False  # answer of `is_closed`,
    _closed_until: int = -1  # and up to where it holds
    _last_to: int = -1  # place that answers `leads_to`,
    _sentence_end: int = -1  # and up to where it holds

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "ScopeState":
        """Return the state before the first phrase of a text."""
        return cls([*entries, *_MARGIN], [0.0] * len(entries), [AFFIRMED] * len(entries))

    # What governs.

    def stop(self, index: int, entry: Entry) -> None:
        """The end of a sentence."""
        self.govern_nothing()
        self.previously_listed, self.listed = self.listed, []
        self.sentence_start = index + 1
        self.words_since_list = 0
        self.comma_since_list = False
        self.from_until = self.hedge_until = -1
        self.fronted = self.comparison = self.compared = None

    def govern_nothing(self) -> None:
        """End whatever governs the words to come."""
        self.pending = self.carried = self.last = None
        self.role = NEGATED

    def govern(self, level: float, role: str = NEGATED) -> None:
        """Let this govern the words to come, whatever governed them before."""
        self.pending, self.carried, self.role, self.last = level, None, role, None
        self.unknown_words = 0

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
            return
        if self.pending is not None:
            first, second = self.following(index, 2)
            qualified = second if first.phrase == "of" else first
            if qualified.kind is Kind.EMOTION:
                self.last = None
                return
        self.end_scope(index, entry)

    def passing(self, index: int, entry: Entry) -> None:
        """A word that governs nothing and ends nothing but an intensity that it parts from its word."""
        if self.pending is None or (self.pending != 0.0 and not self.leads_on(index)):
            self.pending = self.carried = None

    # What phrases amount to.

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
            for index in self.listed:
                self.reject(index, role)
                if role == PAST:  # and earlier mentions with it: "hopeful; now the hope has gone"
                    for earlier in self.mentioned.pop(self.entries[index].name, ()):
                        if self.levels[earlier]:
                            self.reject(earlier, PAST)
        self.govern_nothing()
        self.listed = []

    # What stands near.

    def following(self, index: int, count: int = BESIDE) -> Sequence[Entry]:
        """Return the entries after one, the nearest first."""
        return self.entries[index + 1 : index + 1 + count]

    def preceding(self, index: int, count: int = BESIDE) -> Sequence[Entry]:
        """Return the entries before one, the nearest first; stops before the first."""
        return [self.entries[at] for at in range(index - 1, index - 1 - count, -1)]

    def next_emotion(self, index: int) -> Entry | None:
        """Return the emotion that comes next, after nothing but links and intensities."""
        for entry in self.following(index):
            if entry.kind is Kind.EMOTION:
                return entry
            if entry is COMMA or entry.kind not in BETWEEN:
                return None
        return None

    def leads_on(self, index: int) -> bool:
        """Return whether an intensity governs its word across others of its kind: "strong, clear anger"."""
        if self.entries[index - 1].kind is not Kind.INTENSITY:
            return False
        before = self.entries[index]
        for entry in self.following(index):
            if entry.kind is Kind.EMOTION:
                return before.kind is not Kind.PASSING
            if entry is not UNKNOWN and (entry.kind not in BETWEEN or entry.form in COPULAS):
                return False
            before = entry
        return False

    def ends_clause(self, index: int) -> bool:
        """Return whether a mark, "but", "and" or the end follows an entry."""
        entry = self.entries[index + 1]
        if entry.kind is CONJUNCTION:
            return self.next_emotion(index + 1) is None
        return entry is COMMA or entry is COLON or entry.kind in (Kind.STOP, Kind.BREAKING, Kind.SUBJECT)

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


Rule = Callable[[ScopeState, int, Entry], object]
"""What a kind of phrase does: called with the state, the place of the phrase and its meaning."""


def separates(entry: Entry) -> bool:
    """Return whether an entry parts the members of a list."""
    return entry is COMMA or entry.kind is CONJUNCTION
