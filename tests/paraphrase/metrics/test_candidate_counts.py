"""The counts of a corpus are sums over its clips; clips with inconsistent counts are listed."""

from dataclasses import replace

import pytest

from budew.corpora import Caption
from budew.paraphrase.candidate_selection import COUNTS, OUTCOMES
from budew.paraphrase.metrics.candidate_counts import (
    CandidateCounts,
    CaptionCounts,
    refusals_of,
)
from tests.paraphrase.metrics.conftest import rewritten


def added(clips) -> CandidateCounts:
    counts = CandidateCounts()
    for clip in clips:
        counts.add(clip)
    return counts


def changed(clip, **counts):
    return replace(clip, metadata={"paraphrase": {**clip.metadata["paraphrase"], **counts}})


def test_counts_that_agree_add_up(clips) -> None:
    found = added(clips)
    assert (found.clips, found.wrong, found.listed) == (len(clips), 0, [])
    for name in COUNTS:
        assert found.counts[name] == sum(clip.metadata["paraphrase"][name] for clip in clips)
    assert found.counts["candidates"] == sum(found.counts[outcome] for outcome in OUTCOMES)
    assert found.codes.total() == found.counts["refused"]


def test_every_caption_has_one_origin(clips) -> None:
    counts = CaptionCounts()
    for clip in clips:
        for caption in clip.captions:
            counts.add(caption)
    fallbacks = counts.fallbacks.total()
    assert counts.captions == 2 * len(clips)
    assert fallbacks == sum("fallback" in caption.made_by for clip in clips for caption in clip.captions)
    assert {tally.total() for tally in counts.origins.values()} == {counts.captions - fallbacks}


@pytest.mark.parametrize(
    ("counts", "what"),
    [
        ({"candidates": 99}, "99 candidates, of which"),
        ({"codes": {"lost": 50}}, "refused, of which 50 for a reason"),
        ({"fallbacks": 1}, "1 captions counted as fallbacks, of which 0 exist"),
        ({"spare": -1}, "counts.spare"),
        ({"accepted": True}, "counts.accepted"),
        ({"codes": ["lost"]}, "codes"),
        ({"refusals": [{"text": "x" * 4001}]}, "refusals.0.text"),
    ],
)
def test_inconsistent_or_malformed_counts_are_listed(counts, what) -> None:
    found = added([rewritten(1), changed(rewritten(2), **counts), rewritten(3)])
    assert (found.clips, found.wrong) == (3, 1)
    [(id, problem)] = found.listed
    assert id == "c002"
    assert what in problem


def test_lost_or_duplicated_captions_are_listed_and_other_captions_are_ignored() -> None:
    clip = rewritten(1)
    lost, doubled = replace(clip, captions=clip.captions[:1]), replace(clip, captions=clip.captions * 2)
    broken = replace(clip, metadata={"paraphrase": 3})
    assert [id for id, _ in added([lost, doubled, broken]).listed] == [clip.id] * 3
    assert refusals_of(broken) == ()
    beside, bare = replace(clip, captions=(*clip.captions, Caption("By hand."))), replace(clip, metadata={})
    assert (added([beside, bare]).wrong, added([beside, bare]).clips) == (0, 1)
