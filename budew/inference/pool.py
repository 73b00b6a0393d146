"""One profile for a recording of many windows.

The intensity of an emotion is the mean over the windows with a voice, weighted by their seconds. A rater
who hears the whole recording judges how much of an emotion is in it, and that is what human ratings give:
anger for 8 s of 80 is not an angry recording. The maximum would grow with length alone: each more window is
one more chance to be wrong. Whoever looks for moments has the windows. Silence is left out: minutes of it
before a cry do not calm the cry.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from budew.inference.result import WindowCaption
from budew.profile import VoiceProfile


def pool(windows: Sequence[WindowCaption]) -> VoiceProfile:
    """Return the profile of the recording that was cut into `windows`.

    Emotions: as said above. Bursts: all that occur. Traits: the mean of a number and the word that holds the
    longest, among windows that tell of the trait; the earlier of two words that hold equally long.
    """
    heard = [(window.profile, window.end - window.start) for window in windows if not window.silent]
    if len(heard) == 1:
        return heard[0][0]
    return VoiceProfile(
        _mean_emotions(heard), [burst for profile, _ in heard for burst in profile.bursts], _traits(heard)
    )


def _mean_emotions(heard: Sequence[tuple[VoiceProfile, float]]) -> dict[str, float]:
    total = sum(seconds for _, seconds in heard)
    sums: dict[str, float] = defaultdict(float)
    for profile, seconds in heard:
        for name, intensity in profile.emotions.items():
            sums[name] += intensity * seconds
    return {name: min(value / total, 1.0) for name, value in sums.items()}


def _traits(heard: Sequence[tuple[VoiceProfile, float]]) -> dict[str, str | float]:
    told: dict[str, dict[str | float, float]] = defaultdict(lambda: defaultdict(float))
    for profile, seconds in heard:
        for name, value in profile.traits.items():
            told[name][value] += seconds
    return {name: _settle(values) for name, values in told.items()}


def _settle(values: Mapping[str | float, float]) -> str | float:
    """Choose among values with the seconds that each holds."""
    numbers = [(value, seconds) for value, seconds in values.items() if not isinstance(value, str)]
    if not numbers:
        return max(values, key=values.__getitem__)
    mean = sum(value * seconds for value, seconds in numbers) / sum(seconds for _, seconds in numbers)
    return min(max(mean, min(value for value, _ in numbers)), max(value for value, _ in numbers))
