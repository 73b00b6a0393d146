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
from budew.synthesis.resynthesis import (
    HIGHEST_PITCH,
    LOWEST_PITCH,
    Resynthesize,
    _new_pitch,
    _stretched,
    change_prosody,
)
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


def semitones(**settings: float) -> np.ndarray:
    """How far each frame of a lively voice moves, with silence between the words."""
    spoken = np.tile([140.0, 0.0, 160.0, 150.0], 100)
    moved = _new_pitch(spoken, spoken > 0, dict.fromkeys(cues(), 0.0) | settings)
    assert not moved[spoken == 0].any()
    return 12 * np.log2(moved[spoken > 0] / spoken[spoken > 0])


@pytest.mark.parametrize("cue", ["pitch_level", "contour"])
def test_a_recording_moves_by_a_part_of_what_a_synthesized_voice_does(cue):
    whole = cues()[cue].at(1.0, neutral=0.0)
    assert semitones() == pytest.approx(0, abs=1e-9)
    assert 0.3 < np.abs(semitones(**{cue: 1.0})).max() / abs(whole) < 0.9


def test_a_contour_turns_at_the_end_alone_and_a_level_moves_all():
    turned = np.abs(semitones(contour=1.0))
    assert turned[: len(turned) // 2] == pytest.approx(0, abs=1e-9)
    assert turned[-len(turned) // 4 :].min() > 0
    assert np.ptp(semitones(pitch_level=1.0)) == pytest.approx(0, abs=1e-9)


def test_the_flattest_voice_keeps_some_of_its_range_and_pitch_stays_that_of_a_voice():
    spoken = np.tile([140.0, 160.0], 50)
    still = dict.fromkeys(cues(), 0.0)
    flat = _new_pitch(spoken, spoken > 0, still | {"pitch_range": -3.0})
    assert 0 < np.ptp(flat) < 0.3 * np.ptp(spoken)
    for wide in (np.tile([60.0, 600.0], 50), np.tile([60.0, 600.0], 50)[::-1]):
        wide = _new_pitch(wide, wide > 0, still | {"pitch_range": 3.0})
        assert (wide.min(), wide.max()) == (LOWEST_PITCH, HIGHEST_PITCH)


def test_formants_move_by_the_factor_and_nothing_else_does():
    bins = np.arange(100.0)
    envelope = np.exp(-((bins - 40) ** 2) / 50)[None]
    for factor in (0.9, 1.1):
        moved = _stretched(envelope, factor)
        assert moved.argmax() == round(40 * factor)
        assert moved.max() == pytest.approx(1, abs=0.05)
    assert _stretched(envelope, 1.0) == pytest.approx(envelope)


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
