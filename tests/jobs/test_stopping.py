"""Ctrl-C gives one line and exit status 130 at any moment; a job that was killed prints nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from odd_jobs import flac, in_session

from budew.jobs import run
from budew.jobs.convert import Convert

STOPPED = "budew: stopped"
GO_ON = f"{STOPPED}: run the same command again to continue"


@pytest.fixture
def corpus(shard, tmp_path) -> Path:
    """What takes two workers some seconds."""
    for number in range(8):
        shard(f"in/{number}", *(f"c{number}-{index}" for index in range(150)), audio=flac(1))
    return tmp_path / "in"


@pytest.fixture
def started(corpus, tmp_path) -> Callable[..., subprocess.Popen[str]]:
    """Start the job as a terminal does, in a group of processes of its own."""

    def start(*options: str) -> subprocess.Popen[str]:
        return in_group("-m", "budew", "corpus", "convert", corpus, tmp_path / "out", *options)

    return start


def in_group(*arguments: str | Path, cwd: Path | None = None) -> subprocess.Popen[str]:
    """Start Python in a group that Ctrl-C reaches, also where the tests run in the background."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=cwd,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("seconds", [0, 0.1, 0.3, 0.6, 1])
def test_a_job_that_is_stopped_while_workers_start_prints_one_line(started, tmp_path, seconds):
    job = started("--workers", "2")
    until(lambda: len(in_session(job.pid)) > 1 or job.poll() is not None)
    time.sleep(seconds)
    os.killpg(job.pid, signal.SIGINT)
    out, errors = job.communicate(timeout=60)
    if not out:  # else it was done, and only about to end
        assert (job.returncode, errors) == (130, f"{GO_ON}\n")
    until(lambda: not in_session(job.pid))
    assert list((tmp_path / "out").rglob(".*")) == []


@pytest.mark.parametrize("seconds", [0, 0.2])
def test_a_command_that_is_stopped_while_it_loads_prints_one_line(started, seconds):
    job = started("--workers", "0")
    until(lambda: "numpy" in Path(f"/proc/{job.pid}/maps").read_text())  # before, Python itself begins
    time.sleep(seconds)
    os.killpg(job.pid, signal.SIGINT)
    errors = job.communicate(timeout=60)[1]
    assert errors.strip() in (STOPPED, GO_ON)
    assert job.returncode in (130, -signal.SIGINT)  # CPython ends by the signal after one in exec(text)


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_job_that_was_stopped_or_killed_leaves_no_process_and_goes_on(started, corpus, tmp_path, kill):
    job = started("--workers", "2")
    until(lambda: list(tmp_path.glob("out/notes/*.json")) or job.poll() is not None)
    if kill == signal.SIGINT:
        os.killpg(job.pid, kill)
        job.communicate(timeout=60)
    else:
        job.send_signal(kill)
        assert job.communicate(timeout=60) == ("", "")
    until(lambda: not in_session(job.pid))
    assert run(Convert(), corpus, tmp_path / "out", workers=0).clips == 1_200
    assert list((tmp_path / "out").rglob(".*")) == []


def test_a_second_interrupt_does_not_wait_for_the_clip(shard, tmp_path):
    shard("in/a", "fine", "x-sleep")
    (tmp_path / "slow.py").write_text(
        "import sys\n"
        f"sys.path.append({str(Path(__file__).parent)!r})\n"
        "from odd_jobs import Odd\n"
        "from budew.jobs import run\n"
        "if __name__ == '__main__':\n"
        "    run(Odd(), 'in', 'out', workers=1, progress=lambda at: print(at.clips, flush=True))\n"
    )
    job = in_group("slow.py", cwd=tmp_path)
    until(lambda: job.stdout.readline() == "2\n")
    for _ in range(2):
        os.killpg(job.pid, signal.SIGINT)
        time.sleep(0.5)
    job.communicate(timeout=10)
    assert job.returncode != 0
    until(lambda: not in_session(job.pid))
