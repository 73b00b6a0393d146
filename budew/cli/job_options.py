"""Options of all commands that run a job over a corpus, and the output of such jobs: progress, summary."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from typer import Option

from budew import chat, jobs
from budew.cli.terminal import progress_bar, say_error
from budew.errors import SettingsError
from budew.io.settings import Settings, load
from budew.reports.formatting import visible_name

Kind = TypeVar("Kind", bound=Settings)
PANEL = "How the job runs"


def _option(*names: str, **more: Any) -> Any:
    return Option(*names, rich_help_panel=PANEL, **more)


@dataclass(slots=True)
class JobOptions:
    """Options of every job over a corpus."""

    workers: Annotated[
        int | None, _option(min=0, help="Worker processes. Default: one per CPU core; 0: this process.")
    ] = None
    clips_per_shard: Annotated[
        int,
        _option(
            metavar="N",
            min=1,
            help="Number of clips in an output shard. If the input consists of shards, the output has the "
            "same shards.",
        ),
    ] = 500
    retry_failed: Annotated[
        bool, _option("--retry-failed", help="Process shards again in which a clip failed.")
    ] = False
    dry_run: Annotated[bool, _option("--dry-run", help="Print what would be done, without doing it.")] = False
    executor: Annotated[
        Literal["local", "slurm", "ray"] | None,
        _option(help="Run on this machine (default), or on a cluster with shared folders."),
    ] = None
    cluster: Annotated[
        Path | None,
        _option(
            metavar="FILE",
            dir_okay=False,
            help="YAML with partition, time, gpus and other settings (docs/formats.md).",
        ),
    ] = None
    changes: Annotated[
        list[str] | None,
        _option("--set", metavar="KEY=VALUE", help="Change one setting, such as gpus=1. May be repeated."),
    ] = None

    @property
    def is_here(self) -> bool:
        """Whether the job runs on this machine, not on a cluster."""
        return self.executor == "local" or (self.executor is None and self.cluster is None)

    def settings(self, kind: type[Kind], file: Path | None = None, **given: Any) -> Kind:
        """Return settings from a file, the options and `--set`.

        Args:
            kind: class of the settings. Only changes of its fields are used, and removed from `changes`.
            file: YAML file; None for the defaults.
            given: values of options by field, which replace those of the file; None is ignored.
        """
        changes = self.changes or []
        own = [change for change in changes if _field(change) in kind.model_fields]
        self.changes = [change for change in changes if change not in own]
        return load(kind, file, own, **given)

    def cluster_settings(self) -> "jobs.ClusterSettings | None":
        """Return the settings of the cluster, None if the job runs on this machine.

        Call it last: it raises an error for changes that no call of `settings` has used.

        Raises:
            SettingsError: the settings are invalid, or `--set` has a name that is no setting of this command.
        """
        if self.is_here and not self.changes:
            return None
        cluster = None
        if not self.is_here:
            cluster = self.settings(jobs.ClusterSettings, self.cluster, executor=self.executor)
        for change in self.changes or []:
            more = "; add --executor" if _field(change) in jobs.ClusterSettings.model_fields else ""
            raise SettingsError(f"--set {change}: unknown setting {_field(change)!r} of this command{more}")
        return cluster


def _field(change: str) -> str:
    return change.partition("=")[0].partition(".")[0].strip()


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Options of every command that sends requests to a server."""

    server: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            dir_okay=False,
            rich_help_panel="Server",
            help="YAML with base_url, model, prices and other settings (docs/servers.md).",
        ),
    ] = None
    base_url: Annotated[
        str | None,
        Option(
            metavar="URL",
            rich_help_panel="Server",
            help="Server with an OpenAI-compatible API, such as http://localhost:8000/v1.",
        ),
    ] = None
    model: Annotated[
        str | None,
        Option(metavar="NAME", rich_help_panel="Server", help="Name of the model on the server."),
    ] = None

    def settings(
        self, job_options: JobOptions, *, cached: bool = True, **defaults: Any
    ) -> "chat.ServerSettings":
        """Return the settings of the server: those of the file, replaced by the options and by `--set`.

        Args:
            job_options: options of the job, with the changes by `--set`.
            cached: use the cache of the user if the settings do not name a file for the cache.
            defaults: values of this command for settings that are given nowhere.
        """
        for option, given in (("--base-url", self.base_url), ("--model", self.model)):
            if self.server is None and not given:
                raise typer.BadParameter("give it, or a file with --server", param_hint=option)
        found = job_options.settings(
            chat.ServerSettings, self.server, base_url=self.base_url, model=self.model
        )
        if cached:
            defaults["cache"] = chat.default_cache()
        missing = {name: value for name, value in defaults.items() if name not in found.model_fields_set}
        return found.model_copy(update=missing)


def run_job(
    job: "jobs.Job | jobs.NumberedJob",
    source: str | range,
    out: Path,
    job_options: JobOptions,
    *,
    more: "Callable[[jobs.Progress], str] | None" = None,
    then: Callable[[], None] | None = None,
) -> None:
    """Run a job, print its summary, and exit the command: 0 for success, 1 for failures, 130 on Ctrl-C.

    Args:
        job: job to run.
        source: corpus, or range of clip numbers.
        out: folder for the shards.
        job_options: options of the command line.
        more: returns additional text for the progress bar.
        then: called when all shards are complete.
    """
    cluster, size = job_options.cluster_settings(), job_options.clips_per_shard
    try:
        plan = jobs.Plan(job, source, out, clips_per_shard=size, retry_failed=job_options.retry_failed)
        if job_options.dry_run:
            if cluster is not None:
                cluster.check_installed()
            _print_plan(plan, source)
            return
        if cluster is not None:
            summary = plan.run(cluster=cluster)
        else:
            with _job_bar(job.name, more) as progress:
                summary = plan.run(workers=job_options.workers, progress=progress)
        if then is not None and summary.complete == summary.units:
            then()
    except KeyboardInterrupt:
        say_error("stopped: run the same command again to continue")
        raise typer.Exit(130) from None
    _print_summary(summary, on_cluster=cluster is not None)
    if cluster is not None and summary.complete + len(summary.given_up) < summary.units:
        print("queued (see squeue): afterwards, the same command lists failures and queues missing shards")
    raise typer.Exit(1 if summary.failures or summary.given_up else 0)


def run_paid_job(
    job: "jobs.Job",
    source: str,
    out: Path,
    job_options: JobOptions,
    *,
    server: "chat.ServerSettings",
    account: str,
) -> None:
    """Run a job that uses a paid server, as `run_job` does, and print tokens and cost.

    The cache of answers adds up tokens and cost under the name `account`.
    """
    if job_options.is_here:
        server.key()  # an error before OUT belongs to this job
    if job_options.dry_run:
        run_job(job, source, out, job_options)
        return
    cache = server.cache or chat.default_cache()
    try:
        with closing(chat.AnswerCache(cache)) as answers:
            more = _spending_line(answers, account)
            run_job(job, source, out, job_options, more=more)
    finally:
        print(chat.spending_of(cache, account))


def _spending_line(answers: "chat.AnswerCache", account: str) -> "Callable[[jobs.Progress], str]":
    """Return a function that returns the spending of `account` as text: tokens a second, cost, total cost."""
    start, tokens = time.monotonic(), answers.spent(account).tokens

    def describe(at: "jobs.Progress") -> str:
        spent, seconds = answers.spent(account), max(0.1, time.monotonic() - start)
        line = f"{(spent.tokens - tokens) / seconds:,.0f} tokens/s"
        if spent.cost:
            line += f", cost {spent.cost:,.2f}"
            line += f" of about {spent.cost * at.of / at.units:,.2f}" if at.units else ""
        return line

    return describe


@contextmanager
def _job_bar(
    name: str, more: "Callable[[jobs.Progress], str] | None" = None
) -> "Iterator[Callable[[jobs.Progress], None]]":
    """Show the progress of a job: shards, clips, clips a second, failures, counts, `more`, time left."""
    start = time.monotonic()
    with progress_bar(name, unit="shards  ") as move:

        def show(at: "jobs.Progress") -> None:
            rate = at.clips / max(0.1, time.monotonic() - start)
            counts = _nonzero({"failed": at.failed, **at.tally})
            shown = [f"{at.clips:,} clips, {rate:,.1f}/s", *counts, more(at) if more else ""]
            move(at.units, at.of, ", ".join(filter(None, shown)))

        yield show


def _print_plan(plan: "jobs.Plan", source: str | range) -> None:
    waiting = plan.waiting
    size = sum(unit.input_state().bytes for unit in waiting)
    amount = f"{size:,} clips" if isinstance(source, range) else f"{size / 1e6:,.1f} MB"
    print(f"{plan.job.name}: {len(waiting)} of {len(plan.units)} shards to do, {amount}")
    for unit in waiting[:10]:
        print(f"  {visible_name(unit.label)} → {visible_name(plan.out / unit.name)}.tar")
    if len(waiting) > 10:
        print(f"  and {len(waiting) - 10} more")


def _print_summary(summary: "jobs.Summary", *, on_cluster: bool) -> None:
    """Print the summary of a job: failures with their reasons on stderr, the rest on stdout."""
    left = summary.units - summary.complete
    why = f"its rank failed, see {summary.out / 'logs'}" if on_cluster else "its process died repeatedly"
    for name in summary.given_up[:10]:
        say_error(f"{name}: given up, {why}; the next run tries it again")
    if len(summary.given_up) > 10:
        say_error(f"and {len(summary.given_up) - 10:,} more were given up")
    for name in summary.unexpected[:5]:
        say_error(
            f"warning: the input of {summary.out / name} no longer exists, but later steps would still read "
            "this shard: delete it"
        )
    if summary.failures:
        say_error(f"{summary.failures:,} items failed: see {summary.out / 'failures.jsonl'}")
        for reason, count in summary.reasons:
            say_error(f"{count:,} × {reason}")
    if summary.left_out:
        print(f"{summary.left_out:,} were left out: see {visible_name(summary.out / 'left_out.jsonl')}")
    if any(summary.tally.values()):
        print(", ".join(_nonzero(summary.tally)))
    remaining = f", {left:,} remaining" if left else ""
    print(
        f"{summary.clips:,} clips in {visible_name(summary.out)}:"
        f" {summary.complete:,} of {summary.units:,} shards, {summary.done:,} done now{remaining}"
    )


def _nonzero(counts: Mapping[str, int]) -> list[str]:
    """Return the counts that are not 0 as texts with their names."""
    return [f"{count:,} {name}" for name, count in counts.items() if count]
