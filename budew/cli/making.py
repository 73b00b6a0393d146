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
        Literal["train", "validation", "test"], Option(help="Whose voices: no voice is in two of the three.")
    ] = "train",
) -> None:
    """Make synthetic emotional speech in four languages, with its profiles, as WebDataset shards.

    About 50 clips a second on each processor. A run that was stopped goes on
    when it is started again. To listen: tar xf data/train/train-00000.tar

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
        str | None, Option(metavar="A,B", help="Emotions, in any spelling. Default: all.")
    ] = None,
    languages: Annotated[str | None, Option(metavar="A,B", help="Of en, de, es, fr. Default: all.")] = None,
    voices: Annotated[
        str | None,
        Option(
            metavar="A,B", help="Voices of the backend. Default: twelve of espeak-ng, or those of OpenAI."
        ),
    ] = None,
    challenges: Annotated[
        str | None,
        Option(metavar="A,B", help="Acting challenges, such as plain,whisper,hide it. Default: all."),
    ] = None,
    response_format: Annotated[
        str, Option("--format", metavar="NAME", rich_help_panel="Server", help="mp3, opus, aac, flac, wav.")
    ] = "mp3",
    words_model: Annotated[
        str | None,
        Option(
            "--check-words",
            metavar="DIR|HUB-ID",
            help="Transcribe each clip with this Whisper checkpoint, such as openai/whisper-small, and leave "
            "out those with other words.",
        ),
    ] = None,
    max_wer: Annotated[float, Option(min=0, metavar="X", help="Highest word error rate that is kept.")] = 0.3,
    device: options.Device = None,
    price: Annotated[
        float | None, Option(metavar="X", min=0, help="With --dry-run: price of a million characters.")
    ] = None,
) -> None:
    """Have lines acted after a plan, balanced over emotions, voices, languages and challenges, as shards.

    Speaks offline with espeak-ng, or by a server with the OpenAI speech protocol.
    A run that was stopped goes on when it is started again, and more clips extend
    fewer. A clip that cannot be spoken is listed in OUT/failures.jsonl, one with
    the wrong words in OUT/left_out.jsonl. --set also takes the other axes of the
    plan: intensities, accents, texts.

    Example: budew corpus act data/acted --clips 2000 --seed 1 --languages en,de --dry-run
    """
    require("scipy", extra="train", purpose="budew corpus act")
    from budew.jobs import Plan
    from budew.jobs.units import check_size
    from budew.synthesis.acting import Act, EspeakBackend, ServerBackend, make_plan
    from budew.synthesis.acting.acting_plan import Axes
    from budew.synthesis.acting.preview import preview, preview_tables

    if price is not None and not running.dry_run:
        raise typer.BadParameter("--price goes with --dry-run")
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
        print_table(preview_tables(found))
        print(
            f"{clips:,} requests, {found.characters:,} characters to speak and "
            f"{found.instruction_characters:,} of instructions"
            + (f"; the lines cost {found.cost(price):,.2f}" if price is not None else "")
        )
        return
    if check is not None:
        check.transcriber.require_languages(plan.accents)
    if running.workers is None and (check is not None or not backend.computes):
        running.workers = 0
    run_job(job, range(clips), out, running)
