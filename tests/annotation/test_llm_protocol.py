"""The prompt is data with every name of the taxonomy in it; an answer is read strictly."""

import copy
import json
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.annotation.llm_protocol import (
    MOST_PROBLEMS,
    MULTI_SHOT,
    PARTS,
    answer_schema,
    load_prompt,
    read_answer,
)
from budew.errors import AnswerError, SettingsError
from budew.io.resources import data_folder
from budew.taxonomy import ATTRIBUTES, BURSTS, CATEGORIES, EMOTIONS, LEVEL_NAMES, WORD_TRAITS

from .conftest import model

TABLE = yaml.safe_load((data_folder("paraphrase") / "annotation.yaml").read_text(encoding="utf-8"))


def written(tmp_path, **changes):
    path = tmp_path / "prompt.yaml"
    table = {name: value for name, value in {**TABLE, **changes}.items() if value is not None}
    path.write_text(yaml.safe_dump(table), encoding="utf-8")
    return path


def test_every_name_and_level_is_in_the_prompt():
    system = load_prompt().system
    words = [word for words in CATEGORIES.values() for word in words]
    for name in (*EMOTIONS, *BURSTS, *WORD_TRAITS, *ATTRIBUTES, *words, *LEVEL_NAMES):
        assert name in system
    assert "{" not in system.replace('{"', "").replace(": {", "")


def test_a_prompt_contains_only_the_requested_parts(tmp_path):
    system = "{{as it stands}} {parts}"
    prompt = load_prompt(written(tmp_path, parts=["emotions", "traits"], system=system))
    assert prompt.parts == ("emotions", "traits")
    assert prompt.system.startswith("{as it stands}")
    assert not any(name in prompt.system for name in ("Chuckle", "Arousal"))
    assert prompt.sha256() != load_prompt().sha256()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"parts": ["bursts"]}, "parts must include emotions"),
        ({"correction": "Again."}, "parts must .*problems"),
        ({"sections": {}}, "parts must .*sections"),
        ({"parts": None}, "parts: required"),
        ({"system": "{nams}"}, r"system: .*\('nams'\): use {parts}, {form}"),
        *(
            ({"system": text}, "system: .*use {parts}")
            for text in ("{parts", "{}", "{parts[a]}", "{parts.a}")
        ),
    ],
)
def test_each_fault_of_a_prompt_file_is_named(tmp_path, changes, named):
    with pytest.raises(SettingsError, match=rf"prompt\.yaml: {named}"):
        load_prompt(written(tmp_path, **changes))


def test_a_multi_shot_prompt_ends_with_the_examples_of_the_file(tmp_path):
    prompt, asked = load_prompt(MULTI_SHOT), load_prompt()
    assert prompt.system.startswith(asked.system)
    for name in ("Fear 4", "Longing 3", "Contempt 3", "Concentration 1"):
        assert name in prompt.system
        assert name not in asked.system
    assert prompt.name != asked.name
    assert prompt.sha256() != asked.sha256()
    assert load_prompt(written(tmp_path)).system == prompt.system


def test_the_prompt_of_the_package_is_that_of_earlier_versions():
    assert load_prompt().sha256() == ("78bcf96ec740b28a6e633d96bb70a4dc0fc625f3c7c5ca87115f86de5b5d3707")


def test_the_schema_is_closed_and_asks_for_everything():
    def check(schema):
        if schema["type"] == "object":
            assert schema["required"] == list(schema["properties"])
            assert schema["additionalProperties"] is False
            for inner in schema["properties"].values():
                check(inner)

    schema = answer_schema(PARTS).schema
    check(schema)
    properties = schema["properties"]
    assert list(properties) == list(PARTS)
    assert list(properties["emotions"]["properties"]) == list(EMOTIONS)
    assert properties["emotions"]["properties"]["Awe"] == {"type": "integer", "minimum": 0, "maximum": 4}
    assert properties["bursts"]["items"]["enum"] == list(BURSTS)
    assert "unknown" in properties["traits"]["properties"]["gender"]["enum"]
    assert properties["attributes"]["properties"]["Valence"]["minimum"] == -3


GOOD = model.profile_for(b"a recording")
GOOD["bursts"] = ["Chuckle", "Yawn"]
GOOD["traits"] |= {"gender": "female", "accent": "Irish", "age": "unknown"}


def changed(*path, to=None, drop=False):
    data = copy.deepcopy(GOOD)
    place = data
    for name in path[:-1]:
        place = place[name]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return data


def problems(data, parts=PARTS):
    with pytest.raises(AnswerError) as caught:
        read_answer(json.dumps(data), parts)
    return str(caught.value)


def test_scores_become_intensities_and_unknown_traits_none():
    profile = read_answer(json.dumps(GOOD), PARTS)
    for name, score in GOOD["emotions"].items():
        assert profile.emotions.get(name, 0.0) == score / 4
    assert profile.bursts == ("Chuckle", "Yawn")
    assert (profile.traits["gender"], profile.traits["accent"]) == ("female", "Irish")
    assert "age" not in profile.traits
    assert profile.traits["Arousal"] == GOOD["attributes"]["Arousal"]


def test_answers_need_only_the_requested_parts_and_may_spell_names_freely():
    emotions = dict(GOOD["emotions"])
    del emotions["Jealousy & Envy"]
    found = read_answer(json.dumps({"emotions": emotions | {"jealousy and envy": 2.5}}), ("emotions",))
    assert found.emotions["Jealousy & Envy"] == 0.625
    assert found.traits == {}
    assert "'traits' is not requested" in problems(GOOD, ("emotions", "bursts", "attributes"))


@pytest.mark.parametrize(
    ("data", "reported"),
    [
        (changed("emotions", "Anger", to=4.5), "emotions: 'Anger': .*4.5"),
        (changed("emotions", "Anger", drop=True), "emotions: Anger missing"),
        (changed("emotions", "Rage Quitting", to=1), "unknown emotion 'Rage Quitting'"),
        (changed("emotions", "anger", to=1), "'Anger' occurs twice"),
        (changed("emotions", to=[1] * 40), "emotions: give an object, of at most 40, not a list"),
        (changed("bursts", drop=True), "bursts: give a list of names, of at most 82, not None"),
        (changed("bursts", to=["Chuckle", "chuckle"]), "'Chuckle' occurs twice"),
        (changed("bursts", to=[7]), "bursts: 7: "),
        (changed("traits", "gender", to="robot"), "'gender': unknown gender 'robot'"),
        (changed("traits", "gender", to=1), "'gender': 1 is not a word"),
        (changed("traits", "mood", to="good"), "'mood' is not requested"),
        (changed("attributes", "Arousal", to=9), "'Arousal': .*from 0 to 4, not 9"),
        (changed("comment", to="hm"), "'comment' is not requested"),
    ],
)
def test_each_problem_of_an_answer_is_reported(data, reported):
    found = problems(data)
    assert re.search(reported, found)
    assert len(found.splitlines()) == 1


def test_many_problems_are_reported_together_and_shortened():
    reported = problems(changed("emotions", to=dict.fromkeys(EMOTIONS, 9))).splitlines()
    assert len(reported) == MOST_PROBLEMS + 1
    assert reported[-1] == "and 20 more"
    assert max(map(len, reported)) <= 200


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(EMOTIONS) | st.text(), inner),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(PARTS, JSON)))
def test_no_json_raises_anything_but_an_answer_error(data):
    with pytest.raises(AnswerError):
        read_answer(json.dumps(data), PARTS)
