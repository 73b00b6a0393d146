"""Commands that apply a job to each clip of a corpus: shards in, shards out."""

import typer

from budew.cli import job_options, options
from budew.cli.running import Running, job_command, run_job
from budew.extras import require
from budew.terminal import say_error

app = typer.Typer()


@app.command(no_args_is_help=True)
@job_command()
def convert(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    max_seconds: job_options.LongestClip = 600.0,
    keep_damaged: job_options.KeepDamaged = False,
) -> None:
    """Read any corpus, check each clip by decoding it, and write WebDataset shards with rate and duration.

    What cannot be read or decoded is listed in OUT/failures.jsonl, the rest goes
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
    per_clip: job_options.PerClip = 1,
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
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    min_seconds: job_options.MinSeconds = None,
    max_seconds: job_options.MaxSeconds = None,
    pad: job_options.Pad = None,
    max_pause: job_options.MaxPause = None,
    language: job_options.KeptLanguages = None,
    language_model: job_options.LanguageModel = None,
    keep: job_options.KeptMetadata = None,
) -> None:
    """Cut recordings of any length into clips of speech, as FLAC at their own sampling rate.

    Each clip keeps recording, start and end, and its measured level, clipping
    and noise. What is damaged is listed in OUT/failures.jsonl, what is left out
    in OUT/left_out.jsonl. Files of hours: --clips-per-shard 1 gives each its own
    shard and worker. With --set: threshold, exit_threshold, min_speech,
    max_clipped, min_rms_dbfs, min_snr_db, bits. Next: budew caption OUT.

    Example: budew corpus segment podcasts/ clips/ --max 20 --language en
    """
    require("onnxruntime", extra="corpora", purpose="budew corpus segment")
    from budew.segmentation import Segment, SegmentSettings

    cuts = running.settings(
        SegmentSettings,
        min_seconds=min_seconds,
        max_seconds=max_seconds,
        pad=pad,
        max_pause=max_pause,
        languages=language,
        language_model=language_model,
        keep=keep,
    )
    run_job(Segment(cuts), source, out, running)


@app.command(no_args_is_help=True)
@job_command(workers=0)
def transcribe(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    model: job_options.WordsModel = "openai/whisper-small",
    language: job_options.SpokenLanguage = None,
    again: job_options.Again = False,
    device: options.Device = None,
    batch_size: job_options.WindowsAtOnce = 16,
) -> None:
    """Transcribe each clip that has no transcript, by any Whisper checkpoint.

    Clips that have one stay as they are. What cannot be decoded, or is in a
    language that the checkpoint does not know, is listed in OUT/failures.jsonl.
    Next: budew corpus export --to parler, or another format for text to speech.

    Example: budew corpus transcribe shards/ transcribed/ --model openai/whisper-large-v3-turbo
    """
    from budew.model.checkpoint import is_on_hub
    from budew.transcription.recognizer import Transcriber
    from budew.transcription.transcribe import Transcribe

    job = Transcribe(Transcriber(model, device, batch_size), language, again)
    if running.is_here and not (running.dry_run and is_on_hub(model)):
        job.transcriber.require_languages([job.language])  # an error before OUT belongs to this job
    run_job(job, source, out, running)


@app.command(no_args_is_help=True)
@job_command()
def select(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    splits: job_options.SplitsArgument,
    part: job_options.PartName,
) -> None:
    """Write one part of a split corpus as shards; the clips stay as they are.

    A speaker that the file does not list gets a part by the hash of its name, the
    same every time. How many of the first 1,000 clips that concerns is reported;
    a file that lists none of the clips is refused.

    Example: budew corpus select shards/ train/ --splits splits.json --part train
    """
    from budew.curation.selection import Select, unknown_to
    from budew.curation.splits import read_splits

    job = Select(read_splits(splits), part)
    unknown = unknown_to(job.splits, source)
    if unknown.clips:
        say_error(f"warning: {splits}: {unknown}")
    run_job(job, source, out, running)
