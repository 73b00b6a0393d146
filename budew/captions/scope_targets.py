"""Scope state and targets: feelings, and the bursts, traits and voice qualities that a negation covers."""

from collections.abc import Sequence

from budew.captions.clause_context import (
    BESIDE,
    Item,
    entry_at,
    from_the_right,
    is_adverb,
    is_form,
    is_kind,
    is_quality,
    is_stance,
    leads_on,
    modifies_change,
    separates,
)
from budew.captions.entry import Entry, Form, Kind

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
_UNKNOWN_WORDS = 2
"""Words without a meaning that a negation reaches over."""
_PERSONAL = ("gender", "age")
_FAR = 0.75
"""From this intensity on, a voice attribute is at its pole and not just near it."""


class ScopeState:
    """What governs the words to come, and what was found so far."""

    __slots__ = (
        "ahead",
        "before",
        "begun",
        "carried",
        "closed",
        "compared",
        "comparison",
        "excess",
        "fronted",
        "gap",
        "group",
        "hedged",
        "items",
        "last",
        "levels",
        "negation_end",
        "parted",
        "pending",
        "role",
        "roles",
        "turning",
        "unknown_words",
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


def emotion(state: ScopeState, index: int, entry: Entry) -> None:
    """A feeling: it has the level that governs it, and joins the list that is being read."""
    if entry.either and state.pending is None and _is_no_feeling(state, index, entry):
        return
    governing = _governing(state, index)
    state.set_level(index, MODERATE if governing is None else governing)
    if state.gap or (state.parted and not state.closed[index]):
        state.group.clear()
    state.group.append(index)
    state.gap, state.parted = 0, False
    state.pending, state.carried, state.last = None, governing, index
    if state.comparison is not None and state.compared is None:
        state.compared = index


def _is_no_feeling(state: ScopeState, index: int, entry: Entry) -> bool:
    """Read a word that elsewhere names an emotion: a voice quality, "Sadly, …", "bitterly sad"."""
    if entry.form is Form.DEGREE:
        following = entry_at(state.items, index + 1)
        if not is_kind(following, Kind.EMOTION) or is_adverb(following):
            return False
        state.govern(STRONG)
    elif entry.form is Form.STANCE:
        if index != state.begun or not is_stance(state.items, index):
            return False
        state.other(index, entry)
    elif is_quality(state.items, index):
        quality(state, index, entry)
    else:
        return False
    state.roles[index] = ""
    return True


def _governing(state: ScopeState, index: int) -> float | None:
    governing = state.pending if state.pending is not None else state.carried
    state.unknown_words = 0
    if governing is None and index - state.turning < TURN:
        state.role, governing = LEFT_BEHIND, 0.0
    if state.fronted is not None:
        if governing is None and index - state.fronted[0] <= FRONTED:
            governing = state.fronted[1]
        state.fronted = None
    if index - state.hedged <= FRONTED:
        state.hedged = -FRONTED - 1
        if governing != 0.0:
            governing = max(SLIGHT, (MODERATE if governing is None else governing) - STEP)
    return governing


def thing(state: ScopeState, index: int, entry: Entry) -> None:
    """A burst or a trait."""
    state.levels[index] = 1.0
    if state.carried == 0.0 and entry.name in _PERSONAL and _is_bystander(state, index):
        state.other(index, entry)
        return
    if entry.name == "pace" and modifies_change(state.items, index):
        state.levels[index], state.roles[index] = 0.0, ""
        return
    if _covered(state, entry):
        state.levels[index], state.roles[index] = 0.0, state.role


def _is_bystander(state: ScopeState, index: int) -> bool:
    """Return whether a feeling or a action is denied, and not the person behind it: "not a happy woman",
    "without warning a woman", but "not an old woman", "not old or female".
    """
    if state.pending is not None:
        return state.unknown_words > 0 and is_kind(state.items[index - 1][2], Kind.LINK)
    at = index - 2 if separates(state.items[index - 1][2]) else index - 1
    return not is_kind(entry_at(state.items, at), Kind.TRAIT) or state.levels[at] > 0.0


def origin(state: ScopeState, index: int, entry: Entry) -> None:
    """The name of an accent: one right before a person or a voice, else a word that means nothing."""
    following = entry_at(state.items, index + 1)
    personal = is_kind(following, Kind.TRAIT) and following is not None and following.name in _PERSONAL
    if not personal and not is_form(following, Form.PERSON):
        state.roles[index] = ""
        state.unknown(index, None)
    elif state.pending == 0.0 and not state.unknown_words:
        state.roles[index] = state.role
    else:
        state.levels[index] = 1.0


def attribute(state: ScopeState, index: int, entry: Entry) -> None:
    """A voice attribute: 1 at its pole, 0.5 near it."""
    pending = state.pending
    thing(state, index, entry)
    if state.levels[index]:
        state.levels[index] = 1.0 if pending is not None and pending >= _FAR else 0.5


def quality(state: ScopeState, index: int, entry: Entry) -> None:
    """A voice quality."""
    _covered(state, entry)


def _covered(state: ScopeState, entry: Entry) -> bool:
    """Return whether a negation covers something that is no feeling; it reaches over it, an
    intensity does not.
    """
    denied = state.pending == 0.0 or state.carried == 0.0
    state.pending, state.carried, state.last = None, 0.0 if denied else None, None
    state.gap += 1
    return denied
