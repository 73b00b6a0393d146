"""What is governed: feelings, and the bursts, traits and voice qualities that a negation reaches over."""

from budew.captions.entry import Entry, Form, Kind
from budew.captions.scope_state import AFLOAT, LEFT_BEHIND, MODERATE, SLIGHT, STEP, STRONG, TURN, Reading
from budew.captions.surroundings import (
    entry_at,
    is_adverb,
    is_form,
    is_kind,
    is_of_turn,
    is_quality,
    is_stance,
    parts,
)

_PERSONAL = ("gender", "age")
_FAR = 0.75
"""From this intensity on, a voice attribute is at its pole and not just near it."""


def emotion(reading: Reading, index: int, entry: Entry) -> None:
    """A feeling: it has the level that governs it, and joins the list that is being read."""
    if entry.either and reading.pending is None and _is_no_feeling(reading, index, entry):
        return
    governing = _governing(reading, index)
    reading.set_level(index, MODERATE if governing is None else governing)
    if reading.gap or (reading.parted and not reading.closed[index]):
        reading.group.clear()
    reading.group.append(index)
    reading.gap, reading.parted = 0, False
    reading.pending, reading.carried, reading.last = None, governing, index
    if reading.comparison is not None and reading.compared is None:
        reading.compared = index


def _is_no_feeling(reading: Reading, index: int, entry: Entry) -> bool:
    """Read a word that elsewhere names an emotion: a voice quality, "Sadly, …", "bitterly sad"."""
    if entry.form is Form.DEGREE:
        following = entry_at(reading.items, index + 1)
        if not is_kind(following, Kind.EMOTION) or is_adverb(following):
            return False
        reading.govern(STRONG)
    elif entry.form is Form.STANCE:
        if index != reading.begun or not is_stance(reading.items, index):
            return False
        reading.other(index, entry)
    elif is_quality(reading.items, index):
        quality(reading, index, entry)
    else:
        return False
    reading.roles[index] = ""
    return True


def _governing(reading: Reading, index: int) -> float | None:
    governing = reading.pending if reading.pending is not None else reading.carried
    reading.strangers = 0
    if governing is None and index - reading.turning < TURN:
        reading.role, governing = LEFT_BEHIND, 0.0
    if reading.afloat is not None:
        if governing is None and index - reading.afloat[0] <= AFLOAT:
            governing = reading.afloat[1]
        reading.afloat = None
    if index - reading.hedged <= AFLOAT:
        reading.hedged = -AFLOAT - 1
        if governing != 0.0:
            governing = max(SLIGHT, (MODERATE if governing is None else governing) - STEP)
    return governing


def thing(reading: Reading, index: int, entry: Entry) -> None:
    """A burst or a trait."""
    reading.levels[index] = 1.0
    if reading.carried == 0.0 and entry.name in _PERSONAL and _is_bystander(reading, index):
        reading.other(index, entry)
        return
    if entry.name == "pace" and is_of_turn(reading.items, index):
        reading.levels[index], reading.roles[index] = 0.0, ""
        return
    if _covered(reading, entry):
        reading.levels[index], reading.roles[index] = 0.0, reading.role


def _is_bystander(reading: Reading, index: int) -> bool:
    """Tell whether a feeling or a deed is denied, and not the person behind it: "not a happy woman",
    "without warning a woman", but "not an old woman", "not old or female".
    """
    if reading.pending is not None:
        return reading.strangers > 0 and is_kind(reading.items[index - 1][2], Kind.LINK)
    at = index - 2 if parts(reading.items[index - 1][2]) else index - 1
    return not is_kind(entry_at(reading.items, at), Kind.TRAIT) or reading.levels[at] > 0.0


def origin(reading: Reading, index: int, entry: Entry) -> None:
    """The name of an accent: one right before a person or a voice, else a word that means nothing."""
    following = entry_at(reading.items, index + 1)
    personal = is_kind(following, Kind.TRAIT) and following is not None and following.name in _PERSONAL
    if not personal and not is_form(following, Form.PERSON):
        reading.roles[index] = ""
        reading.stranger(index, None)
    elif reading.pending == 0.0 and not reading.strangers:
        reading.roles[index] = reading.role
    else:
        reading.levels[index] = 1.0


def attribute(reading: Reading, index: int, entry: Entry) -> None:
    """A voice attribute: 1 at its pole, 0.5 near it."""
    pending = reading.pending
    thing(reading, index, entry)
    if reading.levels[index]:
        reading.levels[index] = 1.0 if pending is not None and pending >= _FAR else 0.5


def quality(reading: Reading, index: int, entry: Entry) -> None:
    """A voice quality."""
    _covered(reading, entry)


def _covered(reading: Reading, entry: Entry) -> bool:
    """Tell whether a negation covers something that is no feeling; it reaches over it, an
    intensity does not.
    """
    denied = reading.pending == 0.0 or reading.carried == 0.0
    reading.pending, reading.carried, reading.last = None, 0.0 if denied else None, None
    reading.gap += 1
    return denied
