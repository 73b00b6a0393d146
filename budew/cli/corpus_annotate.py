"""Commands that annotate the clips of a corpus with profiles, and that compute acoustic measures."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from budew import annotation, corpora, reports
from budew.cli import options
from budew.cli.job_options import JobOptions, ServerOptions, run_job, run_paid_job
from budew.cli.options import SETTINGS, option_groups
from budew.cli.terminal import PrintedErrors, print_table, progress_bar, refuse_to_replace
from budew.errors import require
from budew.reports.formatting import visible_name

MeasuredCorpus = Annotated[str, Argument(metavar="MEASURED", help="Output of budew corpus measure.")]
beside = typer.Typer()
"""The commands `budew corpus measure` and `budew corpus thresholds`."""
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


@app.command("measures", no_args_is_help=True)
@option_groups()
def annotate_by_measures(
    source: MeasuredCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    thresholds: Annotated[
        Path, Option(metavar="FILE", dir_okay=False, help="Thresholds written by budew corpus thresholds.")
    ],
    overwrite: Annotated[bool, Option("--overwrite", help="Replace traits that a clip already has.")] = False,
) -> None:
    """Turn acoustic measures into traits: pace, pitch, expressiveness, background noise.

    Existing traits are kept. Clips without measures are listed in
    OUT/failures.jsonl.

    Example: budew corpus annotate measures measured/ out/ --thresholds thresholds.json
    """
    run_job(annotation.AnnotateByMeasures(thresholds, overwrite), source, out, job_options)


@beside.command("measure", no_args_is_help=True)
@option_groups()
def measure_command(source: options.AnyCorpus, out: options.CorpusFolder, job_options: JobOptions) -> None:
    """Measure pitch, speaking rate, pauses, loudness and noise of each clip. Needs no model.

    The measures are stored in the metadata. About 45 times faster than real time on
    each CPU core. Clips that cannot be decoded, or are longer than two minutes, are listed
    in OUT/failures.jsonl. Next: budew corpus thresholds.

    Example: budew corpus measure shards/ measured/
    """
    require("librosa", extra="corpora", purpose="budew corpus measure")
    run_job(annotation.Measure(), source, out, job_options)


@beside.command("thresholds", no_args_is_help=True)
def thresholds_command(
    measured: MeasuredCorpus,
    json: Annotated[
        Path,
        Option(
            metavar="FILE",
            dir_okay=False,
            help="Write the thresholds here, for annotate measures --thresholds.",
        ),
    ],
    by_gender: Annotated[
        bool,
        Option(
            "--by-gender/--across-genders",
            help="Compute pitch thresholds for each gender, or the same thresholds for all clips.",
        ),
    ] = True,
    by_language: Annotated[
        bool,
        Option(
            "--by-language/--across-languages",
            help="Compute pace thresholds for each language, or the same thresholds for all clips.",
        ),
    ] = True,
) -> None:
    """Compute the quantile thresholds of a measured corpus, for annotate measures.

    Groups with fewer than 20 clips use the thresholds of all clips. If a clip
    cannot be read, the exit status is 1.

    Example: budew corpus thresholds measured/ --json thresholds.json
    """
    refuse_to_replace(corpora.files_read(measured), json)
    bad = PrintedErrors()
    with progress_bar("reading") as bar:
        found = annotation.corpus_thresholds(
            measured, by_gender=by_gender, by_language=by_language, on_bad=bad, progress=bar
        )
    found.write(json)
    print_table(reports.section_table(reports.thresholds_table(found)))
    print(f"thresholds of {found.clips} clips: {visible_name(json)}")
    raise typer.Exit(bad.status)
