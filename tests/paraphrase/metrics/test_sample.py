"""A sample is the same in any order of the clips, never larger than asked, and holds no audio."""

from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from budew.corpora import Caption
from budew.paraphrase.metrics.sample import LONGEST, MOST_REFUSALS, Rewritten, Sample


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


def test_what_is_kept_is_bounded_and_what_is_no_refusal_is_not_kept(rewritten) -> None:
    clip = rewritten(1)
    long = {"text": "x" * 100_000, "codes": ["y" * 1000] * 1000, "missed": "Fear", "unknown": [3]}
    refusals = [None, {}, {"text": 5}, *[long] * 1000]
    clip = replace(
        clip,
        captions=(Caption("z" * 100_000, {"by": "paraphrase", "of": "o" * 100_000}),),
        metadata={"paraphrase": {"refusals": refusals}},
    )
    [kept] = sampled([clip])
    assert "audio" not in {field.name for field in fields(kept)}
    assert len(kept.captions[0].text) == len(kept.captions[0].made_by["of"]) == LONGEST
    assert len(kept.refusals) == MOST_REFUSALS - 3
    assert kept.refusals[0].missed == ()
    assert kept.refusals[0].unknown == ("3",)
    assert sum(map(len, kept.refusals[0].codes)) <= 80 * 40
