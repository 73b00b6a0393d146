"""A plan: balanced, the same whatever its length, and made of nothing that is not there."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import parse
from budew.errors import InputError, SettingsError
from budew.synthesis.acting import EspeakBackend, make_plan
from budew.synthesis.acting.acting_data import challenges, languages
from budew.taxonomy import EMOTIONS

from .conftest import server_at

ESPEAK = EspeakBackend()
SERVER = server_at("http://localhost:1/v1")


def spread(counts: Counter, levels: int) -> int:
    return max(counts.values()) - (min(counts.values()) if len(counts) == levels else 0)


@settings(max_examples=8, deadline=None)
@given(
    clips=st.integers(1, 600),
    seed=st.integers(0, 5),
    emotions=st.integers(1, 40),
    voices=st.integers(1, 7),
    data=st.data(),
)
def test_each_emotion_comes_equally_often_on_the_whole_and_in_each_voice(clips, seed, emotions, voices, data):
    names = data.draw(st.permutations(EMOTIONS))[:emotions]
    plan = make_plan(SERVER, seed=seed, emotions=names, voices=[f"v{n}" for n in range(voices)])
    items = [plan.item(number) for number in range(clips)]
    assert spread(Counter(item.emotion for item in items), emotions) <= 1
    for axis in ("voice", "language", "intensity", "challenge", "kind"):
        within = defaultdict(Counter)
        for item in items:
            within[getattr(item, axis)][item.emotion] += 1
        assert all(spread(counts, emotions) <= 1 for counts in within.values()), axis


def test_after_each_round_of_emotions_every_other_axis_is_even():
    plan = make_plan(SERVER, seed=2)
    items = [plan.item(number) for number in range(40 * 11)]
    for axis, levels in (("voice", 11), ("language", 4), ("intensity", 4), ("challenge", 21), ("kind", 2)):
        assert spread(Counter(getattr(item, axis) for item in items), levels) <= 1, axis


def test_accents_are_even_within_each_language():
    plan = make_plan(SERVER, seed=2, languages=["en", "fr"])
    items = [plan.item(number) for number in range(40 * 2 * 8)]
    for language, accents in plan.accents.items():
        counts = Counter(item.accent for item in items if item.language == language)
        assert set(counts) == set(accents)
        assert spread(counts, len(accents)) <= 1


def test_a_clip_depends_on_its_number_and_on_nothing_asked_before():
    plan = make_plan(ESPEAK, seed=9)
    forwards = [plan.item(number) for number in range(50)]
    assert [plan.item(number) for number in reversed(range(50))] == forwards[::-1]
    assert make_plan(ESPEAK, seed=10).item(3) != forwards[3]


def test_ids_are_unique_and_lines_have_no_open_slots():
    plan = make_plan(SERVER, seed=1, texts=["fitting"])
    items = [plan.item(number) for number in range(1_500)]
    assert len({item.id for item in items}) == 1_500
    assert not any("{" in item.text or "}" in item.text for item in items)
    assert len({item.text for item in items}) > 600


def test_fitting_lines_fit_and_neutral_lines_are_shared_by_all_emotions():
    plan = make_plan(SERVER, seed=1, languages=["en"])
    english = languages()["en"]
    for item in map(plan.item, range(400)):
        assert (item.text in english.neutral) == (item.kind == "neutral")
        if item.kind == "fitting":
            starts = [line.partition("{")[0] for line in english.lines[item.emotion]]
            assert any(item.text.startswith(start) for start in starts)


def test_the_profile_is_what_is_acted_with_what_the_challenge_adds():
    plan = make_plan(SERVER, seed=1, languages=["en"], accents=["Scottish"], challenges=["sob", "whisper"])
    for item in map(plan.item, range(40)):
        profile = item.profile(gender="female")
        assert dict(profile.emotions) == {item.emotion: item.intensity}
        assert profile.traits["accent"] == "Scottish"
        assert profile.traits["gender"] == "female"
        assert (profile.bursts == ("Quiet Sob",)) == (item.challenge == "sob")
        assert (profile.traits.get("style") == "whispered") == (item.challenge == "whisper")


def test_the_accent_that_a_language_has_by_itself_is_no_trait():
    plan = make_plan(ESPEAK, seed=1, languages=["de"])
    assert "accent" not in plan.item(0).profile().traits


def test_the_feeling_of_the_instructions_is_parsed_back():
    plan = make_plan(SERVER, seed=4, challenges=["plain"])
    for item in map(plan.item, range(160)):
        said = item.instructions.partition(": ")[2].partition(".")[0]
        assert dict(parse(said).profile.emotions) == {item.emotion: item.intensity}, item.instructions


def test_the_instructions_name_language_accent_and_challenge():
    plan = make_plan(SERVER, seed=4)
    for item in map(plan.item, range(100)):
        told = item.instructions
        assert languages()[item.language].name in told
        assert f"{item.accent} accent" in told
        assert challenges()[item.challenge].direction in told


def test_levels_are_named_as_people_write_them():
    plan = make_plan(
        SERVER,
        seed=1,
        emotions=["anger", "Hope"],
        intensities=["Extreme"],
        languages=["EN"],
        accents=["scottish"],
        challenges=["Break Down"],
        texts=["neutral"],
    )
    assert plan.emotions == ("Anger", "Hope/Optimism")
    assert plan.intensities == (1.0,)
    assert plan.accents == {"en": ("Scottish",)}
    assert plan.challenges == ("break down",)


def test_a_language_without_the_accents_asked_for_keeps_its_own():
    plan = make_plan(SERVER, seed=1, languages=["en", "de"], accents=["Irish"])
    assert plan.accents["en"] == ("Irish",)
    assert plan.accents["de"] == SERVER.accents("de")


@pytest.mark.parametrize(
    ("axes", "match"),
    [
        ({"languages": ["xx"]}, "no language 'xx'"),
        ({"accents": ["Klingon"]}, "no accent 'Klingon'"),
        ({"intensities": ["huge"]}, "no intensity 'huge'"),
        ({"challenges": ["sing"]}, "no challenge 'sing'"),
        ({"texts": ["rude"]}, "no kind of text 'rude'"),
        ({"voices": []}, "at least one voice"),
        ({"emotions": []}, "at least one emotion"),
        ({"voices": ["a\nb"]}, "cannot be the name of a voice"),
    ],
)
def test_what_is_not_there_is_told(axes, match):
    with pytest.raises(InputError, match=match):
        make_plan(SERVER, seed=1, **axes)


def test_unknown_emotions_and_voices_of_espeak_are_told():
    with pytest.raises(InputError):
        make_plan(SERVER, seed=1, emotions=["angr"])
    for voice in ("f1", "f1-99", "nobody-01", "f1-x", ""):
        with pytest.raises(InputError, match="no voice"):
            make_plan(ESPEAK, seed=1, voices=[voice])


def test_names_may_be_one_text_and_an_axis_that_is_unknown_is_refused():
    plan = make_plan(ESPEAK, seed=1, languages="en, de", texts="neutral")
    assert plan == make_plan(ESPEAK, seed=1, languages=["en", "de"], texts=["neutral"])
    for wrong in ({"moods": ["sad"]}, {"languages": [1]}, {"voices": 5}):
        with pytest.raises(SettingsError, match="the plan"):
            make_plan(ESPEAK, seed=1, **wrong)
