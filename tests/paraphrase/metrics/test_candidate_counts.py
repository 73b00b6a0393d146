"""The counts of a corpus are the sums of its clips', and those that do not agree are told by name."""

from dataclasses import replace

import pytest

from budew.corpora import Caption
from budew.paraphrase.metrics.candidate_counts import (
    COUNTS,
    FATES,
    CandidateCounts,
    CaptionCounts,
    refusals_of,
    written_by_rewriting,
)


def added(clips) -> CandidateCounts:
    accounts = CandidateCounts()
    for clip in clips:
        accounts.add(clip, written_by_rewriting(clip))
    return accounts


def changed(clip, **counts):
    return replace(clip, metadata={"paraphrase": {**clip.metadata["paraphrase"], **counts}})


def test_counts_that_agree_add_up(clips) -> None:
    accounts = added(clips)
    assert (accounts.clips, accounts.wrong, accounts.listed) == (len(clips), 0, [])
    for name in COUNTS:
        assert accounts.counts[name] == sum(clip.metadata["paraphrase"][name] for clip in clips)
    assert accounts.counts["candidates"] == sum(accounts.counts[fate] for fate in FATES)
    assert accounts.codes.total() == accounts.counts["refused"]


@pytest.mark.parametrize(
    ("counts", "what"),
    [
        ({"candidates": 99}, "99 candidates, of which"),
        ({"codes": {"lost": 50}}, "refused, of which 50 for a reason"),
        ({"fallbacks": 1}, "1 captions counted as fallbacks, of which 0 are there"),
        ({"spare": -1}, "counts.spare"),
        ({"spare": 10**9 + 1}, "counts.spare"),
        ({"accepted": True}, "counts.accepted"),
        ({"refused": "3"}, "counts.refused"),
        ({"codes": ["lost"]}, "codes"),
        ({"codes": {"x" * 81: 1}}, "codes"),
        ({"refusals": [{"text": 5}]}, "refusals.0.text"),
        ({"refusals": [{"text": "x" * 4001}]}, "refusals.0.text"),
        ({"refusals": [{"text": "x"}] * 51}, "refusals"),
        ({"refusals": [{"text": "x", "codes": ["x"] * 51}]}, "refusals.0.codes"),
    ],
)
def test_what_does_not_agree_or_is_no_count_is_told(rewritten, counts, what) -> None:
    accounts = added([rewritten(1), changed(rewritten(2), **counts), rewritten(3)])
    assert (accounts.clips, accounts.wrong) == (3, 1)
    [(id, told)] = accounts.listed
    assert id == "c002"
    assert what in told


def test_a_caption_that_was_lost_or_doubled_since_is_told(rewritten) -> None:
    clip = rewritten(1)
    lost, doubled = replace(clip, captions=clip.captions[:1]), replace(clip, captions=clip.captions * 2)
    assert [id for id, _ in added([lost, doubled]).listed] == [clip.id, clip.id]


def test_captions_by_others_and_clips_without_an_account_do_not_count(rewritten) -> None:
    clip = rewritten(1)
    beside = replace(clip, captions=(*clip.captions, Caption("By hand.")))
    bare = replace(clip, metadata={})
    assert added([beside, bare]).to_dict()["clips_that_do_not_add_up"] == 0
    assert added([bare]).clips == 0


def test_hostile_codes_are_counted_in_bounded_memory(rewritten) -> None:
    many = changed(rewritten(1), refused=0, codes={f"code{n}": 0 for n in range(5000)})
    assert len(added([many]).codes) <= 201


def test_every_caption_has_one_origin(clips) -> None:
    counts = CaptionCounts()
    for clip in clips:
        for caption in clip.captions:
            counts.add(caption)
    fallbacks = sum(counts.fallbacks.values())
    assert counts.captions == 2 * len(clips)
    assert fallbacks == sum("fallback" in caption.made_by for clip in clips for caption in clip.captions)
    for tally in (counts.styles, counts.backends, counts.prompts, counts.attempts):
        assert sum(tally.values()) == counts.captions - fallbacks


def test_counts_that_are_no_object_are_listed_and_bring_no_refusals(rewritten) -> None:
    clip = replace(rewritten(1), metadata={"paraphrase": 3})
    assert [id for id, _ in added([clip]).listed] == [clip.id]
    assert refusals_of(clip) == ()
