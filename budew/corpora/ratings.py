"""Ratings of items (clips, images) by people, and the profiles that they average to.

An emotion of a profile is the mean over the raters who were asked for it, from 0 (not present for anyone)
to 1 (as strong as the question allows for everyone). Emotions that nobody was asked for, or that everybody
denied, are absent from the profile. Where nobody was asked for any emotion, all are unknown.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, find_attribute, find_emotion
from budew.taxonomy.scales import from_intensity


@dataclass(frozen=True, slots=True)
class Rating:
    """One statement of one rater.

    Attributes:
        item: id of the clip, name of the image.
        rater: unique in its corpus.
        emotion: the rated one: canonical name of an emotion, or of a voice attribute.
        value: the answer as an intensity in [0, 1].
    """

    item: str
    rater: str
    emotion: str
    value: float


def named(written: str) -> str:
    """Return the canonical name of an emotion or voice attribute written in any way.

    Raises:
        CorpusError: there is neither of this name.
    """
    found = find_emotion(written) or find_attribute(written)
    if found is None:
        raise CorpusError(
            f"{written[:80]!r} is no emotion and no voice attribute: name it as the taxonomy does"
        )
    return found


def profile_of(ratings: Iterable[Rating]) -> VoiceProfile:
    """Return the profile of one item: means over raters. The item's name is ignored."""
    sums: dict[str, tuple[float, int]] = {}
    for rating in ratings:
        total, count = sums.get(rating.emotion, (0.0, 0))
        sums[rating.emotion] = (total + rating.value, count + 1)
    means = {name: min(1.0, total / count) for name, (total, count) in sums.items()}
    traits = {
        name: from_intensity(mean, ATTRIBUTES[name].scale)
        for name, mean in means.items()
        if name in ATTRIBUTES
    }
    emotions = {name: mean for name, mean in means.items() if name not in ATTRIBUTES}
    return VoiceProfile(emotions or None, traits=traits)


def profiles_of(ratings: Iterable[Rating]) -> dict[str, VoiceProfile]:
    """Return one profile an item, in the order in which the items first come."""
    of_item: dict[str, list[Rating]] = {}
    for rating in ratings:
        of_item.setdefault(rating.item, []).append(rating)
    return {item: profile_of(some) for item, some in of_item.items()}
