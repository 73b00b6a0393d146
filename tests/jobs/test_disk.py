"""A disk that refuses ends the job with one sentence; nothing unfinished stays, and the job goes on later."""

import os
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from odd_jobs import Odd, flac

from budew.errors import JobError
from budew.jobs import run

BUDEW = f"{sys.executable} -m budew"


@pytest.fixture
def corpus(shard, tmp_path) -> Path:
    """Four shards of 90 kB."""
    for name in "abcd":
        shard(f"in/{name}", *(f"{name}{number}" for number in range(20)), audio=flac(0.1))
    return tmp_path / "in"


def limit_files(most: int) -> None:
    """Let no file of this process become larger than so many bytes, as a full disk would."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def unfinished(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


@pytest.mark.parametrize(("workers", "most"), [("0", 40_000), ("2", 3_000)])
def test_a_file_size_limit_ends_the_job_which_is_resumed_later(corpus, tmp_path, workers, most):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "budew", "corpus", "convert", corpus, out, "--workers", workers]
    no_bytecode = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # it would be truncated as well
    limited = partial(limit_files, most)
    ended = subprocess.run(command, preexec_fn=limited, capture_output=True, text=True, env=no_bytecode)
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert str(out) in line
    assert "File too large: allow larger files" in line
    assert line.endswith("run the job again to continue")
    assert unfinished(out) == []
    again = subprocess.run(command, capture_output=True, text=True)
    assert (again.returncode, again.stderr) == (0, "")
    assert "80 clips" in again.stdout
    assert all((out / f"{name}.tar").stat().st_size > 40_000 for name in "abcd")


def test_a_full_or_read_only_disk_is_reported_with_its_remedy(corpus, tmp_path):
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
    printed = [line.partition(", ")[0] for line in ran.stdout.splitlines()]
    whole = ["80 clips in small/out: 4 of 4 shards", "status 0"]
    assert printed == ["status 1", *whole, *whole, "status 1"]


class Full(Odd):
    """A job of which each clip needs the disk."""

    def _do(self, clip):
        (self.marks / clip.id).write_bytes(bytes(1_000))
        return clip


def test_a_disk_error_while_a_clip_is_processed_ends_the_job(shard, tmp_path):
    shard("in/a", "one", "two")
    limit_files(500)
    try:
        with pytest.raises(JobError, match=r"out: File too large: .*run the job again"):
            run(Full(tmp_path), tmp_path / "in", tmp_path / "out", workers=0)
    finally:
        limit_files(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    assert unfinished(tmp_path / "out") == []
