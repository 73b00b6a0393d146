"""Whatever a lookup or conversion raises becomes words that somebody who wrote the file understands."""

import json

import pytest

from budew.malformed import fault_in


def read(text: bytes):
    data = json.loads(text)
    return float(data["seed"]) + len(data["parts"].items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{}", "there is no 'seed' in it"),
        (
            b'{"seed": 1, "parts": []}',
            "a part of it is of the wrong kind, such as a list where a text should be",
        ),
        (b"[1]", "a part of it is of the wrong kind, such as a list where a text should be"),
        (b'{"seed": "x"}', "could not convert string to float: 'x'"),
        (b"\xff", "it is not UTF-8 at byte 0"),
        (b"[" * 200_000, "it is nested too deep"),
    ],
)
def test_faults_are_words(text, said):
    with pytest.raises(Exception) as raised:  # noqa: PT011  # of every kind
        read(text)
    assert fault_in(raised.value) == said
