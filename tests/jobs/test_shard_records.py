"""Reasons of failures are counted, and records of earlier versions read."""

import json
from types import SimpleNamespace

from odd_jobs import Counting

from budew.errors import CorpusError
from budew.jobs import run
from budew.jobs.job_folder import ClipFailure, write_failures


def test_reasons_that_differ_only_in_names_and_numbers_count_as_one(tmp_path):
    def of(clip, reason, kind=CorpusError):
        return ClipFailure.of(clip, kind(reason))

    failures = [of("one", "clip 'one' has no profile: annotate it")]
    failures += [of(f"c{number}", f"clip 'c{number}' has no profile: annotate it") for number in range(3)]
    failures += [of("", f"/in/{number}.wav: 7.{number} s are too long") for number in range(3)]
    failures += [of("a", "a third reason")] * 2 + [of("a", "a fourth")]
    notes = {"shard": SimpleNamespace(failures=tuple(failures))}
    assert write_failures(tmp_path, notes, filtered=False) == (
        10,
        (
            ("clip '…' has no profile: annotate it", 4),
            ("/in/0.wav: 7.0 s are too long", 3),
            ("a third reason", 2),
        ),
    )
    assert len((tmp_path / "failures.jsonl").read_text().splitlines()) == 10
    assert write_failures(tmp_path, {}, filtered=False) == (0, ())
    assert not (tmp_path / "failures.jsonl").exists()


def test_records_without_tallies_are_read(shard, tmp_path):
    shard("in/b", "banana")
    run(Counting(), tmp_path / "in", tmp_path / "out", workers=0)
    path = tmp_path / "out/notes/b.json"
    note = json.loads(path.read_text())
    del note["tally"]
    path.write_text(json.dumps(note))
    assert run(Counting(), tmp_path / "in", tmp_path / "out", workers=0).done == 0
