"""Scope: which intensity, negation, hedge or turn governs which emotion word.

    strong anger, fear and some joy   an intensity governs a list closed by "and" or "or", up to the next one
    very sad, tired, old              a list of commas alone is a list of tags: "tired" is moderate
    without a trace of anger or fear  a negation governs what an intensity would, and prevails over one
    fear to a high degree             an intensity behind a word governs that word alone
    more tired than sad               the second is one level lower than the first
    from irritation to relief         what is left behind is not there

Any other word ends what is governed. docs/captions.md has all the rules. One pass from the right, one
from the
left: linear time.
"""

from collections.abc import Sequence
from typing import Any

from budew.captions.lexicon import Entry, Kind

MODERATE = 0.5
"""The level of an emotion word that nothing governs."""
STEP = 0.25
SLIGHT = 0.25
STRONG = 0.75

COMMA = Entry(Kind.LINK, ",")
"""The meaning of a comma, which belongs to the grammar and not to the lexicon."""
STOP = Entry(Kind.INERT, ".")
"""The meaning of a mark that ends a sentence."""
MARK = Entry(Kind.BREAKING, "mark")
"""The meaning of any other mark, which ends what is governed."""
QUOTED = Entry(Kind.INERT, "quoted")
"""The meaning of words that are spoken."""
COLON = Entry(Kind.PASSING, ":")
"""The meaning of a mark between a feeling and what is said of it: "fear: strong", "fear (strong)"."""
MARKS = {**dict.fromkeys(",\n", COMMA), **dict.fromkeys(".!?;", STOP), **dict.fromkeys(":()=", COLON)}
"""Marks with a meaning of their own."""

SAID, DENIED, LEFT_BEHIND, NOT_FELT = "said", "denied", "left behind", "not felt"
_COPULAS = ("is", "are", "was", "were")
_ELLIPTIC = ("not", "isn't", "aren't", "wasn't", "weren't", "doesn't", "don't", "didn't", "isnt", "doesnt")

Item = tuple[int, int, Entry | None]
"""A phrase of the text: the tokens from the first number to before the second, and its meaning (None:
it has none).
"""

CONJUNCTION, TO = Kind.CONJUNCTION, Kind.TO  # a name is found faster than an attribute
_LISTED = frozenset(
    (Kind.EMOTION, Kind.BURST, Kind.INTENSITY, Kind.AFTER, Kind.NEGATION, Kind.LINK, Kind.NAMING,
    Kind.HEDGE, Kind.QUALITY)
)  # fmt: skip
_BETWEEN = frozenset((Kind.LINK, Kind.NAMING, Kind.CONJUNCTION, Kind.INTENSITY))
_OF_THE_VOICE = ("timbre", "pace", "style")
_FAR = 0.75
"""From this intensity on, a voice attribute is at its pole and not just near it."""
_BESIDE = 4
"""Items that are looked at on each side to tell a feeling from a voice quality."""
_AFLOAT = 6
"""Items over which a hedge or an intensity at the head of a sentence reaches."""
_STRANGERS = 2
"""Words without a meaning that a negation reaches over."""
_TURN = 8
"""Items behind "from" in which what is left behind is named, where "to" comes."""
_SUBJECT = 4
"""Words that may stand between a feeling and the verb that leaves it behind: "the fear of the first
words fades into".
"""


def read(items: Sequence[Item]) -> tuple[list[float], list[str]]:
    """Return the level and the role of each item.

    An emotion has the level that governs it, a burst and a trait 1, a voice attribute 1 at its pole and
    0.5 near it; all of them 0 where they are denied. The role of an emotion that is read as a voice
    quality is empty.
    """
    reader = _Reader(items)
    for index, (_, _, entry) in enumerate(items):
        _HANDLERS[entry.kind if entry is not None else None](reader, index, entry)
    reader.stop()
    return reader.levels, reader.roles


class _Reader:
    """What governs the words to come, and what was found so far."""

    __slots__ = (
        "afloat", "ahead", "before", "begun", "carried", "closed", "compared", "comparison", "gap", "group",
        "hedged", "items", "last", "levels", "parted", "pending", "role", "roles", "strangers", "turning",
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
        self.hedged = -_AFLOAT - 1  # where a hedge stands that waits for its word
        self.afloat: tuple[int, float] | None = None  # where an intensity stands at the head of a sentence
        self.comparison: Entry | None = None  # "more" or "less", waiting for "than"
        self.compared: int | None = None  # the first of two that are compared
        self.turning = -_TURN  # where "from" was read, if "to" comes
        self.strangers = 0  # words without a meaning since a negation
        self.rest()

    def rest(self) -> None:
        """Nothing governs what comes."""
        self.pending: float | None = None  # an intensity or negation that waits for its word
        self.carried: float | None = None  # what governs the list that is being read
        self.role = DENIED  # what level 0 means
        self.last: int | None = None  # the emotion just read, which an intensity behind it may still change

    def other(self, index: int, entry: Entry | None) -> None:
        """A phrase read over as a whole, or a word that ends what is governed."""
        self.rest()
        self.gap += 1
        self.strangers = 0

    def stranger(self, index: int, entry: Entry | None) -> None:
        """A word that means nothing here. A negation reaches over two of them, and over what it lists beside
        a feeling ("no tension, stress or anger"); an intensity over one adjective right before its word.
        """
        listed = self.carried == 0.0 and index and _parts(self.items[index - 1][2])
        if (self.pending == 0.0 or listed) and self.strangers < _STRANGERS:
            self.strangers += 1
            self.carried, self.last = 0.0, None
            self.gap += 1
        elif self.pending is not None and self._is_emotion(index + 1):
            self.last = None
        else:
            self.other(index, entry)

    def stop(self, index: int = 0, entry: Entry | None = None) -> None:
        """The end of a sentence."""
        self.rest()
        self.before, self.group = self.group, []
        self.begun = index + 1
        self.gap, self.parted = 0, False
        self.turning = -_TURN
        self.hedged = -_AFLOAT - 1
        self.afloat = None
        self.comparison = self.compared = None

    def emotion(self, index: int, entry: Entry) -> None:
        if entry.either and self.pending is None and self._is_quality(index):
            self.roles[index] = ""
            self.quality(index, entry)
            return
        governing = self._governing(index)
        self._set(index, MODERATE if governing is None else governing)
        if self.gap or (self.parted and not self.closed[index]):
            self.group.clear()
        self.group.append(index)
        self.gap, self.parted = 0, False
        self.pending, self.carried, self.last = None, governing, index
        if self.comparison is not None and self.compared is None:
            self.compared = index

    def _governing(self, index: int) -> float | None:
        governing = self.pending if self.pending is not None else self.carried
        self.strangers = 0
        if governing is None and index - self.turning < _TURN:
            self.role, governing = LEFT_BEHIND, 0.0
        if self.afloat is not None:
            if governing is None and index - self.afloat[0] <= _AFLOAT:
                governing = self.afloat[1]
            self.afloat = None
        if index - self.hedged <= _AFLOAT:
            self.hedged = -_AFLOAT - 1
            if governing != 0.0:
                governing = max(SLIGHT, (MODERATE if governing is None else governing) - STEP)
        return governing

    def thing(self, index: int, entry: Entry) -> None:
        """A burst or a trait."""
        self.levels[index] = 1.0
        if entry.name == "pace" and (self._comes(index, Kind.LEFT) or self._comes(index, Kind.FADING)):
            self.levels[index], self.roles[index] = 0.0, ""  # "fear slowly turns into": the turn is slow
            return
        if self._covered(entry):
            self.levels[index], self.roles[index] = 0.0, self.role

    def attribute(self, index: int, entry: Entry) -> None:
        """A voice attribute: 1 at its pole, 0.5 near it."""
        pending = self.pending
        self.thing(index, entry)
        if self.levels[index]:
            self.levels[index] = 1.0 if pending is not None and pending >= _FAR else 0.5

    def quality(self, index: int, entry: Entry) -> None:
        """A voice quality."""
        self._covered(entry)

    def _covered(self, entry: Entry) -> bool:
        """Tell whether a negation covers something that is no feeling; it reaches over it, an
        intensity does not.
        """
        denied = self.pending == 0.0 or self.carried == 0.0
        self.pending, self.carried, self.last = None, 0.0 if denied else None, None
        self.gap += 1
        return denied

    def intensity(self, index: int, entry: Entry) -> None:
        level = entry.level if self.pending is None else _combined(self.pending, entry.level)
        if self.last is not None and self._is_predicate(index):
            if self.levels[self.last]:
                self._set(self.last, level or SLIGHT)  # "the anger is not strong"
            self.pending = self.carried = self.last = None
        else:
            self.pending, self.carried = level, None

    def after(self, index: int, entry: Entry) -> None:
        if self.last is not None:
            self._set(self.last, entry.level if self.levels[self.last] else 0.0)
            self.pending = self.carried = self.last = None
        else:
            self.other(index, entry)
            self.afloat = index, entry.level

    def rating(self, index: int, entry: Entry) -> None:
        """A number: how strong the feeling before it is."""
        if self.last is None:
            self.other(index, entry)
        else:
            self.role = DENIED
            self.after(index, entry)

    def negation(self, index: int, entry: Entry) -> None:
        elliptic = entry.phrase in _ELLIPTIC and not self._comes(index, Kind.BREAKING)
        if self.group and elliptic and self._ends_clause(index):  # "but anger is not"
            self._withdraw(DENIED, within=_SUBJECT, parted=True)
        else:
            self.pending, self.carried, self.role = 0.0, None, DENIED
            self.strangers = 0
            self.last = self.last if self._comes(index, Kind.INTENSITY) else None

    def unreal(self, index: int, entry: Entry) -> None:
        """Before what is feigned, or only thought of."""
        self.pending, self.carried, self.role, self.last = 0.0, None, NOT_FELT, None
        self.strangers = 0

    def leaving(self, index: int, entry: Entry) -> None:
        self.pending, self.carried, self.role, self.last = 0.0, None, LEFT_BEHIND, None
        self.strangers = 0

    def absent(self, index: int, entry: Entry) -> None:
        self._withdraw(DENIED, within=0)

    def fading(self, index: int, entry: Entry) -> None:
        self._withdraw(LEFT_BEHIND, within=0)

    def left(self, index: int, entry: Entry) -> None:
        if not self.group and index - self.begun <= 2:  # "Then fear. This gives way to relief."
            self.group = self.before
        self._withdraw(LEFT_BEHIND, within=_SUBJECT)

    def hedge(self, index: int, entry: Entry) -> None:
        self.hedged = index

    def start(self, index: int, entry: Entry) -> None:
        """The word "from"."""
        if self.ahead[index]:
            self.leaving(index, entry)
            self.turning = index
        else:
            self.other(index, entry)

    def end(self, index: int, entry: Entry) -> None:
        """The word "to", which without a "from" before it is any word."""
        if self.turning >= 0:
            self.rest()
            self.group.clear()
            self.turning = -_TURN

    def compare(self, index: int, entry: Entry) -> None:
        """The words "more" and "less"."""
        self.comparison, self.compared = entry, None
        if entry.kind is Kind.LESS and self.pending is None:
            self.pending, self.carried = SLIGHT, None

    def than(self, index: int, entry: Entry) -> None:
        first, comparison, last = self.compared, self.comparison, self.last
        self.rest()
        self.gap += 1
        self.comparison = self.compared = None
        second = self._next_emotion(index)
        first = first if first is not None else last
        if comparison is None:
            return
        if first is None and self.items[index - 1][2] is comparison:  # "more than happy", "less than happy"
            self.pending = STRONG if comparison.kind is Kind.MORE else 0.0
        elif comparison.kind is Kind.MORE and second is not None:
            level = MODERATE if first is None else self.levels[first]
            self.pending = max(SLIGHT, level - STEP) if level else None
        elif comparison.kind is Kind.LESS and first is not None:
            self._set(first, 0.0 if second is None else SLIGHT)

    def link(self, index: int, entry: Entry) -> None:
        if entry is COMMA:
            if self.pending == 0.0 or not self._leads_on(index):
                self.pending = None
            self.carried = self.carried if self.closed[index] else None
            self.strangers = 0
            self.parted = True

    def conjunction(self, index: int, entry: Entry) -> None:
        if self.pending == 0.0 or not self._leads_on(index):
            self.pending = None
        self.last = None
        self.strangers = 0
        self.parted = False

    def passing(self, index: int, entry: Entry) -> None:
        if self.pending != 0.0 and not self._leads_on(index):
            self.pending = self.carried = None

    def _set(self, index: int, level: float) -> None:
        self.levels[index] = level
        self.roles[index] = SAID if level else self.role

    def _withdraw(self, role: str, *, within: int, parted: bool = False) -> None:
        """Take back the feelings just read, unless more than so many words came in between, or a comma."""
        if self.gap <= within and (parted or not self.parted):
            for index in self.group:
                self.levels[index], self.roles[index] = 0.0, role
        self.rest()
        self.group = []

    def _is_emotion(self, index: int) -> bool:
        entry = self.items[index][2] if index < len(self.items) else None
        return entry is not None and entry.kind is Kind.EMOTION

    def _comes(self, index: int, kind: Kind) -> bool:
        entry = self.items[index + 1][2] if index + 1 < len(self.items) else None
        return entry is not None and entry.kind is kind

    def _is_predicate(self, index: int) -> bool:
        """Tell whether an intensity says how strong the feeling before it is: "the fear is strong and …"."""
        before = self.items[index - 1][2]
        if before is not None and before.phrase in _COPULAS:
            of = index + 1 < len(self.items) and self.items[index + 1][2]
            return not self._is_emotion(index + 1) and (of is COMMA or not self._comes(index, Kind.LINK))
        return self._ends_clause(index)

    def _leads_on(self, index: int) -> bool:
        """Tell whether an intensity reaches its word over others of its kind: "strong, clear anger"."""
        if self.pending is None or not _is_kind(self.items[index - 1][2], Kind.INTENSITY):
            return False
        for at in range(index + 1, min(index + 1 + _BESIDE, len(self.items))):
            entry = self.items[at][2]
            if _is_kind(entry, Kind.EMOTION):
                return self.items[at - 1][2] is None or not _is_kind(self.items[at - 1][2], Kind.PASSING)
            if entry is not None and (entry.kind not in _BETWEEN or entry.phrase in _COPULAS):
                return False
        return False

    def _ends_clause(self, index: int) -> bool:
        """Tell whether a mark, "but", "and" or the end stands behind an item."""
        entry = self.items[index + 1][2] if index + 1 < len(self.items) else STOP
        if entry is COMMA or entry is STOP or entry is COLON:
            return True
        if entry is None or entry.kind not in (Kind.CONJUNCTION, Kind.BREAKING):
            return False
        return entry.kind is Kind.BREAKING or self._next_emotion(index + 1) is None

    def _next_emotion(self, index: int) -> int | None:
        """Return the emotion that comes next, through nothing but links and intensities."""
        for at in range(index + 1, min(index + 1 + _BESIDE, len(self.items))):
            entry = self.items[at][2]
            if entry is not None and entry.kind is Kind.EMOTION:
                return at
            if entry is None or entry is COMMA or entry.kind not in _BETWEEN:
                return None
        return None

    def _is_quality(self, index: int) -> bool:
        """Tell whether what stands beside is a voice quality and no feeling."""
        items = self.items
        beside = (
            _neighbour(items, range(index - 1, max(-1, index - 1 - _BESIDE), -1)),
            _neighbour(items, range(index + 1, min(len(items), index + 1 + _BESIDE))),
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


def _is_kind(entry: Entry | None, kind: Kind) -> bool:
    return entry is not None and entry.kind is kind


def _combined(outer: float, inner: float) -> float:
    """Return the level of one intensity upon another: a weak one weakens, else the stronger counts."""
    return min(outer, inner) if min(outer, inner) < MODERATE else max(outer, inner)


def _from_the_right(items: Sequence[Item]) -> tuple[list[bool], list[bool]]:
    """Return, for each item, whether the list that goes on behind it has an "and" or "or" still to come, and
    whether its sentence has a "to".
    """
    closed, ahead = [False] * len(items), [False] * len(items)
    closing = coming = False
    for index in range(len(items) - 1, -1, -1):
        entry = items[index][2]
        if entry is None:  # in a list, a word between marks is a member of it
            closing = closing and index + 1 < len(items) and _parts(items[index + 1][2])
        elif entry is STOP:
            closing = coming = False
        else:
            kind = entry.kind
            closing = kind is CONJUNCTION or (closing and kind in _LISTED)
            coming = coming or kind is TO
        closed[index], ahead[index] = closing, coming
    return closed, ahead


def _parts(entry: Entry | None) -> bool:
    return entry is COMMA or _is_kind(entry, CONJUNCTION)


_HANDLERS: dict[Kind | None, Any] = {
    None: _Reader.stranger,
    Kind.BREAKING: _Reader.other,
    Kind.INERT: lambda reader, index, entry: (reader.stop if entry is STOP else reader.other)(index, entry),
    Kind.EMOTION: _Reader.emotion,
    Kind.BURST: _Reader.thing,
    Kind.TRAIT: _Reader.thing,
    Kind.ATTRIBUTE: _Reader.attribute,
    Kind.QUALITY: _Reader.quality,
    Kind.INTENSITY: _Reader.intensity,
    Kind.AFTER: _Reader.after,
    Kind.RATING: _Reader.rating,
    Kind.NEGATION: _Reader.negation,
    Kind.UNREAL: _Reader.unreal,
    Kind.ABSENT: _Reader.absent,
    Kind.LEAVING: _Reader.leaving,
    Kind.FADING: _Reader.fading,
    Kind.LEFT: _Reader.left,
    Kind.HEDGE: _Reader.hedge,
    Kind.FROM: _Reader.start,
    Kind.TO: _Reader.end,
    Kind.MORE: _Reader.compare,
    Kind.LESS: _Reader.compare,
    Kind.THAN: _Reader.than,
    Kind.LINK: _Reader.link,
    Kind.NAMING: _Reader.link,
    Kind.PASSING: _Reader.passing,
    Kind.CONJUNCTION: _Reader.conjunction,
}
