"""Results of an unfinished captioning run, in `OUTPUT.part` beside the output, from which it resumes."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from budew.inference.captioned_recording import WindowCaption
from budew.inference.outputs import Record

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ResumeFile:
    """Results as JSON Lines, the settings first; a `WindowStore` as well.

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

    def append(self, records: Iterable[Record]) -> None:
        """Append results, each as soon as it is there."""
        for record in records:
            self._append(record)

    def get(self, source: str, start: float, end: float) -> WindowCaption | None:
        """Return the caption of a window that is stored."""
        return self.windows.get((source, start, end))

    def put(self, source: str, window: WindowCaption) -> None:
        """Append the caption of a window."""
        self._append({"window_of": source, **window.to_stored()})

    def records(self) -> Iterator[Record]:
        """Iterate over the results."""
        return (entry for entry in self._entries() if "window_of" not in entry)

    def _append(self, entry: Record) -> None:
        print(json.dumps(entry, allow_nan=False), file=self._file, flush=True)

    def _read(self) -> None:
        for entry in self._entries():
            if "window_of" in entry:
                window = WindowCaption.from_stored(entry)
                self.windows[entry["window_of"], window.start, window.end] = window
            else:
                self.finished.add(entry["source"])

    def _entries(self) -> Iterator[Record]:
        with self.path.open(encoding="utf-8") as file:
            next(file)
            yield from map(json.loads, file)


@contextmanager
def open_resume_file(output: Path, settings: Mapping[str, Any]) -> Iterator[ResumeFile]:
    """Open `OUTPUT.part`, and remove it after success.

    Args:
        output: file that the results are for.
        settings: those that determine the results; results of a run with other settings are discarded.
    """
    opened = ResumeFile(output.with_name(f"{output.name}.part"))
    path, header = opened.path, json.dumps(settings, sort_keys=True)
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    if lines and lines[0].strip() != header.encode():
        _log.warning(f"{path}: was made with other settings: captioning restarts")
        lines = []
    complete = [line for line in lines[1:] if line.endswith(b"\n")]  # the last may have been cut off
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join([f"{header}\n".encode(), *complete]))
    opened._read()
    if complete:
        done = f"recordings done: {len(opened.finished):,}, windows: {len(opened.windows):,}"
        _log.warning(f"{path}: continuing; {done}")
    with path.open("a", encoding="utf-8") as opened._file:
        yield opened
    path.unlink()
