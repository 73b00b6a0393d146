"""`Convert`: any corpus as shards, each clip checked by decoding it; clips that cannot be decoded fail."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from budew.audio.samples import probe_audio, warn_of_damage
from budew.corpora.clip import Clip
from budew.errors import AudioError
from budew.jobs.job import OnFailed, each


@dataclass(frozen=True, slots=True)
class Convert:
    """Decode each clip and record its rate and duration; the encoded audio stays as it is.

    Attributes:
        max_seconds: longer recordings fail: they have to be segmented first.
        keep_damaged: keep truncated clips, as far as they can be decoded.

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
        """Pass on the clips that can be decoded."""
        return each(clips, self._check, failed)

    def _check(self, clip: Clip) -> Clip:
        measured = probe_audio(clip.audio, max_seconds=self.max_seconds, name=f"clip {clip.id!r}")
        if measured.damage is not None and not self.keep_damaged:
            raise AudioError(measured.damage)
        warn_of_damage(measured.damage)
        return replace(clip, sampling_rate=measured.sampling_rate, duration=round(measured.seconds, 6))
