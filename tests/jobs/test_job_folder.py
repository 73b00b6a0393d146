"""A folder belongs to one job and one run; changed settings are named, and reasons of failures counted."""

import fcntl
from pathlib import Path
from types import SimpleNamespace

import pytest
from odd_jobs import Odd

from budew.errors import CorpusError, JobError
from budew.jobs import run
from budew.jobs.convert import Convert
from budew.jobs.job_folder import ClipFailure, changed_settings, check_folder, read_record, write_failures
from budew.jobs.unit_runner import run_unit
from budew.jobs.units import file_units

OLD = {"min_seconds": 1.0, "vad": {"threshold": 0.5, "model": "silero"}, "keep": [], "style": None}


@pytest.mark.parametrize(
    ("new", "changes"),
    [
        ({"vad": {"threshold": 0.6, "model": "silero"}}, "vad.threshold was 0.5 and is now 0.6"),
        ({"keep": ["é"], "style": "x"}, 'keep was [] and is now ["é"]; style was null and is now "x"'),
        ({"seed": 3}, "seed was not there and is now 3"),
        ({}, ""),
        (
            dict.fromkeys("abcdefg", "x" * 99),
            "; ".join(f'{name} was not there and is now "{"x" * 58}…' for name in "abcde")
            + "; 2 more changed",
        ),
    ],
)
def test_changed_settings_are_named_with_both_values(new, changes):
    assert changed_settings(OLD, OLD | new) == changes


def test_of_two_runs_that_write_one_shard_at_once_the_earlier_one_fails(shard, tmp_path):
    shard("in/a", "a1", "a2")
    [unit] = file_units(tmp_path / "in")
    out = tmp_path / "out"

    def second_run_at_the_second_clip(counts):
        if counts[0] == 2:
            run_unit(unit, Odd(), out, lambda _counts: None)

    with pytest.raises(JobError, match=r"a\.tar: another run writes it too"):
        run_unit(unit, Odd(), out, second_run_at_the_second_clip)
    record = read_record(out, "a")
    assert record is not None
    assert record.clips == 2
    assert not list(out.rglob("*.part"))


def test_two_runs_at_a_time_in_one_folder_are_refused(shard, tmp_path):
    shard("in/a", "a1")
    run(Convert(), tmp_path / "in", tmp_path / "out", workers=0)
    with (tmp_path / "out/job.json").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(JobError, match="another run"):
            run(Convert(), tmp_path / "in", tmp_path / "out", workers=0)


@pytest.mark.parametrize("place", ["s3://u:secret@bucket/x", Path("http://127.0.0.1/x")])
def test_a_url_is_refused_as_output_folder(shard, tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    shard("in/a", "one")
    with pytest.raises(CorpusError, match=r"^(s3://bucket|http://127.0.0.1)/x\b.* URL\b.* folder\b"):
        run(Odd(), tmp_path / "in", place, workers=0)
    with pytest.raises(CorpusError, match="URL"):
        check_folder(Path(place), Odd(), 1)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


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
