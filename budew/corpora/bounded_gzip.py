"""Gzip read within bounds: a megabyte of it can hold a gigabyte of zeros, and some hours of inflating them.

Audio shrinks to a third at best and JSON to a tenth or so; deflate can shrink zeros to a thousandth.
"""

import gzip
from typing import BinaryIO

MOST_TIMES = 100
"""Largest ratio of bytes read to compressed bytes."""
ALWAYS = 100 * 2**20
"""Bytes that any file may expand to: silence shrinks as zeros do."""
_PIECE = 2**20


class InflationError(ValueError):
    """The file expands to too much for its size."""


class Inflated:
    """The content of a gzip file; read, seek and tell are those of a file.

    Raises:
        InflationError: in `read` and `seek`, where more than `MOST_TIMES` of its bytes have come out.
        gzip.BadGzipFile, EOFError, zlib.error: it is damaged.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._packed, self._file = file, gzip.GzipFile(fileobj=file, mode="rb")
        self.tell = self._file.tell

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer only at the end."""
        data = self._file.read(size)
        if self.tell() > ALWAYS + MOST_TIMES * self._packed.tell():
            fault = (
                f"it inflates to more than {MOST_TIMES} times its size, {self.tell() / 1e6:,.0f} MB so far"
            )
            raise InflationError(fault)
        return data

    def seek(self, place: int) -> int:
        """Go to a place; forwards is by reading, piece by piece and within the same bounds."""
        if place < self.tell():
            return self._file.seek(place)
        while (rest := place - self.tell()) and self.read(min(rest, _PIECE)):
            pass
        return self.tell()
