"""A sample is the same in any order of the clips, never larger than asked, and holds no audio."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from budew.corpora import Caption
from tests.paraphrase.metrics.conftest import rewritten, sampled


def test_neither_order_nor_size_decides_which_clips_come_first(clips) -> None:
    @given(st.permutations(clips), st.integers(1, 70))
    def check(shuffled, size) -> None:
        assert sampled(shuffled, size) == sampled(clips)[:size]

    check()
    assert sampled(clips, 10) != sampled(clips, 10, seed=1)


def test_clips_of_one_name_are_both_considered_and_kept_without_audio() -> None:
    one = rewritten(1)
    other = replace(one, captions=(Caption("Another.", one.captions[0].made_by),))
    kept = sampled([one, other])
    assert kept == sampled([other, one])
    assert len(kept) == 2
    assert not hasattr(kept[0], "audio")
    assert [refusal.model_dump() for refusal in kept[0].refusals] == one.metadata["paraphrase"]["refusals"]
