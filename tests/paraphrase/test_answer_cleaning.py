"""The caption is found in the answers of models, whatever surrounds it."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from budew.paraphrase.answer_cleaning import clean_answer
from tests.growth import is_linear

CAPTION = "A woman's voice, very angry, with a chuckle."


@pytest.mark.parametrize(
    "answer",
    [
        CAPTION,
        CAPTION.replace(", ", ",\n"),
        f'"{CAPTION}"',
        f"**{CAPTION}**",
        f"Caption: {CAPTION}",
        f"**Caption:** {CAPTION}",
        f'Sure! Here is a rewritten caption: "{CAPTION}"',
        f"```text\n{CAPTION}\n```",
        f"Here you go:\n```\n{CAPTION}\n```\nIt keeps every feeling.",
        f"```json\n{json.dumps({'caption': CAPTION}, indent=1)}\n```",
        f"The JSON that you asked for: {json.dumps({'caption': CAPTION})} Anything else?",
        f"<think>\nAngry, a woman.\n</think>\n\n{CAPTION}",
        f"<reasoning>Angry.</reasoning>{CAPTION}",
        f"<think>x</think>Caption: “{json.dumps({'caption': CAPTION})}”",
    ],
)
def test_the_caption_is_found_in_what_models_put_around_it(answer):
    assert clean_answer(answer) == CAPTION


@pytest.mark.parametrize(
    "caption",
    [
        '"Angry" and "sad" are both there.',
        "'Tis a sad voice, o' the old kind.",
        "Voice: female, angry.",
        "Calm. The caption: none.",
        '{"caption": "one"} {"caption": "two"}',
        '{"caption": 3}',
        "Caption:",
        '"',
    ],
)
def test_text_that_is_no_wrapping_stays(caption):
    assert clean_answer(caption) == caption


@pytest.mark.parametrize("answer", ["", " \n", "<think>an answer that never came", "<think>x</think>"])
def test_an_answer_without_a_caption_is_empty(answer):
    assert clean_answer(answer) == ""


@given(st.text(st.sampled_from(list("aB .:\"'“”*`{}\n<>/")) | st.characters(), max_size=60))
@example("``")
def test_any_text_becomes_one_line(text):
    line = clean_answer(text)
    assert line == " ".join(line.split())


@pytest.mark.parametrize("unit", ["caption: ", "```\n", "<think>", '"', "a ", "{", '{"a":', "sure. "])
def test_time_is_linear_in_the_length(unit):
    assert is_linear(lambda copies: clean_answer(unit * copies), 5_000)
