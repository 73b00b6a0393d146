"""Read CSV and TSV files as rows of text.

The delimiter is a tab in `.tsv`; otherwise `,`, `;`, `|` or a tab, whichever is most frequent in the first
line. The first line has the names of the columns; known names (`fields.yaml`) may be in any case. LJSpeech's
`metadata.csv` has no such line (`LJ001-0001|text, with commas|normalized text`) and is recognized by the
folder `wavs/` beside it.

If a quotation mark is not closed, only the first line of the record is skipped: reading continues with the
next line.
"""

import csv
import os
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from budew.corpora.column_names import columns_of_fields, in_known_case
from budew.corpora.reading import Span
from budew.corpora.text_files import LARGEST_JSON, numbered_lines, readable
from budew.errors import CorpusError, OnBad, report

DELIMITED = (".csv", ".tsv")
"""Suffixes of tables that are read here."""
LARGEST_RECORD = LARGEST_JSON
"""Largest number of characters of a record, over all of its lines."""
_DELIMITERS = ",;\t|"
_LJSPEECH = ("audio", "raw_text", "transcript")


def divide_delimited(path: Path, records: int) -> list[Span]:
    """Divide a CSV or TSV into parts of `records` records; the first part includes the header line.

    Raises:
        CorpusError: the file cannot be read or has no columns.
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
    """Yield the records of a CSV or TSV: number of the first line, and {column: text} without empty fields.

    Args:
        path: path of the file.
        span: part from `divide_delimited`; None: all records. The header line is read in any case.
        on_bad: called with the error of each broken record, which is skipped; without it the error is raised.

    Raises:
        CorpusError: the file cannot be read, has no columns, or a record is broken; the message names the
            line.
    """
    with readable(path), path.open("rb") as file:
        yield from _rows(file, path, on_bad, span)


def _rows(
    file: BinaryIO, path: Path, on_bad: OnBad | None, span: Span | None
) -> Iterator[tuple[int, dict[str, str]]]:
    starts = span is None or span.start == 0
    lines = _text_lines(file, path, on_bad, Span(0, span.stop, 1) if span and starts else None)
    first = next(lines, (0, ""))
    of_ljspeech = _is_ljspeech(path, first[1])
    usual = "\t" if path.suffix.lower() == ".tsv" else max(_DELIMITERS, key=first[1].count)
    delimiter = "|" if of_ljspeech else usual
    records = _records(chain([first], lines), path, delimiter, on_bad)
    number, names = next(records, (0, []))
    if span is not None and not starts:
        file.seek(span.start)
        records = _records(_text_lines(file, path, on_bad, span), path, delimiter, on_bad)
    if of_ljspeech:
        records = chain([(number, names)] if starts else [], records)
        names = list(_LJSPEECH) if len(names) > 2 else ["audio", "transcript"]
    names = in_known_case([name.strip() for name in names])
    if not any(names):
        raise CorpusError(f"{path} has no header line: add one")
    double, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise CorpusError(f"{path} has two columns {double[:40]!r}: rename one")
    for number, fields in records:
        if len(fields) != len(names):
            fault = f"has {len(fields)} fields and the first line {len(names)}: correct one of them"
            report(CorpusError(f"{path}: line {number} {fault}"), on_bad)
            continue
        row = {name: value for name, value in zip(names, fields, strict=True) if value}
        yield number, _ljspeech(row) if of_ljspeech else row


def _is_ljspeech(path: Path, first: str) -> bool:
    """Return whether the first line is a row of LJSpeech, not a header line.

    It is one if the audio that it names is in `wavs/`, or in a metadata.csv, if it names no known column.
    """
    wavs, (name, *texts) = path.parent / "wavs", first.split("|")
    if not texts or path.suffix.lower() == ".tsv":
        return False
    named = columns_of_fields(in_known_case(re.split(f"[{_DELIMITERS}]", first.strip())))
    nameless = path.name.lower() == "metadata.csv" and not named
    return os.path.isfile(wavs / f"{name}.wav") or (nameless and wavs.is_dir())


def _ljspeech(row: dict[str, str]) -> dict[str, str]:
    """Return a row with path and id, the normalized text as transcript, and the raw text if it differs."""
    name = row.get("audio", "")
    raw = row.pop("raw_text", "")
    transcript = row.get("transcript", raw)
    raw_text = {"raw_text": raw} if raw not in ("", transcript) else {}
    return {**raw_text, "transcript": transcript, "id": unquote(name), "audio": f"wavs/{name}.wav"}


def _records(
    lines: Iterator[tuple[int, str]], path: Path, delimiter: str, on_bad: OnBad | None
) -> Iterator[tuple[int, list[str]]]:
    """Yield the records with the numbers of their first lines."""
    plain = delimiter == "|"  # as in LJSpeech, quotation marks are then part of the text
    again: deque[tuple[int, str]] = deque()
    record: list[tuple[int, str]] = []
    length = 0

    def lines_of_record() -> Iterator[str]:
        """Yield lines and add them to the record; lines in `again` are first."""
        nonlocal length
        while (line := again.popleft() if again else next(lines, None)) is not None:
            record.append(line)
            length += len(line[1])
            if length > LARGEST_RECORD:
                raise csv.Error(f"a record of more than {LARGEST_RECORD} characters")
            yield line[1]

    new_reader = partial(
        csv.reader,
        delimiter=delimiter,
        quoting=csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL,
        strict=True,
    )
    reader = new_reader(lines_of_record())
    while True:
        record.clear()
        length = 0
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = f"cannot be read ({error}): look for an unbalanced quotation mark"
            report(CorpusError(f"{path}: line {record[0][0]} {fault}"), on_bad)
            again.extendleft(reversed(record[1:]))
            reader = new_reader(lines_of_record())
            continue
        if fields:
            yield record[0][0], fields


def _text_lines(
    file: BinaryIO, path: Path, on_bad: OnBad | None, span: Span | None = None
) -> Iterator[tuple[int, str]]:
    for number, line in numbered_lines(file, str(path), span=span, on_bad=on_bad):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            fault = f"is not UTF-8 at its byte {error.start}: save the file as UTF-8"
            report(CorpusError(f"{path}: line {number} {fault}"), on_bad)
            continue
        yield number, text
