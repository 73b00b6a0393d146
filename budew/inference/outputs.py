"""Writers of captions as text, JSON, JSON Lines, CSV or subtitles; each result is written immediately."""

import csv
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TextIO

from pysubs2 import SSAEvent, SSAFile

from budew.errors import InputError
from budew.inference.captioned_recording import (
    UNCAPTIONED,
    CaptionedRecording,
    FailedRecording,
    Record,
)
from budew.taxonomy import EMOTIONS

_log = logging.getLogger(__name__)

OutputFormat = Literal["text", "json", "jsonl", "csv", "srt", "vtt"]


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How results are written.

    Attributes:
        format: "text"; "json", one array; "jsonl", one object per line; "csv", a row per window; "srt" or
            "vtt", subtitles of a single recording. Only "json" and "jsonl" contain failed recordings.
        scores: add the intensities of emotions: as text those in the caption, in JSON (key `scores`) and CSV
            all 40; null (CSV: empty) if no emotion is rated.
        named: in the format "text", write the name of the recording before its caption.
        presence: add the probability that emotions are present, in text and CSV; JSON always has it.
    """

    format: OutputFormat = "text"
    scores: bool = False
    named: bool = False
    presence: bool = False


def to_records(results: Iterable[CaptionedRecording | FailedRecording]) -> Iterator[Record]:
    """Convert results to JSON values; log failures, warnings and damage, one per line."""
    for result in results:
        if isinstance(result, FailedRecording):
            _log.warning(str(result))
        else:
            for warning in result.warnings:
                _log.warning(f"warning: {result.source}: {warning}")
            if result.damaged:
                _log.warning(f"{result.source}: {result.damaged}")
        yield result.to_dict()


def is_bad(record: Record) -> bool:
    """Return whether the recording failed, or its audio is damaged."""
    return "error" in record or "damaged" in record


def write_results(records: Iterable[Record], file: TextIO, options: OutputOptions) -> bool:
    """Write results one by one; return True if no recording failed and no audio is damaged.

    Args:
        records: results of `to_records`, one for each recording.
        file: file open for writing text.
        options: format and contents.

    Raises:
        InputError: the format is subtitles, and there are several recordings.

    Example:
        >>> import sys
        >>> record = {"source": "a.wav", "duration": 1.0, "caption": "A sad voice.", "emotions": {}}
        >>> write_results([record], sys.stdout, OutputOptions("text", named=True))
        a.wav
          A sad voice.
        True
    """
    bad = 0

    def counted() -> Iterator[Record]:
        nonlocal bad
        for record in records:
            bad += is_bad(record)
            yield record

    write = {
        "text": _write_text,
        "json": _write_array,
        "jsonl": _write_lines,
        "csv": _write_rows,
        "srt": _write_subtitles,
        "vtt": _write_subtitles,
    }
    write[options.format](counted(), file, options)
    return not bad


def captioned_windows(record: Record) -> list[Record]:
    """Return the windows of a result that have a caption; a recording of one window is that window."""
    if "error" in record:
        return []
    windows = record.get("windows", [{**record, "start": 0.0, "end": record["duration"]}])
    return [window for window in windows if window["caption"] not in (*UNCAPTIONED, "")]


def _write_text(records: Iterator[Record], file: TextIO, options: OutputOptions) -> None:
    for record in records:
        if "error" in record:
            continue
        lines = record["caption"].splitlines()
        if options.scores:
            strongest_first = sorted((record["emotions"] or {}).items(), key=lambda item: -item[1])
            likely = record.get("presence", {}) if options.presence else {}
            lines += [
                f"{intensity:.2f}  {name}" + (f" (present: {likely[name]:.2f})" if name in likely else "")
                for name, intensity in strongest_first
            ]
        if options.named:
            lines = [record["source"], *(f"  {line}" for line in lines)]
        print("\n".join(lines), file=file, flush=True)


def _write_array(records: Iterator[Record], file: TextIO, options: OutputOptions) -> None:
    separator = "["
    for record in records:
        print(f"{separator}\n{_as_json(record, options)}", end="", file=file, flush=True)
        separator = ","
    print("\n]" if separator == "," else "[]", file=file)


def _write_lines(records: Iterator[Record], file: TextIO, options: OutputOptions) -> None:
    for record in records:
        print(_as_json(record, options), file=file, flush=True)


def _write_rows(records: Iterator[Record], file: TextIO, options: OutputOptions) -> None:
    rows = csv.writer(file)
    scored = EMOTIONS if options.scores else ()
    likely = EMOTIONS if options.presence else ()
    names = (f"presence: {name}" for name in likely)
    rows.writerow(["source", "start", "end", "speaker", "caption", *scored, *names])
    for record in records:
        for window in captioned_windows(record):
            times = (f"{window[at]:.3f}" for at in ("start", "end"))
            values = _scored(window)["scores"].values() if options.scores else ()
            shares = [window["presence"].get(name, 0.0) if "presence" in window else "" for name in likely]
            speaker = window.get("speaker", "")
            rows.writerow([record["source"], *times, speaker, window["caption"], *values, *shares])


def _write_subtitles(records: Iterator[Record], file: TextIO, options: OutputOptions) -> None:
    several = list(islice(records, 2))
    if len(several) > 1:
        raise InputError(
            f"a {options.format} file has the captions of one recording: give one, or another format"
        )
    for record in several:
        subtitles = SSAFile()
        for window in captioned_windows(record):
            start, end = (round(1000 * window[at]) for at in ("start", "end"))
            speaker = f"{window['speaker']}: " if "speaker" in window else ""
            subtitles.append(SSAEvent(start=start, end=end, text=speaker + window["caption"]))
        print(subtitles.to_string(options.format), end="", file=file)


def _as_json(record: Record, options: OutputOptions) -> str:
    shown = _scored(record) if options.scores and "error" not in record else record
    return json.dumps(shown, ensure_ascii=False, allow_nan=False)


def _scored(record: Record) -> Record:
    """Return the record with all 40 emotions as `scores`."""
    emotions = record["emotions"]
    absent = None if emotions is None else 0.0
    return {**record, "scores": {name: (emotions or {}).get(name, absent) for name in EMOTIONS}}
