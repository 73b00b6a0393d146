"""Commands that make and describe corpora."""

import typer

from budew.cli import options
from budew.cli.settings import SETTINGS
from budew.extras import require
from budew.terminal import as_json, output, print_table, progress_bar, say_error

app = typer.Typer(help="Make and describe corpora: clips of speech with profiles.", **SETTINGS)


@app.command(no_args_is_help=True)
def synthesize(
    out: options.CorpusFolder,
    clips: options.Clips,
    seed: options.CorpusSeed,
    split: options.CorpusSplit = options.Split.train,
    workers: options.Workers = None,
) -> None:
    """Make synthetic emotional speech in four languages, with its profiles, as WebDataset shards.

    About 50 clips a second on each processor. A run that was stopped goes on
    when it is started again. To listen: tar xf data/train/train-00000.tar

    Example: budew corpus synthesize data/train --clips 16000 --seed 1
    """
    require("scipy", extra="train", purpose="budew corpus synthesize")
    from budew.synthesis import synthesize_corpus

    with progress_bar("synthesizing") as bar:
        shards = synthesize_corpus(
            out, clips=clips, seed=seed, split=split.value, workers=workers, progress=bar
        )
    print(f"{clips} clips in {len(shards)} shards in {out}")


@app.command(no_args_is_help=True)
def stats(corpus: options.Corpus, json: options.StatisticsFile = None) -> None:
    """Count what a corpus holds: clips, hours, languages, emotions at their levels, bursts, traits.

    What cannot be read is told on stderr; then the exit status is 1.

    Example: budew corpus stats 'data/train/*.tar' --json stats.json
    """
    from budew.corpora.statistics import corpus_statistics
    from budew.corpora.statistics_table import statistics_tables

    with progress_bar("counting") as bar:
        found = corpus_statistics(corpus, on_bad=say_error, progress=lambda done: bar(done, None))
    print_table(statistics_tables(found))
    if json is not None:
        with output(json) as file:
            print(as_json(found.to_dict(), indent=1), file=file)
        print(f"statistics: {json}")
    raise typer.Exit(1 if found.bad else 0)


@app.command(no_args_is_help=True)
def act(
    out: options.CorpusFolder,
    clips: options.Clips,
    seed: options.CorpusSeed,
    emotions: options.ActEmotions = None,
    intensities: options.ActIntensities = None,
    languages: options.ActLanguages = None,
    accents: options.ActAccents = None,
    voices: options.ActVoices = None,
    challenges: options.ActChallenges = None,
    texts: options.ActTexts = None,
    backend: options.ActBackend = "espeak",
    model: options.ActModel = None,
    response_format: options.ActFormat = "mp3",
    concurrency: options.ActConcurrency = 8,
    timeout: options.ActTimeout = 120.0,
    attempts: options.ActAttempts = 5,
    check_words: options.ActCheckWords = False,
    words_model: options.ActWordsModel = "openai/whisper-small",
    max_wer: options.ActMaxWer = 0.3,
    device: options.Device = None,
    clips_per_shard: options.ActShardSize = 100,
    workers: options.ActWorkers = None,
    retry_failed: options.ActRetryFailed = False,
    dry_run: options.ActDryRun = False,
    price: options.ActPrice = None,
) -> None:
    """Have lines acted after a plan, balanced over emotions, voices, languages and challenges, as shards.

    A run that was stopped goes on when it is started again, and more clips go
    on with fewer. A clip that cannot be spoken is listed in OUT/failures.jsonl;
    then the exit status is 1. Clips with the wrong words are in
    OUT/left_out.jsonl.

    Example: budew corpus act data/acted --clips 2000 --seed 1 --languages en,de --dry-run
    """
    require("scipy", extra="train", purpose="budew corpus act")
    from budew.synthesis.acting import EspeakBackend, Performance, ServerBackend, make_plan
    from budew.synthesis.acting import act as act_plan
    from budew.synthesis.acting.preview import preview, preview_tables

    if price is not None and not dry_run:
        raise typer.BadParameter("--price goes with --dry-run")
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
    if dry_run:
        found = preview(plan, clips)
        print_table(preview_tables(found))
        print(
            f"{clips:,} requests, {found.characters:,} characters to speak and "
            f"{found.instruction_characters:,} of instructions"
            + (f"; the lines cost {found.cost(price):,.2f}" if price is not None else "")
        )
        return
    check = None
    if check_words:
        from budew.inference.transcription import Transcriber
        from budew.inference.word_check import CheckWords

        check = CheckWords(Transcriber(words_model, device), max_wer)
        check.transcriber.require_languages(plan.accents)
    performance = Performance(plan, speaker, clips, clips_per_shard, check)
    with progress_bar("acting") as bar:
        done = act_plan(out, performance, workers=workers, retry_failed=retry_failed, progress=bar)
    if done.failures:
        say_error(f"{done.failures:,} clips could not be spoken: see {out / 'failures.jsonl'}")
    print(f"{done.clips:,} clips in {done.shards:,} shards in {out}")
    if done.left_out:
        print(f"{done.left_out:,} were left out: see {out / 'left_out.jsonl'}")
    raise typer.Exit(1 if done.failures else 0)


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",")]
