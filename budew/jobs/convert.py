"""`Convert`: write any corpus as shards, and check each clip by decoding it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from budew.audio.samples import probe_audio, warn_of_damage
from budew.corpora.clip import Clip
from budew.errors import AudioError
from budew.jobs.job import OnFailed, each


@dataclass(frozen=True, slots=True)
class Convert:
    """Decode each clip and record its sampling rate and duration; the encoded audio is not changed.

    Attributes:
        max_seconds: duration above which a recording fails; segment longer recordings first.
        keep_damaged: whether truncated clips are kept (as far as they can be decoded) instead of failing.

    Example:
        >>> from budew import read
        >>> from budew.io.resources import data_folder
        >>> clip = next(Convert().run(read(data_folder("demo_clips")), failed=print))
        >>> clip.sampling_rate, clip.duration
        (16000, 3.742563)
    """

    max_seconds: float = 600.0
    keep_damaged: bool = False
    name: str = "convert"

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the output."""
        return {"max_seconds": self.max_seconds, "keep_damaged": self.keep_damaged}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield the clips that can be decoded; clips that cannot be decoded fail."""
        return each(clips, self._check, failed)

    def _check(self, clip: Clip) -> Clip:
        measured = probe_audio(clip.audio, max_seconds=self.max_seconds, name=f"clip {clip.id!r}")
        if measured.damage is not None and not self.keep_damaged:
            raise AudioError(measured.damage)
        warn_of_damage(measured.damage)
        return replace(clip, sampling_rate=measured.sampling_rate, duration=round(measured.seconds, 6))
