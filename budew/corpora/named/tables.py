"""Tables beside the audio of a known corpus: which files they are, and what they say of a clip.

A table is found by the end of its path, below the folder that is read, or directly in one of the two folders
above it: `data.tsv` of nEMO lies beside `samples/`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from budew.corpora.delimited import DELIMITED, delimited_rows
from budew.corpora.media import AUDIO
from budew.corpora.named.definition import Table
from budew.corpora.sidecar import check_file, file_lines, read_json
from budew.errors import CorpusError

FILE = "file"
"""The part of a key that is the name of the audio file, without suffix."""
_NAME = "name"
"""The column that is the key of an object in a JSON object."""
_FOLDERS_ABOVE = 2
Row = Mapping[str, str]
Key = tuple[str, ...]


def table_files(tables: Sequence[Table], folder: Path, files: Iterable[Path]) -> tuple[tuple[Path, ...], ...]:
    """Return the files of each table.

    Args:
        tables: of the definition.
        folder: that is read.
        files: all files below it.

    Raises:
        CorpusError: a required table is not there, or is a link that leads elsewhere.
    """
    if not tables:
        return ()
    below, above = list(files), list(_files_above(folder))
    found = []
    for table in tables:
        pattern = re.compile(rf"(?:.*/)?(?:{table.file})")
        here, there = (
            tuple(path for path in some if pattern.fullmatch(path.as_posix())) for some in (below, above)
        )
        for path in here or there:
            _check_link(path, folder)
        if table.required and not here and not there:
            fault = f"there is no table {table.file!r}, which has the labels"
            raise CorpusError(f"{folder}: {fault}: give the folder that holds it and the audio")
        found.append(here or there)
    return tuple(found)


class Tables:
    """The rows of all tables of a corpus, by their keys.

    They stay in memory as long as their files do not change, for jobs read a corpus in many parts: 100 MB of
    a Common Voice table take some seconds.
    """

    def __init__(self, tables: Sequence[Table], files: Sequence[Sequence[Path]]) -> None:
        """Load the tables; `files` is as `table_files` gives it.

        Raises:
            CorpusError: a table cannot be read, or lacks a column.
        """
        self._rows = [
            (table, _rows(table.model_dump_json(), tuple((path, path.stat().st_mtime_ns) for path in some)))
            for table, some in zip(tables, files, strict=True)
            if some
        ]

    def rows(self, parts: Mapping[str, str]) -> Iterator[tuple[Table, Row]]:
        """Yield the rows of a clip with their tables. A part that one row gives may be the key of the next:
        `parts` is looked at again for each table.
        """
        for table, rows in self._rows:
            if all(part in parts for part in table.key):
                row = rows.get(tuple(_comparable(parts[part]) for part in table.key))
                if row is not None:
                    yield table, row


@lru_cache(maxsize=8)
def _rows(definition: str, files: tuple[tuple[Path, int], ...]) -> dict[Key, Row]:
    """Return the rows of a table by their keys. Its definition is JSON and files have times for the cache."""
    table = Table.model_validate_json(definition)
    pattern = re.compile(rf"(?:.*/)?(?:{table.file})")
    wanted = {column.casefold() for column in (*table.key.values(), *table.columns.values())}
    wanted |= {column.casefold() for column in table.ratings.values()}
    found: dict[Key, Row] = {}
    for path, _ in files:
        named = pattern.fullmatch(path.as_posix())
        constant = named.groupdict() if named else {}
        for row in _rows_in(path, table):
            cells = {
                name.strip().casefold(): text.strip() for name, text in {**row, **constant}.items() if text
            }
            key = tuple(
                _stem(cells.get(column.casefold(), "")) if part == FILE else cells.get(column.casefold(), "")
                for part, column in table.key.items()
            )
            if all(key):
                found.setdefault(
                    tuple(map(_comparable, key)), {name: cells[name] for name in wanted if name in cells}
                )
    return found


def _rows_in(path: Path, table: Table) -> Iterator[dict[str, str]]:
    check_file(path)
    if table.line is not None:
        line = re.compile(table.line)
        for number, text in file_lines(path):
            matched = line.fullmatch(_decoded(text, path, number))
            if matched is not None:
                yield {name: value for name, value in matched.groupdict().items() if value}
    elif path.suffix.lower() in DELIMITED:
        yield from (row for _, row in delimited_rows(path))
    elif path.suffix.lower() == ".json":
        for name, value in read_json(path).items():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, Mapping):
                    yield {_NAME: name} | {
                        str(key): str(cell) for key, cell in one.items() if cell is not None
                    }
    else:
        raise CorpusError(f"{path}: is no CSV, TSV or JSON: give a pattern for its lines")


def _decoded(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: line {number} is not UTF-8: save the file as UTF-8") from error


def _stem(name: str) -> str:
    """Return the name of an audio file without folders and suffix."""
    path = PurePosixPath(name)
    return path.stem if AUDIO.owns(path) else path.name


def _comparable(text: str) -> str:
    """Return a key without differences of case, and numbers without leading zeros."""
    return text.lstrip("0") or "0" if text.isdecimal() else text.casefold()


def _files_above(folder: Path) -> Iterator[Path]:
    """Yield the files directly in the two folders above, as far as they can be listed."""
    for parent in list(folder.absolute().parents)[:_FOLDERS_ABOVE]:
        try:
            yield from sorted(path for path in parent.iterdir() if not path.name.startswith("."))
        except OSError:  # another user's, as /home is on many machines
            return


def _check_link(path: Path, folder: Path) -> None:
    parents = folder.resolve().parents
    root = parents[min(_FOLDERS_ABOVE, len(parents)) - 1] if parents else folder.resolve()
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        raise CorpusError(f"{path}: leads out of the folder: copy the table")


def cell(row: Row, column: str) -> Any:
    """Return a cell by the name of its column in any case; None where it is empty."""
    return row.get(column.casefold())
