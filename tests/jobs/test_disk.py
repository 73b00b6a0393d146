"""A disk that refuses ends the job with one sentence; nothing unfinished stays, and the job goes on later."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from odd_jobs import Odd, flac

from budew.errors import JobError
from budew.jobs import run

BUDEW = f'{sys.executable} -c "from budew.cli import main; main()"'


@pytest.fixture
def corpus(shard, tmp_path) -> Path:
    """Four shards of 90 kB."""
    for name in "abcd":
        shard(f"in/{name}", *(f"{name}{number}" for number in range(20)), audio=flac(0.1))
    return tmp_path / "in"


@contextmanager
def small_files(most: int) -> Iterator[None]:
    """Let no file become larger than so many bytes, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def lowered(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def unfinished(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


@pytest.mark.parametrize(("workers", "most"), [("0", 20), ("0", 40_000), ("2", 3_000), ("2", 40_000)])
def test_files_that_may_not_grow_end_the_job_and_it_goes_on_later(corpus, tmp_path, workers, most):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "budew", "corpus", "convert", corpus, out, "--workers", workers]
    ended = subprocess.run(command, preexec_fn=partial(lowered, most), capture_output=True, text=True)
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert str(out) in line
    assert "File too large: allow larger files" in line
    assert line.endswith("start the job again to go on")
    assert unfinished(out) == []
    assert run(Odd(), corpus, tmp_path / "undisturbed", workers=0).clips == 80
    again = subprocess.run(command, capture_output=True, text=True)
    assert (again.returncode, again.stderr) == (0, "")
    assert "80 clips" in again.stdout
    for name in "abcd":
        assert (out / f"{name}.tar").stat().st_size > 40_000


def test_a_disk_that_is_full_or_read_only_is_named_with_what_helps(corpus, tmp_path):
    """On a real disk of 200 kB, where this user may mount one of their own."""
    script = f"""
        cd {tmp_path}; mkdir small; mount -t tmpfs -o size=200k none small || exit 77
        job() {{ {BUDEW} corpus convert in small/out --workers $1; echo "status $?"; }}
        job 2; find small -name '.*'
        mount -o remount,size=4m small; job 0
        mount -o remount,ro small; job 0
        echo x >> in/a.tar; job 0
    """
    ran = subprocess.run(["unshare", "-rm", "bash", "-c", script], capture_output=True, text=True)
    if "status" not in ran.stdout:
        pytest.skip("no disk can be mounted here")
    full, read_only = ran.stderr.splitlines()
    assert full.startswith("budew: small/out: No space left on device: free some space there")
    assert read_only.startswith("budew: small/out: Read-only file system: choose a folder")
    told = [line.partition(", ")[0] for line in ran.stdout.splitlines()]
    whole = ["80 clips in small/out: 4 of 4 shards", "status 0"]
    assert told == ["status 1", *whole, *whole, "status 1"]


class Full(Odd):
    """A job of which each clip needs the disk."""

    def _do(self, clip):
        (self.marks / clip.id).write_bytes(bytes(1_000))
        return clip


def test_a_disk_that_is_full_under_one_clip_ends_the_job_too(shard, tmp_path):
    shard("in/a", "one", "two")
    with small_files(500), pytest.raises(JobError, match=r"out: File too large: .*start the job again"):
        run(Full(tmp_path), tmp_path / "in", tmp_path / "out", workers=0)
    assert unfinished(tmp_path / "out") == []


def test_a_file_where_the_output_should_be_is_told(shard, tmp_path):
    shard("in/a", "one")
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="is a file, not a folder"):
        run(Odd(), tmp_path / "in", tmp_path / "file/out", workers=0)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_summary_that_cannot_be_written_is_told(corpus, tmp_path):
    command = f"{BUDEW} corpus convert {corpus} {tmp_path / 'out'} --workers 0 > /dev/full"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert ended.stderr.startswith("budew: stdout: No space left on device: free some space")
