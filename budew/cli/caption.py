"""The command `budew caption`: files, folders, corpora, and a recording from the microphone."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO, get_args

import typer
from typer import Argument, BadParameter, Option

from budew.cli import options
from budew.cli.terminal import output, progress_bar, refuse_to_replace, say_error
from budew.version import __version__

if TYPE_CHECKING:
    from budew.audio.microphone import Microphone
    from budew.inference import Captioner
    from budew.inference.outputs import OutputOptions, Record
    from budew.inference.recordings import Recording

Format = Literal["text", "json", "jsonl", "csv", "srt", "vtt", "html"]

app = typer.Typer()


@app.command(no_args_is_help=True)
@options.option_groups()
def caption(
    model: options.ModelChoice,
    writing: options.SampledWriting,
    paths: Annotated[
        list[str] | None,
        Argument(
            metavar="PATH",
            help="Audio files, folders (searched recursively), shards, manifests, or other corpora.",
        ),
    ] = None,
    record: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            min=0.5,
            max=3600,
            help="Record from the default microphone instead (extra record).",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            dir_okay=False,
            help="Write what --record records to this wav or flac file. Default: it is not written.",
        ),
    ] = None,
    format: Annotated[
        Format | None,
        Option(
            help="text for reading, json for one array, jsonl for one object per line, csv for one row per "
            "window, srt or vtt for subtitles, html for a page with players. Default: what the name of "
            "--output ends in, else text."
        ),
    ] = None,
    scores: Annotated[bool, Option("--scores", help="Add emotion scores, from 0 to 1.")] = False,
    output_file: options.Output = None,
    quiet: Annotated[bool, Option("--quiet", help="Do not print notes about the checkpoint.")] = False,
) -> None:
    """Caption speech: audio files of any format and length, folders of them, corpora, or your own voice.

    Long recordings are captioned window by window. An unreadable file is reported
    on stderr and the others are captioned; a damaged file is captioned as far as
    it can be decoded. The exit status is then 1. With --output, run the same
    command again to resume.

    Example: budew caption talk.mp3 interviews/ --format jsonl --scores > captions.jsonl

    Your own voice: budew caption --record 5
    """
    from budew.audio.microphone import find_microphone
    from budew.corpora.sources import is_corpus_file
    from budew.inference.caption_corpus import identity_of
    from budew.inference.captioner import Captioner
    from budew.inference.loading import load_backend
    from budew.inference.outputs import OutputOptions, to_records
    from budew.inference.recordings import from_paths

    paths, format = paths or [], format or _format_of(output_file)
    _check_input(paths, record, keep, format)
    refuse_to_replace(paths, output_file, keep)
    microphone = find_microphone() if record else None
    chosen = model.options()
    captioner = Captioner(load_backend(chosen), writing.options(writing.samples))
    if not quiet:
        say_error(f"model: {captioner.backend.name} ({captioner.backend.runs_on})")
        _print_cards(chosen.checkpoints)
    if microphone and record:
        recording = _recorded(microphone, record, keep)
        records = to_records(captioner.caption_recordings([recording]))
        with output(output_file) as file:
            fine = _write(records, file, format, OutputOptions(scores=scores), [recording])
    else:
        named = len(paths) > 1 or not os.path.isfile(paths[0]) or is_corpus_file(Path(paths[0]))
        shown = OutputOptions(scores=scores, named=named)
        recordings = from_paths(paths)[0] if format == "html" else ()
        if output_file is not None and _is_file(output_file):
            resumed = _resumed(captioner, paths, output_file, identity_of(chosen))
            with resumed as records, output(output_file) as file:
                fine = _write(records, file, format, shown, recordings)
        else:
            with output(output_file) as file, progress_bar("captioning", shown=not file.isatty()) as bar:
                records = to_records(captioner.caption_files(paths, progress=bar))
                fine = _write(records, file, format, shown, recordings)
    if format == "html" and output_file is not None and output_file.is_file():
        print(f"page: {output_file.resolve().as_uri()}")
    raise typer.Exit(0 if fine else 1)


def _check_input(paths: list[str], record: float | None, keep: Path | None, format: Format) -> None:
    from budew.errors import InputError
    from budew.inference.recordings import from_paths

    if bool(paths) == bool(record):
        raise BadParameter("give either PATH or --record SECONDS")
    if keep is not None and not record:
        raise BadParameter("--keep requires --record")
    if keep is not None and keep.suffix.lower() not in (".wav", ".flac"):
        raise InputError(f"{keep}: a recording is written as .wav or .flac: choose such a name")
    if format in ("srt", "vtt") and (number := from_paths(paths)[1] or 1) > 1:
        raise InputError(
            f"{format} holds the captions of one recording: give one of the {number}, or another format"
        )


def _print_cards(models: Sequence[str | Path | None]) -> None:
    """Print what each checkpoint was trained on, and its main result."""
    from budew.model.card import read_card

    for card in map(read_card, models):
        if card.training:
            result = f" {card.results[0]}." if card.results else ""
            say_error(f"note: {card.training}{result} (--model: another; --quiet: no notes)")


def _recorded(microphone: "Microphone", seconds: float, keep: Path | None) -> "Recording":
    """Record, and return it as a recording: of the file `keep`, or of bytes in memory."""
    import soundfile

    from budew.inference.recordings import from_audio

    say_error(f"recording {seconds:g} s from {microphone.name}: speak now")
    samples, encoded = microphone.record(seconds), BytesIO()
    kind = keep.suffix[1:].upper() if keep else "WAV"
    soundfile.write(encoded, samples, microphone.sampling_rate, format=kind)
    if keep is None:
        return replace(from_audio(encoded.getvalue()), source="microphone")
    keep.parent.mkdir(parents=True, exist_ok=True)
    keep.write_bytes(encoded.getvalue())
    return from_audio(keep)


def _format_of(file: Path | None) -> Format:
    """Return the format that the name of a file ends in, else text."""
    suffix = file.suffix[1:].lower() if file else ""
    return next((format for format in get_args(Format) if format == suffix), "text")


def _is_file(path: Path) -> bool:
    """Return whether the output is a file (which may not exist yet), not stdout or a pipe."""
    return str(path) not in ("-", "/dev/stdout") and (path.is_file() or not path.exists())


def _write(
    records: "Iterator[Record]",
    file: TextIO,
    format: Format,
    shown: "OutputOptions",
    recordings: "Iterable[Recording]",
) -> bool:
    """Write results in a format; return whether no audio failed or is damaged."""
    from budew.inference.outputs import is_bad, write_results
    from budew.reports.captions_page import captions_page

    if format != "html":
        return write_results(records, file, replace(shown, format=format))
    listed = list(records)
    file.write(captions_page(listed, recordings))
    return not any(map(is_bad, listed))


@contextmanager
def _resumed(
    captioner: "Captioner", paths: list[str], file: Path, made_by: str
) -> "Iterator[Iterator[Record]]":
    """Caption what an earlier run of the same command has not captioned; yield the results of both."""
    from budew.inference.outputs import to_records
    from budew.inference.resume_file import resume_file
    from budew.io.disk import fingerprint

    windows = captioner.options.windows
    settings = {
        "model": made_by,
        "runs_on": captioner.backend.runs_on,
        **asdict(captioner.decoding),
        "windows": fingerprint([windows]) if isinstance(windows, Path) else windows,
        "version": __version__,
    }
    if file.exists():
        say_error(f"{file} is there already, and is replaced at the end")
    with resume_file(file, settings) as stored:
        with progress_bar("captioning") as bar:
            results = captioner.caption_files(paths, finished=stored.finished, store=stored, progress=bar)
            stored.append(to_records(results))
        yield stored.records()
