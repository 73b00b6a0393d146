"""What all jobs over corpora share on the command line: where they run, how they go on, what they show."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from budew.terminal import job_bar, say_error, visible_name

if TYPE_CHECKING:
    from budew.chat.server import ChatServer
    from budew.jobs import Job, Progress, Summary

    More = Callable[[Progress], str]

PANEL = "How the job runs"


class Executor(StrEnum):
    """What runs the shards."""

    local = "local"
    slurm = "slurm"
    ray = "ray"


def _option(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=PANEL, **more)


@dataclass(frozen=True, slots=True)
class Running:
    """The options that all jobs take; each field is one, with its help."""

    workers: Annotated[
        int | None,
        _option(min=0, help="Processes; all processors where left out, and 0 works in this process."),
    ] = None
    clips_per_shard: Annotated[int, _option(min=1, help="Loose audio files that make one shard.")] = 500
    retry_failed: Annotated[
        bool, _option("--retry-failed", help="Do shards again in which a clip failed.")
    ] = False
    dry_run: Annotated[bool, _option("--dry-run", help="Tell what would be done, and do nothing.")] = False
    executor: Annotated[Executor, _option(help="This machine, or a cluster that shares the folders.")] = (
        Executor.local
    )
    partition: Annotated[str | None, _option(metavar="NAME", help="Of Slurm.")] = None
    time: Annotated[str, _option(metavar="HH:MM:SS", help="Limit of a shard on Slurm.")] = "24:00:00"
    at_once: Annotated[int, _option(help="Shards at a time on a cluster; -1: no limit.")] = -1
    cpus: Annotated[int, _option(min=1, help="Processors for each shard on a cluster.")] = 1
    memory_gb: Annotated[int, _option(min=1, help="Memory in GB for each of them.")] = 4
    gpus: Annotated[int, _option(min=0, help="GPUs for each shard on a cluster.")] = 0
    environment: Annotated[
        str | None,
        _option(metavar="SHELL", help="Line that makes budew importable on a node of Slurm."),
    ] = None

    @property
    def is_here(self) -> bool:
        """Whether the job is done, or would be, on this machine."""
        return self.executor is Executor.local


def job_command(**defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that takes `running` the options of `Running` in its place; `defaults` are its own."""
    return lambda command: _with_options(command, defaults)


def _with_options(command: Callable[..., None], defaults: dict[str, Any]) -> Callable[..., None]:
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults.get(field.name, field.default),
            annotation=field.type,
        )
        for field in fields(Running)
    ]
    signature = inspect.signature(command)
    own = [parameter for name, parameter in signature.parameters.items() if name != "running"]

    def with_running(**given: Any) -> None:
        running = Running(**{parameter.name: given.pop(parameter.name) for parameter in shared})
        command(**given, running=running)

    with_running.__name__, with_running.__doc__ = command.__name__, command.__doc__
    with_running.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
    return with_running


def run_job(job: "Job", source: str, out: Path, running: Running, *, more: "More | None" = None) -> None:
    """Run a job as its options say, and tell how it ended.

    Exit with 1 where something failed, with 130 on Ctrl-C.

    Args:
        job, source, out, running: what, on what, where to, and how.
        more: called now and then for what else the progress display shows.
    """
    try:
        _run_job(job, source, out, running, more)
    except KeyboardInterrupt:
        say_error("stopped: start the same command again to go on")
        raise typer.Exit(130) from None  # it is told


def run_paid_job(
    job: "Job", source: str, out: Path, running: Running, *, server: "ChatServer", ledger: Path, account: str
) -> None:
    """Run a job that asks a chat server, as `run_job` does, and tell what it spends and has spent.

    Args:
        job, source, out, running: what, on what, where to, and how.
        server: whose key is looked for before OUT belongs to this job.
        ledger: file that keeps answers and spending.
        account: name under which it adds up what this job spends.
    """
    from budew.chat.ledger import told_spending
    from budew.chat.live import live_spending

    if running.is_here:
        server.key()
    if running.dry_run:
        run_job(job, source, out, running)
        return
    try:
        with live_spending(ledger, account) as spending:
            run_job(job, source, out, running, more=spending)
    finally:
        print(told_spending(ledger, account))


def _run_job(job: "Job", source: str, out: Path, running: Running, more: "More | None") -> None:
    if running.dry_run:
        _tell_plan(job, source, out, running)
        return
    if running.executor is Executor.local:
        summary = _run_here(job, source, out, running, more)
    else:
        summary = _run_on_cluster(job, source, out, running)
    tell(summary)
    if running.executor is Executor.slurm and summary.there < summary.units:
        print(
            "queued: squeue shows it; the same command, when it has ended, lists failures and does the rest"
        )
    raise typer.Exit(1 if summary.failures or summary.given_up else 0)


def _run_here(job: "Job", source: str, out: Path, running: Running, more: "More | None") -> "Summary":
    from budew.jobs import run

    with job_bar(job.name, *filter(None, [more])) as progress:
        return run(
            job,
            source,
            out,
            workers=running.workers,
            clips_per_shard=running.clips_per_shard,
            retry_failed=running.retry_failed,
            progress=progress,
        )


def _run_on_cluster(job: "Job", source: str, out: Path, running: Running) -> "Summary":
    from budew.jobs.cluster import Cluster, run_on_cluster

    cluster = Cluster(
        "slurm" if running.executor is Executor.slurm else "ray",
        at_once=running.at_once,
        cpus=running.cpus,
        memory_gb=running.memory_gb,
        gpus=running.gpus,
        time=running.time,
        partition=running.partition,
        environment=running.environment,
    )
    return run_on_cluster(
        job,
        source,
        out,
        cluster=cluster,
        clips_per_shard=running.clips_per_shard,
        retry_failed=running.retry_failed,
    )


def _tell_plan(job: "Job", source: str, out: Path, running: Running) -> None:
    from budew.addresses import shown
    from budew.jobs.apart import check_apart
    from budew.jobs.notes import check_claim
    from budew.jobs.runner import notes_of, pending
    from budew.jobs.units import plan_units

    units = plan_units(source, clips_per_shard=running.clips_per_shard)
    check_apart(source, units, out)
    check_claim(out, job, running.clips_per_shard)
    waiting = pending(units, notes_of(units, out), retry_failed=running.retry_failed)
    print(
        f"{job.name}: {len(waiting)} of {len(units)} shards to do, {sum(map(_size, waiting)) / 1e6:,.1f} MB"
    )
    for unit in waiting[:10]:
        print(
            f"  {visible_name(shown(str(unit.paths[0])))}"
            f"{f' and {len(unit.paths) - 1} more' * (len(unit.paths) > 1)}"
            f" → {visible_name(out / unit.name)}.tar"
        )
    if len(waiting) > 10:
        print(f"  and {len(waiting) - 10} more")


def _size(unit: Any) -> int:
    return int(unit.input().state().bytes)


def tell(summary: "Summary") -> None:
    """Print how a job ended."""
    left = summary.units - summary.there
    for name in summary.given_up:
        say_error(f"{name}: given up, for its process died again and again; the next run tries it again")
    for name in summary.strangers[:5]:
        say_error(f"warning: {summary.out / name} has no input any more, but is read: delete it")
    if summary.failures:
        say_error(f"{summary.failures:,} items failed: see {summary.out / 'failures.jsonl'}")
    if summary.filtered:
        print(f"{summary.filtered:,} were left out: see {visible_name(summary.out / 'left_out.jsonl')}")
    if any(summary.tally.values()):
        print(", ".join(f"{count:,} {name}" for name, count in summary.tally.items() if count))
    print(
        f"{summary.clips:,} clips in {visible_name(summary.out)}:"
        f" {summary.there:,} of {summary.units:,} shards, {summary.done:,} done now"
        + f", {left:,} still to do"
        * bool(left)
    )
