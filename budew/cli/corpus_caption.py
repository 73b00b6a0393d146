"""`budew corpus caption`: a corpus is captioned by a model, or a few clips of it for a preview."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from budew import corpora, curation, inference, jobs, reports
from budew import model as models
from budew.cli import options
from budew.cli.job_options import JobOptions, run_job
from budew.cli.option_groups import option_groups
from budew.cli.terminal import refuse_to_replace, say_error

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class PreviewOptions:
    """Whether only some clips are captioned, with a page of them."""

    limit: Annotated[
        int | None,
        Option(
            metavar="N",
            min=1,
            help="A preview: only the first N clips, and a page of them, OUT/look.html.",
        ),
    ] = None
    sample: Annotated[
        int | None, Option(metavar="N", min=1, help="A preview of N clips drawn at random, instead.")
    ] = None
    seed: Annotated[int, Option(metavar="S", help="Random seed of --sample.")] = 0


@app.command("caption", no_args_is_help=True)
@option_groups(workers=0)
def caption_corpus(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    model: options.ModelChoice,
    writing: options.Writing,
    preview: PreviewOptions,
    captions: Annotated[
        int,
        Option(
            metavar="K",
            min=1,
            max=256,
            help="Captions of each clip: the likeliest, or K sampled ones with their consensus as profile.",
        ),
    ] = 1,
    keep_profile: Annotated[
        bool, Option("--keep-profile", help="Keep the profile of clips that have one.")
    ] = False,
) -> None:
    """Caption each clip with a model; its profile becomes what the captions say.

    The audio is copied unchanged. Captions that a model wrote before are replaced,
    others are kept. Clips that cannot be decoded are listed in OUT/failures.jsonl.
    A worker loads the model once; on a GPU, use one worker for each. The page of a
    preview shows players, captions, distributions, and the clips whose caption
    disagrees most with the profile that they had.

    Example: budew corpus caption clips/ captioned/ --model laion/BUD-E-Whisper --captions 4
    """
    chosen = model.options()
    if chosen.checkpoints == (None,):  # workers may have another environment
        chosen = replace(chosen, checkpoint=models.default_checkpoint())
    job = inference.CaptionClips(chosen, writing.options(captions if captions > 1 else 0), keep_profile)
    checkpoints = [checkpoint for checkpoint in chosen.checkpoints if checkpoint is not None]
    if job_options.is_here and not (job_options.dry_run and any(map(models.is_on_hub, checkpoints))):
        job.captioner()  # an error before OUT belongs to this job
    if preview.limit or preview.sample:
        _write_preview(job, source, out, preview)
        return
    run_job(job, source, out, job_options)


def _write_preview(job: "jobs.Job", source: str, out: Path, preview: PreviewOptions) -> None:
    """Run a job on some clips, and write shard and page of a first look."""
    shard, page = out / "look.tar", out / "look.html"
    refuse_to_replace(corpora.files_read(source), shard, page)
    found = curation.preview_job(source, job, limit=preview.limit, sample=preview.sample, seed=preview.seed)
    for id, reason in found.failures:
        say_error(f"{id}: {reason}")
    out.mkdir(parents=True, exist_ok=True)
    corpora.write_shard(shard, found.clips)
    disagreements = found.disagreements(curation.EXAMPLES // 2)
    report = reports.inspection_report(curation.inspect_corpus(shard), disagreements)
    reports.write_page(reports.report_html(report), page)
    print(f"{len(found.clips)} clips in {shard}\npage: {page.resolve().as_uri()}")
    raise typer.Exit(1 if found.failures else 0)
