"""Scope: which intensity, negation, hedge or turn governs which emotion word.

    strong anger, fear and some joy   an intensity governs a list closed by "and" or "or", up to the next one
    very sad, tired, old              a list of commas alone is a list of tags: "tired" is moderate
    without a trace of anger or fear  a negation governs what an intensity would, and prevails over one
    not a happy woman                 it reaches to the feeling, and not to the person behind it
    fear to a high degree             an intensity behind a word governs that word alone
    more tired than sad               the second is one level lower than the first
    from irritation to relief         what is left behind is not there
    if he is angry                    what is only thought or spoken of is not there

Any other word ends what is governed. docs/captions.md has all the rules. One pass from the right, one from
the left: linear time.
"""

from collections.abc import Callable, Sequence
from typing import Any

from budew.captions.entry import Entry, Form, Kind
from budew.captions.surroundings import (
    BESIDE,
    Item,
    begins_predicate,
    depends,
    end_of_aside,
    end_of_deed,
    ends_clause,
    entry_at,
    entry_before,
    from_the_right,
    is_adverb,
    is_attached,
    is_concession,
    is_form,
    is_kind,
    is_manner,
    is_of_turn,
    is_predicate,
    is_quality,
    is_rejection,
    is_resumption,
    is_stance,
    leads_on,
    next_emotion,
    opens_clause,
    parts,
    says_something,
    was,
)

MODERATE = 0.5
"""The level of an emotion word that nothing governs."""
STEP = 0.25
SLIGHT = 0.25
STRONG = 0.75

SAID, DENIED, LEFT_BEHIND, NOT_FELT = "said", "denied", "left behind", "not felt"

_PERSONAL = ("gender", "age")
_FAR = 0.75
"""From this intensity on, a voice attribute is at its pole and not just near it."""
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
    0.5 near it; all of them 0 where they are denied. The role of a word that turns out to name no feeling
    is empty.
    """
    reader, handlers = _Reader(items), _HANDLERS
    for index, (_, _, entry) in enumerate(items):
        handle = handlers[entry.kind if entry is not None else None]
        if handle is not None:
            handle(reader, index, entry)
    reader.stop()
    return reader.levels, reader.roles


class _Reader:
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
        self.hedged = -_AFLOAT - 1  # where a hedge stands that waits for its word
        self.afloat: tuple[int, float] | None = None  # where an intensity stands at the head of a sentence
        self.comparison: Entry | None = None  # "more" or "less", waiting for "than"
        self.compared: int | None = None  # the first of two that are compared
        self.turning = -_TURN  # where "from" was read, if "to" comes
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

    def subject(self, index: int, entry: Entry) -> None:
        """A pronoun: it begins a clause, which ends what is governed, but for what governs that clause."""
        if self.pending == 0.0 and opens_clause(self.items, index):
            self.gap += 1
        else:
            self.other(index, entry)

    def emotion(self, index: int, entry: Entry) -> None:
        if entry.either and self.pending is None and self._is_no_feeling(index, entry):
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

    def _is_no_feeling(self, index: int, entry: Entry) -> bool:
        """Read a word that elsewhere names an emotion: a voice quality, "Sadly, …", "bitterly sad"."""
        if entry.form is Form.DEGREE:
            following = entry_at(self.items, index + 1)
            if not is_kind(following, Kind.EMOTION) or is_adverb(following):
                return False
            self.govern(STRONG)
        elif entry.form is Form.STANCE:
            if index != self.begun or not is_stance(self.items, index):
                return False
            self.other(index, entry)
        elif is_quality(self.items, index):
            self.quality(index, entry)
        else:
            return False
        self.roles[index] = ""
        return True

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
        if self.carried == 0.0 and entry.name in _PERSONAL and self._is_bystander(index):
            self.other(index, entry)
            return
        if entry.name == "pace" and is_of_turn(self.items, index):
            self.levels[index], self.roles[index] = 0.0, ""
            return
        if self._covered(entry):
            self.levels[index], self.roles[index] = 0.0, self.role

    def _is_bystander(self, index: int) -> bool:
        """Tell whether a feeling or a deed is denied, and not the person behind it: "not a happy woman",
        "without warning a woman", but "not an old woman", "not old or female".
        """
        if self.pending is not None:
            return self.strangers > 0 and is_kind(self.items[index - 1][2], Kind.LINK)
        at = index - 2 if parts(self.items[index - 1][2]) else index - 1
        return not is_kind(entry_at(self.items, at), Kind.TRAIT) or self.levels[at] > 0.0

    def origin(self, index: int, entry: Entry) -> None:
        """The name of an accent: one right before a person or a voice, else a word that means nothing."""
        following = entry_at(self.items, index + 1)
        personal = is_kind(following, Kind.TRAIT) and following is not None and following.name in _PERSONAL
        if not personal and not is_form(following, Form.PERSON):
            self.roles[index] = ""
            self.stranger(index, None)
        elif self.pending == 0.0 and not self.strangers:
            self.roles[index] = self.role
        else:
            self.levels[index] = 1.0

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
        outer = self.pending
        if outer is None and self.carried == 0.0 and is_form(entry_before(self.items, index), Form.OR):
            outer = 0.0  # "without a hint of anger or a trace of fear"
        level = entry.level if outer is None else _combined(outer, entry.level)
        if self.last is not None and is_predicate(self.items, index):
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
        if self.group and entry.form is Form.ELLIPTIC and self._stands_behind(index):  # "but anger is not"
            self._withdraw(DENIED, within=_SUBJECT, parted=True)
        elif entry.form is Form.PREFIX and not says_something(entry_at(self.items, index + 1)):
            self.other(index, entry)  # "non-verbal"
        elif index == self.begun and self.before and is_rejection(self.items, index):
            self.group = self.before
            self._withdraw(DENIED, within=_SUBJECT)
        else:
            last = self.last if self._comes(index, Kind.INTENSITY) else None
            if entry.form is Form.NOBODY:
                self.fence = end_of_deed(self.items, index)
            elif entry.form is Form.ELLIPTIC or (self.group and self.levels[self.group[-1]]):
                self.fence = end_of_aside(self.items, index)
            self.govern(0.0)
            self.last = last

    def _stands_behind(self, index: int) -> bool:
        """Tell whether a negation denies what stands before it, as it ends its clause."""
        following = entry_at(self.items, index + 1)
        return (
            not is_kind(following, Kind.BREAKING)
            and not is_kind(following, Kind.SUBJECT)
            and ends_clause(self.items, index)
        )

    def peak(self, index: int, entry: Entry) -> None:
        """Words such as "never" and "couldn't be": a negation, but "never sounded happier" is very happy."""
        following = next_emotion(self.items, index)
        if following is not None and is_form(self.items[following][2], Form.COMPARATIVE):
            self.govern(STRONG)
        else:
            self.negation(index, entry)

    def unreal(self, index: int, entry: Entry) -> None:
        """Before what is feigned, or only thought of."""
        self.govern(0.0, NOT_FELT)

    def conditional(self, index: int, entry: Entry) -> None:
        """Words such as "would be": unreal where the sentence says on what it depends, "angry if he knew"."""
        if depends(self.items, index):
            self.unreal(index, entry)
        else:
            self.passing(index, entry)

    def condition(self, index: int, entry: Entry) -> None:
        """The word "if"."""
        if index > self.begun and is_concession(self.items, index):
            self.rest()
        else:
            self.unreal(index, entry)

    def topic(self, index: int, entry: Entry) -> None:
        """Before what is spoken of; behind a feeling stands its cause: "happy about"."""
        if self._is_emotion(index - 1) or is_manner(self.items, index):
            self.other(index, entry)
        else:
            self.unreal(index, entry)

    def content(self, index: int, entry: Entry) -> None:
        """What is read or sung: a feeling right before it is its own, "a sad poem"."""
        before = self.items[index - 1][2] if index else None
        if is_kind(before, Kind.EMOTION) and not is_adverb(before):
            self._withdraw(NOT_FELT, within=0)
        else:
            self.stranger(index, None)

    def leaving(self, index: int, entry: Entry) -> None:
        self.govern(0.0, LEFT_BEHIND)

    def absent(self, index: int, entry: Entry) -> None:
        self._withdraw(DENIED, within=0)

    def fading(self, index: int, entry: Entry) -> None:
        self._withdraw(LEFT_BEHIND, within=0)

    def left(self, index: int, entry: Entry) -> None:
        if not self.group and index - self.begun <= 2:  # "Then fear. This gives way to relief."
            self.group = self.before
        reaches = entry.form is Form.PARTICIPLE and is_attached(self.items, index)
        self._withdraw(LEFT_BEHIND, within=1 if reaches else _SUBJECT, parted=reaches)

    def now(self, index: int, entry: Entry) -> None:
        """The word "now": what was, is left behind: "He was angry; he is now calm"."""
        resumed = is_resumption(self.items, self.begun)
        same = not self._is_emotion(index - 1)
        for group in (self.before if resumed else [], self.group if same else []):
            if group and was(self.items, group[0]):
                for at in group:
                    self.levels[at], self.roles[at] = 0.0, LEFT_BEHIND
                group.clear()
        self.passing(index, entry)

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
        """The word "to", which without a "from" or a "too" before it is any word."""
        if index - self.excess <= BESIDE:  # "too tired to be angry"
            self.govern(0.0)
        elif self.turning >= 0:
            self.rest()
            self.group.clear()
            self.turning = -_TURN
        elif entry.form is Form.BE:
            self.passing(index, entry)

    def too(self, index: int, entry: Entry) -> None:
        """The word "too"."""
        self.excess = index

    def compare(self, index: int, entry: Entry) -> None:
        """The words "more" and "less"."""
        self.comparison, self.compared = entry, None
        if entry.kind is Kind.LESS and self.pending != 0.0:
            self.pending, self.carried = 0.0 if self._comes(index, Kind.ATTRIBUTE) else SLIGHT, None

    def than(self, index: int, entry: Entry) -> None:
        first, comparison, last = self.compared, self.comparison, self.last
        self.rest()
        self.gap += 1
        self.comparison = self.compared = None
        second = next_emotion(self.items, index)
        first = first if first is not None else last
        more = comparison is not None and comparison.kind is Kind.MORE
        if comparison is not None and first is None and self.items[index - 1][2] is comparison:
            self.pending = STRONG if more else 0.0  # "more than happy", "less than happy"
        elif second is not None and (more or self._is_comparative(last)):
            level = MODERATE if first is None else self.levels[first]
            self.pending = max(SLIGHT, level - STEP) if level else None
        elif comparison is not None and comparison.kind is Kind.LESS and first is not None:
            self._set(first, 0.0 if second is None else SLIGHT)

    def _is_comparative(self, index: int | None) -> bool:
        return index is not None and is_form(self.items[index][2], Form.COMPARATIVE)

    def comma(self, index: int, entry: Entry) -> None:
        if self.pending is not None and (self.pending == 0.0 or not leads_on(self.items, index)):
            self.pending = None
        self.carried = self.carried if self.closed[index] else None
        self.strangers = 0
        self.parted = True

    def conjunction(self, index: int, entry: Entry) -> None:
        if self.pending is not None and (self.pending == 0.0 or not leads_on(self.items, index)):
            self.pending = None
        if self.carried == 0.0 and self._ends_here(index, entry):
            self.carried = None
        self.last = None
        self.strangers = 0
        self.parted = False

    def _ends_here(self, index: int, entry: Entry) -> bool:
        """Tell whether a negation does not reach over this "and"."""
        joins = entry.form is not Form.OR
        return joins and (
            index == self.fence or begins_predicate(self.items, index, reached=self.strangers > 0)
        )

    def passing(self, index: int, entry: Entry) -> None:
        if self.pending is None or (self.pending != 0.0 and not leads_on(self.items, index)):
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
        return index >= 0 and is_kind(entry_at(self.items, index), Kind.EMOTION)

    def _comes(self, index: int, kind: Kind) -> bool:
        return is_kind(entry_at(self.items, index + 1), kind)


def _combined(outer: float, inner: float) -> float:
    """Return the level of one intensity upon another: a weak one weakens, else the stronger counts."""
    return min(outer, inner) if min(outer, inner) < MODERATE else max(outer, inner)


_HANDLERS: dict[Kind | None, Callable[[_Reader, int, Any], None] | None] = {
    None: _Reader.stranger,
    Kind.BREAKING: _Reader.other,
    Kind.INERT: _Reader.other,
    Kind.SUBJECT: _Reader.subject,
    Kind.STOP: _Reader.stop,
    Kind.EMOTION: _Reader.emotion,
    Kind.BURST: _Reader.thing,
    Kind.TRAIT: _Reader.thing,
    Kind.ORIGIN: _Reader.origin,
    Kind.ATTRIBUTE: _Reader.attribute,
    Kind.QUALITY: _Reader.quality,
    Kind.INTENSITY: _Reader.intensity,
    Kind.AFTER: _Reader.after,
    Kind.RATING: _Reader.rating,
    Kind.NEGATION: _Reader.negation,
    Kind.PEAK: _Reader.peak,
    Kind.UNREAL: _Reader.unreal,
    Kind.CONDITIONAL: _Reader.conditional,
    Kind.CONDITION: _Reader.condition,
    Kind.TOPIC: _Reader.topic,
    Kind.CONTENT: _Reader.content,
    Kind.ABSENT: _Reader.absent,
    Kind.LEAVING: _Reader.leaving,
    Kind.LEFT: _Reader.left,
    Kind.FADING: _Reader.fading,
    Kind.NOW: _Reader.now,
    Kind.HEDGE: _Reader.hedge,
    Kind.FROM: _Reader.start,
    Kind.TO: _Reader.end,
    Kind.EXCESS: _Reader.too,
    Kind.MORE: _Reader.compare,
    Kind.LESS: _Reader.compare,
    Kind.THAN: _Reader.than,
    Kind.COMMA: _Reader.comma,
    Kind.LINK: None,
    Kind.NAMING: None,
    Kind.PASSING: _Reader.passing,
    Kind.CONJUNCTION: _Reader.conjunction,
}
