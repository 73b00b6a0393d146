"""FLAC gives back the samples that it was given, at every rate that it has."""

from io import BytesIO

import numpy as np
import pytest
import soundfile

from budew.errors import CorpusError
from budew.segmentation.flac import encode_flac


@pytest.mark.parametrize("bits", [16, 24])
def test_samples_of_so_many_bits_come_back(bits):
    largest = 2 ** (bits - 1)
    integers = np.random.default_rng(1).integers(-largest, largest, 5_000)
    integers[:3] = -largest, largest - 1, 0
    samples = (integers / largest).astype(np.float32)
    encoded = encode_flac(samples, 16_000, bits=bits, name="a")
    assert np.array_equal(soundfile.read(BytesIO(encoded), dtype="float32")[0], samples)
    assert soundfile.info(BytesIO(encoded)).subtype == f"PCM_{bits}"


def test_what_is_beyond_full_scale_is_clipped_and_does_not_turn_over():
    encoded = encode_flac(np.array([1.2, -1.2, 1.0], np.float32), 8_000, bits=16, name="a")
    assert soundfile.read(BytesIO(encoded), dtype="int16")[0].tolist() == [32767, -32768, 32767]


@pytest.mark.parametrize("rate", [4_000, 11_025, 44_056, 65_535, 88_200, 192_000, 384_000])
def test_the_rate_is_kept(rate):
    encoded = encode_flac(np.zeros(100, np.float32), rate, bits=16, name="a")
    assert soundfile.info(BytesIO(encoded)).samplerate == rate


@pytest.mark.parametrize("rate", [65_537, 192_001, 700_000])
def test_a_rate_that_flac_has_not_is_told(rate):
    with pytest.raises(CorpusError, match=rf"^a: FLAC has no sampling rate of {rate} Hz"):
        encode_flac(np.zeros(100, np.float32), rate, bits=16, name="a")
