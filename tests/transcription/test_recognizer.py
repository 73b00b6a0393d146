"""A Whisper that transcribes: any length, in the language given, the same words every time."""

import numpy as np
import pytest

from budew.errors import CheckpointError
from budew.transcription.recognizer import Transcriber, _quietest, _windows

from .conftest import RATE, noise


@pytest.fixture(scope="module")
def transcriber(whisper_folder):
    return Transcriber(str(whisper_folder), device="cpu")


def test_transcripts_do_not_depend_on_the_batch(transcriber):
    recordings = [noise(seconds, seed=seed) for seed, seconds in enumerate((0.5, 1.0, 2.0, 7.3, 1.9))]
    together = transcriber.transcribe(recordings, languages=["en"] * 5)
    alone = [transcriber.transcribe([samples], languages=["en"])[0] for samples in recordings]
    assert together == alone
    assert len(set(together)) > 1
    assert all("\n" not in text and "<|" not in text for text in together)


def test_an_unsupported_language_is_refused(transcriber):
    transcriber.require_languages(["en", "en-GB"])
    with pytest.raises(CheckpointError, match="does not support the language 'de'"):
        transcriber.require_languages(["en", "de"])


def test_an_english_only_checkpoint_transcribes_english_only(make_whisper, tmp_path):
    english = Transcriber(str(make_whisper(tmp_path / "english", multilingual=False)), device="cpu")
    assert len(english.transcribe([noise(1.0)], languages=["en"])) == 1
    assert english.detect([noise(1.0)]) == ["en"]
    with pytest.raises(CheckpointError, match="is English-only"):
        english.require_languages(["fr"])


def test_windows_cover_the_recording():
    samples = noise(9.7)
    windows = list(_windows(samples, 2 * RATE, RATE))
    assert np.array_equal(np.concatenate(windows), samples)
    assert max(map(len, windows)) <= 2 * RATE


@pytest.mark.parametrize("width", [1, 2, 7, 50])
def test_the_quietest_place_is_the_middle_of_the_window_of_least_power(width):
    samples = noise(0.1)
    power = [np.sum(samples[start : start + width].astype(float) ** 2) for start in range(300, 901 - width)]
    assert _quietest(samples, 300, 900, width) == 300 + int(np.argmin(power)) + width // 2


def test_short_recordings_are_not_cut_and_cuts_are_in_the_last_third():
    assert list(map(len, _windows(noise(2.0), 2 * RATE, RATE))) == [2 * RATE]
    silent_early = noise(4.0)
    silent_early[: int(1.2 * RATE)] = 0
    first, *_ = _windows(silent_early, 2 * RATE, RATE)
    assert len(first) >= 2 * RATE * 2 / 3
    assert [len(window) for window in _windows(np.zeros(30, np.float32), 24, 10)] == [16, 14]
