"""Parts of a long manifest or table: so many rows each, read on their own.

Lines of JSON Lines, records of CSV and TSV, rows of parquet and Arrow. Dividing a manifest parses its records
once; a parquet file is divided by its footer alone.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from budew.corpora.clip import Clip
from budew.corpora.delimited import delimited_rows, read_delimited, record_spans
from budew.corpora.fields import choose
from budew.corpora.manifest import audio_below, manifest_rows, read_manifest, spans
from budew.corpora.sidecar import Span
from budew.errors import CorpusError, OnBad


class Rows(NamedTuple):
    """Rows `start` to before `stop` of a parquet or Arrow file with `of` rows."""

    start: int
    stop: int
    of: int


Part = Span | Rows
JSON_LINES, DELIMITED, TABLES = (".jsonl", ".ndjson"), (".csv", ".tsv"), (".parquet", ".arrow")


def divide(path: Path, rows: int) -> list[Part]:
    """Return the parts of a manifest or table, `rows` rows each; nothing for any other or unreadable file.

    Raises:
        CorpusError: a JSON Lines manifest cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in JSON_LINES:
        return list(spans(path, rows))
    if suffix in DELIMITED:
        with suppress(CorpusError):  # reported when it is read
            return list(record_spans(path, rows))
    if suffix in TABLES:
        from budew.corpora.parquet import row_count  # pyarrow, which other files do not need

        with suppress(CorpusError):
            of = row_count(path)
            return [Rows(start, min(start + rows, of), of) for start in range(0, of, rows)]
    return []


def read_part(path: Path, part: Part, *, on_bad: OnBad | None = None) -> Iterator[Clip]:
    """Read the clips of one part. Ids, line numbers and rating scales are those of the whole file.

    Raises:
        CorpusError: as `budew.read`.
    """
    if isinstance(part, Rows):
        from budew.corpora.parquet import read_parquet

        return read_parquet(path, rows=range(part.start, part.stop), on_bad=on_bad)
    read = read_delimited if path.suffix.lower() in DELIMITED else read_manifest
    return read(path, span=part, on_bad=on_bad)


def named_audio(path: Path, span: Span | None = None) -> list[Path]:
    """Return the audio that a manifest names, each file once, there or not; nothing for any other file.

    Paths that leave the folder of the manifest are left out: they are not read either. Takes a third of the
    time of reading the clips.

    Args:
        path: a manifest, or any file.
        span: the lines that count; all where None.
    """
    named: dict[Path, None] = {}
    with suppress(CorpusError):  # reported when the clips are read
        for row in _rows(path, span):
            with suppress(CorpusError):
                named[audio_below(path.parent, row.get(choose(row).get("audio", "")))] = None
    return list(named)


def _rows(path: Path, span: Span | None) -> Iterator[Mapping[str, Any]]:
    name = path.name.lower()
    if name.removesuffix(".gz").endswith(JSON_LINES):
        yield from manifest_rows(path, span)
    elif name.endswith(DELIMITED):
        yield from (row for _, row in delimited_rows(path, span=span, on_bad=lambda error: None))
