"""Overlap tells copies from captions that say the same in other words."""

from hypothesis import given
from hypothesis import strategies as st

from budew.captions import render
from budew.paraphrase.overlap import overlap
from tests.paraphrase.scripted import some_profile

TEXT = "An old woman speaks with overwhelming rage, a touch of pride and a quiet chuckle."


def test_copies_are_near_whatever_their_case_marks_and_order():
    assert overlap(TEXT, TEXT.upper().replace(",", " ;").replace(".", "!")) == 1
    assert overlap(TEXT, "Listen well: " + TEXT + " That is all there is.") > 0.95
    assert (
        overlap(TEXT, "With overwhelming rage, a touch of pride and a quiet chuckle, an old woman speaks.")
        > 0.8
    )


def test_other_words_for_the_same_are_far():
    assert (
        overlap(
            TEXT, "She is elderly and sounds utterly furious, faintly self-assured, and laughs to herself."
        )
        < 0.2
    )
    pairs = [(render(p, seed=1), render(p, seed=2)) for p in map(some_profile, range(200))]
    assert sum(overlap(*pair) > 0.8 for pair in pairs) < 10


def test_short_captions_are_copies_only_when_they_are_the_same():
    assert overlap("A sad man.", "a sad man") == 1
    assert overlap("A sad man.", "A sad old man.") == 0


@given(st.text(max_size=200), st.text(max_size=200))
def test_it_is_a_share_and_the_same_both_ways(one, other):
    assert 0 <= overlap(one, other) == overlap(other, one) <= 1
    assert overlap(one, one) == 1
