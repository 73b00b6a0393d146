"""A sample is the same in any order of the clips, never larger than asked, and holds no audio."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from budew.corpora import Caption
from budew.paraphrase.metrics.sample import Rewritten, Sample


def sampled(clips, size=10, seed=0) -> list[Rewritten]:
    sample = Sample(size, seed)
    for clip in clips:
        sample.add(clip)
    return sample.clips()


def test_order_does_not_matter(clips) -> None:
    @given(st.permutations(clips), st.integers(1, 70))
    def check(shuffled, size) -> None:
        assert sampled(shuffled, size) == sampled(clips, size)
        assert len(sampled(clips, size)) == min(size, len(clips))

    check()


def test_a_larger_sample_holds_the_smaller_and_another_seed_draws_others(clips) -> None:
    assert sampled(clips, 20)[:10] == sampled(clips, 10) != sampled(clips, 10, seed=1)


def test_clips_of_one_name_in_two_corpora_are_both_considered(rewritten) -> None:
    one = rewritten(1)
    other = replace(one, captions=(Caption("Another.", one.captions[0].made_by),))
    assert sampled([one, other]) == sampled([other, one])
    assert len(sampled([one, other])) == 2


def test_what_is_kept_has_no_audio_and_all_refusals(rewritten) -> None:
    [kept] = sampled([rewritten(1)])
    assert not hasattr(kept, "audio")
    wanted = rewritten(1).metadata["paraphrase"]["refusals"]
    assert [refusal.model_dump() for refusal in kept.refusals] == wanted
