"""Captions of recordings as text, as one JSON array, or as JSON Lines; resumable where they go to a file.

On stdout each result appears when it is there. A file appears when it is complete; until then the results
are kept in `FILE.part` beside it, so that the same command resumes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from budew.inference import Captioned, Failure
from budew.taxonomy import EMOTIONS
from budew.terminal import as_json, say_error

Record = Mapping[str, Any]
"""A result as JSON values: `Captioned.to_dict`, or `source` and `error`."""


def reported(results: Iterable[Captioned | Failure]) -> Iterator[Record]:
    """Yield the records of results; print what is wrong with them on stderr, one line each."""
    for result in results:
        if isinstance(result, Failure):
            say_error(result)
        else:
            for warning in result.warnings:
                say_error(f"warning: {result.source}: {warning}")
            if result.damaged:
                say_error(f"{result.source}: {result.damaged}")
        yield result.to_dict()


def is_bad(record: Record) -> bool:
    """Whether the audio failed or is damaged."""
    return "error" in record or "damaged" in record


def write_records(records: Iterable[Record], file: TextIO, *, format: str, scores: bool, named: bool) -> bool:
    """Write results as they come; return whether no audio failed or is damaged.

    Args:
        records: one for each recording.
        file: open for writing text.
        format: "text" (failures are left out), "json" (one array) or "jsonl".
        scores: add the emotions as numbers; in JSON all 40, under `scores`; null of a withheld caption.
        named: as text, put the name of the recording before its caption.
    """
    bad = 0
    separator = "["
    for record in records:
        bad += is_bad(record)
        if format == "text":
            _write_text(record, file, scores, named)
        elif format == "jsonl":
            print(as_json(_scored(record, scores)), file=file, flush=True)
        else:
            print(f"{separator}\n{as_json(_scored(record, scores))}", end="", file=file, flush=True)
            separator = ","
    if format == "json":
        print("\n]" if separator == "," else "[]", file=file)
    return not bad


@dataclass(slots=True)
class PartialResults:
    """Results of a run that is not finished, one JSON object a line, settings first.

    Attributes:
        path: of the file.
        finished: sources of the results in it.
    """

    path: Path
    finished: set[str] = field(default_factory=set)

    def keep(self, results: Iterable[Captioned | Failure]) -> None:
        """Append results, each as soon as it is there."""
        with self.path.open("a", encoding="utf-8") as file:
            for record in reported(results):
                print(json.dumps(record, allow_nan=False), file=file, flush=True)

    def records(self) -> Iterator[Record]:
        """Iterate over the results."""
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
        say_error(f"{kept.path}: was made with other settings: captioning restarts")
        lines = []
    whole = [line for line in lines[1:] if line.endswith(b"\n")]  # the last may have been cut off
    kept.path.parent.mkdir(parents=True, exist_ok=True)
    kept.path.write_bytes(b"".join([f"{header}\n".encode(), *whole]))
    kept.finished.update(record["source"] for record in map(json.loads, whole))
    if kept.finished:
        say_error(f"{kept.path}: {len(kept.finished):,} recordings are captioned already: continuing")
    yield kept
    kept.path.unlink()


def _write_text(record: Record, file: TextIO, scores: bool, named: bool) -> None:
    if "error" in record:
        return
    lines = record["caption"].splitlines()
    if scores:
        strongest_first = sorted((record["emotions"] or {}).items(), key=lambda item: -item[1])
        lines += [f"{intensity:.2f}  {name}" for name, intensity in strongest_first]
    shown = [record["source"], *(f"  {line}" for line in lines)] if named else lines
    print("\n".join(shown), file=file, flush=True)


def _scored(record: Record, scores: bool) -> Record:
    if not scores or "error" in record:
        return record
    absent, emotions = (None, {}) if record["emotions"] is None else (0.0, record["emotions"])
    return {**record, "scores": {name: emotions.get(name, absent) for name in EMOTIONS}}
