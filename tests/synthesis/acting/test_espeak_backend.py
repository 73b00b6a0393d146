"""The offline backend: a challenge is heard, a line is said whole, and the same item sounds the same."""

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
def item():
    plan = make_plan(BACKEND, seed=5, emotions=["Anger"], languages=["en"], challenges=["plain"])
    return replace(plan.item(0), intensity=1.0, text="You lied to me, and then you went away.")


@pytest.fixture(scope="module")
def takes(item):
    """Takes of the item by challenge."""
    items = [replace(item, challenge=name) for name in challenges()]
    return {spoken.challenge: take for spoken, take in BACKEND.speak(items, pytest.fail)}


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


def test_every_challenge_is_spoken_and_sounds_like_no_other(takes):
    assert set(takes) == set(challenges())
    assert len({take.audio for take in takes.values()}) == len(takes)
    for take in takes.values():
        samples = decode(take.audio).samples
        assert len(samples) / 16_000 == pytest.approx(take.duration, abs=0.001)
        assert 1 < take.duration < LONGEST
        assert np.abs(samples).max() > 0.01


def test_challenges_are_heard(takes):
    level = {name: np.sqrt(np.mean(decode(take.audio).samples ** 2)) for name, take in takes.items()}
    assert level["whisper"] < 0.6 * level["plain"]
    assert level["plain"] < level["call out"]
    assert takes["in a hurry"].duration < takes["plain"].duration < takes["weigh each word"].duration


def test_breaking_down_begins_with_little_of_the_feeling_and_ends_with_all_of_it(item):
    parts, _ = parts_of(replace(item, challenge="break down"))
    strength = [sum(abs(part.settings[cue]) for cue in cues()) for part in parts]
    assert strength == sorted(strength)
    assert strength[0] < 0.3 * strength[-1]


def test_bursts_that_are_heard_are_in_the_take_or_the_challenge():
    plan = make_plan(BACKEND, seed=1, emotions=["Amusement", "Sadness", "Relief"])
    for item in map(plan.item, range(60)):
        parts, bursts = parts_of(item)
        sounded = Counter(name for part in parts for name in (*part.bursts_before, *part.bursts_after))
        assert set(sounded) == {*bursts, *challenges()[item.challenge].bursts}
        assert max(sounded.values(), default=1) == 1
        between = challenges()[item.challenge].between
        assert len(parts) == 1 or parts[0].bursts_after == between
        assert set(challenges()[item.challenge].bursts) <= set(item.profile().bursts)


def test_a_voice_is_one_person_in_all_languages():
    plan = make_plan(BACKEND, seed=1, voices=["f2-07"])
    voices = {
        (v.vocal_tract, v.pitch, v.gender) for v in (parts_of(plan.item(n))[0][0].voice for n in range(20))
    }
    assert len(voices) == 1
    assert next(iter(voices))[2] == "female"


def test_the_same_item_is_the_same_take_whatever_stands_beside_it(item, takes):
    ((_, alone),) = BACKEND.speak([item], pytest.fail)
    assert alone == takes["plain"]


def test_what_is_acted_of_a_seed_stays_as_it_is():
    plan = make_plan(BACKEND, seed=1)
    items = [replace(plan.item(number), instructions="") for number in range(300)]
    acted = repr([(item, parts_of(item)) for item in items])
    assert sha256(acted.encode()).hexdigest()[:12] == "a13e94a657c6"
