"""The key of a request is that of its content; an object is found in whatever a model puts around it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.chat.request import (
    LONGEST_TEXT,
    Schema,
    Usage,
    object_in,
    reason_in,
    request_key,
    usage_in,
)
from budew.errors import AnswerError
from tests.growth import is_linear

from .conftest import ask

REQUEST = ask("?", seed=1, schema=Schema("form", {"type": "object", "properties": {}}))


@pytest.mark.parametrize(
    "change",
    [
        {"model": "n"},
        {"messages": ({"role": "user", "content": "!"},)},
        {"max_tokens": 51},
        {"temperature": 0.1},
        {"seed": 2},
        {"seed": None},
        {"n": 2},
        {"schema": None},
        {"schema": Schema("form", {"type": "array"})},
    ],
)
def test_everything_that_changes_the_answer_changes_the_cache_key(change):
    assert request_key(replace(REQUEST, **change)) != request_key(REQUEST)
    same = ask("?", seed=1, schema=Schema("form", {"properties": {}, "type": "object"}))
    assert request_key(same) == request_key(REQUEST)


@pytest.mark.parametrize(
    ("reported", "usage"),
    [
        (None, None),
        ({"prompt_tokens": 1}, None),
        ({"prompt_tokens": 0, "completion_tokens": 2}, Usage(0, 2)),
        ({"prompt_tokens": 2**70, "completion_tokens": 1}, None),
        ({"prompt_tokens": 1, "completion_tokens": -1}, None),
    ],
)
def test_only_valid_token_counts_are_reported(reported, usage):
    assert usage_in(json.dumps({"usage": reported}).encode()) == usage


@pytest.mark.parametrize("choices", [None, [], {}, [None], [{"message": "a"}]])
def test_a_response_without_texts_is_unusable(choices):
    with pytest.raises(AnswerError):
        REQUEST.read(json.dumps({"choices": choices}).encode(), "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"error": {"message": "no key"}}', "no key"),
        (b'{"error": "no key"}', "no key"),
        (b'{"detail": "no model"}', "no model"),
        (b"<h1>oops</h1>", "<h1>oops</h1>"),
        (b"[1]", "[1]"),
        (b"\xff", "\ufffd"),
    ],
)
def test_the_error_message_of_a_response_is_found_in_any_form(content, reason):
    assert reason_in(content) == reason


@pytest.mark.parametrize(("reason", "text"), [("stop", "A man."), ("length", ""), ("content_filter", "")])
def test_a_text_that_was_cut_off_is_empty(reason, text):
    choice = {"message": {"content": "A man."}, "finish_reason": reason}
    assert REQUEST.read(json.dumps({"choices": [choice]}).encode(), "").texts == (text,)


DATA = {"emotions": {"Anger": 1, "{": "}"}, "bursts": ['"', "ü"]}
WHOLE = json.dumps(DATA)


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"```json\n{WHOLE}\n```",
        f"Sure! {{a}} {{}} {{'b': 1}}\n{WHOLE} {{",
        f'<think>{{"emotions": {{}}}} or</think>{WHOLE}',
        f"{WHOLE}\nAgain: {WHOLE}",
        f'An example: {{"score": 3}}. Mine: {WHOLE}',
    ],
)
def test_a_json_object_is_found_within_prose(text):
    assert object_in(text, keys=("emotions", "bursts")) == DATA


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds 0 JSON objects"),
        (WHOLE[:-3], "holds 0 JSON objects"),
        (f"[{WHOLE[1:-1]}]", "holds 0 JSON objects"),
        ('{"score": 1}', "holds 0 JSON objects"),
        (f'{WHOLE} or {{"emotions": {{}}}}', "holds 2 JSON"),
        ('{"emotions": {"Anger": 1, "Anger": 2}}', "'Anger' occurs twice"),
        ('{"emotions": {"Anger": NaN}}', "NaN is not valid JSON"),
        ("x" * (LONGEST_TEXT + 1), "at most"),
    ],
)
def test_text_without_one_clear_object_is_refused_with_a_reason(text, reason):
    with pytest.raises(AnswerError, match=reason):
        object_in(text, keys=("emotions", "bursts"))


@pytest.mark.parametrize("unit", ["{", '{"a":[', '{"'])
def test_time_is_linear_in_the_length(unit):
    def look(copies):
        with pytest.raises(AnswerError):
            object_in(unit * copies, keys=("emotions",))

    assert is_linear(look, LONGEST_TEXT // len(unit) // 8)


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_no_text_raises_anything_else(text):
    with pytest.raises(AnswerError):
        object_in(text, keys=("emotions",))
