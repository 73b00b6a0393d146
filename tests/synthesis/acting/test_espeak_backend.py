"""Espeak as a backend: a challenge changes the sound, every word is spoken, and equal plans sound equal."""

from collections import Counter
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.audio.samples import decode
from budew.synthesis.acting import EspeakBackend, make_plan
from budew.synthesis.acting.acting_data import challenges
from budew.synthesis.acting.espeak_backend import LONGEST, parts_of, split_line
from budew.synthesis.clip_plan import cues

BACKEND = EspeakBackend()


@pytest.fixture(scope="module")
def planned():
    plan = make_plan(BACKEND, seed=5, emotions=["Anger"], languages=["en"], challenges=["plain"])
    return replace(plan.clip(0), intensity=1.0, text="You lied to me, and then you went away.")


@pytest.fixture(scope="module")
def spoken_clips(planned):
    """Takes of the planned by challenge."""
    clips = [replace(planned, challenge=name) for name in challenges()]
    return {spoken.challenge: clip for spoken, clip in BACKEND.speak(clips, pytest.fail)}


@given(
    text=st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=30), count=st.integers(1, 4)
)
def test_the_parts_of_a_line_are_its_words_in_their_order(text, count):
    parts = split_line(" ".join(text), count)
    assert " ".join(parts).split() == text
    assert 1 <= len(parts) <= count
    assert all(parts)


def test_lines_are_cut_at_punctuation_and_french_marks_stay_with_their_words():
    assert split_line("I told you so. Now listen to me.", 2) == ["I told you so.", "Now listen to me."]
    assert split_line("Tu as vu ? Il est là !", 1) == ["Tu as vu? Il est là!"]


def test_every_challenge_is_spoken_and_sounds_like_no_other(spoken_clips):
    assert set(spoken_clips) == set(challenges())
    assert len({clip.audio for clip in spoken_clips.values()}) == len(spoken_clips)
    for clip in spoken_clips.values():
        samples = decode(clip.audio).samples
        assert len(samples) / 16_000 == pytest.approx(clip.duration, abs=0.001)
        assert 1 < clip.duration < LONGEST
        assert np.abs(samples).max() > 0.01


def test_challenges_change_the_sound(spoken_clips):
    level = {name: np.sqrt(np.mean(decode(clip.audio).samples ** 2)) for name, clip in spoken_clips.items()}
    assert level["whisper"] < 0.6 * level["plain"]
    assert level["plain"] < level["call out"]
    assert (
        spoken_clips["in a hurry"].duration
        < spoken_clips["plain"].duration
        < spoken_clips["weigh each word"].duration
    )


def test_breaking_down_starts_with_little_emotion_and_ends_with_all_of_it(planned):
    parts, _ = parts_of(replace(planned, challenge="break down"))
    strength = [sum(abs(part.settings[cue]) for cue in cues()) for part in parts]
    assert strength == sorted(strength)
    assert strength[0] < 0.3 * strength[-1]


def test_bursts_in_the_sound_are_labelled():
    plan = make_plan(BACKEND, seed=1, emotions=["Amusement", "Sadness", "Relief"])
    for planned in map(plan.clip, range(60)):
        parts, bursts = parts_of(planned)
        sounded = Counter(name for part in parts for name in (*part.bursts_before, *part.bursts_after))
        assert set(sounded) == {*bursts, *challenges()[planned.challenge].bursts}
        assert max(sounded.values(), default=1) == 1
        between = challenges()[planned.challenge].between
        assert len(parts) == 1 or parts[0].bursts_after == between
        assert set(challenges()[planned.challenge].bursts) <= set(planned.profile().bursts)


def test_a_voice_is_one_person_in_all_languages():
    plan = make_plan(BACKEND, seed=1, voices=["f2-07"])
    voices = {
        (v.vocal_tract, v.pitch, v.gender) for v in (parts_of(plan.clip(n))[0][0].voice for n in range(20))
    }
    assert len(voices) == 1
    assert next(iter(voices))[2] == "female"


def test_a_planned_clip_sounds_the_same_whatever_precedes_it(planned, spoken_clips):
    ((_, alone),) = BACKEND.speak([planned], pytest.fail)
    assert alone == spoken_clips["plain"]


def test_a_seed_gives_the_clips_that_it_gave_before():
    plan = make_plan(BACKEND, seed=1)
    clips = [replace(plan.clip(number), instructions="") for number in range(300)]
    acted = repr([(planned, parts_of(planned)) for planned in clips]).replace(", persona='none'", "")
    assert sha256(acted.encode()).hexdigest()[:12] == "5cf83152dce1"
