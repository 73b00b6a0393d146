"""A Whisper that transcribes: any length, in the language given, the same words every time."""

import numpy as np
import pytest

from budew.errors import CheckpointError
from budew.transcription.recognizer import Transcriber, _quietest, _windows

from .conftest import RATE, noise


@pytest.fixture(scope="module")
def transcriber(whisper_folder):
    return Transcriber(str(whisper_folder), device="cpu")


def test_each_recording_has_one_line_whatever_stands_beside_it(transcriber):
    recordings = [noise(seconds, seed=seed) for seed, seconds in enumerate((0.5, 1.0, 2.0, 7.3, 1.9))]
    together = transcriber.transcribe(recordings, languages=["en"] * 5)
    alone = [transcriber.transcribe([samples], languages=["en"])[0] for samples in recordings]
    assert together == alone
    assert len(set(together)) > 1
    assert all("\n" not in text and "<|" not in text for text in together)


def test_a_language_that_the_checkpoint_does_not_know_is_refused(transcriber):
    transcriber.require_languages(["en", "en-GB"])
    with pytest.raises(CheckpointError, match="does not know the language 'de'"):
        transcriber.require_languages(["en", "de"])


def test_a_checkpoint_for_english_alone_is_asked_for_nothing_else(make_whisper, tmp_path):
    english = Transcriber(str(make_whisper(tmp_path / "english", multilingual=False)), device="cpu")
    assert len(english.transcribe([noise(1.0)], languages=["en"])) == 1
    assert english.detect([noise(1.0)]) == ["en"]
    with pytest.raises(CheckpointError, match="is English-only"):
        english.require_languages(["fr"])


def test_the_windows_of_a_recording_are_all_of_it():
    samples = noise(9.7)
    windows = list(_windows(samples, 2 * RATE, RATE))
    assert np.array_equal(np.concatenate(windows), samples)
    assert max(map(len, windows)) <= 2 * RATE


def test_a_recording_is_cut_where_it_is_quiet():
    samples = noise(4.0)
    samples[int(1.6 * RATE) : int(1.75 * RATE)] = 0
    cut = _quietest(samples, int(1.3 * RATE), 2 * RATE, RATE // 10)
    assert 1.6 * RATE <= cut <= 1.75 * RATE


@pytest.mark.parametrize("width", [1, 2, 7, 50])
def test_the_quietest_place_is_the_middle_of_the_window_of_least_power(width):
    samples = noise(0.1)
    power = [np.sum(samples[start : start + width].astype(float) ** 2) for start in range(300, 901 - width)]
    assert _quietest(samples, 300, 900, width) == 300 + int(np.argmin(power)) + width // 2


def test_what_fits_a_window_is_not_cut_and_cuts_are_in_its_last_third():
    assert list(map(len, _windows(noise(2.0), 2 * RATE, RATE))) == [2 * RATE]
    silent_early = noise(4.0)
    silent_early[: int(1.2 * RATE)] = 0
    first, *_ = _windows(silent_early, 2 * RATE, RATE)
    assert len(first) >= 2 * RATE * 2 / 3
    assert [len(window) for window in _windows(np.zeros(30, np.float32), 24, 10)] == [16, 14]
