"""Pitch: of synthetic vowels within one per cent, of synthetic speakers where men and women speak."""

from dataclasses import replace

import numpy as np
import pytest

from budew.annotation.measure import measure, pitch_measures
from budew.annotation.speech_frames import FRAME, HOP, levels, pitch_track
from budew.profile import VoiceProfile
from budew.synthesis.clip_audio import synthesize
from budew.synthesis.clip_plan import plan_clip
from budew.synthesis.espeak import Espeak
from budew.synthesis.tables import cues

from .sounds import RATE, noise, silence, vowel


@pytest.mark.parametrize("pitch", [80.0, 117.0, 203.0, 330.0, 600.0])
def test_the_pitch_of_a_vowel_is_within_one_per_cent(pitch):
    figures = pitch_measures(pitch_track(vowel(1.0, pitch=pitch)))
    assert figures["pitch_median"] == pytest.approx(pitch, rel=0.01)
    assert figures["pitch_sd"] < 0.2
    assert figures["pitch_range"] < 0.5


def test_range_and_spread_of_a_glide_are_those_of_its_semitones():
    glide = 120 * 2 ** np.linspace(0, 1, 2 * RATE)  # an octave
    figures = pitch_measures(pitch_track(vowel(2.0, pitch=glide)))
    assert figures["pitch_range"] == pytest.approx(0.9 * 12, abs=0.5)
    assert figures["pitch_sd"] == pytest.approx(12 / np.sqrt(12), abs=0.25)
    assert figures["pitch_low"] == pytest.approx(120 * 2**0.05, rel=0.03)
    assert figures["pitch_high"] == pytest.approx(120 * 2**0.95, rel=0.03)


def test_noise_and_silence_have_no_pitch():
    assert pitch_measures(pitch_track(silence(1.0))) == {}
    hiss = measure(noise(RATE, level=-20))
    assert hiss["voiced_share"] < 0.15
    assert "pitch_median" not in hiss


def test_a_track_has_the_frames_of_the_levels():
    for count in (1, HOP - 1, HOP, FRAME, 5_000):
        samples = vowel(1.0)[:count]
        assert len(pitch_track(samples)) == len(levels(samples)) == 1 + count // HOP


@pytest.fixture(scope="module")
def spoken():
    """Neutral speech of two women and two men."""
    found = {"female": [], "male": []}
    with Espeak() as espeak:
        number = 0
        while min(map(len, found.values())) < 2:
            plan = plan_clip(number, seed=5, split="train")
            plan = replace(
                plan,
                profile=VoiceProfile({}),
                settings=dict.fromkeys(cues(), 0.0),
                bursts_before=(),
                bursts_after=(),
            )
            if len(found[plan.voice.gender]) < 2:
                found[plan.voice.gender].append(measure(synthesize(plan, espeak), transcript=plan.text))
            number += 1
    return found


def test_synthetic_speakers_speak_where_men_and_women_do(spoken):
    assert all(80 < figures["pitch_median"] < 160 for figures in spoken["male"])
    assert all(150 < figures["pitch_median"] < 300 for figures in spoken["female"])


def test_synthetic_speech_has_plausible_figures(spoken):
    for figures in (*spoken["female"], *spoken["male"]):
        assert 2.5 < figures["syllable_rate"] < 8
        assert 1.5 < figures["nuclei_rate"] < 8
        assert 0.4 < figures["voiced_share"] <= 1
        assert -35 < figures["level"] < -15
        assert 15 < figures["snr"] <= 80
