"""State of scope resolution: what governs the next phrase, and searches among its neighbours.

Each search is bounded to a few entries, so that scope resolution is linear in the length of the text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from budew.captions.phrases import COLON, COMMA, DASH, SEMICOLON, STOP, UNKNOWN, Entry, Form, Kind, shifted

AFFIRMED, NEGATED, PAST, NOT_EXPRESSED = "affirmed", "negated", "past", "not expressed"
"""Roles of a phrase: "affirmed" counts; the others are reasons why a phrase does not count."""

BESIDE = 4
"""Default number of entries on each side of a phrase that are searched."""
_UNKNOWN_WORDS = 2
"""Most words without a meaning that a negation skips."""
_MARGIN = [STOP] * 16
"""Stops added after the last entry, so that indices after the end, and negative ones, give a stop."""

COPULAS = (Form.PRESENT, Form.PAST)
ADVERBS = (Form.ADVERB, Form.STANCE, Form.DEGREE)
CONJUNCTION = Kind.CONJUNCTION  # a global name is faster than an attribute
BETWEEN = frozenset((Kind.LINK, Kind.COMMA, Kind.EXCESS, Kind.NAMING, Kind.CONJUNCTION, Kind.INTENSITY))
"""Kinds of phrases that may stand between an intensity and its word."""
_LISTED = BETWEEN - {Kind.CONJUNCTION} | {
    Kind.EMOTION, Kind.BURST, Kind.AFTER, Kind.NEGATION, Kind.PEAK, Kind.HEDGE, Kind.QUALITY,
}  # fmt: skip
"""Kinds of phrases in a list that ends with "and" or "or"."""

_GRADES = (Kind.INTENSITY, Kind.RATING, Kind.ABSENT, Kind.NEGATION, Kind.LINK)
"""Kinds of phrases that may grade an emotion after a dash."""


@dataclass(slots=True)
class ScopeState:
    """State of scope resolution: what governs the following phrases, and the levels and roles so far."""

    entries: Sequence[Entry]  # phrases of the text, and a margin of stops
    levels: list[float]  # level of each phrase, see `resolve_scopes`
    roles: list[str]  # role of each phrase
    pending: float | None = None  # level of an intensity (0 for a negation) that waits for its word
    carried: float | None = None  # level that governs the current list
    role: str = NEGATED  # role of emotions that are governed by level 0
    last: int | None = None  # index of the last emotion, which an intensity after it may still change
    listed: list[int] = field(default_factory=list)  # emotions of the last list, which a change makes past
    previously_listed: list[int] = field(default_factory=list)  # the last list of the sentence before
    words_since_list: int = 0  # words after the last list
    comma_since_list: bool = False
    mentioned: dict[str, list[int]] = field(default_factory=dict)  # indices of each emotion
    sentence_start: int = 0
    unknown_words: int = 0  # words without a meaning since a negation
    negation_end: int | None = None  # the "and" that a negation does not govern
    others_until: int = -1  # up to here, the text is about somebody else
    hedge_until: int = -1  # up to here, a hedge waits for its word
    too_until: int = -1  # up to here, "to" denies, because of a "too" before it
    from_until: int = -1  # up to here, emotions are past, because of "from" before and "to" after them
    fronted: tuple[float, int] | None = None  # intensity at the start of a sentence, and the end of its scope
    comparison: Entry | None = None  # "more" or "less", waiting for "than"
    compared: int | None = None  # index of the first of two compared emotions
    _is_closed: bool = False  # cached result of `is_closed`,
    _closed_until: int = -1  # and the last index for which it is valid
    _last_to: int = -1  # index of the last "to" for `leads_to`,
    _sentence_end: int = -1  # and the last index for which it is valid

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "ScopeState":
        """Create the state before the first phrase of a text."""
        return cls([*entries, *_MARGIN], [0.0] * len(entries), [AFFIRMED] * len(entries))

    # What governs.

    def stop(self, index: int, entry: Entry) -> None:
        """Rule for a mark that ends a sentence: end all scopes."""
        if entry is SEMICOLON:
            first, second = self.following(index, 2)
            is_graded = first.kind is Kind.RATING and self.ends_clause(index + 1)  # "fear;0.8"
            if is_graded or (first.kind is Kind.LINK and second is COLON):  # "fear; intensity: 0.8"
                return
        self.govern_nothing()
        self.previously_listed, self.listed = self.listed, []
        self.sentence_start = index + 1
        self.words_since_list = 0
        self.comma_since_list = False
        self.from_until = self.hedge_until = -1
        self.fronted = self.comparison = self.compared = None

    def govern_nothing(self) -> None:
        """End all scopes that would govern the following words."""
        self.pending = self.carried = self.last = None
        self.role = NEGATED

    def govern(self, level: float, role: str = NEGATED) -> None:
        """Make `level` govern the following words, instead of any other level; `role` is for level 0."""
        self.pending, self.carried, self.role, self.last = level, None, role, None
        self.unknown_words = 0

    def breaking(self, index: int, entry: Entry) -> None:
        """Rule for a word or mark that ends all scopes, but not for a dash as in "fear – strong"."""
        at = index + 1
        while entry is DASH and self.entries[at].kind in _GRADES:
            if self.ends_clause(at) and self.entries[at + 1].kind is not CONJUNCTION:
                return
            at += 1
        self.end_scope(index, entry)

    def end_scope(self, index: int, entry: Entry) -> None:
        """Rule for a phrase or word that ends all scopes."""
        self.govern_nothing()
        self.words_since_list += 1
        self.unknown_words = 0

    def unknown_word(self, index: int, entry: Entry) -> None:
        """Rule for a word without a meaning. A negation skips two such words, and those in a list with an
        emotion ("no tension, stress or anger"). An intensity skips one adjective right before its word, or a
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
        """Rule for what ends the scope of an intensity, and has no other effect; not in "strong: fear"."""
        if self.pending is None:
            self.carried = None
        elif self.pending != 0.0 and not self.leads_on(index):
            before, after = self.entries[index - 1], self.entries[index + 1]
            if entry is not COLON or before.kind is not Kind.INTENSITY or after.kind is not Kind.EMOTION:
                self.pending = self.carried = None

    # What phrases amount to.

    def set_level(self, index: int, level: float) -> None:
        """Set the level of an emotion, and its role."""
        self.levels[index] = level
        self.roles[index] = AFFIRMED if level else self.role

    def reject(self, index: int, role: str) -> None:
        """Set the level of a phrase to 0, and its role to the reason."""
        self.levels[index], self.roles[index] = 0.0, role

    def grade(self, index: int, intensity: float) -> None:
        """Set the level of an emotion to that of an intensity, which the level of a word by itself shifts."""
        entry = self.entries[index]
        self.set_level(index, intensity if entry.form is Form.NAME else shifted(entry.level, intensity))

    def withdraw(self, role: str, *, within: int, after_comma: bool = False) -> None:
        """Reject the emotions of the last list, and end all scopes.

        Args:
            role: reason, such as "past".
            within: most words between the list and this point; if there are more, nothing is rejected.
            after_comma: whether to reject them even if there was a comma in between.
        """
        if self.words_since_list <= within and (after_comma or not self.comma_since_list):
            for index in self.listed:
                self.reject(index, role)
                if role == PAST:  # and earlier mentions of it: "hopeful; now the hope has gone"
                    for earlier in self.mentioned.pop(self.entries[index].name, ()):
                        if self.levels[earlier]:
                            self.reject(earlier, PAST)
        self.govern_nothing()
        self.listed = []

    # What stands near.

    def following(self, index: int, count: int = BESIDE) -> Sequence[Entry]:
        """Return the `count` entries after `index`, the nearest first."""
        return self.entries[index + 1 : index + 1 + count]

    def preceding(self, index: int, count: int = BESIDE) -> Sequence[Entry]:
        """Return the `count` entries before `index`, the nearest first; stops before the start."""
        return [self.entries[at] for at in range(index - 1, index - 1 - count, -1)]

    def next_emotion(self, index: int) -> Entry | None:
        """Return the next emotion if only links and intensities are before it, else None."""
        for entry in self.following(index):
            if entry.kind is Kind.EMOTION:
                return entry
            if entry is COMMA or entry.kind not in BETWEEN:
                return None
        return None

    def leads_on(self, index: int) -> bool:
        """Return whether an intensity governs its word across other intensities: "strong, clear anger"."""
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
        """Return whether the clause ends after an entry: with a mark, "but", "and" or the end of the text."""
        entry = self.entries[index + 1]
        if entry.kind is CONJUNCTION:
            return self.next_emotion(index + 1) is None
        return entry is COMMA or entry is COLON or entry.kind in (Kind.STOP, Kind.BREAKING, Kind.SUBJECT)

    def is_closed(self, index: int) -> bool:
        """Return whether "and" or "or" follows in the list that contains an entry.

        Call it for increasing indices; each entry is then read only once.
        """
        if index >= self._closed_until:
            at = index
            while (kind := self.entries[at].kind) in _LISTED or (
                kind is Kind.UNKNOWN and separates(self.entries[at + 1])  # between marks: member of the list
            ):
                at += 1
            self._is_closed, self._closed_until = kind is CONJUNCTION, at + 1
        return self._is_closed

    def leads_to(self, index: int) -> bool:
        """Return whether "to" follows an entry in its sentence. Call it for increasing indices."""
        if index > self._sentence_end:
            at = index
            while (kind := self.entries[at].kind) is not Kind.STOP:
                if kind is Kind.TO and not self.entries[at].form:
                    self._last_to = at
                at += 1
            self._sentence_end = at
        return index < self._last_to


Rule = Callable[[ScopeState, int, Entry], object]
"""Rule for a kind of phrase: function of the state, the index of the phrase and its meaning."""


def separates(entry: Entry) -> bool:
    """Return whether an entry separates members of a list."""
    return entry is COMMA or entry.kind is CONJUNCTION
