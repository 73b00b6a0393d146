"""CSV and TSV: as manifests of clips, with the audio relative to the file, and as rows for any other use.

The delimiter is a tab in `.tsv`, else the one of `,` `;` `|` and tab that the first line has most of. The
first line names the columns, by the usual names of `fields.yaml`. LJSpeech's `metadata.csv`, which has no
such line (`LJ001-0001|text|normalized text`), is known by its `wavs/` folder.

A record that breaks off in a quoted field costs itself: the reading goes on with the line behind its first.
"""

import csv
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from budew.corpora.clip import Clip
from budew.corpora.fields import known_names
from budew.corpora.labels import Scales
from budew.corpora.labels.forms import form
from budew.corpora.labels.scores import number_in
from budew.corpora.manifest import clips_of_rows
from budew.corpora.sidecar import LARGEST_JSON, Span, json_object, numbered_lines
from budew.errors import CorpusError, OnBad, report

MOST_COLUMNS = 1_000
LARGEST_RECORD = LARGEST_JSON
"""Characters of one record, whatever number of lines it has."""
_OF_RATINGS = ("rater", "emotion", "value")
_DELIMITERS = ",;\t|"
_LJSPEECH = ("audio", "raw_text", "transcript")


def read_delimited(
    path: str | Path,
    *,
    scale: str | None = None,
    span: Span | None = None,
    on_bad: OnBad | None = None,
) -> Iterator[Clip]:
    """Read each record of a `.csv` or `.tsv` as a clip; the audio stays a path.

    Arguments and errors are those of `budew.corpora.manifest.read_manifest`; ids are the paths of the audio
    where there is no column of ids.
    """
    path = Path(path)
    found = delimited_rows(path, span=span, on_bad=on_bad)
    first = next(found, None)
    if first is not None and all(set(form("ratings")[part]) & set(first[1]) for part in _OF_RATINGS):
        raise CorpusError(f"{path}: holds ratings and no clips: count them with budew corpus ratings")
    rows = ((number, partial(_typed, row)) for number, row in chain([first] if first else [], found))
    scales = Scales(scale, lambda: (row for _, row in delimited_rows(path, on_bad=lambda error: None)))
    yield from clips_of_rows(rows, path, scales, on_bad)


def record_spans(path: Path, records: int) -> list[Span]:
    """Divide a file into spans of so many records; the first one has the line with the names as well.

    Raises:
        CorpusError: it cannot be read, or has no columns.
    """
    begins = [number for number, _ in delimited_rows(path, on_bad=lambda error: None)][records::records]
    spans, place, wanted = [Span(0, None, 1)], 0, iter(begins)
    line = next(wanted, None)
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if number == line:
                spans[-1] = replace(spans[-1], stop=place)
                spans.append(Span(place, None, number))
                line = next(wanted, None)
            place += len(text)
    return spans


def delimited_rows(
    path: Path, *, span: Span | None = None, on_bad: OnBad | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """Give the records of a file with the numbers of their lines, column → text; empty fields are left out.

    Args:
        path: `.csv` or `.tsv`, UTF-8.
        span: read these lines alone, after the names of the columns.
        on_bad: as for `budew.read`.

    Raises:
        CorpusError: the file cannot be read, has no columns, or names the line and what is wrong with it.
    """
    try:
        with path.open("rb") as file:
            yield from _rows(file, path, on_bad, span)
    except OSError as error:
        raise CorpusError(
            f"{path}: cannot be read ({error.strerror}): check the path and its permissions"
        ) from error


def _rows(
    file: BinaryIO, path: Path, on_bad: OnBad | None, span: Span | None
) -> Iterator[tuple[int, dict[str, str]]]:
    starts = span is None or span.start == 0
    lines = _Lines(file, path, on_bad, Span(0, span.stop, 1) if span and starts else None)
    delimiter = "\t" if path.suffix.lower() in (".tsv", ".tab") else _delimiter(lines.first())
    records = _records(lines, path, delimiter, on_bad)
    number, names = next(records, (0, []))
    of_ljspeech = delimiter == "|" and (path.parent / "wavs" / f"{names[0]}.wav").is_file()
    if span is not None and not starts:
        file.seek(span.start)
        records = _records(_Lines(file, path, on_bad, span), path, delimiter, on_bad)
    if of_ljspeech:
        records = chain([(number, names)] if starts else [], records)
        names = list(_LJSPEECH) if len(names) > 2 else ["audio", "transcript"]
    names = _checked([name.strip() for name in names], path)
    for number, fields in records:
        if len(fields) != len(names):
            fault = f"has {len(fields)} fields and the first line {len(names)}: correct one of them"
            report(CorpusError(f"{path}: line {number} {fault}"), on_bad)
            continue
        row = {name: value for name, value in zip(names, fields, strict=True) if value}
        yield number, _ljspeech(row) if of_ljspeech else row


def _ljspeech(row: dict[str, str]) -> dict[str, str]:
    """Return a row with path and id, the normalized text as transcript, and the raw text where it differs."""
    name, raw = row.get("audio", ""), row.pop("raw_text", "")
    said = row.get("transcript", raw)
    kept = {"raw_text": raw} if raw not in ("", said) else {}
    return {**kept, "transcript": said, "id": unquote(name), "audio": f"wavs/{name}.wav"}


def _delimiter(line: str) -> str:
    counts = Counter(character for character in line if character in _DELIMITERS)
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])


def _checked(names: list[str], path: Path) -> list[str]:
    fault = ""
    if not any(names):
        fault = "has no first line with the names of its columns: add it"
    elif len(names) > MOST_COLUMNS:
        fault = f"has {len(names)} columns, more than the {MOST_COLUMNS} allowed: leave some out"
    elif len(set(names)) < len(names):
        double = next(name for name, count in Counter(names).items() if count > 1)
        fault = f"has two columns {double[:40]!r}: rename one"
    if fault:
        raise CorpusError(f"{path}: {fault}")
    return names


def _records(
    lines: "_Lines", path: Path, delimiter: str, on_bad: OnBad | None
) -> Iterator[tuple[int, list[str]]]:
    """Give the records with the numbers of the lines on which they begin."""
    plain = delimiter == "|"  # there quotation marks are those of the text, as in LJSpeech
    reader = csv.reader(
        lines, delimiter=delimiter, quoting=csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL, strict=True
    )
    while True:
        lines.begin_record()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = f"cannot be read ({error}): look for a quotation mark without its partner"
            report(CorpusError(f"{path}: line {lines.first_number} {fault}"), on_bad)
            lines.back_to_second()
            continue
        if fields:
            yield lines.first_number, fields


class _Lines:
    """The lines of a file as text, and the way back to the second line of the record that is being read."""

    def __init__(self, file: BinaryIO, path: Path, on_bad: OnBad | None, span: Span | None = None) -> None:
        self._lines = numbered_lines(file, str(path), span=span, on_bad=on_bad)
        self._path, self._on_bad = path, on_bad
        self._waiting: deque[tuple[int, str]] = deque()
        self._record: list[tuple[int, str]] = []
        self._length = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        number, line = self._waiting.popleft() if self._waiting else self._next_line()
        self._record.append((number, line))
        self._length += len(line)
        if self._length > LARGEST_RECORD:
            raise csv.Error(f"a record of more than {LARGEST_RECORD} characters")
        return line

    @property
    def first_number(self) -> int:
        """Number of the line on which the record begins."""
        return self._record[0][0] if self._record else 0

    def first(self) -> str:
        """Return the first line, which stays to be read."""
        if not self._waiting:
            with suppress(StopIteration):
                self._waiting.append(self._next_line())
        return self._waiting[0][1] if self._waiting else ""

    def begin_record(self) -> None:
        """Forget the lines of the record before."""
        self._record.clear()
        self._length = 0

    def back_to_second(self) -> None:
        """Give the lines of the record again, but for its first."""
        self._waiting.extendleft(reversed(self._record[1:]))

    def _next_line(self) -> tuple[int, str]:
        for number, line in self._lines:
            try:
                return number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                fault = f"is not UTF-8 at its byte {error.start}: save the file as UTF-8"
                report(CorpusError(f"{self._path}: line {number} {fault}"), self._on_bad)
        raise StopIteration


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    """Return a row with numbers and objects where a clip has them; the rest stays text."""
    typed: dict[str, Any] = dict(row)
    for field in ("duration", "sampling_rate"):
        for name in known_names()[field]:
            number = number_in(row.get(name))
            if number is not None:
                typed[name] = number
    if "profile" in typed:
        typed["profile"] = json_object(typed["profile"], "profile")
    return typed
