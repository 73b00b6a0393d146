"""Plans by hours: as much of each part as was asked for, at any moment, and each combination in it."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.errors import InputError
from budew.synthesis.acting import EspeakBackend, HoursPlan, make_hours_plan, make_plan
from budew.synthesis.acting.acting_hours import hours_in, preview

from .conftest import server_at

CHAT = server_at("http://localhost:1/v1", api="chat")


def planned(hours, **axes):
    return make_hours_plan(CHAT, seed=2, hours=hours_in(hours), **axes)


@settings(max_examples=30, deadline=None)
@given(clips=st.lists(st.integers(1, 400), min_size=1, max_size=5))
def test_every_clip_of_every_part_occurs_once_and_parts_are_interleaved(clips):
    parts = [make_hours_plan(CHAT, seed=1, hours={"en": 1}).parts[0]] * len(clips)
    plan = HoursPlan(tuple(parts), tuple(clips))
    seen, whole = Counter(), sum(clips)
    for number in range(whole):
        part, before = plan._place(number)
        assert before == [seen[other] for other in range(len(clips))]
        assert all(abs(seen[other] - clips[other] * number / whole) <= 11 for other in range(len(clips)))
        seen[part] += 1
    assert [seen[part] for part in range(len(clips))] == clips


def test_hours_become_clips_of_the_mean_length():
    plan = planned("en=2,fr=1", clip_seconds=8)
    assert plan.clips == (900, 450)
    assert (len(plan), plan.shares(1350)) == (1350, {"en": 900, "fr": 450})
    assert planned("en=2").clips == (720,)


def test_challenges_occur_in_their_own_part_only():
    plan = planned("en=1,EN + de + challenges=0.5", challenges=["sob", "whisper"])
    items = [plan.clip(number) for number in range(len(plan))]
    of = {
        name: {item.challenge for item in items if item.id.startswith(f"act-2-{name}-0")} for name in ("en",)
    }
    assert of == {"en": {"plain"}}
    rest = [item for item in items if item.challenge != "plain"]
    assert {item.challenge for item in rest} == {"sob", "whisper"}
    assert {item.language for item in rest} == {"en", "de"}
    assert len({item.id for item in items}) == len(items)
    assert [plan.id_of(number) for number in range(len(plan))] == [item.id for item in items]


def test_a_clip_of_a_part_does_not_depend_on_the_other_parts():
    short, long = planned("en=0.1,fr=0.1"), planned("es=3,en=0.2")
    items = {long.id_of(number): long.clip(number) for number in range(len(long))}
    for number in range(len(short)):
        item = short.clip(number)
        assert item.language == "fr" or items[item.id] == item


def test_accents_are_those_that_a_language_has():
    plan = planned("en=1,fr=1", accents=["Texan", "none"])
    assert plan.axes()["accent"] == ("en none", "en Texan", "fr none")
    accents = planned("en=1,fr=1", accents=["Texan"]).axes()["accent"]
    assert accents == ("en Texan", *(f"fr {accent}" for accent in CHAT.accents("fr")))


def test_a_part_has_the_accent_it_names():
    plan = planned("en:Texan=1,en=0.5,EN: vulgar street+challenges=0.2,de:Swiss+fr=0.1", accents=["none"])
    assert [part.part for part in plan.parts] == [
        "en-Texan",
        "en",
        "en-Vulgar-Street-challenges",
        "de-Swiss-fr",
    ]
    assert [part.accents for part in plan.parts] == [
        {"en": ("Texan",)},
        {"en": ("none",)},
        {"en": ("Vulgar Street",)},
        {"de": ("Swiss",), "fr": ("none",)},
    ]
    spoken = Counter((item.language, item.accent) for item in map(plan.clip, range(len(plan))))
    assert spoken["en", "Texan"] == 360
    assert planned("en:Texan+en:British=1").parts[0].accents == {"en": ("Texan", "British")}
    with pytest.raises(InputError, match="no accent 'texan' of fr with m: use some of none, Belgian"):
        planned("fr:Texan=1")
    with pytest.raises(
        InputError, match="no accent 'louisiana' of en with espeak-ng: use some of none, Brit"
    ):
        make_hours_plan(EspeakBackend(), seed=1, hours={"en:Louisiana": 1})


def test_published_hours_add_up_to_the_table_of_the_paper():
    plan = planned("emonet-voice-big")
    hours = {part: clips / 360 for part, clips in plan.shares(len(plan)).items()}  # clips of 10 s
    assert sum(hours.values()) == 4752
    english = {part: length for part, length in hours.items() if part.startswith("en-")}
    assert english.pop("en-none-de-none-challenges") == 111
    assert (len(english), sum(english.values())) == (14, 2156)
    assert (english["en-Louisiana"], english["en-none"], hours["es-none"]) == (133, 391, 888)
    with pytest.raises(InputError, match="published hours: emonet-voice-big"):
        hours_in("emonet")


def test_a_preview_counts_the_levels_of_the_plan():
    plan = planned("en=40,de=10", voices=["a", "b"], accents=["none", "Texan"], clip_seconds=30)
    found = preview(plan, len(plan), moved=lambda *_: None)
    items = [plan.clip(number) for number in range(len(plan))]
    cells = Counter((item.voice, item.emotion, item.language, item.accent) for item in items)
    assert sorted(found.cells) == sorted(cells.values())
    assert len(found.cells) == 2 * 40 * 3
    for axis in ("emotion", "voice", "language", "challenge", "kind"):
        assert found.counts[axis] == Counter(getattr(item, axis) for item in items)
    assert found.characters == sum(len(item.text) for item in items)
    assert found.parts == {"en": 4_800, "de": 1_200}


@pytest.mark.parametrize(
    ("hours", "axes"),
    [
        ("en", {}),
        ("en=", {}),
        ("en=0", {}),
        ("en=-1", {}),
        ("en=nan", {}),
        ("en=1,en=2", {}),
        ("en=1,EN=2", {}),
        ("xx=1", {}),
        ("challenges=1", {}),
        ("en=1", {"languages": ["en"]}),
        ("en=1", {"challenges": ["whisper"]}),
        ("en=1", {"accents": ["Klingon"]}),
        ("en:=1", {}),
        ("en:Texan=1,EN:texan=1", {}),
        ("en:Texan+challenges=1", {"accents": ["Irish"]}),
    ],
)
def test_impossible_plans_are_input_errors(hours, axes):
    with pytest.raises(InputError):
        planned(hours, **axes)


def test_instructions_for_improvisation_name_the_sounds_of_the_language():
    line = make_plan(server_at("http://localhost:1/v1"), seed=2)
    for item in map(make_plan(CHAT, seed=2).clip, range(80)):
        assert item.instructions != line.clip(item.number).instructions
        assert ("oh là là" in item.instructions) == (item.language == "fr")
