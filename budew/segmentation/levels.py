"""How loud and how clean a clip is, measured on its samples, and which clips are too bad to keep."""

from dataclasses import dataclass
from math import log10

import numpy as np

from budew.audio.decoders import Samples
from budew.errors import CorpusError, FilteredError
from budew.segmentation.cutter import Stretch

FULL_SCALE = 0.99
"""Samples of at least this count as clipped: eight bits reach 0.992, and encoders round."""
FLOOR = 1e-12
"""Mean square of -120 dB: digital silence has a level too."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What was measured.

    Attributes:
        rms_dbfs: level of the whole clip, in dB relative to a square wave of full scale.
        peak_dbfs: its largest sample, likewise.
        clipped: share of its samples at full scale, 0 to 1.
        snr_db: level of speech over that of the noise around it, -20 to 100; None where too little noise was
            heard to tell. An estimate: the noise is what the voice detector takes for no speech.
    """

    rms_dbfs: float
    peak_dbfs: float
    clipped: float
    snr_db: float | None

    def to_dict(self) -> dict[str, float]:
        """Return the JSON form, without what is not known."""
        named = {name: getattr(self, name) for name in ("rms_dbfs", "peak_dbfs", "clipped", "snr_db")}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Limits:
    """Which clips to leave out by their levels; None for no limit.

    Attributes:
        max_clipped: largest share of clipped samples, such as 0.001.
        min_rms_dbfs: least level, such as -50.
        min_snr_db: least ratio of speech to noise, such as 10. A clip whose ratio is not known stays.

    Raises:
        CorpusError: a limit that no clip keeps.
    """

    max_clipped: float | None = None
    min_rms_dbfs: float | None = None
    min_snr_db: float | None = None

    def __post_init__(self) -> None:
        if self.max_clipped is not None and not 0 <= self.max_clipped <= 1:
            raise CorpusError(f"max_clipped is {self.max_clipped:g}: give a share from 0 to 1")
        if self.min_rms_dbfs is not None and not self.min_rms_dbfs < 0:
            raise CorpusError(f"min_rms_dbfs is {self.min_rms_dbfs:g}: give dB under full scale, such as -50")
        if self.min_snr_db is not None and not self.min_snr_db < 100:
            raise CorpusError(f"min_snr_db is {self.min_snr_db:g}: give less than 100 dB")

    def check(self, levels: Levels) -> None:
        """Raise `FilteredError` if the levels are not within the limits."""
        if self.max_clipped is not None and levels.clipped > self.max_clipped:
            _leave_out(f"{levels.clipped:.2%} of its samples are clipped", f"{self.max_clipped:.2%} at most")
        if self.min_rms_dbfs is not None and levels.rms_dbfs < self.min_rms_dbfs:
            _leave_out(f"its level is {levels.rms_dbfs:.1f} dBFS", f"{self.min_rms_dbfs:g} at least")
        if self.min_snr_db is not None and levels.snr_db is not None and levels.snr_db < self.min_snr_db:
            _leave_out(
                f"its signal-to-noise ratio is {levels.snr_db:.1f} dB", f"{self.min_snr_db:g} at least"
            )


def measure(samples: Samples, stretch: Stretch) -> Levels:
    """Measure a clip.

    Args:
        samples: those of the clip, mono (n,), full scale 1; at least one.
        stretch: what the voice detector heard in it.
    """
    largest = float(np.abs(samples).max())
    return Levels(
        rms_dbfs=round(_decibels(float(np.mean(np.square(samples), dtype=np.float64))), 2),
        peak_dbfs=round(_decibels(largest**2), 2),
        clipped=round(float(np.mean(np.abs(samples) >= FULL_SCALE)), 6),
        snr_db=_ratio(stretch.speech_power, stretch.noise_power),
    )


def _ratio(with_noise: float, noise: float | None) -> float | None:
    if noise is None:
        return None
    decibels = _decibels(with_noise - noise) - _decibels(noise)
    return round(min(100.0, max(-20.0, decibels)), 2)


def _decibels(power: float) -> float:
    return 10 * log10(max(power, FLOOR))


def _leave_out(fault: str, limit: str) -> None:
    raise FilteredError(f"left out: {fault}, {limit}")
