"""Commands that give the clips of a corpus profiles, and those that measure and train heads for them."""

import typer

from budew.cli import annotation_options, options, server_options
from budew.cli.options import SETTINGS
from budew.cli.printed_errors import PrintedErrors
from budew.cli.running import Running, job_command, run_job, run_paid_job
from budew.extras import require
from budew.terminal import print_table, progress_bar, refuse_to_replace, say_error, visible_name

beside = typer.Typer()
"""Commands of `budew corpus` that measure, and find thresholds."""
top = typer.Typer()
"""The command `budew train-heads`."""
app = typer.Typer(help="Give each clip of a corpus a profile: 40 emotions, vocal bursts, traits.", **SETTINGS)


@app.command(no_args_is_help=True)
@job_command()
def llm(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    server: server_options.ServerFile = None,
    base_url: server_options.BaseUrl = None,
    model: server_options.ServerModel = None,
    prompt: annotation_options.PromptFile = None,
    temperature: annotation_options.Temperature = 0.0,
    seed: annotation_options.ChatSeed = 0,
    turns: annotation_options.Turns = 2,
    max_seconds: annotation_options.LongestSent = 60.0,
) -> None:
    """Ask an audio language model, on any server that speaks the OpenAI chat protocol.

    The job waits for a server that is overloaded or down, and never asks or pays
    for an answer twice. What cannot be annotated is listed in OUT/failures.jsonl.
    The key comes from the environment.

    Example: budew corpus annotate llm shards/ out/ --model NAME --base-url http://localhost:8000/v1
    """
    from budew.annotation.llm import AnnotateByLLM
    from budew.annotation.llm_protocol import load_prompt

    settings = server_options.server_settings(running, server, base_url, model)
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
@job_command(workers=0)
def heads(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    heads: annotation_options.HeadsPlace,
    encoder: annotation_options.HeadsEncoder = None,
    device: options.Device = None,
    batch_size: annotation_options.HeadsBatch = 16,
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
@job_command()
def labels(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    labels_from: annotation_options.LabelsFrom = None,
) -> None:
    """Keep the labels that a corpus has, or parse its captions into profiles.

    Clips without labels are listed in OUT/failures.jsonl.

    Example: budew corpus annotate labels captioned/ out/ --from captions
    """
    from budew.annotation.labels import AnnotateByLabels

    run_job(AnnotateByLabels(labels_from.value if labels_from else None), source, out, running)


@app.command(no_args_is_help=True)
@job_command()
def measures(
    source: annotation_options.MeasuredCorpus,
    out: options.CorpusFolder,
    running: Running,
    bins: annotation_options.BinsRead,
    overwrite: annotation_options.OverwriteTraits = False,
) -> None:
    """Turn measures into traits: pace, high- or low-pitched, monotone or expressive, noisy or not.

    Traits that a clip has are kept. Clips that were not measured are listed in
    OUT/failures.jsonl.

    Example: budew corpus annotate measures measured/ out/ --bins bins.json
    """
    from budew.annotation.thresholds import AnnotateByMeasures

    run_job(AnnotateByMeasures(bins, overwrite), source, out, running)


@beside.command(no_args_is_help=True)
@job_command()
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
    measured: annotation_options.MeasuredCorpus,
    json: annotation_options.BinsFile,
    by_gender: annotation_options.ByGender = True,
    by_language: annotation_options.ByLanguage = True,
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
            measured,
            by_gender=by_gender,
            by_language=by_language,
            on_bad=bad,
            progress=lambda done: bar(done, None),
        )
    found.write(json)
    print_table(thresholds_table(found))
    print(f"thresholds of {found.clips} clips: {visible_name(json)}")
    raise typer.Exit(bad.status)


@top.command(no_args_is_help=True)
def train_heads(
    corpus: options.Corpus,
    out: annotation_options.HeadsFolder,
    encoder: annotation_options.HeadsEncoder = None,
    seed: annotation_options.HeadsSeed = 0,
    device: options.Device = None,
    batch_size: annotation_options.HeadsBatch = 16,
) -> None:
    """Train regression heads on the encoder of a Whisper checkpoint, for corpus annotate heads.

    A head is made for each emotion and voice attribute that occurs often enough,
    and kept if it predicts unknown speakers better than the mean does. Exit
    status 1 where a clip cannot be read.

    Example: budew train-heads data/train/ heads/ --encoder runs/short/checkpoint
    """
    from budew.annotation.head_stack import Fitting
    from budew.annotation.train_heads import train_heads as train
    from budew.reports.annotation_tables import quality_table, rare_line

    bad = PrintedErrors()
    with progress_bar("encoding") as bar:
        trained = train(
            corpus,
            out,
            encoder=encoder,
            fitting=Fitting(seed=seed),
            device=device,
            batch_size=batch_size,
            on_bad=bad,
            progress=lambda done: bar(done, None),
        )
    print_table(quality_table(trained))
    if trained.bare or trained.unjudged or trained.cut:
        say_error(
            f"clips without a profile: {trained.bare}, with unknown emotions: {trained.unjudged}, "
            f"longer than the window: {trained.cut}"
        )
    print(
        f"heads: {len(trained.heads)}, clips: {trained.clips}, too rare: {len(trained.rare)},"
        f" in {visible_name(out)}"
    )
    if trained.rare:
        print(rare_line(trained))
    raise typer.Exit(bad.status)
