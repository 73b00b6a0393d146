"""Commands that give the clips of a corpus profiles, and those that measure and train heads for them."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from budew.cli import options
from budew.cli.options import SETTINGS
from budew.cli.printed_errors import PrintedErrors
from budew.cli.running import Running, Server, run_job, run_paid_job
from budew.extras import require
from budew.terminal import print_table, progress_bar, refuse_to_replace, visible_name

MeasuredCorpus = Annotated[
    str, Argument(metavar="MEASURED", help="Clips as budew corpus measure writes them.")
]
beside = typer.Typer()
"""Commands of `budew corpus` that measure, and find thresholds."""
app = typer.Typer(help="Give each clip of a corpus a profile: 40 emotions, vocal bursts, traits.", **SETTINGS)


@app.command(no_args_is_help=True)
@options.option_groups()
def llm(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    server: Server,
    prompt: Annotated[
        Path | None,
        Option(metavar="FILE", help="Ask this; left out, paraphrase/annotation.yaml of this package."),
    ] = None,
    temperature: Annotated[float, Option(min=0, max=2, help="0 for the likeliest answer.")] = 0.0,
    seed: Annotated[int | None, Option(help="Sent along to the model.")] = 0,
    turns: Annotated[
        int, Option(min=1, help="Answers of the model to a clip: what is wrong with one is sent back.")
    ] = 2,
    max_seconds: Annotated[
        float, Option(metavar="SECONDS", min=0.1, help="Longer clips are not sent.")
    ] = 60.0,
) -> None:
    """Ask an audio language model, on any server that speaks the OpenAI chat protocol.

    The job waits for a server that is overloaded or down, and never asks or pays
    for an answer twice. What cannot be annotated is listed in OUT/failures.jsonl.
    The key comes from the environment.

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
        Path, Option(metavar="DIR", help="Folder of model_<Name>_best.pth, or a .safetensors file.")
    ],
    encoder: options.HeadsEncoder = None,
    device: options.Device = None,
    batch_size: options.HeadsBatch = 16,
) -> None:
    """Score each clip by regression heads on a Whisper encoder, published ones or your own.

    Takes a folder as laion/Empathic-Insight-Voice-Small, -Large or -Plus has it,
    or one of budew train-heads. All heads share one pass of the encoder.
    What cannot be decoded is listed in OUT/failures.jsonl.

    Example: budew corpus annotate heads shards/ out/ --heads Empathic-Insight-Voice-Small/
    """
    from budew.annotation.heads import AnnotateByHeads

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
            help="The profile that a clip is read with, or its captions; left out, the first that it has.",
        ),
    ] = None,
) -> None:
    """Keep the labels that a corpus has, or parse its captions into profiles.

    Clips without labels are listed in OUT/failures.jsonl.

    Example: budew corpus annotate labels captioned/ out/ --from captions
    """
    from budew.annotation.labels import AnnotateByLabels

    run_job(AnnotateByLabels(labels_from), source, out, running)


@app.command(no_args_is_help=True)
@options.option_groups()
def measures(
    source: MeasuredCorpus,
    out: options.CorpusFolder,
    running: Running,
    bins: Annotated[
        Path, Option(metavar="FILE", dir_okay=False, help="Thresholds, as budew corpus bins writes them.")
    ],
    overwrite: Annotated[
        bool, Option("--overwrite", help="Let measures replace traits that a clip has.")
    ] = False,
) -> None:
    """Turn measures into traits: pace, high- or low-pitched, monotone or expressive, noisy or not.

    Traits that a clip has are kept. Clips that were not measured are listed in
    OUT/failures.jsonl.

    Example: budew corpus annotate measures measured/ out/ --bins bins.json
    """
    from budew.annotation.thresholds import AnnotateByMeasures

    run_job(AnnotateByMeasures(bins, overwrite), source, out, running)


@beside.command(no_args_is_help=True)
@options.option_groups()
def measure(source: options.AnyCorpus, out: options.CorpusFolder, running: Running) -> None:
    """Measure pitch, rate, pauses, loudness and noise of each clip, with no model, into its metadata.

    About 45 times real time on each processor. What cannot be decoded, or is
    longer than two minutes, is listed in OUT/failures.jsonl. Next: budew corpus bins.

    Example: budew corpus measure shards/ measured/
    """
    require("librosa", extra="corpora", purpose="budew corpus measure")
    from budew.annotation.measure import Measure

    run_job(Measure(), source, out, running)


@beside.command(no_args_is_help=True)
def bins(
    measured: MeasuredCorpus,
    json: Annotated[Path, Option(metavar="FILE", dir_okay=False, help="Write the thresholds here.")],
    by_gender: Annotated[
        bool, Option("--by-gender/--across-genders", help="Thresholds of pitch for each gender, or for all.")
    ] = True,
    by_language: Annotated[
        bool,
        Option("--by-language/--across-languages", help="Thresholds of pace for each language, or for all."),
    ] = True,
) -> None:
    """Find the quantile thresholds of a measured corpus, for annotate measures.

    Pitch is compared among clips of the same gender, and pace in the same
    language, unless they are taken together. Exit status 1 where a clip cannot be
    read.

    Example: budew corpus bins measured/ --json bins.json
    """
    from budew.annotation.thresholds import corpus_thresholds
    from budew.corpora.sources import files_read
    from budew.reports.annotation_tables import thresholds_table

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
