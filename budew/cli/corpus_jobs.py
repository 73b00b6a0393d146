"""Commands that apply a job to each clip of a corpus: shards in, shards out."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from budew.cli import options
from budew.cli.running import Running, run_job
from budew.extras import require
from budew.terminal import say_error

app = typer.Typer()


@app.command(no_args_is_help=True)
@options.option_groups()
def convert(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    max_seconds: Annotated[
        float, Option(metavar="SECONDS", min=0.1, help="Longer recordings fail: cut them first.")
    ] = 600.0,
    keep_damaged: Annotated[
        bool, Option("--keep-damaged", help="Take clips that break off, as far as they can be decoded.")
    ] = False,
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
@options.option_groups()
def render(
    source: options.Corpus,
    out: options.CorpusFolder,
    running: Running,
    wording: options.Wording,
    per_clip: Annotated[int, Option(min=1, help="Captions for each clip.")] = 1,
) -> None:
    """Give each clip of a corpus captions of its profile, from the grammar of templates.

    The wording is a function of the seed and the id of the clip. Clips without
    a profile are listed in OUT/failures.jsonl.

    Example: budew corpus render shards/ captioned/ --per-clip 4 --seed 7
    """
    from budew.jobs.render import Render

    baseline, min_z = wording.salience()
    job = Render(wording.seed, per_clip, **wording.choices(), baseline=baseline, min_z=min_z)
    run_job(job, source, out, running)


@app.command(no_args_is_help=True)
@options.option_groups(clips_per_shard=10)
def segment(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    min_seconds: Annotated[
        float | None, Option("--min", metavar="SECONDS", help="Leave shorter clips out.", show_default="1")
    ] = None,
    max_seconds: Annotated[
        float | None,
        Option(
            "--max",
            metavar="SECONDS",
            help="Divide what is longer, at a pause if possible.",
            show_default="30",
        ),
    ] = None,
    pad: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help="Keep before and after speech, up to half of the pause.",
            show_default="0.1",
        ),
    ] = None,
    max_pause: Annotated[
        float | None,
        Option(metavar="SECONDS", help="Go on across pauses of at most this.", show_default="0.5"),
    ] = None,
    language: Annotated[
        list[str] | None, Option(metavar="TAG", help="Keep this language, such as en. May be repeated.")
    ] = None,
    language_model: Annotated[
        str | None,
        Option(
            metavar="DIR|HUB-ID", help="Multilingual Whisper that detects the language where it is not given."
        ),
    ] = None,
    keep: Annotated[
        list[str] | None, Option(metavar="NAME", help="Metadata that the clips keep. May be repeated.")
    ] = None,
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
@options.option_groups(workers=0)
def transcribe(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    model: Annotated[
        str, Option(metavar="DIR|HUB-ID", help="Whisper checkpoint: a folder, or a name on the hub.")
    ] = "openai/whisper-small",
    language: Annotated[
        str | None,
        Option(
            metavar="TAG",
            help="Of clips that do not say theirs, such as en; left out, the checkpoint detects it.",
        ),
    ] = None,
    again: Annotated[
        bool, Option("--again", help="Transcribe also clips that have a transcript, and replace it.")
    ] = False,
    device: options.Device = None,
    batch_size: Annotated[int, Option(min=1, help="Windows transcribed at once; more are faster.")] = 16,
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
@options.option_groups()
def select(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    running: Running,
    splits: Annotated[Path, Option(metavar="FILE", dir_okay=False, help="As budew corpus split writes it.")],
    part: Annotated[str, Option(metavar="NAME", help="Part that is kept, such as train.")],
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
