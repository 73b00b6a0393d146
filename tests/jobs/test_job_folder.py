"""A folder belongs to one job and one run; changed settings are named."""

import fcntl
from pathlib import Path

import pytest
from odd_jobs import Odd

from budew.errors import CorpusError, JobError
from budew.jobs import run
from budew.jobs.convert import Convert
from budew.jobs.job_folder import changed_settings, check_folder

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
def test_changed_settings_are_named_with_both_values(new, changes):
    assert changed_settings(OLD, OLD | new) == changes


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
    with pytest.raises(CorpusError, match=r"^(s3://bucket|http://127.0.0.1)/x: is a URL: write to"):
        run(Odd(), tmp_path / "in", place, workers=0)
    with pytest.raises(CorpusError, match="is a URL"):
        check_folder(Path(place), Odd(), 1)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
