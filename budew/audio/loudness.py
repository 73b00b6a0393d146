"""Is there anything to hear? Silence is not worth a run of the model, nor what the model would make up."""

import numpy as np
from numpy.typing import NDArray

FLOOR = -75.0
"""dBFS (full-scale square = 0). Measured on 77 clips of real voices in frames of 100 ms: the faintest breath
is at -63, the pauses between, with the dither of 16 bits, at -94."""
FRAME = 0.1
"""Seconds over which loudness is taken: one syllable is enough to be heard, however long the window."""


def is_silent(samples: NDArray[np.float32], sampling_rate: int) -> bool:
    """Tell whether no tenth of a second of `samples` (n,) reaches `FLOOR`. A constant offset is no sound."""
    size = round(FRAME * sampling_rate)
    whole = len(samples) - len(samples) % size
    frames = samples[:whole].reshape(-1, size)
    loudest = max(frames.var(axis=1, dtype=np.float64).max(initial=0.0), _variance(samples[whole:]))
    return bool(loudest < 10.0 ** (FLOOR / 10))


def _variance(rest: NDArray[np.float32]) -> float:
    return float(rest.var(dtype=np.float64)) if len(rest) else 0.0
