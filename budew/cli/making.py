"""Commands that make speech: coloured by a table, or acted after a plan."""

import typer

from budew.cli import acting_options, options
from budew.cli.running import Running, job_command, run_job
from budew.extras import require
from budew.terminal import print_table

app = typer.Typer()


@app.command(no_args_is_help=True)
@job_command()
def synthesize(
    out: options.CorpusFolder,
    running: Running,
    clips: options.Clips,
    seed: options.CorpusSeed = 0,
    split: options.CorpusSplit = options.Split.train,
) -> None:
    """Make synthetic emotional speech in four languages, with its profiles, as WebDataset shards.

    About 50 clips a second on each processor. A run that was stopped goes on
    when it is started again. To listen: tar xf data/train/train-00000.tar

    Example: budew corpus synthesize data/train --clips 16000 --seed 1
    """
    for library in ("scipy", "espeakng_loader"):
        require(library, extra="train", purpose="budew corpus synthesize")
    from budew.synthesis.corpus import Synthesis

    run_job(Synthesis(seed, split.value), range(clips), out, running)


@app.command(no_args_is_help=True)
@job_command(clips_per_shard=100)
def act(
    out: options.CorpusFolder,
    running: Running,
    clips: options.Clips,
    seed: options.CorpusSeed = 0,
    emotions: acting_options.ActEmotions = None,
    intensities: acting_options.ActIntensities = None,
    languages: acting_options.ActLanguages = None,
    accents: acting_options.ActAccents = None,
    voices: acting_options.ActVoices = None,
    challenges: acting_options.ActChallenges = None,
    texts: acting_options.ActTexts = None,
    backend: acting_options.ActBackend = "espeak",
    model: acting_options.ActModel = None,
    response_format: acting_options.ActFormat = "mp3",
    concurrency: acting_options.ActConcurrency = 8,
    timeout: acting_options.ActTimeout = 120.0,
    attempts: acting_options.ActAttempts = 5,
    check_words: acting_options.ActCheckWords = False,
    words_model: acting_options.ActWordsModel = "openai/whisper-small",
    max_wer: acting_options.ActMaxWer = 0.3,
    device: options.Device = None,
    price: acting_options.ActPrice = None,
) -> None:
    """Have lines acted after a plan, balanced over emotions, voices, languages and challenges, as shards.

    A run that was stopped goes on when it is started again, and more clips go
    on with fewer. A clip that cannot be spoken is listed in OUT/failures.jsonl;
    then the exit status is 1. Clips with the wrong words are in
    OUT/left_out.jsonl.

    Example: budew corpus act data/acted --clips 2000 --seed 1 --languages en,de --dry-run
    """
    require("scipy", extra="train", purpose="budew corpus act")
    from budew.jobs import Plan
    from budew.jobs.units import check_size
    from budew.synthesis.acting import EspeakBackend, Performance, ServerBackend, make_plan
    from budew.synthesis.acting.preview import preview, preview_tables

    if price is not None and not running.dry_run:
        raise typer.BadParameter("--price goes with --dry-run")
    check_size(clips, running.clips_per_shard)  # a preview goes through all of them
    speaker: EspeakBackend | ServerBackend = EspeakBackend()
    if backend != "espeak":
        speaker = ServerBackend(
            base_url=backend,
            model=model or "",
            response_format=response_format,
            concurrency=concurrency,
            timeout=timeout,
            attempts=attempts,
        )
    plan = make_plan(
        speaker,
        seed=seed,
        emotions=_listed(emotions),
        intensities=_listed(intensities),
        languages=_listed(languages),
        accents=_listed(accents),
        voices=_listed(voices),
        challenges=_listed(challenges),
        texts=_listed(texts),
    )
    check = None
    if check_words:
        from budew.transcription.recognizer import Transcriber
        from budew.transcription.word_check import CheckWords

        check = CheckWords(Transcriber(words_model, device), max_wer)
    performance = Performance(plan, speaker, clips, running.clips_per_shard, check)
    if running.dry_run:
        Plan(performance, range(clips), out, clips_per_shard=running.clips_per_shard)  # or an error
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
    if running.workers is None:
        running.workers = performance.default_workers
    run_job(performance, range(clips), out, running)


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",")]
