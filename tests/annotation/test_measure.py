"""Measurement orders clips as they are: loud over quiet, clean over noisy, fast over slow; all else stays."""

import json
from pathlib import Path

import numpy as np
import pytest

from budew.annotation.measure import LONGEST, Measure, measure, measure_clip
from budew.corpora import Clip, read, write_shard
from budew.profile import VoiceProfile

from .sounds import RATE, clip_of, noise, silence, syllables, vowel


def phrase(level: float = -20.0) -> np.ndarray:
    """Speech of a sort with a pause in it."""
    said = syllables(6, a_second=4.0, level=level)
    return np.concatenate([silence(0.3), said, silence(0.5), said, silence(0.4)])


def test_louder_is_louder_by_as_many_decibels():
    loud, quiet = (measure(phrase(level)) for level in (-12.0, -32.0))
    assert loud["level"] - quiet["level"] == pytest.approx(20, abs=0.1)
    assert loud["peak"] - quiet["peak"] == pytest.approx(20, abs=0.1)
    assert loud["pitch_median"] == quiet["pitch_median"]


@pytest.mark.parametrize("snr", [0, 10, 20, 30])
def test_noise_is_told_within_two_decibels(snr):
    clean = np.concatenate([phrase()] * 2)
    spoken = np.concatenate([syllables(6, a_second=4.0)] * 2)
    level = 10 * np.log10(np.mean(spoken.astype(float) ** 2))
    figures = measure(clean + noise(len(clean), level=level - snr))
    assert figures["snr"] == pytest.approx(snr, abs=2)


def test_a_faint_voice_behind_the_speaker_has_no_say_in_the_pitch():
    figures = measure(np.concatenate([vowel(0.6, pitch=220), vowel(2.0, pitch=90, level=-55)]))
    assert figures["pitch_median"] == pytest.approx(220, rel=0.01)


def test_noise_orders_clips():
    ratios = [measure(phrase() + noise(len(phrase()), level=level))["snr"] for level in (-70, -50, -40, -30)]
    assert ratios == sorted(ratios, reverse=True)
    assert measure(phrase())["snr"] == 80


def test_rate_is_a_second_of_speech_and_pauses_do_not_slow_it():
    slow, fast = syllables(10, a_second=2.5), syllables(10, a_second=5.0)
    rates = [measure(sound)["nuclei_rate"] for sound in (slow, fast)]
    assert rates == pytest.approx([2.5, 5.0], rel=0.12)
    with_pause = np.concatenate([fast, silence(1.5), fast])
    figures = measure(with_pause, transcript="ba " * 20)
    assert figures["nuclei_rate"] == pytest.approx(5.0, rel=0.12)
    assert figures["syllable_rate"] == pytest.approx(5.0, rel=0.12)
    assert (figures["pauses"], type(figures["pauses"])) == (1, int)
    assert figures["pause_share"] == pytest.approx(1.5 / 5.5, abs=0.03)
    assert figures["speech_seconds"] == pytest.approx(4.0, abs=0.15)


@pytest.mark.parametrize("samples", [silence(1.0), silence(0.001), noise(RATE, level=-90), vowel(0.005)])
def test_what_is_silent_or_very_short_is_measured_as_far_as_it_goes(samples):
    figures = measure(samples)
    assert figures["seconds"] == pytest.approx(len(samples) / RATE, abs=1e-3)
    assert "pitch_median" not in figures
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_measuring_twice_gives_the_same_figures():
    sound = phrase() + noise(len(phrase()), level=-50)
    assert measure(sound) == measure(sound)


def test_the_job_adds_figures_and_nothing_else(run_on, failures, tmp_path: Path):
    profile = VoiceProfile({"Awe": 0.5})
    clip = clip_of(phrase(), "anna/01", profile=profile, transcript="la " * 12, metadata={"take": 3})
    long = clip_of(silence(LONGEST + 1), "long")
    (made,) = run_on(Measure(), clip, Clip("broken", b"?", "wav"), long)
    assert set(made.metadata) == {"take", "measured"}
    assert (made.audio, made.profile, made.transcript) == (clip.audio, profile, clip.transcript)
    assert "syllable_rate" in made.metadata["measured"]
    assert set(failures) == {"broken", "long"}
    assert "budew corpus segment" in str(failures["long"])
    write_shard(tmp_path / "a.tar", [made])
    (back,) = read(tmp_path / "a.tar")
    assert back.metadata == made.metadata
    assert measure_clip(back).metadata == made.metadata


def test_settings_are_json_and_do_not_change(run_on):
    assert json.loads(json.dumps(Measure().settings())) == Measure().settings()
