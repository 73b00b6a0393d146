"""Loudness, noise, rate, pitch and syllables are those that a sound or text was made with; all else stays."""

import fcntl
import json
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.annotation import acoustic_measures as acoustic_measures_module
from budew.annotation.acoustic_measures import (
    HOP,
    LONGEST,
    PITCH_HOP,
    Measure,
    acoustic_measures,
    count_nuclei,
    count_syllables,
    frame_levels,
    measure_clip,
    pauses,
    pitch_measures,
    pitch_track,
    speech,
)
from budew.annotation.recording_measures import FLOOR
from budew.audio import decode
from budew.corpora import Clip, read, write_shard
from budew.io.resources import data_folder
from budew.profile import VoiceProfile

from .sounds import RATE, clip_of, noise, silence, syllables, vowel


def phrase(level: float = -20.0) -> np.ndarray:
    """Speech of a sort with a pause in it."""
    said = syllables(6, a_second=4.0, level=level)
    return np.concatenate([silence(0.3), said, silence(0.5), said, silence(0.4)])


def test_loudness_follows_the_level_and_pitch_does_not():
    loud, quiet = (acoustic_measures(phrase(level)) for level in (-12.0, -32.0))
    assert loud["loudness"] - quiet["loudness"] == pytest.approx(20, abs=0.1)
    assert loud["utterance_pitch_mean"] == pytest.approx(quiet["utterance_pitch_mean"], rel=1e-3)
    assert loud["snr"] == 80


def test_noise_above_the_band_of_the_model_is_measured_at_the_rate_of_the_file():
    voice = soxr.resample(phrase(), RATE, 48_000)
    added = noise(len(voice), level=10 * np.log10(np.mean(voice.astype(float) ** 2)) - 20)
    assert acoustic_measures(voice + added, 48_000)["snr"] == pytest.approx(20, abs=2)


def test_pitch_is_that_of_librosa_on_speech():
    for clip in list(read(data_folder("demo_clips") / "clips.tar"))[:4]:
        samples = decode(clip.audio).samples
        track, _, _ = librosa.pyin(samples, fmin=65, fmax=800, sr=RATE)
        measures = acoustic_measures(samples)
        assert measures["utterance_pitch_mean"] == pytest.approx(np.nanmean(track), rel=0.001)
        assert measures["utterance_pitch_std"] == pytest.approx(np.nanstd(track), rel=0.01)


def test_rates_count_seconds_of_speech_without_pauses():
    slow, fast = syllables(10, a_second=2.5), syllables(10, a_second=5.0)
    rates = [acoustic_measures(sound)["nuclei_rate"] for sound in (slow, fast)]
    assert rates == pytest.approx([2.5, 5.0], rel=0.12)
    with_pause = np.concatenate([fast, silence(1.5), fast])
    measures = acoustic_measures(with_pause, transcript="ba " * 20)
    assert measures["nuclei_rate"] == pytest.approx(5.0, rel=0.12)
    assert measures["speaking_rate"] == pytest.approx(5.0, rel=0.12)
    assert (measures["pauses"], type(measures["pauses"])) == (1, int)
    assert measures["speech_duration"] == pytest.approx(4.0, abs=0.15)
    assert measures["speech_share"] == pytest.approx(4.0 / 5.5, abs=0.03)
    noisy = with_pause + noise(len(with_pause), level=-35)
    assert acoustic_measures(noisy)["speech_share"] == pytest.approx(4.0 / 5.5, abs=0.1)


@pytest.mark.parametrize("samples", [silence(1), silence(0.001), noise(RATE, level=-90), vowel(0.005)])
def test_silent_or_very_short_clips_have_no_pitch_and_valid_json(samples):
    measures = acoustic_measures(samples)
    assert "utterance_pitch_mean" not in measures
    assert 0 <= measures["speech_share"] <= 1
    assert json.loads(json.dumps(measures, allow_nan=False)) == measures


def test_the_job_adds_measures_to_the_metadata_and_changes_nothing_else(run_on, failures, tmp_path: Path):
    profile = VoiceProfile({"Awe": 0.5})
    clip = clip_of(phrase(), "anna/01", profile=profile, transcript="la " * 12, metadata={"take": 3})
    long = clip_of(silence(LONGEST + 1), "long")
    (made,) = run_on(Measure(), clip, Clip("broken", b"?", "wav"), long)
    assert {"take", "utterance_pitch_mean", "snr", "loudness", "speech_share"} <= set(made.metadata)
    assert (made.duration, made.sampling_rate) == (len(phrase()) / RATE, RATE)
    assert (made.audio, made.profile, made.transcript) == (clip.audio, profile, clip.transcript)
    assert "speaking_rate" in made.metadata
    assert "speaking_rate" not in measure_clip(replace(made, transcript=None)).metadata
    assert set(failures) == {"broken", "long"}
    write_shard(tmp_path / "a.tar", [made])
    (back,) = read(tmp_path / "a.tar")
    assert back.metadata == made.metadata
    assert measure_clip(back).metadata == made.metadata


def test_pitch_is_compiled_by_one_process_at_a_time(monkeypatch):
    locked = []

    def pyin(*_, **__):
        with Path(librosa.__file__).open("rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        locked.append(True)

    monkeypatch.setattr(librosa, "pyin", pyin)
    assert acoustic_measures_module._compiled_pyin.__wrapped__() is pyin
    assert locked == [True]


@pytest.mark.parametrize("pitch", [80.0, 203.0, 600.0])
def test_the_pitch_of_a_vowel_is_within_one_per_cent(pitch):
    found = pitch_measures(pitch_track(vowel(1.0, pitch=pitch)))
    assert found["utterance_pitch_mean"] == pytest.approx(pitch, rel=0.01)
    assert found["pitch_std_semitones"] < 0.2


def test_the_spread_of_a_glide_is_that_of_its_semitones():
    glide = 120 * 2 ** np.linspace(0, 1, 2 * RATE)  # an octave
    found = pitch_measures(pitch_track(vowel(2.0, pitch=glide)))
    assert found["pitch_std_semitones"] == pytest.approx(12 / np.sqrt(12), abs=0.25)
    assert found["utterance_pitch_std"] == pytest.approx(np.std(glide), rel=0.05)


@pytest.mark.parametrize("count", [PITCH_HOP, 5_000])
def test_a_pitch_has_two_frames_of_the_level(count):
    samples = vowel(1.0)[:count]
    assert len(pitch_track(samples)) == 1 + count // PITCH_HOP
    assert len(frame_levels(samples)) == 1 + count // HOP


@pytest.mark.parametrize(
    ("text", "language", "count"),
    [
        ("Banana.", "en", 3),
        ("Übermäßige Größe", "de-AT", 7),
        ("ÉCOLE", None, 3),
        ("pst", "en", 1),
        ("Привет, как дела?", "ru", 5),
        ("Καλημέρα", "el", 4),
        ("안녕하세요", "ko", 5),
        ("こんにちは", "ja", 5),
        ("你好吗", "zh", 3),
        ("[laughs] No (sighs) way *cough* <noise>", "en", 2),
    ],
)
def test_syllables_of_a_text(text, language, count):
    assert count_syllables(text, language) == count


@pytest.mark.parametrize(
    ("text", "language"),
    [("", None), ("...", "en"), ("In 1984", "en"), ("नमस्ते", "hi"), ("今日は", "ja"), ("[laughs]", "en")],
)
def test_text_whose_letters_do_not_show_syllables_has_no_count(text, language):
    assert count_syllables(text, language) is None


@pytest.mark.parametrize("rate", [2.5, 6.0])
def test_nuclei_are_as_many_as_the_sound_has(rate):
    loudness = frame_levels(np.concatenate([silence(0.3), syllables(12, a_second=rate), silence(0.3)]))
    assert count_nuclei(loudness, np.ones(len(loudness), bool)) == 12
    assert count_nuclei(loudness, np.zeros(len(loudness), bool)) == 0
    steady = frame_levels(np.concatenate([silence(0.3), vowel(1.0), silence(0.3)]))
    assert count_nuclei(steady, np.ones(len(steady), bool)) == 1


def test_a_constant_offset_has_no_level():
    assert frame_levels(np.full(RATE, 0.5, np.float32))[4:-4].max() == FLOOR


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.4, 1.2), min_size=1, max_size=3), st.floats(0.3, 0.8))
def test_pauses_are_found_with_their_length(lengths, spoken):
    parts = [silence(0.5), vowel(spoken)]
    for length in lengths:
        parts += [silence(length), vowel(spoken)]
    found = pauses(speech(frame_levels(np.concatenate([*parts, silence(0.4)]))))
    assert found == pytest.approx(lengths, abs=0.08)


def test_all_measures_of_a_sound_are_those_of_earlier_versions():
    sound = phrase() + noise(len(phrase()), level=-50)
    found = acoustic_measures(sound, transcript="ba " * 11, language="en")
    assert found == pytest.approx(
        {
            "speech_duration": 3.008,
            "speech_share": 0.716,
            "pauses": 1,
            "loudness": -24.757,
            "snr": 24.268,
            "c50": 17.977,
            "bandwidth": 8000.0,
            "utterance_pitch_mean": 130.08,
            "utterance_pitch_std": 23.164,
            "pitch_std_semitones": 3.882,
            "nuclei_rate": 3.989,
            "speaking_rate": 3.657,
        },
        abs=0.002,
    )


@pytest.mark.parametrize(("sound", "pause", "spoken"), [(7, 19, 14), (7, 18, 32), (6, 19, 0)])
def test_sounds_of_a_tenth_and_pauses_of_three_tenths_of_a_second_count(sound, pause, spoken):
    parts = [(30, -60.0), (sound, -20.0), (pause, -60.0), (sound, -20.0), (30, -60.0)]
    loudness = np.concatenate([np.full(count, level) for count, level in parts])
    assert speech(loudness).sum() == spoken


def test_frames_25_decibels_under_the_speech_are_silence():
    steps = np.repeat([-20.0, -44.9, -45.0, -80.0, -20.0], 30)
    assert speech(steps).tolist() == [True] * 60 + [False] * 60 + [True] * 30


def test_frames_near_the_noise_are_silence():
    noisy = np.repeat([-20.0, -28.9, -29.1, -35.0, -20.0], 30)
    assert speech(noisy).tolist() == [True] * 60 + [False] * 60 + [True] * 30
    assert speech(np.full(60, -20.0)).all()


@pytest.mark.parametrize(("dip", "count"), [(2.0, 0), (2.1, 2)])
def test_a_syllable_nucleus_is_more_than_two_decibels_above_the_next_trough(dip, count):
    hill = np.array([-dip, 0.0, 0.0])  # a plateau is one peak
    assert count_nuclei(np.array([*hill, *hill, -dip]), np.ones(7, bool)) == count


def test_mean_and_spread_of_a_pitch_track_are_those_of_its_voiced_frames():
    voiced = np.linspace(100, 220, 5)
    hertz = {"utterance_pitch_mean": 160.0, "utterance_pitch_std": np.std(voiced)}
    spread = {"pitch_std_semitones": np.std(12 * np.log2(voiced))}
    assert pitch_measures(np.array([np.nan, *voiced])) == pytest.approx(hertz | spread)
    assert pitch_measures(voiced[1:]) == {}
