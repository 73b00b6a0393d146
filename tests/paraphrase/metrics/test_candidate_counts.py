"""The counts of a corpus are sums over its clips."""

from dataclasses import replace

import pytest

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


def test_counts_that_agree_add_up(clips) -> None:
    found = added(clips)
    assert found.clips == len(clips)
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


@pytest.mark.parametrize("stored", [3, {"spare": -1}, {"accepted": True}, {"codes": ["lost"]}])
def test_counts_that_are_not_of_the_job_are_ignored(stored) -> None:
    odd = replace(rewritten(2), metadata={"paraphrase": stored})
    assert added([rewritten(1), odd, replace(odd, metadata={})]).clips == 1
    assert refusals_of(odd) == ()
