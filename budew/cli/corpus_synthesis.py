"""Commands that make speech with known profiles: synthetic, or acted."""

from typing import Annotated, Literal

import typer
from typer import Option

from budew.cli import options
from budew.cli.job_options import Running, Server, run_job
from budew.cli.terminal import print_table, progress_bar
from budew.errors import require

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
@options.option_groups()
def resynthesize(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    seed: options.CorpusSeed = 0,
    per_clip: Annotated[int, Option(min=1, help="Clips made of each clip.")] = 4,
    emotions: Annotated[
        str | None, Option(metavar="A,B", help="Emotions to draw from, such as anger,fear. Default: all.")
    ] = None,
) -> None:
    """Give neutral recordings of people the vocal cues of emotions, with the profiles, by a vocoder.

    The words and the voice stay; pitch, tempo, energy, breath and roughness
    change as in budew corpus synthesize. Each clip is a piece of 2 to 5 s.
    Clips without a voice are listed in OUT/failures.jsonl.

    Example: budew corpus resynthesize librispeech:LibriSpeech/ emotional/ --per-clip 8 --seed 1
    """
    require("pyworld", extra="train", purpose="budew corpus resynthesize")
    from budew.synthesis.resynthesis import Resynthesize
    from budew.taxonomy import emotion

    among = tuple(emotion(name.strip()) for name in emotions.split(",")) if emotions else ()
    run_job(Resynthesize(seed, per_clip, among), source, out, running)


@app.command(no_args_is_help=True)
@options.option_groups(clips_per_shard=100)
def act(
    out: options.CorpusFolder,
    running: Running,
    server: Server,
    clips: Annotated[
        int | None,
        Option(metavar="N", min=1, help="Number of clips. With --hours: only the first N of the plan."),
    ] = None,
    hours: Annotated[
        str | None,
        Option(
            metavar="PLAN",
            help="Hours of speech in each language, such as en=100,de=50,en+de+challenges=5: a part with the "
            "word challenges has acting challenges, the others have none.",
        ),
    ] = None,
    clip_seconds: Annotated[
        float | None,
        Option(
            metavar="X",
            min=0.1,
            help="Mean length of a clip, for --hours and --dry-run; measure it with some clips. "
            "Default: 5, or 10 with --api chat.",
        ),
    ] = None,
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
    api: Annotated[
        Literal["speech", "chat"],
        Option(
            rich_help_panel="Server",
            help="How the server is asked: for speech, which reads the lines out, or in a chat with audio "
            "output, where an actor improvises on them.",
        ),
    ] = "speech",
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

    Speaks offline with espeak-ng, or through a server: with the OpenAI speech
    API, or with chat completions that answer in audio. Run the same command
    again to resume; a larger --clips extends the same plan. Clips that could
    not be made are listed in OUT/failures.jsonl, clips with wrong words in
    OUT/left_out.jsonl. --set also takes the other attributes of the plan:
    intensities, accents, challenges, texts.

    Example: budew corpus act data/acted --clips 2000 --seed 1 --languages en,de --dry-run
    """
    require("scipy", extra="train", purpose="budew corpus act")
    from budew.jobs import Plan
    from budew.jobs.units import check_size
    from budew.reports.label_tables import plan_tables
    from budew.synthesis.acting import Act, EspeakBackend, ServerBackend, make_hours_plan, make_plan
    from budew.synthesis.acting.acting_hours import AnyPlan, hours_in, preview
    from budew.synthesis.acting.acting_plan import Axes

    if price is not None and (not running.dry_run or api == "chat"):
        raise typer.BadParameter("--price requires --dry-run, and is not for --api chat, which bills tokens")
    if clips is None and hours is None:
        raise typer.BadParameter("give a number of clips, or --hours", param_hint="--clips")
    if server == Server() and api == "chat":
        raise typer.BadParameter("chat requires a server: --base-url and --model", param_hint="--api")
    axes = running.settings(Axes, emotions=emotions, languages=languages, voices=voices)
    backend: EspeakBackend | ServerBackend = EspeakBackend()
    if server != Server():
        settings = server.settings(running, cached=False, concurrency=8)
        backend = ServerBackend(settings, response_format, api)
        if running.is_here and not running.dry_run:
            settings.key()  # before OUT belongs to this job
    seconds = clip_seconds or backend.clip_seconds
    plan: AnyPlan
    if hours is None:
        plan = make_plan(backend, seed=seed, **axes.model_dump())
        count = clips or 1
    else:
        plan = make_hours_plan(
            backend, seed=seed, hours=hours_in(hours), clip_seconds=seconds, **axes.model_dump()
        )
        count = min(clips or len(plan), len(plan))
    check_size(count, running.clips_per_shard)  # a preview goes through all of them
    check = None
    if words_model is not None:
        from budew.transcription.recognizer import Transcriber
        from budew.transcription.word_check import CheckWords

        check = CheckWords(Transcriber(words_model, device), max_wer)
    job = Act(plan, backend, check)
    if running.dry_run:
        running.cluster_settings()  # or an error, as from the next
        Plan(job, range(count), out, clips_per_shard=running.clips_per_shard)
        with progress_bar("planning", unit="clips") as move:
            found = preview(plan, count, moved=move)
        print_table(plan_tables(found, seconds))
        print(
            f"{count:,} requests, {count * seconds / 3600:,.2f} hours, "
            f"{found.characters:,} characters of lines and {found.instruction_characters:,} of instructions"
            + (f"; the speech costs {found.characters * price / 1e6:,.2f}" if price is not None else "")
        )
        return
    if check is not None:
        check.transcriber.require_languages(plan.accents)
    if running.workers is None and (check is not None or not backend.computes):
        running.workers = 0
    run_job(job, range(count), out, running)
