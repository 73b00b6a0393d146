"""A disk that refuses to be written to: full, over a quota, read-only; and what then helps."""

import errno
import os
from pathlib import Path

_REMEDIES = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there, or ask for a larger quota",
    errno.EROFS: "choose a folder that can be written to",
    errno.EFBIG: "allow larger files (ulimit -f), or make smaller ones",
}


def remedy_for(error: BaseException) -> str | None:
    """Return what helps where a disk refuses; None for any other error."""
    return _REMEDIES.get(error.errno or 0) if isinstance(error, OSError) else None


def place_of(error: OSError, out: Path) -> Path:
    """Return what refuses: `out`, also for a temporary name in it, unless the error names a place outside."""
    if not isinstance(error.filename, str | bytes):
        return out
    named = Path(os.fsdecode(error.filename))
    return out if named.resolve().is_relative_to(out.resolve()) else named
