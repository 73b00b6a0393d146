"""The prompt is data: whole, with every name of the taxonomy, and a file of one's own is checked."""

import pytest
import yaml

from budew.annotation.prompt import PromptError, load_prompt
from budew.annotation.schema import PARTS, answer_schema
from budew.prompt_file import LARGEST
from budew.resources import data_folder
from budew.taxonomy import ATTRIBUTES, BURSTS, CATEGORIES, EMOTIONS, LEVEL_NAMES, WORD_TRAITS

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
    assert load_prompt().version >= 1


def test_what_is_not_asked_for_is_not_in_it(tmp_path):
    prompt = load_prompt(written(tmp_path, parts=["emotions", "traits"]))
    assert prompt.parts == ("emotions", "traits")
    assert "Chuckle" not in prompt.system
    assert "Arousal" not in prompt.system
    assert prompt.sha256() != load_prompt().sha256()


@pytest.mark.parametrize(
    "changes",
    [
        {"parts": ["bursts"]},
        {"parts": ["emotions", "smell"]},
        {"parts": None},
        {"system": None},
        {"system": "{nonsense}"},
        {"system": "{parts"},
        {"system": 7},
        {"correction": "Again."},
        {"version": "one"},
        {"answer_tokens": None},
        {"sections": {}},
    ],
)
def test_a_file_that_is_no_prompt_is_told_with_its_name(tmp_path, changes):
    with pytest.raises(PromptError, match=r"prompt\.yaml: is no annotation prompt") as told:
        load_prompt(written(tmp_path, **changes))
    assert "Error" not in str(told.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"request": None}, "there is no 'request' in it"),
        ({"request": ["a"]}, "its 'request' is no text: put it in quotes, or after a |"),
        (
            {"system": 'Answer {"emotions": {}} and {parts}'},
            "in 'system' {\"emotions\"} stands for nothing: ",
        ),
        (
            {"system": "{nams}"},
            "in 'system' {nams} stands for nothing: there are {parts}, {form}; write {{ for {",
        ),
        ({"system": "{parts:99999999999999}"}, "{parts} stands for nothing"),
        ({"system": "{parts.__class__}"}, "{parts.__class__} stands for nothing"),
        ({"system": "a } {parts}"}, "in 'system' is a single brace: write {{ for { and }} for }"),
        ({"sections": {}}, "there is no 'emotions' in it"),
        ({"parts": 3}, "a part of it is of the wrong kind"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_the_file(tmp_path, changes, said):
    with pytest.raises(PromptError) as told:
        load_prompt(written(tmp_path, **changes))
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_prompt_that_is_too_long_is_told_and_not_cut(tmp_path):
    path = written(tmp_path, system="{parts}" + "x" * LARGEST)
    with pytest.raises(PromptError, match=r"is larger than 500000 bytes, which no annotation prompt is"):
        load_prompt(path)


def test_doubled_braces_are_braces(tmp_path):
    assert load_prompt(written(tmp_path, system="{{as it stands}} {parts}")).system.startswith(
        "{as it stands}"
    )


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"a: [", b"", b"- 1", b"a: !!python/object/new:os.system [x]"]
)
def test_a_file_that_is_no_table_is_told_with_its_name(tmp_path, content):
    path = tmp_path / "prompt.yaml"
    path.write_bytes(content)
    with pytest.raises(PromptError, match=r"prompt\.yaml: is no"):
        load_prompt(path)
    with pytest.raises(PromptError, match="cannot be read"):
        load_prompt(tmp_path / "none.yaml")


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
