"""Commands that make speech: synthesized with known profiles, or acted after a plan."""

from typing import Annotated, Literal

import typer
from typer import Option

from budew.cli import options
from budew.cli.running import Running, Server, run_job
from budew.extras import require
from budew.terminal import print_table

app = typer.Typer()


@app.command(no_args_is_help=True)
@options.option_groups()
def synthesize(
    out: options.CorpusFolder,
    running: Running,
    clips: options.Clips,
    seed: options.CorpusSeed = 0,
    split: Annotated[
        Literal["train", "validation", "test"],
        Option(help="Which voices to use; the three splits have no voice in common."),
    ] = "train",
) -> None:
    """Make synthetic emotional speech in four languages, with its profiles, as WebDataset shards.

    About 50 clips per second on each CPU core. Run the same command again to
    resume. To listen: tar xf data/train/train-00000.tar

    Example: budew corpus synthesize data/train --clips 16000 --seed 1
    """
    for library in ("scipy", "espeakng_loader"):
        require(library, extra="train", purpose="budew corpus synthesize")
    from budew.synthesis.corpus import Synthesis

    run_job(Synthesis(seed, split), range(clips), out, running)


@app.command(no_args_is_help=True)
@options.option_groups(clips_per_shard=100)
def act(
    out: options.CorpusFolder,
    running: Running,
    server: Server,
    clips: options.Clips,
    seed: options.CorpusSeed = 0,
    emotions: Annotated[
        str | None, Option(metavar="A,B", help="Emotions of the plan, such as anger,relief. Default: all.")
    ] = None,
    languages: Annotated[
        str | None, Option(metavar="A,B", help="Languages of the plan: en, de, es, fr. Default: all.")
    ] = None,
    voices: Annotated[
        str | None,
        Option(
            metavar="A,B",
            help="Voices of the backend, such as alloy,echo. Default: twelve of espeak-ng, or OpenAI's.",
        ),
    ] = None,
    challenges: Annotated[
        str | None,
        Option(metavar="A,B", help="Acting challenges, such as plain,whisper,hide it. Default: all."),
    ] = None,
    response_format: Annotated[
        str,
        Option(
            "--format",
            metavar="NAME",
            rich_help_panel="Server",
            help="Audio format that the server returns: mp3, opus, aac, flac or wav.",
        ),
    ] = "mp3",
    words_model: Annotated[
        str | None,
        Option(
            "--check-words",
            metavar="DIR|HUB-ID",
            help="Transcribe each clip with this Whisper checkpoint, such as openai/whisper-small, and leave "
            "out clips whose words differ.",
        ),
    ] = None,
    max_wer: Annotated[
        float, Option(min=0, metavar="X", help="With --check-words: highest accepted word error rate.")
    ] = 0.3,
    device: options.Device = None,
    price: Annotated[
        float | None,
        Option(
            metavar="X", min=0, help="With --dry-run: price per million characters, to estimate the cost."
        ),
    ] = None,
) -> None:
    """Make acted speech from a plan that balances emotions, voices, languages and challenges.

    Speaks offline with espeak-ng, or through a server with the OpenAI speech API.
    Run the same command again to resume; a larger --clips extends the same plan.
    Clips that could not be made are listed in OUT/failures.jsonl, clips with wrong
    words in OUT/left_out.jsonl. --set also takes the other attributes of the plan:
    intensities, accents, texts.

    Example: budew corpus act data/acted --clips 2000 --seed 1 --languages en,de --dry-run
    """
    require("scipy", extra="train", purpose="budew corpus act")
    from budew.jobs import Plan
    from budew.jobs.units import check_size
    from budew.reports.label_tables import plan_tables
    from budew.synthesis.acting import Act, EspeakBackend, ServerBackend, make_plan
    from budew.synthesis.acting.acting_plan import Axes, preview

    if price is not None and not running.dry_run:
        raise typer.BadParameter("--price requires --dry-run")
    check_size(clips, running.clips_per_shard)  # a preview goes through all of them
    axes = running.settings(
        Axes, emotions=emotions, languages=languages, voices=voices, challenges=challenges
    )
    backend: EspeakBackend | ServerBackend = EspeakBackend()
    if server != Server():
        settings = server.settings(running, cached=False, concurrency=8)
        backend = ServerBackend(settings, response_format)
        if running.is_here and not running.dry_run:
            settings.key()  # before OUT belongs to this job
    plan = make_plan(backend, seed=seed, **axes.model_dump())
    check = None
    if words_model is not None:
        from budew.transcription.recognizer import Transcriber
        from budew.transcription.word_check import CheckWords

        check = CheckWords(Transcriber(words_model, device), max_wer)
    job = Act(plan, backend, check)
    if running.dry_run:
        Plan(job, range(clips), out, clips_per_shard=running.clips_per_shard)  # or an error
        found = preview(plan, clips)
        print_table(plan_tables(found))
        print(
            f"{clips:,} requests, {found.characters:,} characters of speech and "
            f"{found.instruction_characters:,} of instructions"
            + (f"; the speech costs {found.characters * price / 1e6:,.2f}" if price is not None else "")
        )
        return
    if check is not None:
        check.transcriber.require_languages(plan.accents)
    if running.workers is None and (check is not None or not backend.computes):
        running.workers = 0
    run_job(job, range(clips), out, running)
