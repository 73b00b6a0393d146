"""The same units on a real Ray cluster of this machine, and through the script that Slurm is given."""

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest
from odd_jobs import Maker, Odd, contents, until

from budew.corpora import read
from budew.errors import JobError
from budew.io.settings import load
from budew.jobs import Plan, run
from budew.jobs.cluster import ClusterRank, ClusterSettings
from budew.jobs.convert import Convert

ON_RAY = """
    from pathlib import Path

    import ray
    from odd_jobs import Odd

    from budew.jobs import Plan
    from budew.jobs.cluster import ClusterSettings

    if __name__ == "__main__":
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _memory=4 * 2**30)
        cluster = ClusterSettings(executor="ray", max_running=2, memory_gb=1)
        summary = Plan(Odd(Path("marks").absolute()), "in", "out").run(cluster=cluster)
        print(summary.complete, summary.units, summary.clips, ",".join(summary.given_up) or "-")
"""


def _start_on_ray(folder: Path) -> subprocess.Popen[str]:
    (folder / "marks").mkdir()
    (folder / "on_ray.py").write_text(textwrap.dedent(ON_RAY))
    return subprocess.Popen(
        [sys.executable, "on_ray.py"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RAY_USAGE_STATS_ENABLED": "0"},
    )


def _processes_with(text: bytes) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            if text in path.read_bytes().replace(b"\0", b" "):
                found.append(int(path.parent.name))
    return found


@pytest.mark.long
def test_ray_gives_the_same_bytes_though_workers_are_killed(shard, tmp_path):
    for number in range(4):
        shard(f"in/{number}", f"c{number}", f"c{number}-wait")
    job = _start_on_ray(tmp_path)
    killed: list[int] = []
    for which in (0, -1):  # the process that does a shard, then a rank as a whole: datatrove's actor
        chain: list[int] = []
        until(lambda: job.poll() is not None or chain.extend(_chain_to_a_shard(but=killed)) or chain)  # noqa: B023
        os.kill(chain[which], signal.SIGKILL)
        killed.append(chain[which])
    (tmp_path / "marks/go").touch()
    printed, _ = job.communicate()
    assert printed.split()[-4:] == ["4", "4", "8", "-"]
    run(Odd(tmp_path / "marks"), tmp_path / "in", tmp_path / "calm", workers=0)
    assert contents(tmp_path / "out") == contents(tmp_path / "calm")
    assert not [path for path in (tmp_path / "out").rglob(".*") if "logs" not in path.parts]


@pytest.mark.long
def test_shards_whose_ray_ranks_failed_are_given_up(shard, tmp_path):
    for name in ("a-fatal", "b", "c-fatal"):
        shard(f"in/{name}", name)
    printed, _ = _start_on_ray(tmp_path).communicate()
    assert printed.split()[-4:] == ["1", "3", "1", "a-fatal,c-fatal"]
    assert "there is no key" in (tmp_path / "out/logs/logs/task_00000.log").read_text()


@pytest.mark.parametrize(("have_ended", "given_up"), [(True, ("b",)), (False, ())])
def test_units_without_a_record_are_given_up_once_their_ranks_ended(
    have_ended, given_up, shard, tmp_path, monkeypatch
):
    for name in "ab":
        shard(f"in/{name}", name)

    def launch(job, units, out, _cluster):
        ClusterRank(units, job, out, Path.cwd())(None, rank=0, world_size=2)
        return have_ended

    monkeypatch.setattr("budew.jobs.plan.launch", launch)
    summary = Plan(Convert(), tmp_path / "in", tmp_path / "out").run(cluster=ClusterSettings(executor="ray"))
    assert (summary.complete, summary.given_up) == (1, given_up)


def _chain_to_a_shard(*, but: list[int]) -> list[int]:
    """Return a process that does a shard and its ancestors up to the actor of its rank, if there is one."""
    ranks = _processes_with(b"ray::RankWorker")
    for pid in ranks:
        below = [child for child in _processes_with(b"from multiprocessing") if _parent(child) == pid]
        chain = [*below[:1], pid, *([_parent(pid)] if _parent(pid) in ranks else [])]
        if below and not {*chain} & {*but}:
            return chain
    return []


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


SBATCH = """
    #!/bin/bash
    # Does on this machine what sbatch would queue: each task of the array, one after the other.
    script="${@: -1}"
    range=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$script")
    grep -q merge_stats "$script" && { echo "Submitted batch job 2"; exit 0; }
    for task in $(seq 0 "$range"); do
      SLURM_ARRAY_TASK_ID=$task SLURM_NODELIST=here bash "$script" >> "$(dirname "$0")/log" 2>&1 || true
    done
    echo "Submitted batch job 1"
"""
SRUN = """
    #!/bin/bash
    while [ "${1#-}" != "$1" ]; do case "$1" in -n) shift 2 ;; *) shift ;; esac; done
    exec "$@"
"""
SCONTROL = """
    #!/bin/bash
    echo here
"""


@pytest.mark.slow
def test_the_slurm_script_processes_every_shard_of_a_job_without_input(tmp_path, monkeypatch):
    for name, text in (("sbatch", SBATCH), ("srun", SRUN), ("scontrol", SCONTROL)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(textwrap.dedent(text).lstrip())
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.chdir(tmp_path)
    for name in ("slurm", "calm"):
        (tmp_path / name).mkdir()
    plan = Plan(Maker(tmp_path / "slurm"), range(6), "out", clips_per_shard=3)
    for _ in range(2):  # the second one collects
        summary = plan.run(cluster=ClusterSettings(partition="any"))
    found = (summary.complete, summary.clips, summary.failures, summary.left_out)
    assert found == (2, 4, 1, 1), (tmp_path / "bin/log").read_text()[-2000:]
    calm = run(Maker(tmp_path / "calm"), range(6), tmp_path / "calm-out", clips_per_shard=3, workers=0)
    assert calm.clips == 4
    assert contents(tmp_path / "out") == contents(tmp_path / "calm-out")


def test_a_rank_runs_in_the_working_directory_of_the_job(shard, tmp_path, monkeypatch):
    shard("in/a", "a1")
    monkeypatch.chdir(tmp_path)
    units = Plan(Convert(), "in", "out").units
    monkeypatch.chdir("/")
    ClusterRank(units, Convert(), tmp_path / "out", tmp_path)(None, rank=0, world_size=1)
    assert [clip.id for clip in read(tmp_path / "out")] == ["a1"]


@pytest.mark.parametrize(
    ("written", "time"),
    [("2:00:00", "2:00:00"), ("'1-00:00:00'", "1-00:00:00"), ("30:05", "0:30:05"), ("30:00:00", "30:00:00")],
)
def test_a_time_limit_survives_yaml(written, time):
    assert load(ClusterSettings, changes=[f"time={written}"]).time == time


def test_a_missing_slurm_or_partition_is_an_error(shard, tmp_path, monkeypatch):
    shard("in/a", "a1")
    plan = Plan(Convert(), tmp_path / "in", tmp_path / "out")
    with pytest.raises(JobError, match="partition"):
        plan.run(cluster=ClusterSettings())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JobError, match="login node"):
        plan.run(cluster=ClusterSettings(partition="any"))
