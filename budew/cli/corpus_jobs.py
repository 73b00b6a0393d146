"""Commands that apply a job to each clip of a corpus, and write the result as shards."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from budew import corpora, curation, inference, jobs, reports, segmentation, transcription
from budew import model as models
from budew.cli import options
from budew.cli.job_options import JobOptions, run_job
from budew.cli.options import option_groups
from budew.cli.rendering_options import RenderingOptions
from budew.cli.terminal import progress_bar, refuse_to_replace, say_error
from budew.errors import require

app = typer.Typer()


@app.command("convert", no_args_is_help=True)
@option_groups()
def convert_command(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    max_seconds: Annotated[
        float,
        Option(
            metavar="SECONDS",
            min=0.1,
            help="Longest recording; longer ones fail (cut them first: budew corpus segment).",
        ),
    ] = 600.0,
    keep_damaged: Annotated[
        bool, Option("--keep-damaged", help="Accept damaged clips, with the audio that can be decoded.")
    ] = False,
) -> None:
    """Read any corpus, check each clip by decoding it, and write WebDataset shards.

    Items that cannot be read or decoded are listed in OUT/failures.jsonl, the
    others are processed, and the exit status is 1. Run the same command again to
    resume a job that was stopped or killed; the result is the same.

    Example: budew corpus convert recordings/ shards/ --workers 8
    """
    run_job(jobs.Convert(max_seconds=max_seconds, keep_damaged=keep_damaged), source, out, job_options)


@app.command("render", no_args_is_help=True)
@option_groups()
def render_corpus_command(
    source: options.Corpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    rendering: RenderingOptions,
    per_clip: Annotated[int, Option(min=1, help="Number of captions for each clip.")] = 1,
) -> None:
    """Write captions of each clip from templates, according to its profile.

    The wording depends only on the seed and the id of the clip. Clips without
    a profile are listed in OUT/failures.jsonl.

    Example: budew corpus render shards/ captioned/ --per-clip 4 --seed 7
    """
    baseline, min_z = rendering.salience()
    job = jobs.Render(rendering.seed, per_clip, rendering.style, rendering.selection(), baseline, min_z)
    run_job(job, source, out, job_options)


@dataclass(frozen=True, slots=True)
class CuttingOptions:
    """Options for the places where recordings are cut, and for the clips to keep."""

    min_seconds: Annotated[
        float | None,
        Option(
            "--min",
            metavar="SECONDS",
            help="Shortest clip; shorter ones are left out.",
            show_default="1",
        ),
    ] = None
    max_seconds: Annotated[
        float | None,
        Option(
            "--max",
            metavar="SECONDS",
            help="Longest clip; longer speech is divided, at a pause if possible.",
            show_default="30",
        ),
    ] = None
    pad: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help="Audio to keep before and after speech; at most half of the pause.",
            show_default="0.1",
        ),
    ] = None
    max_pause: Annotated[
        float | None,
        Option(metavar="SECONDS", help="Longest pause within a clip.", show_default="0.5"),
    ] = None
    language: Annotated[
        list[str] | None,
        Option(metavar="TAG", help="Keep only clips in this language, such as en. May be repeated."),
    ] = None
    language_model: Annotated[
        str | None,
        Option(
            metavar="DIR|HUB-ID", help="Multilingual Whisper that detects the language of clips without one."
        ),
    ] = None
    keep: Annotated[
        list[str] | None,
        Option(metavar="NAME", help="Metadata field to copy from the recording. May be repeated."),
    ] = None


@app.command("segment", no_args_is_help=True)
@option_groups(clips_per_shard=10)
def segment_command(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    cuts: CuttingOptions,
) -> None:
    """Cut recordings of any length into clips of speech, as FLAC at their own sampling rate.

    The metadata of a clip has its recording, start and end, level, clipping and
    noise. Damaged recordings are listed in OUT/failures.jsonl, excluded clips in
    OUT/left_out.jsonl. With --clips-per-shard 1 each recording has its own shard
    and worker, which suits recordings of hours. --set also takes threshold, exit_threshold, min_speech,
    max_clipped, min_rms_dbfs, min_snr_db and bits. Next: budew caption OUT.

    Example: budew corpus segment podcasts/ clips/ --max 20 --language en
    """
    require("onnxruntime", extra="corpora", purpose="budew corpus segment")
    settings = job_options.settings(
        segmentation.SegmentSettings,
        min_seconds=cuts.min_seconds,
        max_seconds=cuts.max_seconds,
        pad=cuts.pad,
        max_pause=cuts.max_pause,
        languages=cuts.language,
        language_model=cuts.language_model,
        keep=cuts.keep,
    )
    run_job(segmentation.Segment(settings), source, out, job_options)


@app.command("transcribe", no_args_is_help=True)
@option_groups(workers=0)
def transcribe_command(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    model: Annotated[
        str,
        Option(metavar="DIR|HUB-ID", help="Whisper checkpoint: a folder, or a name on the Hugging Face hub."),
    ] = "openai/whisper-small",
    language: Annotated[
        str | None,
        Option(
            metavar="TAG",
            help="Language of clips without one, such as en. Default: detected by the checkpoint.",
        ),
    ] = None,
    again: Annotated[
        bool, Option("--again", help="Also transcribe clips that have a transcript, and replace it.")
    ] = False,
    device: options.Device = None,
    batch_size: Annotated[int, Option(min=1, help="Windows in each batch; larger is faster.")] = 16,
) -> None:
    """Transcribe each clip that has no transcript, with any Whisper checkpoint.

    Clips that cannot be decoded, or are in a language that the checkpoint does not
    support, are listed in OUT/failures.jsonl. Next: budew corpus export --to
    parler, or another text-to-speech format.

    Example: budew corpus transcribe shards/ transcribed/ --model openai/whisper-large-v3-turbo
    """
    job = transcription.Transcribe(transcription.Transcriber(model, device, batch_size), language, again)
    if job_options.is_here and not (job_options.dry_run and models.is_on_hub(model)):
        job.transcriber.require_languages([job.language])  # an error before OUT belongs to this job
    run_job(job, source, out, job_options)


@app.command("select", no_args_is_help=True)
@option_groups()
def select_command(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    splits: Annotated[
        Path | None, Option(metavar="FILE", dir_okay=False, help="File written by budew corpus split.")
    ] = None,
    part: Annotated[str, Option(metavar="NAME", help="Part to write, such as train.")] = "",
    license: Annotated[
        list[str] | None,
        Option(
            metavar="NAME",
            help="Licence of the clips to write, repeatable. * stands for any characters and [0-9] for a "
            "digit: 'CC-BY-[0-9]*' is CC BY without NC, ND or SA. Clips without a licence: 'not stated'.",
        ),
    ] = None,
    without: Annotated[
        str | None,
        Option(metavar="CORPUS", help="Leave out clips that occur in this corpus: see budew corpus overlap."),
    ] = None,
    where: Annotated[
        str,
        Option(
            metavar="CONDITION",
            help="Condition on columns of the clips: fields, metadata, traits, emotions, bursts. Comparisons "
            "with in, and, or, not, parentheses; `backticks` or quotes around names such as `Hope/Optimism`.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Write one part of a split, clips of some licences, on a condition, or not in another corpus, as shards.

    Clips are copied unchanged. Licences are compared as budew corpus stats lists them.
    --where 'snr > 20 and duration < 15' uses what budew corpus measure found; --where
    'language in ("de", "en") and not Anger > 0.5' uses fields and emotions. A clip whose
    value is unknown is not written.

    Speakers that the file does not list are assigned to a part by a hash of their
    name. A warning says how many of the first 1,000 clips have such speakers. If
    the file lists no clip of the corpus, the command ends with an error.

    With --without TEST, training data have no clip of a test set in them: not its
    samples, its sound (re-encoded, cut, softened or noisy) nor the name of its file.

    Example: budew corpus select shards/ free/ --license CC0-1.0 --license 'CC-BY-[0-9]*'
    """
    found = None if splits is None else curation.read_splits(splits)
    if where:
        curation.check_columns(where, source)
    left_out = None if without is None else _overlapping(source, without, job_options.workers)
    job = curation.Select(found, part, tuple(license or ()), left_out, where)
    if found is not None and (warning := curation.unknown_to(found, source)):
        say_error(f"warning: {splits}: {warning}")
    if license and (warning := curation.unmatched_licenses(license, source)):
        say_error(f"warning: {warning}")
    run_job(job, source, out, job_options)


def _overlapping(source: str, other: str, workers: int | None) -> frozenset[str]:
    """Return the ids of the clips of a corpus that occur in another one."""
    count = os.cpu_count() or 1 if workers is None else workers
    with progress_bar("comparing") as bar:
        found = curation.find_overlap(source, other, workers=count, on_bad=say_error, progress=bar)
    clips = frozenset(id for _, id, _ in found.pairs)
    print(f"{len(clips):,} of {found.train_clips:,} clips occur in {found.test} and are left out")
    return clips


@dataclass(frozen=True, slots=True)
class PreviewOptions:
    """Options for a preview: captions of some clips only, with a page."""

    limit: Annotated[
        int | None,
        Option(
            metavar="N",
            min=1,
            help="Preview: caption only the first N clips, and write a page, OUT/look.html.",
        ),
    ] = None
    sample: Annotated[
        int | None, Option(metavar="N", min=1, help="Preview of N random clips instead of the first ones.")
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
            help="Number of captions for each clip. 1: the most probable caption; more: K sampled captions, "
            "and their mean as profile.",
        ),
    ] = 1,
    keep_profile: Annotated[
        bool, Option("--keep-profile", help="Keep the profile of clips that have one.")
    ] = False,
) -> None:
    """Caption each clip with a model; the parsed captions become the profile of the clip.

    The audio is copied unchanged. Earlier captions by a model are replaced, others
    are kept. Clips that cannot be decoded are listed in OUT/failures.jsonl. Each
    worker loads the model once; use one worker for each GPU. The page of a preview
    shows players, captions, distributions, and the clips whose captions disagree
    most with their earlier profiles.

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
    """Run a job on some clips, and write the shard and the page of the preview."""
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
