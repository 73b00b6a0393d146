"""`budew corpus caption`: a corpus is captioned by a model, or a few clips of it for a preview."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from budew.cli import options
from budew.cli.job_options import Running, run_job
from budew.cli.terminal import refuse_to_replace, say_error

if TYPE_CHECKING:
    from budew.jobs import Job

app = typer.Typer()


@app.command(no_args_is_help=True)
@options.option_groups(workers=0)
def caption(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    model: options.ModelChoice,
    writing: options.Writing,
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
    limit: Annotated[
        int | None,
        Option(
            metavar="N",
            min=1,
            help="A preview: only the first N clips, and a page of them, OUT/look.html.",
        ),
    ] = None,
    sample: Annotated[
        int | None, Option(metavar="N", min=1, help="A preview of N clips drawn at random, instead.")
    ] = None,
    seed: Annotated[int, Option(metavar="S", help="Random seed of --sample.")] = 0,
) -> None:
    """Caption each clip with a model; its profile becomes what the captions say.

    The audio is copied unchanged. Captions that a model wrote before are replaced,
    others are kept. Clips that cannot be decoded are listed in OUT/failures.jsonl.
    A worker loads the model once; on a GPU, use one worker for each. The page of a
    preview shows players, captions, distributions, and the clips whose caption
    disagrees most with the profile that they had.

    Example: budew corpus caption clips/ captioned/ --model laion/BUD-E-Whisper --captions 4
    """
    from budew.inference.caption_corpus import CaptionClips
    from budew.model.checkpoint import default_checkpoint, is_on_hub

    chosen = model.options()
    if chosen.checkpoints == (None,):  # workers may have another environment
        chosen = replace(chosen, checkpoint=default_checkpoint())
    job = CaptionClips(chosen, writing.options(captions if captions > 1 else 0), keep_profile)
    if running.is_here and not (
        running.dry_run and any(is_on_hub(one) for one in chosen.checkpoints if one is not None)
    ):
        job.captioner()  # an error before OUT belongs to this job
    if limit or sample:
        _look(job, source, out, limit, sample, seed)
        return
    run_job(job, source, out, running)


def _look(job: "Job", source: str, out: Path, limit: int | None, sample: int | None, seed: int) -> None:
    """Run a job on some clips, and write shard and page of a preview."""
    from budew.corpora.shards import write_shard
    from budew.corpora.sources import files_read
    from budew.curation.inspection import EXAMPLES, inspect_corpus
    from budew.curation.preview import preview_job
    from budew.reports.corpus_page import corpus_html
    from budew.reports.page import write_page

    shard, page = out / "look.tar", out / "look.html"
    refuse_to_replace(files_read(source), shard, page)
    found = preview_job(source, job, limit=limit, sample=sample, seed=seed)
    for id, reason in found.failures:
        say_error(f"{id}: {reason}")
    out.mkdir(parents=True, exist_ok=True)
    write_shard(shard, found.clips)
    html = corpus_html(inspect_corpus(shard), found.disagreements(EXAMPLES // 2))
    print(f"{len(found.clips)} clips in {shard}\npage: {write_page(html, page).resolve().as_uri()}")
    raise typer.Exit(1 if found.failures else 0)
