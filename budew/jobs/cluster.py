"""The same units on many machines: datatrove's Slurm and Ray executors launch them, one shard a rank.

The folder must be one that all machines share. What is done and what is not is told by the notes there, never
by datatrove's own marks: a rank that was killed, or ran twice, changes nothing. Each rank does its shard in a
process of its own, for datatrove 0.10 waits forever for a process that was killed in a Ray rank.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from budew.errors import JobError
from budew.extras import require
from budew.jobs.apart import check_apart
from budew.jobs.job import Job, disk_told
from budew.jobs.notes import claim
from budew.jobs.runner import Summary, finish, notes_of, pending
from budew.jobs.unit import Unit
from budew.jobs.units import CLIPS_PER_SHARD, plan_units
from budew.jobs.workers import Workers

Executor = Literal["slurm", "ray"]
LOGS = "logs"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where ranks run, and what each of them gets.

    Attributes:
        executor: "slurm", which queues the ranks and returns, or "ray", which waits for them.
        at_once: ranks that run at a time, all of them where -1.
        cpus: processors of a rank.
        memory_gb: memory of a rank for each of its processors.
        gpus: of a rank.
        time: limit of a rank, for Slurm as it writes it ("4:00:00").
        partition: of Slurm.
        environment: line of shell that makes `budew` importable on a node; this virtual environment's own
            where None.
    """

    executor: Executor
    at_once: int = -1
    cpus: int = 1
    memory_gb: int = 4
    gpus: int = 0
    time: str = "24:00:00"
    partition: str | None = None
    environment: str | None = None


def run_on_cluster(
    job: Job,
    source: str | Path,
    out: str | Path,
    *,
    cluster: Cluster,
    clips_per_shard: int = CLIPS_PER_SHARD,
    retry_failed: bool = False,
) -> Summary:
    """Do a job on a cluster, or go on with it.

    With Slurm this returns when the ranks are queued; called again after they ended, it gathers their
    failures and queues what is missing. With Ray (`ray.init` or `RAY_ADDRESS` says which cluster) it waits.

    Raises:
        JobError, CorpusError, OSError: as for `run`; also where the cluster does not take the job.
        MissingExtraError: datatrove or ray is not installed.
    """
    folder = Path(out).resolve()
    source = Path(source).resolve() if Path(source).exists() else source
    units = plan_units(source, clips_per_shard=clips_per_shard)
    check_apart(source, units, folder)
    with disk_told(folder):
        claim(folder, job, clips_per_shard)
        notes = notes_of(units, folder)
        waiting = pending(units, notes, retry_failed=retry_failed)
        if waiting:
            _launch(_Rank(tuple(waiting), job, folder), cluster, folder / LOGS)
        made = notes_of(waiting, folder)
        return finish(units, {**notes, **made}, folder, done=len(made))


@dataclass(frozen=True)
class _Rank:
    """What datatrove calls in each rank: one unit, in a process of its own."""

    units: tuple[Unit, ...]
    job: Job
    out: Path

    def __repr__(self) -> str:  # datatrove writes it into the log of each rank
        return f"{self.job.name}: {len(self.units)} shards → {self.out}"

    def __call__(self, data: Iterable[Any] | None, rank: int, world_size: int) -> None:
        with disk_told(self.out), Workers(1, self.job, self.out) as workers:
            for outcome in workers.outcomes(self.units[rank::world_size]):
                if outcome is not None and outcome.error is not None:
                    raise outcome.error


def _launch(rank: _Rank, cluster: Cluster, logs: Path) -> None:
    require("datatrove", extra="scale", purpose=f"--executor {cluster.executor}")
    shared: dict[str, Any] = {
        "pipeline": [rank],
        "tasks": len(rank.units),
        "workers": cluster.at_once,
        "logging_dir": str(logs),
        "skip_completed": False,
        "cpus_per_task": cluster.cpus,
        "mem_per_cpu_gb": cluster.memory_gb,
        "gpus_per_task": cluster.gpus,
    }
    {"slurm": _slurm, "ray": _ray}[cluster.executor](cluster, rank.job, shared)


def _slurm(cluster: Cluster, job: Job, shared: dict[str, Any]) -> None:
    from datatrove.executor import SlurmPipelineExecutor  # draws in what only a cluster needs

    if not cluster.partition:
        raise JobError("Slurm wants a partition: name it (`sinfo` lists them)")
    try:
        SlurmPipelineExecutor(
            **shared,
            time=cluster.time,
            partition=cluster.partition,
            job_name=f"budew-{job.name}",
            env_command=cluster.environment or _activation(),
            qos="",
        ).run()
    except FileNotFoundError as error:
        raise JobError(f"Slurm is not here ({error.filename}): run this on a login node") from error
    except OSError as error:
        raise JobError(f"Slurm did not take the job: {error}") from error


def _ray(cluster: Cluster, job: Job, shared: dict[str, Any]) -> None:
    ray = require("ray", extra="scale", purpose="--executor ray")
    from datatrove.executor import RayPipelineExecutor

    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False)
    RayPipelineExecutor(**shared).run()


def _activation() -> str:
    """Return the line that puts this Python first in the path of a node."""
    paths = [str(Path(sys.executable).parent)]
    found = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    exported = f"export PATH={_quoted(paths)}:$PATH"
    return f"{exported}; export PYTHONPATH={_quoted(found)}" if found else exported


def _quoted(paths: Sequence[str]) -> str:
    from shlex import quote

    return quote(os.pathsep.join(paths))
