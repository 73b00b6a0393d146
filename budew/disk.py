"""A disk that refuses to be written to: full, over a quota, read-only; and what then helps."""

import errno

_REMEDIES = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there, or ask for a larger quota",
    errno.EROFS: "choose a folder that can be written to",
    errno.EFBIG: "allow larger files (ulimit -f), or make smaller ones",
}


def remedy_for(error: BaseException) -> str | None:
    """Return what helps where a disk refuses; None for any other error."""
    return _REMEDIES.get(error.errno or 0) if isinstance(error, OSError) else None
