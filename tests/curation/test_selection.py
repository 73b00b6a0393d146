"""A job writes one part of a split corpus, its clips unchanged; splits of another corpus are refused."""

import pickle

import pytest

from budew.corpora import Clip, read, write_shard
from budew.curation import selection
from budew.curation.selection import Select, Unknown, unknown_to
from budew.curation.splits import Splits, select
from budew.errors import CorpusError, InputError, JobError
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
    for refused in (lambda: Select(SPLITS, "dev"), lambda: select([], SPLITS, "dev")):
        with pytest.raises(InputError, match="no part 'dev': there are train, test"):
            refused()


LISTED = Splits(0, {"a": 0.5, "b": 0.5}, {"x": "a", "y": "b"}, {"bare": "a"}, {"talk": "b"})


def corpus(folder, *speakers: str | None) -> str:
    clips = [Clip(f"c{number}", b"x", "wav", speaker=name) for number, name in enumerate(speakers)]
    write_shard(folder / "a.tar", clips)
    return str(folder)


def test_what_is_listed_is_known_and_nothing_else():
    known = [
        Clip("1", b"x", "wav", speaker="x"),
        Clip("2", b"x", "wav", metadata={"segment": {"recording": "talk"}}),
        Clip("bare", b"x", "wav", speaker=""),
    ]
    assert all(map(LISTED.knows, known))
    others = (("1", "z"), ("x", None), ("bare", "bare"))
    assert not any(LISTED.knows(Clip(id, b"x", "wav", speaker=speaker)) for id, speaker in others)


def test_unknown_clips_and_speakers_are_counted(tmp_path):
    found = unknown_to(LISTED, corpus(tmp_path, "x", "new", "new", "newer", None))
    assert found == Unknown(5, 4, 2)
    assert unknown_to(LISTED, corpus(tmp_path, "x", "y")).clips == 0
    many = Splits(0, LISTED.shares, {"x": "a"}, lists_clips=False)
    assert unknown_to(many, corpus(tmp_path / "in", None, None)).clips == 0


def test_splits_that_list_no_clip_are_refused_however_far_the_first_is(tmp_path, monkeypatch):
    monkeypatch.setattr(selection, "CHECKED", 2)
    with pytest.raises(CorpusError, match="list none of its 3 clips"):
        unknown_to(LISTED, corpus(tmp_path, "u", "v", None))
    assert unknown_to(LISTED, corpus(tmp_path, "u", "v", "w", "x", "y")) == Unknown(4, 3, 2)
