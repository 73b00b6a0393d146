"""Recordings of a voice with other cues: what a cue names changes, the rest stays."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import soundfile

from budew.corpora import Clip
from budew.errors import InputError
from budew.profile import VoiceProfile
from budew.synthesis.clip_plan import SAMPLING_RATE, cues
from budew.synthesis.resynthesis import Resynthesize, change_prosody
from budew.synthesis.speech_signal import as_flac

from .conftest import pitch


@pytest.fixture
def recording(say):
    profile = VoiceProfile({}, traits={"gender": "female"})
    return Clip(
        "anna/01", as_flac(say()), "flac", language="en", speaker="anna", license="CC0-1.0", profile=profile
    )


@pytest.fixture
def changed(say):
    spoken = say().astype(np.float64)

    def change(**settings: float) -> np.ndarray:
        return change_prosody(spoken, dict.fromkeys(cues(), 0.0) | settings, formants=1.0, name="a").astype(
            np.float32
        )

    return change


def made(job, *clips):
    failures = []
    found = list(job.run(iter(clips), lambda id, error: failures.append((id, error))))
    return found, failures


def test_pitch_level_moves_the_fundamental_frequency(changed):
    low, middle, high = (np.median(pitch(changed(pitch_level=x))) for x in (-1.0, 0.0, 1.0))
    assert low < 0.85 * middle
    assert high > 1.25 * middle


def test_rate_changes_the_length_and_leaves_the_pitch(changed):
    fast, slow = changed(rate=1.0), changed(rate=-1.0)
    assert len(fast) < 0.7 * len(changed()) < 0.5 * len(slow)
    assert np.median(pitch(fast)) == pytest.approx(np.median(pitch(slow)), rel=0.1)


def test_a_flat_voice_varies_less_in_pitch(changed):
    flat, lively = (np.std(np.log2(pitch(changed(pitch_range=x)))) for x in (-1.0, 1.0))
    assert lively > 1.5 * flat


def test_clips_keep_the_speaker_and_get_drawn_emotions(recording):
    found, failures = made(Resynthesize(seed=1, per_clip=6), recording)
    assert not failures
    assert len({clip.id for clip in found}) == 6
    assert len({tuple(clip.profile.emotions) for clip in found}) > 2
    for clip in found:
        assert (clip.speaker, clip.language, clip.license) == ("anna", "en", "CC0-1.0")
        assert clip.profile.traits == {"gender": "female"}
        assert clip.profile.fully_rated
        samples, rate = soundfile.read(BytesIO(clip.audio))
        assert rate == SAMPLING_RATE
        assert clip.duration == pytest.approx(len(samples) / rate, abs=1e-3)
        assert 0.5 < np.abs(samples).max() <= 1 or np.sqrt(np.mean(samples**2)) > 1e-3


def test_emotions_are_drawn_from_the_given_ones(recording):
    found, _ = made(Resynthesize(per_clip=8, emotions=("Anger", "Fear")), recording)
    assert set().union(*(clip.profile.emotions for clip in found)) == {"Anger", "Fear"}


def test_a_clip_depends_on_seed_and_id_alone(recording):
    other = replace(recording, id="anna/02")
    alone, _ = made(Resynthesize(seed=1, per_clip=2), recording)
    among, _ = made(Resynthesize(seed=1, per_clip=2), other, recording)
    assert [clip.audio for clip in alone] == [clip.audio for clip in among[2:]]
    assert among[0].audio != among[2].audio
    assert made(Resynthesize(seed=2, per_clip=1), recording)[0][0].audio != alone[0].audio


def test_a_recording_without_a_voice_fails_alone(recording):
    noise = np.random.default_rng(0).normal(0, 1e-4, SAMPLING_RATE).astype(np.float32)
    found, failures = made(
        Resynthesize(per_clip=1), replace(recording, id="noise", audio=as_flac(noise)), recording
    )
    assert [id for id, _ in failures] == ["noise"]
    assert len(found) == 1


def test_no_clips_and_reversed_lengths_are_refused():
    for settings in ({"per_clip": 0}, {"shortest": 4, "longest": 3}):
        with pytest.raises(InputError):
            Resynthesize(**settings)
