"""Captions of recordings as text, JSON, CSV, subtitles or a page; resumable where they go to a file.

On stdout each result appears when it is there. A file appears when it is complete; until then the results
are kept in `FILE.part` beside it, so that the same command resumes.
"""

import csv
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from pysubs2 import SSAEvent, SSAFile

from budew.errors import InputError
from budew.inference import CaptionedRecording, FailedRecording, WindowCaption
from budew.inference.recordings import Recording
from budew.reports.captions_page import captioned_windows, captions_page
from budew.taxonomy import EMOTIONS

_log = logging.getLogger(__name__)

Record = Mapping[str, Any]
"""A result as JSON values: `CaptionedRecording.to_dict`, or `source` and `error`."""


def reported(results: Iterable[CaptionedRecording | FailedRecording]) -> Iterator[Record]:
    """Yield the records of results; log what is wrong with them, a line each."""
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
    """Whether the audio failed or is damaged."""
    return "error" in record or "damaged" in record


def write_records(
    records: Iterable[Record],
    file: TextIO,
    *,
    format: str,
    scores: bool,
    named: bool,
    recordings: Iterable[Recording] = (),
) -> bool:
    """Write results as they come; return whether no audio failed or is damaged.

    Raises:
        InputError: subtitles of several recordings.

    Args:
        records: one for each recording.
        file: open for writing text.
        format: as of `budew caption --format`. "json" is one array; "csv" has a row for each window; "srt"
            and "vtt" are subtitles of one recording, "html" is a page. Only "json", "jsonl" and "html" show
            failures.
        scores: add the emotions as numbers; in JSON all 40, under `scores`; null of a withheld caption.
        named: as text, put the name of the recording before its caption.
        recordings: whose captions these are, for the players of a page.
    """
    bad = 0
    separator, subtitled, shown = "[", 0, list[Record]()
    if format == "csv":
        csv.writer(file).writerow(
            ["source", "start", "end", "speaker", "caption", *(EMOTIONS if scores else ())]
        )
    for record in records:
        bad += is_bad(record)
        if format == "text":
            _write_text(record, file, scores, named)
        elif format == "csv":
            _write_rows(record, file, scores)
        elif format in ("srt", "vtt"):
            subtitled += 1
            if subtitled > 1:
                raise InputError(f"{format} holds the captions of one recording: give one, or another format")
            print(_subtitles(record, format), end="", file=file)
        elif format == "html":
            shown.append(record)
        elif format == "jsonl":
            print(_as_json(_scored(record, scores)), file=file, flush=True)
        else:
            print(f"{separator}\n{_as_json(_scored(record, scores))}", end="", file=file, flush=True)
            separator = ","
    if format == "json":
        print("\n]" if separator == "," else "[]", file=file)
    elif format == "html":
        file.write(captions_page(shown, recordings))
    return not bad


@dataclass(slots=True)
class PartialResults:
    """Results of a run that is not finished, one JSON object a line, settings first.

    The windows of a recording come before its result, each with `window_of`.

    Attributes:
        path: of the file.
        finished: sources of the results in it.
        windows: captions of other recordings, by source and times.
    """

    path: Path
    finished: set[str] = field(default_factory=set)
    windows: dict[tuple[str, float, float], WindowCaption] = field(default_factory=dict)
    _file: TextIO | None = None

    def keep(self, results: Iterable[CaptionedRecording | FailedRecording]) -> None:
        """Append results, each as soon as it is there."""
        for record in reported(results):
            self._append(record)

    def get(self, source: str, start: float, end: float) -> WindowCaption | None:
        """Return the caption of a window that is kept; see `WindowStore`."""
        return self.windows.get((source, start, end))

    def put(self, source: str, window: WindowCaption) -> None:
        """Append the caption of a window; see `WindowStore`."""
        self._append({"window_of": source, **window.kept()})

    def _append(self, entry: Mapping[str, Any]) -> None:
        print(json.dumps(entry, allow_nan=False), file=self._file, flush=True)

    def read(self) -> None:
        """Find what is kept."""
        for entry in self._entries():
            if "window_of" in entry:
                window = WindowCaption.from_kept(entry)
                self.windows[entry["window_of"], window.start, window.end] = window
            else:
                self.finished.add(entry["source"])

    def records(self) -> Iterator[Record]:
        """Iterate over the results."""
        return (entry for entry in self._entries() if "window_of" not in entry)

    def _entries(self) -> Iterator[Record]:
        with self.path.open(encoding="utf-8") as file:
            next(file)
            yield from map(json.loads, file)


@contextmanager
def partial_results(output: Path, settings: Mapping[str, Any]) -> Iterator[PartialResults]:
    """Open `output`.part, which keeps results while a run is not finished, and remove it after success.

    Args:
        output: file that the results are for.
        settings: those that determine the results; results of a run with other settings are discarded.
    """
    kept = PartialResults(output.with_name(f"{output.name}.part"))
    header = json.dumps(settings, sort_keys=True)
    lines = kept.path.read_bytes().splitlines(keepends=True) if kept.path.is_file() else []
    if lines and lines[0].strip() != header.encode():
        _log.warning(f"{kept.path}: was made with other settings: captioning restarts")
        lines = []
    whole = [line for line in lines[1:] if line.endswith(b"\n")]  # the last may have been cut off
    kept.path.parent.mkdir(parents=True, exist_ok=True)
    kept.path.write_bytes(b"".join([f"{header}\n".encode(), *whole]))
    kept.read()
    if whole:
        done = f"recordings done: {len(kept.finished):,}, windows: {len(kept.windows):,}"
        _log.warning(f"{kept.path}: continuing; {done}")
    with kept.path.open("a", encoding="utf-8") as kept._file:
        yield kept
    kept.path.unlink()


def _write_rows(record: Record, file: TextIO, scores: bool) -> None:
    rows = csv.writer(file)
    for window in captioned_windows(record):
        values = _scored(window, scores).get("scores", {}).values()
        times = (f"{window[at]:.3f}" for at in ("start", "end"))
        rows.writerow([record["source"], *times, window.get("speaker", ""), window["caption"], *values])


def _subtitles(record: Record, format: str) -> str:
    subtitles = SSAFile()
    for window in captioned_windows(record):
        start, end = (round(1000 * window[at]) for at in ("start", "end"))
        speaker = f"{window['speaker']}: " if "speaker" in window else ""
        subtitles.append(SSAEvent(start=start, end=end, text=speaker + window["caption"]))
    text: str = subtitles.to_string(format)
    return text


def _write_text(record: Record, file: TextIO, scores: bool, named: bool) -> None:
    if "error" in record:
        return
    lines = record["caption"].splitlines()
    if scores:
        strongest_first = sorted((record["emotions"] or {}).items(), key=lambda item: -item[1])
        lines += [f"{intensity:.2f}  {name}" for name, intensity in strongest_first]
    shown = [record["source"], *(f"  {line}" for line in lines)] if named else lines
    print("\n".join(shown), file=file, flush=True)


def _as_json(value: Record) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _scored(record: Record, scores: bool) -> Record:
    if not scores or "error" in record:
        return record
    absent, emotions = (None, {}) if record["emotions"] is None else (0.0, record["emotions"])
    return {**record, "scores": {name: emotions.get(name, absent) for name in EMOTIONS}}
