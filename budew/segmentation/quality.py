"""Level, clipping and noise of a clip, measured on its samples, and the limits that leave clips out."""

from dataclasses import asdict, dataclass
from math import log10

import numpy as np

from budew.audio.decoders import Samples
from budew.errors import FilteredError
from budew.segmentation.cutter import Stretch
from budew.segmentation.segment_settings import SegmentSettings

FULL_SCALE = 0.99
"""Samples of at least this count as clipped: eight bits reach 0.992, and encoders round."""
FLOOR = 1e-12
"""Mean square of digital silence: -120 dB."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Measurements of a clip.

    Attributes:
        rms_dbfs: level of the whole clip, in dB relative to a square wave of full scale.
        peak_dbfs: its largest sample, likewise.
        clipped: share of its samples at full scale, 0 to 1.
        snr_db: level of speech over that of the noise around it, -20 to 100; None with too little noise. An
            estimate: the noise is what the voice detector takes for no speech.
    """

    rms_dbfs: float
    peak_dbfs: float
    clipped: float
    snr_db: float | None

    def to_dict(self) -> dict[str, float]:
        """Return the JSON form, without unknown values."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def measure(samples: Samples, stretch: Stretch) -> Levels:
    """Measure a clip.

    Args:
        samples: of the clip, mono (n,), full scale 1; at least one.
        stretch: what the voice detector measured in it.
    """
    largest = float(np.abs(samples).max())
    return Levels(
        rms_dbfs=round(_decibels(float(np.mean(np.square(samples), dtype=np.float64))), 2),
        peak_dbfs=round(_decibels(largest**2), 2),
        clipped=round(float(np.mean(np.abs(samples) >= FULL_SCALE)), 6),
        snr_db=_ratio(stretch.speech_power, stretch.noise_power),
    )


def check_levels(levels: Levels, limits: SegmentSettings) -> None:
    """Raise `FilteredError` if a clip is clipped too often, too quiet or too noisy."""
    if limits.max_clipped is not None and levels.clipped > limits.max_clipped:
        fault, limit = f"{levels.clipped:.2%} of its samples are clipped", f"{limits.max_clipped:.2%} at most"
    elif limits.min_rms_dbfs is not None and levels.rms_dbfs < limits.min_rms_dbfs:
        fault, limit = f"its level is {levels.rms_dbfs:.1f} dBFS", f"{limits.min_rms_dbfs:g} at least"
    elif limits.min_snr_db is not None and levels.snr_db is not None and levels.snr_db < limits.min_snr_db:
        fault = f"its signal-to-noise ratio is {levels.snr_db:.1f} dB"
        limit = f"{limits.min_snr_db:g} at least"
    else:
        return
    raise FilteredError(f"left out: {fault}, {limit}")


def _ratio(with_noise: float, noise: float | None) -> float | None:
    if noise is None:
        return None
    decibels = _decibels(with_noise - noise) - _decibels(noise)
    return round(min(100.0, max(-20.0, decibels)), 2)


def _decibels(power: float) -> float:
    return 10 * log10(max(power, FLOOR))
