"""Salience: which emotions of a clip stand out in its corpus.

"Slightly sad" means little in a corpus of mourning and much in one of laughter. A `Baseline` has the usual
intensity of each emotion, its median and its median absolute deviation; `salient` keeps the emotions that are
clearly above the median.

The baseline counts intensities in bins of 0.001, so nine million profiles take as much memory as nine.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, PositiveFloat, field_validator

from budew.errors import InputError, SettingsError
from budew.io import strict_json
from budew.io.settings import Settings, validated
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

BINS = 1000
TO_SIGMA = 1.4826
"""Ratio of standard deviation to median absolute deviation in a normal distribution."""
LEAST_SPREAD = 0.05
"""Least spread (a fifth of a level): most emotions are absent from most clips, so their deviation is 0."""
LEAST_INTENSITY = 0.125
"""Least intensity of a salient emotion: the least that rounds to the level slight."""


class Baseline(Settings):
    """The usual intensity of each emotion in a corpus. Other keys of its JSON are ignored.

    Attributes:
        clips: number of profiles with a rated emotion from which it was computed.
        median: by emotion, the median intensity; absent emotions count as 0; 0 if no profile rates it.
        spread: by emotion, 1.4826 · median absolute deviation, at least `LEAST_SPREAD`.
    """

    model_config = ConfigDict(extra="ignore")

    clips: int = Field(ge=1, le=2**63)
    median: dict[str, float]
    spread: dict[str, PositiveFloat]

    @field_validator("median", "spread")
    @classmethod
    def _of_every_emotion(cls, values: dict[str, float]) -> dict[str, float]:
        missing = [name for name in EMOTIONS if name not in values]
        if missing:
            raise ValueError(f"{missing[0]!r} is missing")
        return {name: values[name] for name in EMOTIONS}

    @classmethod
    def from_profiles(cls, profiles: Iterable[VoiceProfile]) -> "Baseline":
        """Compute the baseline of a corpus in one pass; profiles in which an emotion is unrated do not count.

        Raises:
            InputError: there is no profile with a rated emotion.
        """
        counts = np.zeros((len(EMOTIONS), BINS + 1), dtype=np.int64)
        clips = 0
        for profile in profiles:
            vector = profile.vector()
            rows = np.flatnonzero(~np.isnan(vector))
            counts[rows, np.rint(vector[rows] * BINS).astype(int)] += 1
            clips += len(rows) > 0
        if not clips:
            raise InputError("a baseline needs at least one profile with a rated emotion")
        bins = np.arange(BINS + 1, dtype=np.float64)
        medians = [_median(bins, row) for row in counts]
        deviations = [
            _median(np.abs(bins - middle), row) for row, middle in zip(counts, medians, strict=True)
        ]
        spreads = [max(LEAST_SPREAD, TO_SIGMA * (deviation / BINS)) for deviation in deviations]
        return cls(
            clips=clips,
            median={name: middle / BINS for name, middle in zip(EMOTIONS, medians, strict=True)},
            spread={name: round(spread, 6) for name, spread in zip(EMOTIONS, spreads, strict=True)},
        )

    def z(self, name: str, intensity: float) -> float:
        """Return the robust z-score of an intensity: (intensity - median) / spread of the emotion `name`."""
        return (intensity - self.median[name]) / self.spread[name]

    def to_dict(self) -> dict[str, Any]:
        """Return the baseline as plain data with the keys `clips`, `median` and `spread`."""
        return self.model_dump()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Baseline":
        """Read a baseline from JSON, or from the statistics of a corpus, which have one under `baseline`.

        Raises:
            InputError: the text is not JSON, or lacks a number for one of the 40 emotions.
        """
        try:
            data = strict_json.loads(text)
            row = data["baseline"] if isinstance(data, Mapping) and "baseline" in data else data
            return validated(cls, row, name="fields")
        except (InputError, SettingsError) as error:
            why = str(error)[:200]
            raise InputError(
                f"this is not a baseline: {why} (budew corpus stats --json makes one)"
            ) from error


def salient(profile: VoiceProfile, baseline: Baseline, *, min_z: float = 1.0) -> VoiceProfile:
    """Return a profile with only the emotions that are stronger than usual in the corpus, others as absent.

    Args:
        profile: profile of a clip.
        baseline: usual intensities in the corpus of the clip.
        min_z: least robust z-score (`Baseline.z`) of an emotion that is kept; it keeps its intensity.

    Raises:
        InputError: `min_z` is not a number.

    Example:
        >>> sad = [VoiceProfile({"Sadness": level / 4}) for level in (2, 3, 3, 4)]
        >>> baseline = Baseline.from_profiles(sad)
        >>> dict(salient(VoiceProfile({"Sadness": 0.75, "Fear": 0.5}), baseline).emotions)
        {'Fear': 0.5}
    """
    if isnan(min_z):
        raise InputError("min_z is NaN: give a number")
    emotions = {
        name: value
        for name, value in profile.emotions.items()
        if value >= LEAST_INTENSITY and baseline.z(name, value) >= min_z
    }
    # a partial profile must not deny an emotion that is present, but not salient
    dropped = () if profile.fully_rated else profile.emotions.keys() - emotions.keys()
    return replace(profile, emotions=emotions, rated=tuple(n for n in profile.rated if n not in dropped))


def _median(values: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    """Return the median of `values`, each of which occurs `counts` times; 0 without values."""
    if not counts.any():
        return 0.0
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order])
    low, high = np.searchsorted(reached, [(reached[-1] + 1) // 2, reached[-1] // 2 + 1])
    return float(values[order[low]] + values[order[high]]) / 2
