"""Samples → the bytes of a FLAC file, lossless up to the bits of its samples."""

from io import BytesIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from budew.audio.decoders import Samples
from budew.errors import CorpusError

BITS = (16, 24)
"""Of a sample."""


def encode_flac(samples: Samples, sampling_rate: int, *, bits: int, name: str) -> bytes:
    """Encode mono samples (n,), full scale 1. What had no more than `bits` bits comes back as it was.

    Args:
        samples: what is beyond full scale is clipped, what is finer than a bit rounded.
        sampling_rate: Hz.
        bits: 16 or 24.
        name: what errors call the recording.

    Raises:
        CorpusError: FLAC has no such sampling rate.
    """
    if not _has_rate(sampling_rate):
        raise CorpusError(f"{name}: FLAC has no sampling rate of {sampling_rate} Hz: resample the recording")
    file = BytesIO()
    soundfile.write(file, _integers(samples, bits), sampling_rate, format="FLAC", subtype=f"PCM_{bits}")
    return file.getvalue()


def _integers(samples: Samples, bits: int) -> NDArray[np.int32]:
    """Round to `bits` bits, the upper ones of the integer, as soundfile takes them."""
    largest = np.float32(2 ** (bits - 1))
    rounded = np.rint(samples * largest)
    integers: NDArray[np.int32] = np.clip(rounded, -largest, largest - 1).astype(np.int32)
    return integers << (32 - bits)


def _has_rate(rate: int) -> bool:
    """Tell whether frames can name the rate: 16 bits of Hz, or of tens of Hz. libsndfile 1.2 agrees."""
    return rate < 2**16 or (rate % 10 == 0 and rate < 10 * 2**16)
