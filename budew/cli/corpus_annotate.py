"""Commands that annotate the clips of a corpus with profiles, and that measure them."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Option

from budew import annotation, reports
from budew.cli import options
from budew.cli.job_options import JobOptions, ServerOptions, run_job, run_paid_job
from budew.cli.options import SETTINGS, option_groups
from budew.cli.terminal import print_table, progress_bar
from budew.errors import require
from budew.reports.formatting import visible_name

beside = typer.Typer()
"""The command `budew corpus measure`."""
app = typer.Typer(
    help="Annotate each clip of a corpus with a profile: 40 emotions, vocal bursts, traits.", **SETTINGS
)


@app.command("llm", no_args_is_help=True)
@option_groups()
def annotate_by_llm(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    server: ServerOptions,
    prompt: Annotated[
        str | None,
        Option(
            metavar="FILE",
            help="Prompt file, or multi-shot: the default with examples. Default: paraphrase/annotation.yaml"
            " of this package.",
        ),
    ] = None,
    temperature: Annotated[float, Option(min=0, max=2, help="Sampling temperature; 0: greedy.")] = 0.0,
    seed: Annotated[int | None, Option(help="Random seed sent with each request.")] = 0,
    turns: Annotated[
        int, Option(min=1, help="Attempts for each clip; the problems of an invalid answer are sent back.")
    ] = 2,
    max_seconds: Annotated[
        float, Option(metavar="SECONDS", min=0.1, help="Longest clip; longer ones fail without being sent.")
    ] = 60.0,
) -> None:
    """Annotate by an audio language model on any server with an OpenAI-compatible chat API.

    The job waits while the server is overloaded or down. Answers are cached, so
    none is paid for twice. Clips that cannot be annotated are listed in
    OUT/failures.jsonl. The API key is read from the environment variable
    OPENAI_API_KEY, or the one set by --set key_variable=NAME.

    Example: budew corpus annotate llm shards/ out/ --model NAME --base-url http://localhost:8000/v1
    """
    settings = server.settings(job_options)
    job = annotation.AnnotateByLLM(
        settings,
        prompt=annotation.load_prompt(prompt),
        temperature=temperature,
        seed=seed,
        turns=turns,
        max_seconds=max_seconds,
        account=str(out.resolve()),
    )
    run_paid_job(job, source, out, job_options, server=settings, account=job.account)


@app.command("heads", no_args_is_help=True)
@option_groups(workers=0)
def annotate_by_heads(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    heads: Annotated[
        Path, Option(metavar="DIR", help="Folder of model_<Name>_best.pth files, or a .safetensors file.")
    ],
    encoder: options.HeadsEncoder = None,
    device: options.Device = None,
    batch_size: options.HeadsBatch = 16,
) -> None:
    """Annotate by regression heads on a Whisper encoder: published heads or your own.

    The heads are the files of laion/Empathic-Insight-Voice-Small, -Large or -Plus,
    or the output of budew train-heads. The encoder runs once for all heads. Clips
    that cannot be decoded are listed in OUT/failures.jsonl.

    Example: budew corpus annotate heads shards/ out/ --heads Empathic-Insight-Voice-Small/
    """
    run_job(annotation.AnnotateByHeads(heads, encoder, device, batch_size), source, out, job_options)


@app.command("labels", no_args_is_help=True)
@option_groups()
def annotate_by_labels(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    labels_from: Annotated[
        Literal["profile", "captions"] | None,
        Option(
            "--from",
            help="Use the profile stored with a clip, or parse its captions. Default: whichever exists, "
            "profile first.",
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            dir_okay=False,
            help="Use the profiles of this file instead, by clip id: JSON Lines with id and profile, such as "
            "the file that budew corpus ratings --labels writes.",
        ),
    ] = None,
) -> None:
    """Annotate by the existing labels of a corpus, by parsing its captions, or by a file of labels.

    Clips without labels are listed in OUT/failures.jsonl; with --labels, clips that
    are not in the file are listed in OUT/left_out.jsonl.

    Example: budew corpus annotate labels captioned/ out/ --from captions
    """
    run_job(annotation.AnnotateByLabels(labels_from, labels), source, out, job_options)


@beside.command("measure", no_args_is_help=True)
@option_groups()
def measure_command(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    bins: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            dir_okay=False,
            help="Bin edges for the words, such as those of another corpus. If the file does not exist, "
            "those of this corpus are written there.",
            show_default="OUT/bins.json",
        ),
    ] = None,
    overwrite: Annotated[
        bool, Option("--overwrite", help="Replace traits that a clip has from labels, heads or a model.")
    ] = False,
) -> None:
    """Measure pitch, speaking rate, loudness, noise and reverberation of each clip. Needs no model.

    The measures become columns of every export, and words of captions: pitch level,
    pace, volume, noise, distance, expressiveness. Gender, age, accent and pitch level are
    made equal in all clips of a speaker. The rate is that of the transcript, if there is one.
    About 8 times faster than real time on each CPU core. Clips that cannot be
    decoded, or are longer than two minutes, are listed in OUT/failures.jsonl.
    Next: budew corpus render, or budew corpus select --where 'snr > 20'.

    Example: budew corpus measure shards/ measured/ --bins bins.json
    """
    require("librosa", extra="corpora", purpose="budew corpus measure")
    if bins is not None and bins.exists():
        annotation.read_bins(bins)  # an error before the corpus is measured

    def describe() -> None:
        with progress_bar("describing", unit="shards  ") as bar:
            found, is_new = annotation.describe_measured(out, bins, overwrite=overwrite, progress=bar)
        print_table(reports.section_table(reports.bins_table(found)))
        path = visible_name(bins or out / "bins.json")
        print(f"bins of {found.clips:,} clips: {path}" + (" (new)" if is_new else f", of {found.corpus}"))

    run_job(annotation.Measure(), source, out, job_options, then=describe)
