"""What a job counts beside its clips is told while it runs, kept in the notes, and adds up over all runs."""

import json

import pytest
from odd_jobs import Counting, Odd

from budew.jobs import run

IDS = {"a": ("abba", "abc-twice", "x-raise"), "b": ("banana",), "c": ("kiwi-none",)}
WHOLE = {"letters": 4 + 2 * 11 + 6, "a": 2 + 3 + 3}


@pytest.mark.parametrize("workers", [0, 2])
def test_tallies_of_the_output_are_told_and_added_up(shard, tmp_path, workers):
    for name, ids in IDS.items():
        shard(f"in/{name}", *ids)
    seen = []
    summary = run(Counting(), tmp_path / "in", tmp_path / "out", workers=workers, progress=seen.append)
    assert summary.tally == WHOLE
    assert seen[0].tally == {"letters": 0, "a": 0}
    assert seen[-1].tally == WHOLE
    assert json.loads((tmp_path / "out/notes/b.json").read_text())["tally"] == {"letters": 6, "a": 3}


def test_what_was_counted_before_belongs_to_the_summary_and_not_to_the_progress_of_this_run(shard, tmp_path):
    shard("in/a", *IDS["a"])
    run(Counting(), tmp_path / "in", tmp_path / "out", workers=0)
    for name in "bc":
        shard(f"in/{name}", *IDS[name])
    seen = []
    assert run(Counting(), tmp_path / "in", tmp_path / "out", workers=0, progress=seen.append).tally == WHOLE
    assert seen[-1].tally == {"letters": 6, "a": 3}


def test_a_job_that_counts_nothing_else_tells_nothing_else(shard, tmp_path):
    shard("in/a", *IDS["a"])
    assert run(Odd(), tmp_path / "in", tmp_path / "out", workers=0).tally == {}


def test_notes_from_before_there_were_tallies_are_read(shard, tmp_path):
    shard("in/b", *IDS["b"])
    run(Counting(), tmp_path / "in", tmp_path / "out", workers=0)
    path = tmp_path / "out/notes/b.json"
    note = json.loads(path.read_text())
    del note["tally"]
    path.write_text(json.dumps(note))
    assert run(Counting(), tmp_path / "in", tmp_path / "out", workers=0).done == 0
