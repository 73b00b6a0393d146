"""What governs the words to come, and what was found so far: the state of one pass over a text."""

from collections.abc import Sequence

from budew.captions.entry import Entry, Kind
from budew.captions.surroundings import (
    BESIDE,
    Item,
    entry_at,
    from_the_right,
    is_kind,
    leads_on,
    parts,
)

SAID, DENIED, LEFT_BEHIND, NOT_FELT = "said", "denied", "left behind", "not felt"
MODERATE = 0.5
"""The level of an emotion word that nothing governs."""
STEP = 0.25
SLIGHT = 0.25
STRONG = 0.75
AFLOAT = 6
"""Items over which a hedge or an intensity at the head of a sentence reaches."""
SUBJECT = 4
"""Words that may stand between a feeling and the verb that leaves it behind: "the fear of the first
words fades into".
"""
TURN = 8
"""Items behind "from" in which what is left behind is named, where "to" comes."""
_STRANGERS = 2
"""Words without a meaning that a negation reaches over."""


class Reading:
    """What governs the words to come, and what was found so far."""

    __slots__ = (
        "afloat", "ahead", "before", "begun", "carried", "closed", "compared", "comparison", "excess",
        "fence", "gap", "group", "hedged", "items", "last", "levels", "parted", "pending", "role", "roles",
        "strangers", "turning",
    )  # fmt: skip

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.levels = [0.0] * len(items)
        self.roles = [SAID] * len(items)
        self.closed, self.ahead = from_the_right(items)
        self.group: list[int] = []  # emotions of the list read last, which a turn behind it leaves behind
        self.before: list[int] = []  # the same, of the sentence before
        self.begun = 0  # where this sentence began
        self.gap = 0  # words since, and whether a comma came
        self.parted = False
        self.hedged = -AFLOAT - 1  # where a hedge stands that waits for its word
        self.afloat: tuple[int, float] | None = None  # where an intensity stands at the head of a sentence
        self.comparison: Entry | None = None  # "more" or "less", waiting for "than"
        self.compared: int | None = None  # the first of two that are compared
        self.turning = -TURN  # where "from" was read, if "to" comes
        self.excess = -BESIDE - 1  # where "too" was read
        self.fence: int | None = None  # the "and" that a negation does not reach over
        self.strangers = 0  # words without a meaning since a negation
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
        self.strangers = 0

    def other(self, index: int, entry: Entry | None) -> None:
        """A phrase read over as a whole, or a word that ends what is governed."""
        self.rest()
        self.gap += 1
        self.strangers = 0

    def stranger(self, index: int, entry: Entry | None) -> None:
        """A word that means nothing here. A negation reaches over two of them, and over what it lists beside
        a feeling ("no tension, stress or anger"); an intensity over one adjective right before its word.
        """
        listed = self.carried == 0.0 and index and parts(self.items[index - 1][2])
        if (self.pending == 0.0 or listed) and self.strangers < _STRANGERS:
            self.strangers += 1
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
        self.hedged = -AFLOAT - 1
        self.afloat = None
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
        """Tell whether this item is a feeling."""
        return index >= 0 and is_kind(entry_at(self.items, index), Kind.EMOTION)

    def comes(self, index: int, kind: Kind) -> bool:
        """Tell whether a phrase of this kind comes next."""
        return is_kind(entry_at(self.items, index + 1), kind)
