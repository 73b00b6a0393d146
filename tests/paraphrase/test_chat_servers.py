"""Whatever a chat server does, each clip ends with captions that pass the gate, none lost or duplicated."""

from collections import Counter

import pytest

from benchmarks.paraphrase_server import FAULTS, IN_THE_TEXT, Behavior, running
from budew.chat.server_settings import ServerSettings
from budew.corpora import read
from budew.corpora.shards import write_shard
from budew.jobs import run
from budew.paraphrase import Paraphrase, Rewriting, judge
from budew.paraphrase.chat_backend import ChatBackend
from budew.paraphrase.metrics import paraphrase_report
from tests.paraphrase.scripted import some_clips


def rewritten(folder, clips, behavior, *, shards=4, workers=2, timeout=2.0, **options):
    """Run the job over some clips against a server that behaves so; return the output and what it saw."""
    for number in range(shards):
        write_shard(folder / "in" / f"part-{number}.tar", clips[number::shards])
    with running(behavior) as (url, seen):
        patient = {"timeout": timeout, "patience": 120.0, "cache": folder / "answers.sqlite"}
        server = ServerSettings(base_url=url, model="model", concurrency=32, **patient)
        job = Paraphrase(ChatBackend(server), Rewriting(**options))
        summary = run(job, folder / "in", folder / "out", workers=workers)
        return summary, list(read(folder / "out")), seen


def check(folder, clips, done):
    assert Counter(clip.id for clip in done) == Counter(clip.id for clip in clips)
    for clip in done:
        (caption,) = clip.captions
        assert judge(caption.text, clip.profile).accepted, (clip.id, caption)
    report = paraphrase_report([folder / "out"])
    assert report.candidates.clips == len(clips)
    return report.candidates.counts


@pytest.mark.parametrize("fault", sorted({*FAULTS} - {"stalls"}))
def test_every_clip_has_a_caption_whatever_fault_a_server_has(tmp_path, quick_retries, fault):
    clips = some_clips(4, fault)
    _, done, seen = rewritten(tmp_path, clips, Behavior(1.0, (fault,)), shards=1, workers=0)
    counts = check(tmp_path, clips, done)
    assert seen.faults[fault]
    if fault in {*IN_THE_TEXT, "null content"} - {"prose around JSON", "drops an emotion"}:
        assert counts["fallbacks"] == 4
    elif fault != "drops an emotion":
        assert counts["fallbacks"] == 0


@pytest.mark.long  # each fault by itself is above
def test_every_clip_has_a_caption_with_all_faults_and_an_outage(tmp_path, quick_retries):
    clips = some_clips(150)
    behavior = Behavior(0.5, seed=3, seconds=0.02, stall=0.7, down=2.0, down_after=50)
    summary, done, seen = rewritten(tmp_path, clips, behavior, timeout=0.5, workers=0, attempts=2)
    assert (summary.clips, summary.failures, summary.given_up) == (150, 0, ())
    counts = check(tmp_path, clips, done)
    assert set(FAULTS) <= seen.faults.keys()
    assert counts["accepted"] > 75
    assert counts["fallbacks"] > 2
