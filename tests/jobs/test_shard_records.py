"""Changed settings are named, reasons of failures counted, and notes of earlier versions read."""

import json
from types import SimpleNamespace

import pytest
from odd_jobs import Counting

from budew.errors import CorpusError
from budew.jobs import run
from budew.jobs.job_folder import changed_settings
from budew.jobs.shard_records import ClipFailure, write_failures

OLD = {"min_seconds": 1.0, "vad": {"threshold": 0.5, "model": "silero"}, "keep": [], "style": None}


@pytest.mark.parametrize(
    ("new", "changes"),
    [
        ({"vad": {"threshold": 0.6, "model": "silero"}}, "vad.threshold was 0.5 and is now 0.6"),
        ({"keep": ["é"], "style": "x"}, 'keep was [] and is now ["é"]; style was null and is now "x"'),
        ({"seed": 3}, "seed was not there and is now 3"),
        ({}, ""),
        (
            {name: list(range(1000)) for name in "abcdefg"},
            "; ".join(f"{name} was not there and is now {str([*range(1000)])[:59]}…" for name in "abcde")
            + "; 2 more changed",
        ),
    ],
)
def test_each_change_has_its_name_before_and_after(new, changes):
    assert changed_settings(OLD, OLD | new) == changes


def test_reasons_that_differ_in_names_and_numbers_alone_count_as_one(tmp_path):
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


def test_notes_from_before_there_were_tallies_are_read(shard, tmp_path):
    shard("in/b", "banana")
    run(Counting(), tmp_path / "in", tmp_path / "out", workers=0)
    path = tmp_path / "out/notes/b.json"
    note = json.loads(path.read_text())
    del note["tally"]
    path.write_text(json.dumps(note))
    assert run(Counting(), tmp_path / "in", tmp_path / "out", workers=0).done == 0
