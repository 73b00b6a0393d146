"""Each cue changes the sound: turned up and down, what it names changes in the right direction."""

import random
from dataclasses import replace

import numpy as np
import pytest

from budew.synthesis.clip_plan import SAMPLING_RATE, cues, plan_clip
from budew.synthesis.speech_signal import LONGEST, color, synthesize_clip, synthesize_parts

from .conftest import pitch


def high_share(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(power[len(power) // 4 :].sum() / power.sum())  # over 2 kHz


def test_the_same_plan_gives_the_same_samples(say, neutral, espeak):
    assert (
        say().tobytes()
        == say().tobytes()
        != synthesize_clip(replace(neutral, id="another"), espeak).tobytes()
    )


def test_pitch_level_moves_the_fundamental_frequency(say):
    low, middle, high = (np.median(pitch(say(pitch_level=x))) for x in (-1.0, 0.0, 1.0))
    assert low < 0.85 * middle
    assert high > 1.25 * middle


def test_pitch_range_and_contour_shape_the_fundamental_frequency(say):
    flat, lively = (np.std(np.log2(pitch(say(pitch_range=x)))) for x in (-1.0, 1.0))
    assert lively > 1.5 * flat
    falling, rising = (
        np.median(voiced[-6:]) / np.median(voiced[:10])
        for voiced in (pitch(say(contour=contour)) for contour in (-1.0, 1.0))
    )
    assert rising > 1.3 * falling


def test_rate_shortens_and_pauses_lengthen(say):
    assert len(say(rate=1.0)) < 0.8 * len(say()) < 0.8 * 0.75 * len(say(rate=-1.0))
    assert len(say(pauses=1.0)) > len(say()) + 0.7 * SAMPLING_RATE


def test_loudness_is_level(say):
    quiet, loud = (np.sqrt(np.mean(say(loudness=x) ** 2)) for x in (-1.0, 1.0))
    cue = cues()["loudness"]
    assert 20 * np.log10(loud / quiet) == pytest.approx(cue.high - cue.low, abs=3)


@pytest.mark.parametrize("cue", ["brightness", "breathiness"])
def test_bright_and_breathy_voices_have_more_treble(say, cue):
    assert high_share(say(**{cue: 1.0})) > 2 * high_share(say(**{cue: -1.0}))


def test_smile_moves_the_spectrum_up_and_leaves_the_pitch(say):
    wide, round_ = say(smile=1.0), say(smile=-1.0)
    assert np.median(pitch(wide)) == pytest.approx(np.median(pitch(round_)), rel=0.08)
    assert high_share(wide) > high_share(round_)


@pytest.mark.parametrize("cue", ["tremor", "roughness", "dynamics", "irregularity"])
def test_other_cues_change_the_sound(say, cue):
    turned, plain = say(**{cue: 1.0}), say()
    assert len(turned) != len(plain) or np.abs(turned - plain).mean() > 0.002


def test_clips_fit_the_window_and_full_scale(espeak):
    for number in range(16):
        plan = plan_clip(number, seed=21, split="test")
        loudest = replace(plan, settings={**plan.settings, "loudness": 1.1, "rate": -1.1, "pauses": 1.1})
        samples = synthesize_clip(loudest, espeak)
        assert len(samples) <= min(8, LONGEST + 0.1) * SAMPLING_RATE
        assert np.abs(samples).max() <= 1  # and no NaN


@pytest.mark.parametrize(
    ("number", "count", "level", "treble"),
    [
        (0, 55_811, 0.02048, 0.02419),  # a childlike giggle at the end
        (3, 87_123, 0.03236, 0.15249),  # a moan of pain before
        (5, 48_552, 0.07104, 0.10804),  # a guffaw before
        (7, 31_874, 0.03300, 0.10285),
        (9, 52_644, 0.01890, 0.15452),  # a gasp before
        (10, 46_962, 0.05306, 0.30680),
        (11, 38_131, 0.01324, 0.10970),
    ],
)
def test_clips_of_the_published_metric_are_unchanged(espeak, number, count, level, treble):
    samples = synthesize_clip(plan_clip(number, seed=90210, split="test"), espeak)
    assert len(samples) == pytest.approx(count, abs=2)
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(level, rel=2e-3)
    assert high_share(samples) == pytest.approx(treble, rel=5e-3)


@pytest.mark.parametrize(
    ("turned", "first", "second"), [(0.8, 2.1919274, -21.610735), (-0.6, 0.3770956, -23.786788)]
)
def test_voice_quality_of_a_plan_is_unchanged(neutral, turned, first, second):
    time = np.arange(24_000) / SAMPLING_RATE
    voice = sum(np.sin(2 * np.pi * 120 * n * time) / n for n in range(1, 30)) * np.sin(9 * time) ** 2
    plan = replace(neutral, settings=dict.fromkeys(cues(), turned))
    colored = color(voice, plan.settings, rng=random.Random(1))
    assert np.sqrt(np.mean(colored**2)) == pytest.approx(first, rel=1e-6)
    assert np.diff(colored) @ np.sin(2_500 * time[1:] ** 1.4) == pytest.approx(second, rel=1e-5)


def test_words_beyond_the_maximum_length_are_faded_out(neutral, espeak):
    man = replace(neutral.voice, gender="male")
    parts = [
        replace(neutral, bursts_after=("Soft Hum",)),
        replace(neutral, voice=man, bursts_before=("Chuckle",)),
    ]
    whole, cut = (synthesize_parts(parts, espeak, longest=longest) for longest in (20.0, 3.5))
    assert (len(whole), len(cut)) == (121_755, 67_067)
    assert synthesize_parts(parts, espeak, longest=20.0).tobytes() == whole.tobytes()
    shown = [float(samples @ np.sin(np.arange(len(samples)) ** 1.4 / 9)) for samples in (whole, cut)]
    assert shown == pytest.approx([0.8282, -1.7799], abs=1e-3)
