"""The key of a request is that of its content: all that decides the answer and nothing else."""

from dataclasses import replace

import pytest

from budew.chat.errors import FaultError
from budew.chat.request import Answer, Schema, Usage, answer_in, usage_in

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
def test_whatever_decides_the_answer_changes_the_key(change):
    assert replace(REQUEST, **change).key() != REQUEST.key()


def test_the_same_content_has_the_same_key():
    other = ask("?", seed=1, schema=Schema("form", {"properties": {}, "type": "object"}))
    assert other.key() == REQUEST.key()
    assert len(REQUEST.key()) == 32


@pytest.mark.parametrize(
    "usage",
    [
        None,
        7,
        {},
        {"prompt_tokens": 1},
        {"prompt_tokens": -1, "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1},
        {"prompt_tokens": "1", "completion_tokens": 1},
        {"prompt_tokens": 2**70, "completion_tokens": 1},
    ],
)
def test_tokens_that_are_none_are_not_counted(usage):
    assert usage_in({"usage": usage}) is None


def test_tokens_and_texts_are_read():
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    response = {"choices": [{"message": {"content": "a"}}], "usage": usage}
    assert answer_in(response) == Answer(("a",), Usage(3, 4))


@pytest.mark.parametrize("choices", [None, [], {}, [None], [{}], [{"message": "a"}]])
def test_what_has_no_texts_is_a_fault(choices):
    with pytest.raises(FaultError):
        answer_in({"choices": choices})
