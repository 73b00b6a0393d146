"""Units on many machines: datatrove's Slurm and Ray executors launch them, one unit a rank.

All machines must share the folders. The records of shards show which units are done; datatrove's own marks
are not used: a rank that was killed, or ran twice, leaves the same bytes. Each rank runs its unit in a
separate process, because datatrove 0.10 waits forever for a process that was killed in a Ray rank.

An error ends only its rank, and is in the log of the rank in `OUT/logs`; datatrove does not raise it in the
process that launched the ranks. `Plan.run` therefore checks the records after a Ray run.

To add an executor, add its name and settings to `ClusterSettings`, its library to `check_installed`, a branch
to `launch`, and its name to `--executor` (`budew.cli.job_options`) and docs/formats.md.
"""

import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from budew.errors import JobError, require
from budew.io.disk import disk_errors
from budew.io.settings import Settings
from budew.jobs.job import Job
from budew.jobs.units import Unit
from budew.jobs.workers import WorkerPool

LOGS = "logs"


class ClusterSettings(Settings):
    """Settings of a cluster: the launcher, and the resources of a rank, a process that runs one unit.

    Example:
        >>> ClusterSettings(executor="ray", max_running=8, cpus=2).memory_gb
        4
    """

    executor: Literal["slurm", "ray"] = Field(
        default="slurm", description="slurm queues the ranks and returns; ray waits until they end."
    )
    partition: str | None = Field(default=None, description="Slurm partition; required for slurm.")
    time: str = Field(default="24:00:00", description="Slurm time limit of a rank, H:MM:SS or seconds.")
    max_running: int = Field(default=-1, ge=-1, description="Largest number of concurrent ranks; -1 for all.")
    cpus: int = Field(default=1, ge=1, description="Number of CPU cores of a rank.")
    memory_gb: int = Field(default=4, ge=1, description="Memory per CPU core of a rank, in GB.")
    gpus: int = Field(default=0, ge=0, description="Number of GPUs of a rank.")
    environment: str | None = Field(
        default=None,
        description="Shell line that makes budew importable on a Slurm node; by default this Python's path.",
    )

    def check_installed(self) -> None:
        """Raise `MissingExtraError` unless the launcher is installed."""
        for library in ("datatrove", *(["ray"] if self.executor == "ray" else [])):
            require(library, extra="scale", purpose=f"--executor {self.executor}")

    @field_validator("time", mode="before")
    @classmethod
    def _clock(cls, value: Any) -> Any:
        """Turn seconds into H:MM:SS: YAML 1.1 reads an unquoted 2:00:00 as the number 7200."""
        if not isinstance(value, int):
            return value
        minutes, seconds = divmod(value, 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def launch(job: Job, units: Sequence[Unit], out: Path, cluster: ClusterSettings) -> bool:
    """Launch units on a cluster; return when they are queued (Slurm) or have ended (Ray).

    `ray.init` or `RAY_ADDRESS` chooses the Ray cluster; without either, one is started on this machine.

    Returns:
        Whether the ranks have ended, successfully or not; False if they are queued.

    Raises:
        JobError: the cluster rejects the job.
        MissingExtraError: datatrove or ray is not installed.
    """
    cluster.check_installed()
    folder = out.resolve()
    rank = ClusterRank(tuple(units), job, folder, Path.cwd())
    shared: dict[str, Any] = {
        "pipeline": [rank],
        "tasks": len(units),
        "workers": cluster.max_running,
        "logging_dir": str(folder / LOGS),
        "skip_completed": False,
        "cpus_per_task": cluster.cpus,
        "mem_per_cpu_gb": cluster.memory_gb,
        "gpus_per_task": cluster.gpus,
    }
    executors = require("datatrove.executor", extra="scale", purpose=f"--executor {cluster.executor}")
    if cluster.executor == "ray":
        ray = require("ray", extra="scale", purpose="--executor ray")
        if not ray.is_initialized():
            ray.init(log_to_driver=False, include_dashboard=False)
        executors.RayPipelineExecutor(**shared).run()
        return True
    if not cluster.partition:
        raise JobError("Slurm needs a partition: add --set partition=NAME (`sinfo` lists them)")
    try:
        executors.SlurmPipelineExecutor(
            **shared,
            time=cluster.time,
            partition=cluster.partition,
            job_name=f"budew-{job.name}",
            env_command=cluster.environment or _activation(),
            qos="",
        ).run()
    except FileNotFoundError as error:
        raise JobError(f"Slurm was not found ({error.filename}): run this on a login node") from error
    except OSError as error:
        raise JobError(f"Slurm rejected the job: {error}") from error
    return False


@dataclass(frozen=True, slots=True)
class ClusterRank:
    """The pipeline step that datatrove calls in each rank; it runs one unit in a separate process.

    The step changes to `working_directory`, because paths in the units and in the settings of the job may be
    relative to it.
    """

    units: tuple[Unit, ...]
    job: Job
    out: Path
    working_directory: Path

    def __repr__(self) -> str:  # datatrove logs it in each rank
        return f"{self.job.name}: {len(self.units)} shards → {self.out}"

    def __call__(self, data: Iterable[Any] | None, rank: int, world_size: int) -> None:
        """Run the unit number `rank`; datatrove passes this and the number of ranks, one for each unit."""
        with suppress(OSError):  # the folder may be missing here; absolute paths do not need it
            os.chdir(self.working_directory)
        with disk_errors(self.out), WorkerPool(1, self.job, self.out) as pool:
            for outcome in pool.outcomes([self.units[rank]]):
                if outcome.error is not None:
                    raise outcome.error


def _activation() -> str:
    """Return the shell line that puts this Python first in the path of a node."""
    python = shlex.quote(str(Path(sys.executable).parent))
    modules = os.pathsep.join(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    exported = f"export PATH={python}:$PATH"
    return f"{exported}; export PYTHONPATH={shlex.quote(modules)}" if modules else exported
