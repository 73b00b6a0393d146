"""The object is found in whatever a model puts around it, is the only one, and costs little to look for."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.chat.request import LONGEST_TEXT, object_in
from budew.errors import AnswerError

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
def test_the_object_is_found(text):
    assert object_in(text, keys=("emotions", "bursts")) == DATA


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no complete JSON object"),
        (WHOLE[:-3], "no complete JSON object"),
        (f"[{WHOLE[1:-1]}]", "no complete JSON object"),
        ('{"score": 1}', "no complete JSON object"),
        (f'{WHOLE} or {{"emotions": {{}}}}', "2 JSON objects that differ"),
        ('{"emotions": {"Anger": 1, "Anger": 2}}', "'Anger' stands twice"),
        ('{"emotions": {"Anger": NaN}}', "NaN is not a number"),
        ("x" * (LONGEST_TEXT + 1), "at most"),
    ],
)
def test_anything_else_is_refused_with_its_reason(text, reason):
    with pytest.raises(AnswerError, match=reason):
        object_in(text, keys=("emotions", "bursts"))


@pytest.mark.parametrize("text", ['{"a":' * 30_000, "{" * LONGEST_TEXT, '{"a":[' * 30_000, '{"' * 90_000])
def test_looking_takes_little_time_whatever_the_text(text):
    start = time.perf_counter()
    with pytest.raises(AnswerError):
        object_in(text, keys=("emotions",))
    assert time.perf_counter() - start < 2


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_no_text_raises_anything_else(text):
    with pytest.raises(AnswerError):
        object_in(text, keys=("emotions",))
