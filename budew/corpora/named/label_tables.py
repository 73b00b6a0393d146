"""Find the tables beside the audio of a known corpus, and look up the rows of a clip in them.

A table is found by the end of its path, at any depth in the folder of the corpus, or directly in one of the
two folders above it: `data.tsv` of nEMO is beside the folder `samples/`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

from budew.corpora.csv_tables import DELIMITED, delimited_rows
from budew.corpora.media import AUDIO
from budew.corpora.named.definition import LabelTable
from budew.corpora.text_files import check_file, file_lines, readable
from budew.errors import CorpusError, OnBad, report
from budew.io import strict_json

FILE = "file"
"""Name of the part that has the name of the audio file, without suffix."""
_FOLDERS_ABOVE = 2
_CACHED = 8
"""Number of tables kept in memory while a corpus is read in parts; a language of Common Voice takes 1 GB."""
Key = tuple[str, ...]
"""Values of the key of a table, by which its row of a clip is found."""
TableRow = Mapping[str, str]
"""Column, in the spelling of the definition → text."""
TableFiles = tuple[tuple[Path, ...], ...]
"""Files of each table in a definition, in its order."""


def table_files(tables: Sequence[LabelTable], folder: Path, files: Iterable[Path]) -> TableFiles:
    """Find the files of each table of a definition.

    Args:
        tables: tables of the definition.
        folder: folder of the corpus; the two folders above it are searched if it does not have a table.
        files: all files below the folder.

    Raises:
        CorpusError: a required table is missing.
    """
    if not tables:
        return ()
    below, above = list(files), list(_files_above(folder))
    found = []
    for table in tables:
        pattern = _at_end(table.file)
        here = [path for path in below if pattern.fullmatch(path.as_posix())]
        here = here or [path for path in above if pattern.fullmatch(path.as_posix())]
        if table.required and not here:
            fault = f"there is no table {table.file!r}, which has the labels"
            raise CorpusError(f"{folder}: {fault}: give the folder that holds it and the audio")
        found.append(tuple(here))
    return tuple(found)


def tables_near(tables: TableFiles, audio: Iterable[Path]) -> TableFiles:
    """Return for each table only its files in the same folders as `audio`; if there are none, all its files.

    LibriSpeech has its transcripts in 5,831 files, one in each folder with audio.
    """
    folders = {path.parent for path in audio}
    near = (tuple(path for path in some if path.parent in folders) for some in tables)
    return tuple(some or all_ for some, all_ in zip(near, tables, strict=True))


class LabelTables:
    """Looks up the rows of a clip in all tables of a corpus.

    Args:
        tables: tables of the definition.
        files: files of each table, from `table_files`.
        on_bad: called with the error of each broken row; without it the first error is raised.

    Raises:
        CorpusError: a table cannot be read.
    """

    def __init__(self, tables: Sequence[LabelTable], files: TableFiles, on_bad: OnBad | None = None) -> None:
        self._rows: list[tuple[LabelTable, Mapping[Key, TableRow]]] = []
        for table, some in zip(tables, files, strict=True):
            states = tuple((path, path.stat().st_mtime_ns) for path in some)
            rows, faults = _rows_by_key(table.model_dump_json(), states)
            for fault in faults:
                report(fault, on_bad)
            self._rows.append((table, rows))

    def rows(self, parts: Mapping[str, str]) -> Iterator[tuple[LabelTable, TableRow]]:
        """Yield the row of a clip in each table that has one, with the table.

        `parts` has the parts of the clip. The caller may add parts from a row before the next is requested,
        since they may be the key of the next table.
        """
        for table, rows in self._rows:
            row = rows.get(tuple(_comparable(parts.get(part, "")) for part in table.key))
            if row is not None:
                yield table, row


@lru_cache(maxsize=_CACHED)
def _rows_by_key(
    definition: str, files: tuple[tuple[Path, int], ...]
) -> tuple[dict[Key, TableRow], tuple[CorpusError, ...]]:
    """Return the rows of a table by their keys, and the errors of broken rows.

    The arguments are the key of the cache: the definition as JSON, and files with their modification times.
    """
    table = LabelTable.model_validate_json(definition)
    pattern = _at_end(table.file)
    where = {_spelling(column): re.compile(text) for column, text in table.where.items()}
    used = list(table.columns.values())
    if table.ratings is not None:
        used += [*sum(table.ratings.columns.values(), ()), table.ratings.divided_by or ""]
    found, faults = dict[Key, TableRow](), list[CorpusError]()
    for path, _ in files:
        named = pattern.fullmatch(path.as_posix())
        of_path = named.groupdict() if named else {}
        for row in _rows_in(path, table.line, faults.append):
            cells = {_spelling(name): text.strip() for name, text in {**row, **of_path}.items() if text}
            key = {part: cells.get(_spelling(column), "") for part, column in table.key.items()}
            counts = all(text.fullmatch(cells.get(name, "")) for name, text in where.items())
            if counts and all(key.values()):
                values = (_stem(text) if part == FILE else text for part, text in key.items())
                kept = {name: cells[_spelling(name)] for name in used if _spelling(name) in cells}
                found.setdefault(tuple(map(_comparable, values)), kept)
    return found, tuple(faults)


def _rows_in(path: Path, pattern: str | None, on_bad: OnBad) -> Iterator[dict[str, str]]:
    check_file(path)
    if pattern is not None:
        return _lines_in(path, re.compile(pattern), on_bad)
    if path.suffix.lower() in DELIMITED:
        return (row for _, row in delimited_rows(path, on_bad=on_bad))
    if path.suffix.lower() == ".json":
        return _json_rows(path)
    raise CorpusError(f"{path} is not CSV, TSV or JSON: give a pattern for its lines in the definition")


def _lines_in(path: Path, pattern: re.Pattern[str], on_bad: OnBad) -> Iterator[dict[str, str]]:
    for number, line in file_lines(path, on_bad=on_bad):
        try:
            matched = pattern.fullmatch(line.decode("utf-8-sig").rstrip("\r\n"))
        except UnicodeDecodeError:
            on_bad(CorpusError(f"{path}: line {number} is not UTF-8: save the file as UTF-8"))
            continue
        if matched is not None:
            yield {name: text for name, text in matched.groupdict().items() if text}


def _json_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a JSON object or list; `LabelTable` describes their columns."""
    with readable(path):
        content = path.read_bytes()
    try:
        table = strict_json.loads(content)
    except ValueError as error:
        raise CorpusError(f"{path}: {error}") from error
    if not isinstance(table, Mapping | list):
        raise CorpusError(f"{path} contains neither a JSON object nor a list: give a table")
    for name, value in table.items() if isinstance(table, Mapping) else enumerate(table):
        if isinstance(value, Mapping):
            yield {"name": str(name)} | {str(key): str(one) for key, one in value.items() if one is not None}
        elif isinstance(value, list):
            yield {str(number): str(one) for number, one in enumerate(value)}
        else:
            yield {"name": str(name), "value": str(value)}


def _spelling(column: str) -> str:
    """Return a normalized column name, because versions of a table may have `File name` and `file_name`."""
    return column.casefold().replace(" ", "").replace("_", "")


def _at_end(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:.*/)?(?:{pattern})")


def _stem(name: str) -> str:
    """Return the name of an audio file without folders and suffix."""
    path = PurePosixPath(name)
    return path.stem if AUDIO.owns(path) else path.name


def _comparable(text: str) -> str:
    """Return a value of a key in lower case, or if it is a number, without leading zeros."""
    return text.lstrip("0") or "0" if text.isdecimal() else text.casefold()


def _files_above(folder: Path) -> Iterator[Path]:
    """Yield the files directly in the two folders above a folder, if these can be listed."""
    for parent in list(folder.absolute().parents)[:_FOLDERS_ABOVE]:
        try:
            yield from sorted(path for path in parent.iterdir() if not path.name.startswith("."))
        except OSError:  # not readable, such as /home on many machines
            return
