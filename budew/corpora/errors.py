"""Kinds of faults of a corpus that something else than its message is asked of."""

import os
from pathlib import Path
from stat import S_ISREG

from budew.errors import CorpusError


class UnlistedError(CorpusError):
    """A folder whose files cannot be listed; `folder` is its path."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"{folder}: cannot be listed ({reason}): check its permissions")
        self.folder = folder


class LackError(CorpusError):
    """A clip without something that a format holds. Of many, one sentence can tell.

    Attributes:
        clip: its id.
        lack: what there is not, and who needs it: "no transcript, which text to speech needs".
        remedy: what to do for all such clips.
    """

    def __init__(self, clip: str, lack: str, *, remedy: str) -> None:
        super().__init__(f"clip {clip!r}: has {lack}: {remedy}")
        self.clip, self.lack, self.remedy = clip, lack, remedy


class ColumnWarning(UserWarning):
    """Columns of a table whose content is in no clip."""


def check_file(path: Path) -> None:
    """Raise `CorpusError` for a pipe, a device or a folder: to open a pipe is to wait for who writes to it.
    What is not there at all is for whoever opens it to tell.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return
    if not S_ISREG(found.st_mode):
        raise CorpusError(f"{path}: this is not a file: remove it, or give the path of a file")
