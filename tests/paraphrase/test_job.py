"""The job: shards in, shards out; each clip with captions that pass, or listed; the same from any run."""

import json
from dataclasses import replace

import pytest

from budew.captions import render
from budew.corpora import read
from budew.corpora.clip import Caption
from budew.corpora.shards import write_shard
from budew.errors import JobError
from budew.jobs import run
from budew.paraphrase import Gate, GrammarBackend, Paraphrase, Rewriting, judge
from budew.paraphrase.job import METADATA
from tests.paraphrase.scripted import Scripted, some_clips


@pytest.fixture
def corpus(tmp_path):
    clips = some_clips(30)
    clips[7] = replace(clips[7], profile=None)
    for number in range(3):
        write_shard(tmp_path / "in" / f"part-{number}.tar", clips[number * 10 : number * 10 + 10])
    return tmp_path / "in"


def job(**options):
    return Paraphrase(GrammarBackend(), Rewriting(per_clip=2, **options))


def test_every_clip_ends_with_captions_that_pass_or_is_listed(corpus, tmp_path):
    summary = run(job(), corpus, tmp_path / "out", workers=0)
    clips = list(read(tmp_path / "out"))
    assert (summary.clips, summary.failures, len(clips)) == (29, 1, 29)
    for clip in clips:
        assert len(clip.captions) == 2
        assert all(judge(caption.text, clip.profile).accepted for caption in clip.captions)

    (failure,) = map(json.loads, (tmp_path / "out" / "failures.jsonl").read_text().splitlines())
    assert failure["clip"] == "clip-0007"
    assert "annotate it first" in failure["reason"]


def test_neither_workers_nor_the_split_into_shards_decide_a_caption(corpus, tmp_path):
    def captions(folder):
        return {clip.id: clip.captions for clip in read(folder)}

    run(job(), corpus, tmp_path / "one", workers=0)
    run(job(), corpus, tmp_path / "two", workers=2)
    write_shard(tmp_path / "all" / "all.tar", list(read(corpus)))
    run(job(), tmp_path / "all", tmp_path / "three", workers=0)
    assert captions(tmp_path / "one") == captions(tmp_path / "two") == captions(tmp_path / "three")
    for name in ("part-0.tar", "part-1.tar", "part-2.tar"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_templates_are_replaced_and_captions_from_elsewhere_stay():
    (clip,) = some_clips(1)
    human, template = Caption("She is tired.", {"by": "Ann"}), Caption(render(clip.profile), {"by": "render"})
    clip = replace(clip, captions=(human, template))

    for keep, kept in ((False, ["Ann"]), (True, ["Ann", "render"])):
        done = clip
        for _ in range(2):
            (done,) = job(keep_templates=keep).run(iter([done]), lambda *_: None)
            makers = [caption.made_by["by"] for caption in done.captions]
            assert makers == [*kept, "paraphrase", "paraphrase"]


def test_refused_candidates_are_kept_for_the_report_unless_they_are_not_wanted():
    hopeless = Scripted(lambda request: ["A happy giraffe. " + "x" * 1000])
    (clip,) = some_clips(1)
    (kept,) = Paraphrase(hopeless).run(iter([clip]), lambda *_: None)
    (row, *_) = kept.metadata[METADATA]["refusals"]
    assert row["text"].startswith("A happy giraffe")
    assert len(row["text"]) <= 400
    assert row["missed"] == list(clip.profile.emotions)
    (dropped,) = Paraphrase(hopeless, Rewriting(keep_refused=False)).run(iter([clip]), lambda *_: None)
    assert "refusals" not in dropped.metadata[METADATA]


def test_settings_that_decide_captions_make_another_job(corpus, tmp_path):
    run(job(), corpus, tmp_path / "out", workers=0)
    for other in (job(seed=1), job(gate=Gate(tolerance=0)), job(keep_templates=True)):
        with pytest.raises(JobError, match="with other settings"):
            run(other, corpus, tmp_path / "out", workers=0)
