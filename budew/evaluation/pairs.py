"""Pairs of reference and predicted profile, one for each clip."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from budew.profile import VoiceProfile
from budew.statistics.arrays import IntArray

SCORED_TRAITS = ("gender", "age", "style")
"""Traits of the speaker that are compared, besides emotions and vocal bursts."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A clip with its reference profile and its predicted profile.

    Attributes:
        id: id of the clip.
        reference, predicted: the two profiles that are compared.
        caption: the predicted caption; None if the prediction is not a caption.
        audio: encoded bytes or a path, for the few clips that a report plays; else None.
        speaker: name of the speaker, None if unknown. Clips of a speaker are resampled together.
    """

    id: str
    reference: VoiceProfile
    predicted: VoiceProfile
    caption: str | None = None
    audio: bytes | Path | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A clip left out of the metrics, and why."""

    id: str
    reason: str


def has_labels(profile: VoiceProfile) -> bool:
    """Return whether a profile has anything to score: a rated emotion, a burst or one of `SCORED_TRAITS`."""
    return bool(profile.rated or profile.bursts or not profile.traits.keys().isdisjoint(SCORED_TRAITS))


def clusters_of(speakers: Sequence[str | None]) -> tuple[IntArray, int | None]:
    """Group clips for resampling: by speaker if all are known and there are several, else each clip alone.

    Args:
        speakers: speaker of each clip, None if unknown.

    Returns:
        Number of each clip's group, from 0, (clips,); and the number of speakers, None if clips are not
        grouped by speaker.
    """
    names, numbers = np.unique([speaker or "" for speaker in speakers], return_inverse=True)
    if "" in names or len(names) < 2:
        return np.arange(len(speakers)), None
    return numbers, len(names)
