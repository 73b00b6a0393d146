"""Commands that annotate the clips of a corpus with profiles, and that measure their acoustics."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from budew.cli import options
from budew.cli.job_options import Running, Server, run_job, run_paid_job
from budew.cli.options import SETTINGS, PrintedErrors
from budew.cli.terminal import print_table, progress_bar, refuse_to_replace
from budew.errors import require
from budew.reports.visible_text import visible_name

MeasuredCorpus = Annotated[str, Argument(metavar="MEASURED", help="Output of budew corpus measure.")]
beside = typer.Typer()
"""Commands of `budew corpus` that measure, and compute thresholds."""
app = typer.Typer(
    help="Annotate each clip of a corpus with a profile: 40 emotions, vocal bursts, traits.", **SETTINGS
)


@app.command(no_args_is_help=True)
@options.option_groups()
def llm(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    server: Server,
    prompt: Annotated[
        Path | None,
        Option(metavar="FILE", help="Prompt file. Default: paraphrase/annotation.yaml of this package."),
    ] = None,
    temperature: Annotated[float, Option(min=0, max=2, help="Sampling temperature; 0: greedy.")] = 0.0,
    seed: Annotated[int | None, Option(help="Random seed sent with each request.")] = 0,
    turns: Annotated[
        int, Option(min=1, help="Attempts for each clip; the problems of an invalid answer are sent back.")
    ] = 2,
    max_seconds: Annotated[
        float, Option(metavar="SECONDS", min=0.1, help="Longer clips fail without being sent.")
    ] = 60.0,
) -> None:
    """Annotate by an audio language model on any server with an OpenAI-compatible chat API.

    The job waits while the server is overloaded or down. Answers are cached and
    never paid for twice. Clips that cannot be annotated are listed in
    OUT/failures.jsonl. The API key is read from the environment variable
    OPENAI_API_KEY, or the one set by --set key_variable=NAME.

    Example: budew corpus annotate llm shards/ out/ --model NAME --base-url http://localhost:8000/v1
    """
    from budew.annotation.llm import AnnotateByLLM
    from budew.annotation.llm_protocol import load_prompt

    settings = server.settings(running)
    job = AnnotateByLLM(
        settings,
        prompt=load_prompt(prompt),
        temperature=temperature,
        seed=seed,
        turns=turns,
        max_seconds=max_seconds,
        account=str(out.resolve()),
    )
    run_paid_job(job, source, out, running, server=settings, account=job.account)


@app.command(no_args_is_help=True)
@options.option_groups(workers=0)
def heads(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    heads: Annotated[
        Path, Option(metavar="DIR", help="Folder of model_<Name>_best.pth files, or a .safetensors file.")
    ],
    encoder: options.HeadsEncoder = None,
    device: options.Device = None,
    batch_size: options.HeadsBatch = 16,
) -> None:
    """Annotate by regression heads on a Whisper encoder, published ones or your own.

    Takes the files of laion/Empathic-Insight-Voice-Small, -Large or -Plus, or the
    output of budew train-heads. All heads share one encoder pass. Clips that
    cannot be decoded are listed in OUT/failures.jsonl.

    Example: budew corpus annotate heads shards/ out/ --heads Empathic-Insight-Voice-Small/
    """
    from budew.annotation.head_annotator import AnnotateByHeads

    run_job(AnnotateByHeads(heads, encoder, device, batch_size), source, out, running)


@app.command(no_args_is_help=True)
@options.option_groups()
def labels(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
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
            "budew corpus ratings --labels writes.",
        ),
    ] = None,
) -> None:
    """Annotate by the existing labels of a corpus, by parsing its captions, or by a file of labels.

    Clips without labels are listed in OUT/failures.jsonl, and those that a file has
    no label of in OUT/left_out.jsonl.

    Example: budew corpus annotate labels captioned/ out/ --from captions
    """
    from budew.annotation.existing_labels import AnnotateByLabels

    run_job(AnnotateByLabels(labels_from, labels), source, out, running)


@app.command(no_args_is_help=True)
@options.option_groups()
def measures(
    source: MeasuredCorpus,
    out: options.CorpusFolder,
    running: Running,
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
    from budew.annotation.quantile_thresholds import AnnotateByMeasures

    run_job(AnnotateByMeasures(thresholds, overwrite), source, out, running)


@beside.command(no_args_is_help=True)
@options.option_groups()
def measure(source: options.AnyCorpus, out: options.CorpusFolder, running: Running) -> None:
    """Measure pitch, speaking rate, pauses, loudness and noise of each clip. Needs no model.

    The measures are stored in the metadata. About 45 times real time on each CPU
    core. Clips that cannot be decoded, or are longer than two minutes, are listed
    in OUT/failures.jsonl. Next: budew corpus thresholds.

    Example: budew corpus measure shards/ measured/
    """
    require("librosa", extra="corpora", purpose="budew corpus measure")
    from budew.annotation.acoustic_measures import Measure

    run_job(Measure(), source, out, running)


@beside.command(no_args_is_help=True)
def thresholds(
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
            "--by-gender/--across-genders", help="Compute pitch thresholds for each gender, or for all clips."
        ),
    ] = True,
    by_language: Annotated[
        bool,
        Option(
            "--by-language/--across-languages",
            help="Compute pace thresholds for each language, or for all clips.",
        ),
    ] = True,
) -> None:
    """Compute the quantile thresholds of a measured corpus, for annotate measures.

    Groups with fewer than 20 clips use the thresholds of all clips. If a clip
    cannot be read, the exit status is 1.

    Example: budew corpus thresholds measured/ --json thresholds.json
    """
    from budew.annotation.quantile_thresholds import corpus_thresholds
    from budew.corpora.sources import files_read
    from budew.reports.label_tables import thresholds_table

    refuse_to_replace(files_read(measured), json)
    bad = PrintedErrors()
    with progress_bar("reading") as bar:
        found = corpus_thresholds(
            measured, by_gender=by_gender, by_language=by_language, on_bad=bad, progress=bar
        )
    found.write(json)
    print_table(thresholds_table(found))
    print(f"thresholds of {found.clips} clips: {visible_name(json)}")
    raise typer.Exit(bad.status)
