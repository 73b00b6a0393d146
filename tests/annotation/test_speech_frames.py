"""Frames tell speech from silence, and pauses are found where they were put."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.annotation.speech_frames import FLOOR, HOP, SECONDS, levels, pauses, speech

from .sounds import RATE, noise, silence, vowel


@pytest.mark.parametrize("level", [-6.0, -20.0, -50.0])
def test_a_steady_sound_has_its_level_in_every_frame(level):
    inside = levels(vowel(1.0, level=level))[4:-4]
    assert np.abs(inside - level).max() < 0.6


def test_a_constant_offset_is_no_sound():
    assert levels(np.full(RATE, 0.5, np.float32))[4:-4].max() == FLOOR


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.4, 1.2), min_size=1, max_size=3), st.floats(0.3, 0.8))
def test_pauses_are_found_with_their_length(lengths, spoken):
    parts = [silence(0.5), vowel(spoken)]
    for length in lengths:
        parts += [silence(length), vowel(spoken)]
    found = pauses(speech(levels(np.concatenate([*parts, silence(0.4)]))))
    assert found == pytest.approx(lengths, abs=0.08)


def test_the_silence_of_a_stop_is_no_pause_and_a_click_no_speech():
    stop = speech(levels(np.concatenate([vowel(0.5), silence(0.15), vowel(0.5)])))
    assert stop.mean() > 0.97
    click = np.concatenate([silence(1.0), vowel(0.01), silence(1.0), vowel(1.0), silence(0.5)])
    speaking = speech(levels(click))
    assert speaking.sum() * SECONDS == pytest.approx(1.0, abs=0.1)
    assert not speaking[: RATE // HOP].any()


def test_faint_noise_in_a_pause_does_not_fill_it():
    sound = np.concatenate([vowel(0.6), silence(0.6), vowel(0.6)])
    assert len(pauses(speech(levels(sound + noise(len(sound), level=-50))))) == 1
