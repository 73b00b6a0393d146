"""Rows of a parquet file within bounds that its footer gives: 7 kB can hold 1.6 GB of zeros, or more as rows.

A group of rows that inflates as no audio does is not read. Of the others so few rows are in memory at once
that they fit `AT_ONCE` even if each held all of its group, as rows do that share a value of a dictionary.
"""

from collections.abc import Iterator
from typing import Any

from budew.corpora.inflated import ALWAYS, MOST_TIMES, InflationError

AT_ONCE = 64 * 2**20
"""Bytes of rows in memory; a row that is larger comes alone, which costs 10 µs more than in company."""
_OF_ANY_SIZE = "BYTE_ARRAY"


def batches(file: Any, columns: list[str] | None, size: int, *, first: int = 0) -> Iterator[Any]:
    """Give the rows of an open `pyarrow.parquet.ParquetFile` in their order, at most `size` at a time.

    Args:
        file: to be read.
        columns: what is read, such as "label" or "audio.path"; everything by default.
        size: rows at a time, where they are small.
        first: number of the first row.

    Raises:
        InflationError: a group of rows holds too much for its size.
        pyarrow.ArrowException, OSError: it is damaged.
    """
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        if first and group.num_rows <= first:
            first -= group.num_rows
            continue
        read = [column for column in _columns(group) if _is_wanted(column.path_in_schema, columns)]
        for column in read:
            _check(column)
        most = sum(column.total_uncompressed_size for column in read if column.physical_type == _OF_ANY_SIZE)
        rows = min(size, max(1, AT_ONCE // max(1, most)))
        for batch in file.iter_batches(
            batch_size=rows, row_groups=[number], columns=columns, use_threads=False
        ):
            if first < len(batch):
                yield batch.slice(first)
            first = max(0, first - len(batch))


def _columns(group: Any) -> list[Any]:
    return [group.column(number) for number in range(group.num_columns)]


def _is_wanted(path: str, columns: list[str] | None) -> bool:
    return columns is None or any(path == name or path.startswith(f"{name}.") for name in columns)


def _check(column: Any) -> None:
    inflated = column.total_uncompressed_size
    if inflated > ALWAYS + MOST_TIMES * column.total_compressed_size:
        fault = f"inflates to more than {MOST_TIMES} times its size, {inflated / 1e6:,.0f} MB"
        raise InflationError(f"the column {column.path_in_schema} {fault}")
