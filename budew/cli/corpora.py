"""Commands that make and describe corpora."""

import os

import typer

from budew.cli import options
from budew.cli.running import Running, job_command, run_job
from budew.cli.settings import SETTINGS
from budew.cli.told import Told
from budew.extras import require
from budew.terminal import as_json, output, print_table, progress_bar, refuse_to_replace, say_error

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
def stats(
    corpus: options.Corpus, json: options.StatisticsFile = None, scale: options.ScoreScale = None
) -> None:
    """Count what a corpus holds: clips, hours, languages, emotions at their levels, bursts, traits.

    What cannot be read is told on stderr; then the exit status is 1.

    Example: budew corpus stats 'data/train/*.tar' --json stats.json
    """
    from budew.corpora.sources import files_read
    from budew.corpora.statistics import corpus_statistics
    from budew.corpora.statistics_table import statistics_tables

    refuse_to_replace(files_read(corpus), json)
    with progress_bar("counting") as bar:
        found = corpus_statistics(
            corpus, scale=scale, on_bad=say_error, progress=lambda done: bar(done, None)
        )
    if json is not None:
        with output(json) as file:
            print(as_json(found.to_dict(), indent=1), file=file)
    print_table(statistics_tables(found))
    if json is not None:
        print(f"statistics: {json}")
    raise typer.Exit(1 if found.bad else 0)


@app.command(no_args_is_help=True)
@job_command()
def convert(
    source: options.Corpus,
    out: options.CorpusFolder,
    running: Running,
    max_seconds: options.LongestClip = 600.0,
    keep_damaged: options.KeepDamaged = False,
) -> None:
    """Read any corpus, check each clip by decoding it, and write WebDataset shards with rate and duration.

    What cannot be read or heard is listed in OUT/failures.jsonl, the rest goes
    on, and the exit status is 1. A job that was stopped, even killed, goes on
    when it is started again, and ends the same.

    Example: budew corpus convert recordings/ shards/ --workers 8
    """
    from budew.jobs.convert import Convert

    run_job(Convert(max_seconds=max_seconds, keep_damaged=keep_damaged), source, out, running)


@app.command(no_args_is_help=True)
@job_command()
def render(
    source: options.Corpus,
    out: options.CorpusFolder,
    running: Running,
    seed: options.WordingSeed = 0,
    per_clip: options.PerClip = 1,
    style: options.CaptionStyle = None,
    max_emotions: options.MaxEmotions = None,
    min_level: options.MinLevel = 0.0,
    leave_out: options.LeaveOut = None,
    baseline: options.BaselineFile = None,
    min_z: options.MinZ = None,
) -> None:
    """Give each clip of a corpus captions of its profile, from the grammar of templates.

    The wording is a function of the seed and the id of the clip. Clips without
    a profile are listed in OUT/failures.jsonl.

    Example: budew corpus render shards/ captioned/ --per-clip 4 --seed 7
    """
    from budew.cli.captions import read_baseline
    from budew.jobs.render import Render

    job = Render(
        seed=seed,
        per_clip=per_clip,
        style=style.value if style else None,
        max_emotions=max_emotions,
        min_level=min_level,
        leave_out=tuple(leave_out or ()),
        baseline=read_baseline(baseline) if baseline else None,
        min_z=1.0 if min_z is None else min_z,
    )
    run_job(job, source, out, running)


@app.command(no_args_is_help=True)
@job_command(clips_per_shard=10)
def segment(
    source: options.Corpus,
    out: options.CorpusFolder,
    running: Running,
    min_seconds: options.MinSeconds = 1.0,
    max_seconds: options.MaxSeconds = 30.0,
    pad: options.Pad = 0.1,
    max_pause: options.MaxPause = 0.5,
    threshold: options.EntryThreshold = 0.5,
    min_speech: options.MinSpeech = 0.25,
    language: options.KeptLanguages = None,
    language_model: options.LanguageModel = None,
    max_clipped: options.MaxClipped = None,
    min_level: options.LeastLevel = None,
    min_ratio: options.MinRatio = None,
    bits: options.Bits = 16,
    keep: options.KeptMetadata = None,
) -> None:
    """Cut recordings of any length into clips of speech, as FLAC at their own sampling rate.

    Each clip keeps recording, start and end, and its measured level, clipping
    and noise. What is damaged is listed in OUT/failures.jsonl, what is left out
    in OUT/left_out.jsonl. Files of hours: --clips-per-shard 1 gives each its own
    shard and worker.

    Example: budew corpus segment podcasts/ clips/ --max 20 --language en
    """
    require("onnxruntime", extra="corpora", purpose="budew corpus segment")
    from budew.segmentation import Cuts, Languages, Limits, Segment

    cuts = Cuts(
        threshold=threshold,
        min_seconds=min_seconds,
        max_seconds=max_seconds,
        pad=pad,
        max_pause=max_pause,
        min_speech=min_speech,
    )
    limits = Limits(max_clipped=max_clipped, min_rms_dbfs=min_level, min_snr_db=min_ratio)
    languages = Languages(wanted=tuple(language or ()), model=language_model)
    run_job(Segment(cuts, limits, languages, bits, tuple(keep or ())), source, out, running)


@app.command(no_args_is_help=True)
def export(
    source: options.ExportSource,
    out: options.ExportFolder,
    to: options.ExportTo,
    clips_per_file: options.ClipsPerFile = None,
    caption: options.ExportedCaption = None,
    seed: options.ExportSeed = 0,
    sampling_rate: options.WavRate = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Write a corpus in a format that others read: Hugging Face, WebDataset, trainers of text to speech.

    OUT is complete or as it was before. A clip that cannot be read, or that the
    format cannot express (no transcript for a TTS format), is told on stderr and
    left out; then the exit status is 1.

    Example: budew corpus export 'talent/*.tar' hub/ --to parquet
    """
    from budew.corpora.exports import export

    bad = 0

    def tell(error: Exception) -> None:
        nonlocal bad
        bad += 1
        say_error(error)

    with progress_bar("exporting") as bar:
        count = export(
            source,
            out,
            to=to.value,
            clips_per_file=clips_per_file,
            caption=caption and caption.value,
            seed=seed,
            sampling_rate=sampling_rate,
            overwrite=overwrite,
            on_bad=tell,
            progress=lambda done: bar(done, None),
        )
    print(f"{count} clips in {out}" + (f", {bad} items left out" if bad else ""))
    raise typer.Exit(1 if bad else 0)


@app.command(no_args_is_help=True)
def ratings(
    table: options.RatingTable,
    scale: options.TableScale = None,
    json: options.RatingCountsFile = None,
) -> None:
    """Count what people said of clips or images: ratings, items, raters, and how far they agree.

    EmoNet-Voice Bench, EmoNet-Face HQ and Binary and the votes of Emolia are known by their columns.
    A row that cannot be read is told on stderr; then the exit status is 1.

    Example: budew corpus ratings binary.csv --json counts.json
    """
    from budew.corpora.rating_statistics import rating_statistics
    from budew.corpora.rating_table import rating_table
    from budew.corpora.readers.ratings import read_ratings

    refuse_to_replace([table], json)
    bad = 0

    def tell(error: Exception) -> None:
        nonlocal bad
        bad += 1
        say_error(error)

    found = rating_statistics(read_ratings(table, scale=scale, on_bad=tell))
    if json is not None:
        with output(json) as file:
            print(as_json({"table": str(table), "bad_rows": bad, **found.to_dict()}, indent=1), file=file)
    print_table(rating_table(found, title=str(table)))
    if json is not None:
        print(f"counts: {json}")
    raise typer.Exit(1 if bad else 0)


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


@app.command(name="inspect", no_args_is_help=True)
def inspect_(
    corpus: options.Corpus,
    html: options.CorpusPage = None,
    json: options.InspectionFile = None,
    decode: options.Decoding = False,
    players: options.Players = 24,
    scale: options.ScoreScale = None,
) -> None:
    """Say what a corpus is, what it holds and what in it is broken, as a table, JSON and a page.

    Broken items are listed with their reasons, and then the exit status is 1.
    The page plays the strongest clips of the emotions and needs nothing but a
    browser.

    Example: budew corpus inspect shards/ --decode --html corpus.html
    """
    from budew.corpora.inspection import inspect_corpus
    from budew.corpora.inspection_table import inspection_tables

    with progress_bar("inspecting") as bar:
        found = inspect_corpus(
            corpus, scale=scale, decode=decode, examples=players, progress=lambda done: bar(done, None)
        )
    print_table(inspection_tables(found))
    if json is not None:
        with output(json) as file:
            print(as_json(found.to_dict(), indent=1), file=file)
        print(f"inspection: {json}")
    if html is not None:
        from budew.explanation.corpus_page import write_corpus_page

        print(f"page: {write_corpus_page(found, html)}")
    raise typer.Exit(1 if found.statistics.bad else 0)


@app.command(no_args_is_help=True)
def split(
    corpus: options.Corpus,
    out: options.SplitsFile,
    train: options.Train = 0.9,
    validation: options.Validation = 0.05,
    test: options.Test = 0.05,
    seed: options.SplitSeed = 0,
    scale: options.ScoreScale = None,
) -> None:
    """Split a corpus for training and testing: no speaker in two parts, and in each the same emotions.

    A part with share 0 is left out. How far each part is from what was asked is
    shown, and is in the file. What cannot be read is told; then the exit status
    is 1. budew corpus select writes a part as shards.

    Example: budew corpus split shards/ --out splits.json --seed 7
    """
    from budew.corpora.split_corpus import split_corpus
    from budew.corpora.split_table import split_table
    from budew.corpora.splits import write_splits

    asked = {"train": train, "validation": validation, "test": test}
    shares = {name: share for name, share in asked.items() if share}
    bad = Told()
    with progress_bar("splitting") as bar:
        splits, report = split_corpus(
            corpus, shares, seed=seed, scale=scale, on_bad=bad, progress=lambda done: bar(done, None)
        )
    write_splits(out, splits, report.to_dict())
    print_table(split_table(report))
    print(f"splits: {out}")
    raise typer.Exit(bad.status)


@app.command(no_args_is_help=True)
@job_command()
def select(
    source: options.Corpus,
    out: options.CorpusFolder,
    running: Running,
    splits: options.SplitsArgument,
    part: options.PartName,
) -> None:
    """Write one part of a split corpus as shards; the clips stay as they are.

    A speaker that the file does not name goes where its hash puts it, the same
    part every time.

    Example: budew corpus select shards/ train/ --splits splits.json --part train
    """
    from budew.corpora.splits import read_splits
    from budew.jobs.select import Select

    run_job(Select(read_splits(splits), part), source, out, running)


@app.command(no_args_is_help=True)
def weights(
    corpus: options.Corpus,
    out: options.WeightsFile,
    temperature: options.SamplingTemperature = 2.0,
    cap: options.LargestWeight = 10.0,
    min_level: options.WeighedLevel = 0.5,
    json: options.WeightReportFile = None,
    scale: options.ScoreScale = None,
) -> None:
    """Weigh clips such that rare emotions are drawn more often in training, each clip from 1 to the cap.

    Shown are the emotions before and after, and how many clips drawn alike the
    weighted corpus is worth. What cannot be read is told; then the exit status
    is 1.

    Example: budew corpus weights train/ --out weights.jsonl --temperature 2
    """
    from budew.corpora.weight_files import check_weight_file, write_weights
    from budew.corpora.weights import WeightReport, corpus_balance, weigh
    from budew.corpora.weights_table import weights_table

    check_weight_file(out)
    bad = Told()
    with progress_bar("counting") as bar:
        balance = corpus_balance(
            corpus,
            temperature=temperature,
            cap=cap,
            min_level=min_level,
            scale=scale,
            on_bad=bad,
            progress=lambda done: bar(done, None),
        )
    report = WeightReport(balance)
    with progress_bar("weighing") as bar:
        write_weights(out, weigh(corpus, report, scale=scale, progress=lambda done: bar(done, None)))
    print_table(weights_table(report))
    if json is not None:
        with output(json) as file:
            print(as_json(report.to_dict(), indent=1), file=file)
    print(f"weights: {out}")
    raise typer.Exit(bad.status)


@app.command(no_args_is_help=True)
def duplicates(
    corpus: options.Corpus,
    json: options.DuplicatesFile = None,
    errors: options.MostErrors = 0.28,
    workers: options.Workers = None,
) -> None:
    """Find recordings that are there more than once: exactly, or encoded anew, quieter or cut by a moment.

    Of each the longest is to be kept; nothing is deleted. About 400 times real
    time on each processor. What cannot be decoded is told; then the exit status
    is 1.

    Example: budew corpus duplicates 'shards/*.tar' --json duplicates.json
    """
    from budew.corpora.duplicates import find_duplicates
    from budew.corpora.duplicates_table import duplicates_table

    with progress_bar("listening") as bar:
        found = find_duplicates(
            corpus,
            most_errors=errors,
            workers=workers or os.cpu_count() or 1,
            on_bad=say_error,
            progress=lambda done: bar(done, None),
        )
    print_table(duplicates_table(found))
    if json is not None:
        with output(json) as file:
            print(as_json(found.to_dict(), indent=1), file=file)
        print(f"duplicates: {json}")
    raise typer.Exit(1 if found.bad else 0)
