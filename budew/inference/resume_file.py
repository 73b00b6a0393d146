"""`OUTPUT.part`: the file from which an interrupted captioning run resumes, beside its output."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from budew.audio.samples import Window
from budew.inference.backends import GeneratedText
from budew.inference.captioned_recording import Record

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ResumeFile:
    """Results of a captioning run so far, as JSON Lines with the settings in the first line.

    Texts of single windows (with the key `window_of`) precede the result of their recording.

    Attributes:
        path: path of the file.
        finished: sources of the recordings whose results are in the file.
        texts: (source, start, end) of a window to the text that the model generated.
    """

    path: Path
    finished: set[str] = field(default_factory=set)
    texts: dict[tuple[str, float, float], GeneratedText] = field(default_factory=dict)
    _file: TextIO | None = None

    def append(self, records: Iterable[Record]) -> None:
        """Append the results of recordings; each is written immediately."""
        for record in records:
            self._append(record)

    def append_text(self, source: str, window: Window, text: GeneratedText) -> None:
        """Append the text that the model generated for a window of the recording `source`."""
        self._append({"window_of": source, "start": window.start, "end": window.end, "text": asdict(text)})

    def text_of(self, source: str, window: Window) -> GeneratedText | None:
        """Return the text that an earlier run generated for a window; None if there is none."""
        return self.texts.get((source, window.start, window.end))

    def records(self) -> Iterator[Record]:
        """Iterate over the results of finished recordings."""
        return (entry for entry in self._entries() if "window_of" not in entry)

    def _append(self, entry: Record) -> None:
        print(json.dumps(entry, allow_nan=False), file=self._file, flush=True)

    def _read(self) -> None:
        for entry in self._entries():
            if "window_of" in entry:
                place = (entry["window_of"], entry["start"], entry["end"])
                self.texts[place] = GeneratedText(**entry["text"])
            else:
                self.finished.add(entry["source"])

    def _entries(self) -> Iterator[Record]:
        with self.path.open(encoding="utf-8") as file:
            next(file)
            yield from map(json.loads, file)


@contextmanager
def open_resume_file(output: Path, settings: Mapping[str, Any]) -> Iterator[ResumeFile]:
    """Open or create the resume file `OUTPUT.part` for a `with` block; remove it if the block succeeds.

    Args:
        output: file to which the results are finally written.
        settings: settings that determine the results; results of a run with other settings are discarded.
    """
    opened = ResumeFile(output.with_name(f"{output.name}.part"))
    path, header = opened.path, json.dumps(settings, sort_keys=True)
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    if lines and lines[0].strip() != header.encode():
        _log.warning(f"{path} was made with other settings: captioning restarts")
        lines = []
    complete = [line for line in lines[1:] if line.endswith(b"\n")]  # the last may have been cut off
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join([f"{header}\n".encode(), *complete]))
    opened._read()
    if complete:
        done = f"recordings done: {len(opened.finished):,}, windows: {len(opened.texts):,}"
        _log.warning(f"{path}: continuing; {done}")
    with path.open("a", encoding="utf-8") as opened._file:
        yield opened
    path.unlink()
