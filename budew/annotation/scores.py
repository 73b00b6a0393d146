"""Scores under the names of emotions and voice attributes, on the scales of the field, as a profile."""

from collections.abc import Mapping
from math import isfinite

from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, WORD_TRAITS, find_emotion
from budew.taxonomy.names import NameIndex
from budew.taxonomy.scales import INTENSITY, SCALES, RangeError, Scale, to_intensity

OVERSHOOT = 0.15
"""Of a scale: how far scores of published heads pass its ends (Arousal 4.3 of 4, Valence -3.7 of -3)."""
SURE = 1.0
"""On the scale of Gender, -2 to 2: from here on it is said as a word too. Of 19 published scores that reach
it, 3 differ from what a listening model wrote. Of Age no word is made: the same scores crowd between 2.6 and
3.6."""
DIGITS = 4

_ATTRIBUTES = NameIndex.build("voice attribute", dict.fromkeys(ATTRIBUTES, ()))


def canonical(name: str) -> str | None:
    """Return the canonical name of an emotion or voice attribute in any spelling, None for anything else.

    `age` and `gender` in small letters are years and words, not attributes.
    """
    if name in WORD_TRAITS:
        return None
    if name in _ATTRIBUTES:
        return _ATTRIBUTES.resolve(name)
    return find_emotion(name)


def scored(
    scores: Mapping[str, float], *, scale: str, onto: VoiceProfile | None = None, overshoot: float = OVERSHOOT
) -> VoiceProfile:
    """Return a profile with these scores.

    Args:
        scores: by canonical names; voice attributes on their own scales.
        scale: of the emotions, a name of `SCALES`, or `intensity`.
        onto: what was known before: what has no score stays, and so do bursts and words. Emotions are
            unknown where neither tells any.
        overshoot: how far a score may pass the ends of its scale, as a share of it; it counts as the end.

    Raises:
        RangeError: a score is no number, or further out; names it.
    """
    before = onto or VoiceProfile(emotions=None)
    emotions, traits = dict(before.emotions), dict(before.traits)
    for name, score in scores.items():
        chosen = ATTRIBUTES[name].scale if name in ATTRIBUTES else _scale(scale)
        value = _within(name, score, chosen, overshoot)
        if name in ATTRIBUTES:
            traits[name] = round(value, DIGITS)
        else:
            emotions[name] = round(to_intensity(value, chosen), DIGITS)
    number = scores.get("Gender", 0.0)
    if abs(number) >= SURE:
        traits.setdefault("gender", "female" if number > 0 else "male")
    return VoiceProfile(emotions or before.emotions, before.bursts, traits)


def _scale(name: str) -> Scale:
    return INTENSITY if name == INTENSITY.name else SCALES[name]


def _within(name: str, score: float, scale: Scale, overshoot: float) -> float:
    slack = overshoot * (scale.high - scale.low)
    if not isfinite(score) or not scale.low - slack <= score <= scale.high + slack:
        raise RangeError(
            f"{name} is {score:g}, which is not on the scale {scale.name!r} from {scale.low:g} to "
            f"{scale.high:g}: name the scale that it was rated on"
        )
    return scale.clipped(score)
