"""A plan: balanced at every moment, the same whatever its length, and made of nothing that is not there."""

from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import parse
from budew.errors import InputError, SettingsError
from budew.synthesis.acting import EspeakBackend, make_plan
from budew.synthesis.acting.acting_data import challenges, languages, personas
from budew.synthesis.acting.acting_plan import balanced_level, shuffled_level
from budew.taxonomy import EMOTIONS

from .conftest import server_at

ESPEAK = EspeakBackend()
SERVER = server_at("http://localhost:1/v1")
SIZES = st.integers(1, 13)


def spread(counts: Counter, levels: int) -> int:
    return max(counts.values()) - (min(counts.values()) if len(counts) == levels else 0)


@settings(max_examples=60, deadline=None)
@given(size=SIZES, rounds=SIZES, seed=st.integers(0, 9), clips=st.integers(1, 400))
def test_levels_are_balanced_in_every_beginning_of_a_plan(size, rounds, seed, clips):
    places, levels, whole = defaultdict(Counter), defaultdict(Counter), Counter()
    for number in range(clips):
        level, place = balanced_level(number, size=size, rounds=rounds, seed=seed, axis="a"), number % rounds
        places[place][level] += 1
        levels[level][place] += 1
        whole[level] += 1
        assert spread(places[place], size) <= 1
        assert spread(levels[level], rounds) <= 1
        assert place < rounds - 1 or spread(whole, size) <= 1


@given(size=SIZES, rounds=SIZES, seed=st.integers(0, 9), square=st.integers(0, 3))
def test_each_pair_occurs_exactly_once_in_a_latin_square(size, rounds, seed, square):
    numbers = range(square * size * rounds, (square + 1) * size * rounds)
    pairs = {(n % rounds, balanced_level(n, size=size, rounds=rounds, seed=seed, axis="a")) for n in numbers}
    assert len(pairs) == size * rounds


@given(size=SIZES, seed=st.integers(0, 9))
def test_all_levels_occur_before_they_are_shuffled_again(size, seed):
    cards = [shuffled_level(number, size=size, seed=seed, axis="line") for number in range(3 * size)]
    assert [sorted(cards[start : start + size]) for start in (0, size, 2 * size)] == [list(range(size))] * 3


@settings(max_examples=8, deadline=None)
@given(
    clips=st.integers(1, 600),
    seed=st.integers(0, 5),
    emotions=st.integers(1, 40),
    voices=st.integers(1, 7),
    data=st.data(),
)
def test_emotions_are_balanced_in_all_and_in_each_voice(clips, seed, emotions, voices, data):
    names = data.draw(st.permutations(EMOTIONS))[:emotions]
    plan = make_plan(SERVER, seed=seed, emotions=names, voices=[f"v{n}" for n in range(voices)])
    items = [plan.clip(number) for number in range(clips)]
    assert spread(Counter(item.emotion for item in items), emotions) <= 1
    for axis in ("voice", "language", "intensity", "challenge", "kind"):
        within = defaultdict(Counter)
        for item in items:
            within[getattr(item, axis)][item.emotion] += 1
        assert all(spread(counts, emotions) <= 1 for counts in within.values()), axis


def test_a_clip_depends_on_its_number_alone():
    plan = make_plan(ESPEAK, seed=9)
    forwards = [plan.clip(number) for number in range(50)]
    assert [plan.clip(number) for number in reversed(range(50))] == forwards[::-1]
    assert make_plan(ESPEAK, seed=10).clip(3) != forwards[3]


def test_fitting_lines_fit_and_neutral_lines_are_shared_by_all_emotions():
    plan = make_plan(SERVER, seed=1, languages=["en"])
    english = languages()["en"]
    for item in map(plan.clip, range(400)):
        assert not {"{", "}"} & set(item.text)
        assert (item.text in english.neutral) == (item.kind == "neutral")
        if item.kind == "fitting":
            starts = [line.partition("{")[0] for line in english.lines[item.emotion]]
            assert any(item.text.startswith(start) for start in starts)


def test_personas_change_nothing_but_the_instructions():
    plain, none = make_plan(SERVER, seed=4), make_plan(SERVER, seed=4, personas=["none"])
    played = make_plan(SERVER, seed=4, personas="none,caring nurse,Grumpy Grandpa")
    seen = Counter()
    for number in range(120):
        clip, role = plain.clip(number), played.clip(number)
        assert none.clip(number) == clip
        direction = personas()[role.persona]
        assert direction in role.instructions
        without = role.instructions.replace(direction and f"{direction} ", "")
        assert replace(role, persona="none", instructions=without) == clip
        seen[role.persona] += 1
    assert seen == {"none": 40, "caring nurse": 40, "grumpy grandpa": 40}
    assert "a caring nurse who comforts a worried patient" in " ".join(personas().values())
    assert "personas" not in plain.to_dict()  # a run of an earlier version continues
    assert played.to_dict()["personas"] == ("none", "caring nurse", "grumpy grandpa")
    assert set(make_plan(SERVER, seed=4, personas="all").personas) == set(personas())


def test_a_backend_without_instructions_plays_no_personas():
    assert make_plan(ESPEAK, seed=4, personas="none") == make_plan(ESPEAK, seed=4)
    with pytest.raises(InputError, match="espeak-ng plays no personas"):
        make_plan(ESPEAK, seed=4, personas="caring nurse")
    with pytest.raises(InputError, match="no persona 'pirate'"):
        make_plan(SERVER, seed=4, personas="pirate")


@pytest.mark.parametrize("codes", [("en",), ("de", "fr", "es")])
def test_an_emotion_has_all_lines_of_a_language_before_one_is_spoken_again(codes):
    plan = make_plan(
        ESPEAK, seed=1, languages=codes, emotions="Anger, Awe", texts="neutral", challenges="plain"
    )
    spoken = defaultdict(list)
    for clip in map(plan.clip, range(300)):
        spoken[clip.language, clip.emotion].append(clip.text)
    for (code, _), texts in spoken.items():
        lines = languages()[code].neutral
        assert set(texts[: len(lines)]) == set(lines)


def test_the_profile_has_the_levels_of_the_clip_and_accents_are_balanced():
    plan = make_plan(SERVER, seed=1, languages=["en", "de"], challenges=["sob", "whisper"])
    items = [plan.clip(number) for number in range(40 * 2 * 8)]
    for item in items:
        profile = item.profile(gender="female")
        assert dict(profile.emotions) == {item.emotion: item.intensity}
        assert profile.traits.get("accent") == (None if item.accent == "none" else item.accent)
        assert profile.traits["gender"] == "female"
        assert (profile.bursts == ("Quiet Sob",)) == (item.challenge == "sob")
        assert (profile.traits.get("style") == "whispered") == (item.challenge == "whisper")
    for language, accents in plan.accents.items():
        assert spread(Counter(i.accent for i in items if i.language == language), len(accents)) <= 1


def test_the_emotion_is_parsed_from_the_instructions():
    plan = make_plan(SERVER, seed=4)
    for item in map(plan.clip, range(160)):
        assert languages()[item.language].name in item.instructions
        assert (f"a clear {item.accent} accent" in item.instructions) == (item.accent != "none")
        assert challenges()[item.challenge].direction in item.instructions
    plan = make_plan(SERVER, seed=4, challenges=["plain"])
    for item in map(plan.clip, range(160)):
        feeling = item.instructions.partition(": ")[2].partition(".")[0]
        assert dict(parse(feeling).profile.emotions) == {item.emotion: item.intensity}, item.instructions


def test_levels_may_be_named_in_any_spelling():
    axes = {"emotions": ["anger", "Hope"], "intensities": ["Extreme"], "challenges": "Break Down, plain"}
    plan = make_plan(SERVER, seed=1, languages="EN, de", accents=["scottish"], **axes)
    assert plan.emotions == ("Anger", "Hope/Optimism")
    assert plan.intensities == (1.0,)
    assert plan.accents == {"en": ("Scottish",), "de": SERVER.accents("de")}
    assert plan.challenges == ("break down", "plain")


@pytest.mark.parametrize(
    ("axes", "match"),
    [
        ({"languages": ["xx"]}, "no language 'xx'"),
        ({"accents": ["Klingon"]}, "no accent 'klingon'"),
        ({"texts": ["rude"]}, "no kind of text 'rude'"),
        ({"voices": []}, "at least one voice"),
        ({"emotions": ["angr"]}, "angr"),
    ],
)
def test_unknown_levels_are_input_errors(axes, match):
    with pytest.raises(InputError, match=match):
        make_plan(SERVER, seed=1, **axes)
    with pytest.raises(InputError, match="no voice 'f1-99'"):
        make_plan(ESPEAK, seed=1, voices=["f1-99"])


@pytest.mark.parametrize("wrong", [{"moods": ["sad"]}, {"languages": [1]}, {"voices": 5}])
def test_unknown_axes_are_settings_errors(wrong):
    with pytest.raises(SettingsError, match="the plan"):
        make_plan(ESPEAK, seed=1, **wrong)


def test_no_clip_combines_a_minor_with_sexual_content():
    assert not any({"age", "Age"} & parse(one.direction).traits.keys() for one in challenges().values())
    plan = make_plan(SERVER, seed=7, emotions=["Sexual Lust", "Pleasure"], personas="all")
    for item in map(plan.clip, range(1_000)):
        texts = (item.instructions, item.text, f"{item.emotion}: {item.instructions}")
        assert not any(parse(text).profile.is_withheld for text in texts)
        assert not item.profile(gender="female").is_withheld
