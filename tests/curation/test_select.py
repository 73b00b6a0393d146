"""A job writes one part of a split corpus, its clips as they were."""

import pickle

import pytest

from budew.corpora import read
from budew.curation.select import Select
from budew.curation.splits import Splits
from budew.errors import CorpusError, JobError
from budew.jobs import run

SPLITS = Splits(0, {"train": 0.5, "test": 0.5}, {}, {"one": "train", "two": "test", "three": "train"})


def test_the_parts_are_disjoint_and_together_the_corpus(shard, tmp_path):
    shard("in/a", "one", "two")
    shard("in/b", "three")
    for part in SPLITS.shares:
        summary = run(Select(SPLITS, part), tmp_path / "in", tmp_path / part, workers=0)
        assert summary.failures == 0
    train, test = (list(read(tmp_path / part)) for part in ("train", "test"))
    assert [clip.id for clip in train] == ["one", "three"]
    assert [clip.id for clip in test] == ["two"]
    before = {clip.id: clip for clip in read(tmp_path / "in")}
    assert all(clip == before[clip.id] for clip in (*train, *test))


def test_a_folder_of_one_split_is_not_gone_on_with_by_another(shard, tmp_path):
    shard("in/a", "one")
    run(Select(SPLITS, "train"), tmp_path / "in", tmp_path / "out", workers=0)
    with pytest.raises(JobError, match="splits"):
        run(Select(Splits(1, SPLITS.shares), "train"), tmp_path / "in", tmp_path / "out", workers=0)


def test_the_job_can_be_sent_to_a_worker_and_refuses_a_part_that_is_not_there():
    assert pickle.loads(pickle.dumps(Select(SPLITS, "train"))) == Select(SPLITS, "train")
    with pytest.raises(CorpusError, match="no part 'dev'"):
        Select(SPLITS, "dev")
