"""The command `budew caption`: captions files, folders, corpora, or a recording from the microphone."""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, TextIO, get_args

import typer
from typer import Argument, BadParameter, Option

from budew import audio, corpora, evaluation, inference, reports
from budew import model as models
from budew.cli import options
from budew.cli.options import option_groups
from budew.cli.terminal import is_stdout, output, progress_bar, refuse_to_replace, say_error
from budew.errors import InputError
from budew.io.disk import fingerprint, is_stream, user_cache
from budew.version import __version__

Format = Literal["text", "json", "jsonl", "csv", "srt", "vtt", "html"]

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class MicrophoneOptions:
    """Options for a recording from the microphone instead of files."""

    record: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            min=0.5,
            max=3600,
            help="Record from the default microphone instead of reading files (extra record).",
        ),
    ] = None
    keep: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            dir_okay=False,
            help="Write the recording of --record to this wav or flac file. Default: it is not written.",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class CaptionOutput:
    """Options for the format, contents and destination of the captions."""

    format: Annotated[
        Format | None,
        Option(
            help="text for reading, json for one array, jsonl for one object per line, csv for one row per "
            "window, srt or vtt for subtitles, html for a page with players. Default: the suffix of "
            "--output, else text."
        ),
    ] = None
    scores: Annotated[
        bool, Option("--scores", help="Add the scores of emotions, from 0 to 1, to each caption.")
    ] = False
    calibration: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            dir_okay=False,
            help="With --samples: calibrate the probability that an emotion is present by this file of budew "
            "benchmark calibrate.",
        ),
    ] = None
    wording: Annotated[
        Literal["varied", "model"],
        Option(
            help="Captions of a recording that is cut into windows. varied: each in another wording of the "
            "same meaning; model: in the words of the model."
        ),
    ] = "varied"
    output_file: options.Output = None
    faces: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="html: scores of faces in the videos, by budew face score, drawn below those of the voice.",
        ),
    ] = None
    quiet: Annotated[
        bool, Option("--quiet", help="Do not print the note on the first use of a checkpoint.")
    ] = False

    def chosen_format(self) -> Format:
        """Return the chosen format; by default the suffix of the output file if it is a format, else text."""
        suffix = self.output_file.suffix[1:].lower() if self.output_file else ""
        named: Format = next((format for format in get_args(Format) if format == suffix), "text")
        return self.format or named


@app.command("caption", no_args_is_help=True)
@option_groups()
def caption_command(
    *,
    paths: Annotated[
        list[str] | None,
        Argument(
            metavar="PATH",
            help="Audio files, folders (searched recursively), shards, manifests, or other corpora.",
        ),
    ] = None,
    recorded: MicrophoneOptions,
    wanted: CaptionOutput,
    model: options.ModelChoice,
    writing: options.SampledWriting,
) -> None:
    """Caption speech: audio files of any format and length, folders of them, corpora, or your own voice.

    Long recordings are captioned window by window. An unreadable file is reported
    on stderr and the others are captioned; a damaged file is captioned as far as
    it can be decoded. The exit status is then 1. With --output, run the same
    command again to resume.

    Example: budew caption talk.mp3 interviews/ --format jsonl --scores > captions.jsonl

    Your own voice: budew caption --record 5
    """
    sources, format, file = paths or [], wanted.chosen_format(), wanted.output_file
    _check_input(sources, recorded, format)
    if wanted.faces and format != "html":
        raise BadParameter("--faces requires --format html")
    faces = reports.face_courses(wanted.faces) if wanted.faces else None
    refuse_to_replace([*sources, wanted.faces], file, recorded.keep)
    microphone = audio.find_microphone() if recorded.record else None
    chosen = model.options()
    shown = inference.OutputOptions(
        format="text" if format == "html" else format,
        scores=wanted.scores,
        presence=wanted.scores and writing.samples > 0,
        named=not recorded.record and _is_named(sources),
    )
    if failures := inference.unreadable(sources):
        with output(file) as opened:
            _write(inference.to_records(failures), opened, format, shown, (), faces)
        raise typer.Exit(1)
    writes = replace(writing.options(writing.samples), wording=wanted.wording)
    predictor = evaluation.ModelPredictor(chosen, writes)
    captioner = predictor.captioner
    if wanted.calibration is not None:
        calibration = evaluation.read_calibration(wanted.calibration)
        calibration.check(predictor.model, predictor.decoding)
        captioner.options = replace(captioner.options, presence=calibration.presence)
    if not wanted.quiet and sys.stderr.isatty():
        _introduce(chosen.checkpoints, captioner.backend.runs_on)
    captioned: AbstractContextManager[Iterator[inference.Record]]
    recordings: Iterable[inference.Recording] = ()
    if microphone and recorded.record:
        recordings = [_record(microphone, recorded.record, recorded.keep)]
        captioned = nullcontext(inference.to_records(captioner.caption_recordings(recordings)))
    else:
        if format == "html":
            recordings, _ = inference.from_paths(sources)
        captioned = _captioned(captioner, sources, file, inference.identity_of(chosen))
    with captioned as records, output(file) as opened:
        fine = _write(records, opened, format, shown, recordings, faces)
    if format == "html" and file is not None and file.is_file():
        print(f"page: {file.resolve().as_uri()}")
    raise typer.Exit(0 if fine else 1)


def _is_named(sources: list[str]) -> bool:
    """Return whether text output names the recordings: unless the only source is an audio file."""
    return len(sources) != 1 or not os.path.isfile(sources[0]) or corpora.is_corpus_file(Path(sources[0]))


def _check_input(sources: list[str], recorded: MicrophoneOptions, format: Format) -> None:
    keep = recorded.keep
    if bool(sources) == bool(recorded.record):
        raise BadParameter("give either PATH or --record SECONDS")
    if keep is not None and not recorded.record:
        raise BadParameter("--keep requires --record")
    if keep is not None and keep.suffix.lower() not in (".wav", ".flac"):
        raise InputError(f"{keep}: a recording is written as .wav or .flac: choose a name with one of them")
    number = inference.from_paths(sources)[1] if format in ("srt", "vtt") else None
    if number is not None and number > 1:
        raise InputError(
            f"a {format} file has the captions of one recording, not of {number}: give one, or another format"
        )


def _introduce(checkpoints: Sequence[str | Path | None], runs_on: str) -> None:
    """Print what runs each checkpoint and what it was trained on, on its first use by this user."""
    for card in map(models.read_card, checkpoints):
        note = f"note: {card.name} runs with {runs_on}. {card.training} Results: budew doctor"
        seen = user_cache() / "notes" / hashlib.sha256(note.encode()).hexdigest()[:16]
        if not seen.exists():
            say_error(note)
            with suppress(OSError):  # without a cache folder, the note is printed each time
                seen.parent.mkdir(parents=True, exist_ok=True)
                seen.touch()


def _record(microphone: "audio.Microphone", seconds: float, keep: Path | None) -> "inference.Recording":
    """Record from the microphone; return the recording, stored in the file `keep` or in memory."""
    say_error(f"recording {seconds:g} s from {microphone.name}: speak now")
    kind = keep.suffix[1:].upper() if keep else "WAV"
    encoded = audio.encode_audio(microphone.record(seconds), microphone.sampling_rate, kind)
    if keep is None:
        return replace(inference.from_audio(encoded), source="microphone")
    keep.parent.mkdir(parents=True, exist_ok=True)
    keep.write_bytes(encoded)
    return inference.from_audio(keep)


def _write(
    records: "Iterator[inference.Record]",
    file: TextIO,
    format: Format,
    shown: "inference.OutputOptions",
    recordings: "Iterable[inference.Recording]",
    faces: "Mapping[str, reports.Course] | None",
) -> bool:
    """Write results in a format; return False if a recording failed or is damaged."""
    if format != "html":
        return inference.write_results(records, file, shown)
    listed = list(records)
    file.write(reports.captions_html(listed, recordings, faces))
    return not any(map(inference.is_bad, listed))


@contextmanager
def _captioned(
    captioner: "inference.Captioner", paths: list[str], file: Path | None, made_by: str
) -> "Iterator[Iterator[inference.Record]]":
    """Caption files, as a context; with an output file, an interrupted run of the same command is resumed."""
    if file is None or is_stdout(file) or is_stream(file):
        with progress_bar("captioning", shown=not sys.stdout.isatty()) as bar:
            yield inference.to_records(inference.caption_files(captioner, paths, progress=bar))
        return
    windows = captioner.options.windows
    settings = {
        "model": made_by,
        "runs_on": captioner.backend.runs_on,
        **asdict(captioner.decoding),
        "windows": fingerprint([windows]) if isinstance(windows, Path) else windows,
        "wording": captioner.options.wording,
        "presence": captioner.options.presence and captioner.options.presence.model_dump(mode="json"),
        "version": __version__,
    }
    if file.exists():
        say_error(f"{file} already exists, and will be replaced at the end")
    with inference.open_resume_file(file, settings) as resume:
        with progress_bar("captioning") as bar:
            results = inference.caption_files(captioner, paths, resume=resume, progress=bar)
            resume.append(inference.to_records(results))
        yield resume.records()
