"""A hash of large files that does not read them whole: 16 GB of heads in a fraction of a second."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

BLOCK = 64 * 2**10
BLOCKS = 64
"""Read of each file at even distances, its end among them: in a `.pth` that is the list of checksums."""


def fingerprint(files: Iterable[Path]) -> str:
    """Return 16 digits made of the names, the sizes and `BLOCKS` blocks of the files, in their order.

    A file of 4 MB or less is read whole.

    Raises:
        OSError: one cannot be read.
    """
    made = hashlib.sha256()
    for path in files:
        size = path.stat().st_size
        made.update(f"{path.name}/{size}/".encode(errors="surrogateescape"))
        with path.open("rb") as file:
            for number in range(BLOCKS):
                file.seek(max(size - BLOCK, 0) * number // (BLOCKS - 1), os.SEEK_SET)
                made.update(file.read(BLOCK))
    return made.hexdigest()[:16]
