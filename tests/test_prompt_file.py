"""A prompt file is read with a bound, and its places are filled once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.prompt_file import LARGEST, PromptError, Section, filled, read_prompt_file


def read(file):
    return read_prompt_file(file, what="prompt", like="paraphrase/prompts.yaml")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe", "is not YAML"),
        (b"a: [", "is not YAML"),
        (b"a: !!python/object/new:os.system [x]", "is not YAML"),
        (b"[" * 5_000, "is not YAML"),
        (b"", "is no prompt but empty"),
        (b"- 1", "is no prompt but a list"),
        (b"a: " + b"b" * LARGEST, "is larger than 500000 bytes"),
    ],
)
def test_what_is_no_prompt_file_is_told_in_one_sentence_with_its_name(tmp_path, content, told):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(PromptError) as error:
        read(file)
    assert told in str(error.value)
    assert str(error.value).startswith(f"{file}: ")
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_a_folder_is_told(tmp_path):
    for file in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(PromptError, match="cannot be read"):
            read(file)


def test_lines_of_empty_places_fall_away_and_others_stay():
    assert filled("{a}\n{b}{c}\nx{b}\n\ny", {"a": "1", "b": "", "c": ""}) == "1\nx\n\ny"


@given(st.text(), st.text())
def test_a_value_that_looks_like_a_place_stays_as_it_is(one, other):
    assert (
        filled("<{one}> {other}.", {"one": one + "{other}", "other": other}) == f"<{one}{{other}}> {other}."
    )


def test_sections_tell_the_whole_key():
    section = Section(Path("p.yaml"), "a", {"b": {"c": 1}, "d": {1: 2}})
    with pytest.raises(PromptError, match=r"^p\.yaml: a\.b\.c must be text, not 1: correct it$"):
        section.section("b").text("c")
    with pytest.raises(PromptError, match=r"a\.d must be a mapping"):
        section.section("d")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], "a must be a list of texts, not empty"),
        ("x", "a must be a list of texts, not 'x'"),
        (["x", ["y"]], "a must be a list of texts, and entry 2 is a list"),
        ([None], "a must be a list of texts, and entry 1 is nothing"),
    ],
)
def test_of_a_list_the_entry_that_is_no_text_is_told(value, told):
    with pytest.raises(PromptError) as error:
        Section(Path("p.yaml"), "", {"a": value}).texts("a")
    assert str(error.value) == f"p.yaml: {told}: correct it"
