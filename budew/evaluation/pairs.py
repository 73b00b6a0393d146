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
    """One clip: its reference profile and the predicted one.

    Attributes:
        id: of the clip.
        reference, predicted: the profiles that are compared.
        caption: the predicted caption, where the prediction came as one.
        audio: encoded bytes or a path, for the few clips that a report plays.
        speaker: whose clips are resampled together; None where unknown.
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
    """Return whether an emotion, a vocal burst or one of `SCORED_TRAITS` is known, which can be scored."""
    return bool(profile.rated or profile.bursts or not profile.traits.keys().isdisjoint(SCORED_TRAITS))


def clusters_of(speakers: Sequence[str | None]) -> tuple[IntArray, int | None]:
    """Return what is resampled: speakers, if all are known and there are several; else clips.

    Returns:
        The number of each clip's speaker, or of the clip, from 0, (clips,); the number of speakers, or None.
    """
    names, numbers = np.unique([speaker or "" for speaker in speakers], return_inverse=True)
    if "" in names or len(names) < 2:
        return np.arange(len(speakers)), None
    return numbers, len(names)
