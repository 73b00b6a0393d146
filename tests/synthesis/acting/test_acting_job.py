"""Shards of acted speech: the same bytes however they came about, and nothing lost."""

import json
from dataclasses import dataclass

import pytest

from budew.corpora import read
from budew.errors import FilteredError
from budew.jobs import run
from budew.synthesis.acting import Act, EspeakBackend

BACKEND = EspeakBackend()


def bytes_of(folder):
    """Every file, by its path in the folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory, small):
    """A corpus of 24 clips in 4 shards, made in one go in this process."""
    folder = tmp_path_factory.mktemp("made")
    act(folder, small)
    return folder


def act(folder, small, clips=24, *, clips_per_shard=6, check=None):
    job = Act(small(BACKEND), BACKEND, check)
    return run(job, range(clips), folder, clips_per_shard=clips_per_shard, workers=0)


def test_a_longer_corpus_continues_a_shorter_one(made, small, tmp_path):
    act(tmp_path, small, clips=9)
    before = (tmp_path / "act-00000.tar").stat().st_mtime_ns
    act(tmp_path, small)
    assert bytes_of(tmp_path) == bytes_of(made)
    assert {(clip.license, clip.profile.traits["gender"]) for clip in read(tmp_path)} == {
        ("CC0-1.0", "female"),
        ("CC0-1.0", "male"),
    }
    assert (tmp_path / "act-00000.tar").stat().st_mtime_ns == before


@dataclass(frozen=True)
class Refuses:
    """A check that lets no clip with an even number through."""

    name: str = "refuse"

    def settings(self):
        return {"even": False}

    def run(self, clips, failed):
        for clip in clips:
            if clip.metadata["acting"]["number"] % 2:
                yield clip
            else:
                failed(
                    clip.id, (FilteredError if clip.metadata["acting"]["number"] % 4 else ValueError)("even")
                )


def test_clips_dropped_by_a_check_are_listed_in_order(small, tmp_path):
    done = act(tmp_path, small, clips=7, clips_per_shard=3, check=Refuses())
    assert (done.clips, done.failures, done.left_out) == (3, 2, 2)
    plan, rows = small(BACKEND), []
    for name, numbers in (("failures", (0, 4)), ("left_out", (2, 6))):
        lines = (tmp_path / f"{name}.jsonl").read_text().splitlines()
        rows += map(json.loads, lines)
        assert [json.loads(line)["clip"] for line in lines] == [plan.clip(number).id for number in numbers]
    assert {row["reason"] for row in rows} == {"even"}
    assert [row["shard"] for row in rows] == ["act-00000", "act-00001", "act-00000", "act-00002"]
    assert not (tmp_path / "act-00002.tar").exists()  # no clip of it was let through
