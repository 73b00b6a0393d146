"""Phrases of captions are put together as English is written."""

import pytest

from budew.captions import load_lexicon
from budew.captions.vocabulary import joined, with_article


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("elderly voice", "an elderly voice"),
        ("Ukrainian accent", "a Ukrainian accent"),
        ("European accent", "a European accent"),
        ("Estuary accent", "an Estuary accent"),
        ("ASMR style", "an ASMR style"),
        ("unusual style", "an unusual style"),
        ("voice", "a voice"),
    ],
)
def test_the_article_follows_the_sound(phrase, expected):
    assert with_article(phrase, load_lexicon().varied.sounds) == expected


def test_lists_end_with_and():
    assert [joined(list("abc")[:count]) for count in range(4)] == ["", "a", "a and b", "a, b and c"]
