"""Ctrl-C gives one line and exit status 130 at any moment; a job that was killed prints nothing.

The jobs here wait within a clip until a file `go` is there, so that none ends before it is stopped.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from odd_jobs import Odd, in_session, until

from budew.jobs import run

STOPPED = "budew: stopped"
GO_ON = f"{STOPPED}: run the same command again to continue"
COMMAND = f"""
import sys
from pathlib import Path

sys.path.append({str(Path(__file__).parent)!r})
import budew.jobs.convert
from budew.__main__ import main
from odd_jobs import Odd

budew.jobs.convert.Convert = lambda **options: Odd(Path("marks"))

if __name__ == "__main__":
    Path("marks/started").touch()
    main()
"""
TWICE = """
from budew.jobs import run
from budew.jobs.workers import WorkerPool

shut_down = WorkerPool._shut_down

def waiting(pool):
    print("waiting", flush=True)
    shut_down(pool)

if __name__ == "__main__":
    WorkerPool._shut_down = waiting
    run(Odd(Path("marks")), "in", "out", workers=1, progress=lambda at: print(at.clips, flush=True))
"""
LOST = """
import signal
import time
import weakref

import budew.cli
from budew.__main__ import main

class Target:
    pass

def run_cli():
    target = Target()
    reference = weakref.ref(target, lambda reference: signal.raise_signal(signal.SIGINT))
    del target
    time.sleep(60)

if __name__ == "__main__":
    budew.cli.run_cli = run_cli
    main()
"""


@pytest.fixture
def started(shard, tmp_path) -> Callable[..., subprocess.Popen[str]]:
    """Start a program as a terminal does, in a group of processes of its own, where Ctrl-C reaches it."""
    for name, *ids in (("a", "a1"), ("b", "b1", "b2"), ("c", "c1", "c2-wait", "c3")):
        shard(f"in/{name}", *ids)
    (tmp_path / "marks").mkdir()

    def start(program: str, *arguments: str) -> subprocess.Popen[str]:
        (tmp_path / "program.py").write_text(program)
        return subprocess.Popen(
            [sys.executable, "-m", "program", *arguments],
            cwd=tmp_path,
            env=dict(os.environ, OMP_NUM_THREADS="2"),  # threads of BLAS receive Ctrl-C as well
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    return start


def stopped(job: subprocess.Popen[str], marks: Path) -> tuple[int, str, str]:
    """Stop a job by Ctrl-C; exit status and output."""
    os.killpg(job.pid, signal.SIGINT)
    (marks / "go").touch()
    out, errors = job.communicate()
    return job.returncode, out, errors


@pytest.mark.parametrize("seconds", [0, 0.3])
def test_ctrl_c_while_workers_start_prints_one_line(started, tmp_path, seconds):
    job = started(COMMAND, "corpus", "convert", "in", "out", "--workers", "2")
    until(lambda: len(in_session(job.pid)) > 1)
    time.sleep(seconds)
    assert stopped(job, tmp_path / "marks") == (130, "", f"{GO_ON}\n")
    until(lambda: not in_session(job.pid))
    assert list((tmp_path / "out").rglob(".*")) == []


@pytest.mark.parametrize("seconds", [0, 0.2])
def test_ctrl_c_while_the_command_loads_prints_one_line(started, tmp_path, seconds):
    job = started(COMMAND, "corpus", "convert", "in", "out", "--workers", "0")
    until((tmp_path / "marks/started").exists)
    time.sleep(seconds)
    status, out, errors = stopped(job, tmp_path / "marks")
    assert (status, out) == (130, "")
    assert errors.strip() in (STOPPED, GO_ON)


def test_ctrl_c_within_a_callback_of_a_weak_reference_is_not_lost(started):
    job = started(LOST)
    assert job.communicate()[1] == f"{STOPPED}\n"
    assert job.returncode == 130


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_or_killed_job_leaves_no_process_and_can_be_resumed(started, tmp_path, kill):
    job = started(COMMAND, "corpus", "convert", "in", "out", "--workers", "2")
    until(lambda: list(tmp_path.glob("out/notes/*.json")))
    if kill == signal.SIGINT:
        stopped(job, tmp_path / "marks")
    else:
        job.send_signal(kill)
        assert job.communicate() == ("", "")
    until(lambda: not in_session(job.pid))
    (tmp_path / "marks/go").touch()
    assert run(Odd(tmp_path / "marks"), tmp_path / "in", tmp_path / "out", workers=0).clips == 6
    assert list((tmp_path / "out").rglob(".*")) == []


def test_a_second_interrupt_does_not_wait_for_the_clip(started):
    job = started(COMMAND.partition("if __name__")[0] + TWICE)
    for line in ("5\n", "waiting\n"):
        until(lambda line=line: job.stdout.readline() == line or job.poll() is not None)
        os.killpg(job.pid, signal.SIGINT)
    job.communicate()
    assert job.returncode != 0
    until(lambda: not in_session(job.pid))
