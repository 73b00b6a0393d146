"""Levels are those of the signal, and limits say what is wrong with a clip."""

from dataclasses import replace

import numpy as np
import pytest

from budew.errors import FilteredError
from budew.segmentation import SegmentSettings as Limits
from budew.segmentation.cutter import Stretch
from budew.segmentation.quality import Levels, check_levels, measure

SPEECH = Stretch(0, 16_000, speech=1.0, speech_power=0.0101, noise_power=0.0001)
TONE = np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000).astype(np.float32)


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.001])
def test_a_sine_is_3_db_under_its_peak(gain):
    levels = measure(gain * TONE, SPEECH)
    assert levels.peak_dbfs == pytest.approx(20 * np.log10(gain), abs=0.01)
    assert levels.rms_dbfs == pytest.approx(levels.peak_dbfs - 3.01, abs=0.01)


def test_silence_has_a_level_that_json_can_hold():
    assert measure(np.zeros(100, np.float32), SPEECH).to_dict()["rms_dbfs"] == -120


def test_clipped_samples_are_counted():
    assert measure(0.98 * TONE, SPEECH).clipped == 0
    clipped = np.clip(2 * TONE, -1, 1)
    assert measure(clipped, SPEECH).clipped == pytest.approx(2 / 3, abs=0.02)
    assert measure(-clipped, SPEECH).clipped == pytest.approx(2 / 3, abs=0.02)


def test_noise_is_taken_off_the_speech():
    assert measure(TONE, SPEECH).snr_db == pytest.approx(20.0)
    assert measure(TONE, replace(SPEECH, speech_power=1e-5)).snr_db == -20
    assert measure(TONE, replace(SPEECH, noise_power=0.0)).snr_db == 100
    assert "snr_db" not in measure(TONE, replace(SPEECH, noise_power=None)).to_dict()


GOOD = Levels(rms_dbfs=-20.0, peak_dbfs=-3.0, clipped=0.0, snr_db=30.0)


@pytest.mark.parametrize(
    ("limits", "bad", "reason"),
    [
        (Limits(max_clipped=0.001), replace(GOOD, clipped=0.0011), "0.11% of its samples are clipped"),
        (Limits(min_rms_dbfs=-50), replace(GOOD, rms_dbfs=-50.1), "its level is -50.1 dBFS, -50 at least"),
        (Limits(min_snr_db=10), replace(GOOD, snr_db=9.9), "ratio is 9.9 dB, 10 at least"),
    ],
)
def test_a_clip_beyond_a_limit_is_left_out_with_the_reason(limits, bad, reason):
    for levels in (GOOD, replace(GOOD, snr_db=None)):  # an unknown ratio is no reason
        check_levels(levels, limits)
    check_levels(bad, Limits())
    with pytest.raises(FilteredError, match=rf"^left out: .*{reason}"):
        check_levels(bad, limits)
