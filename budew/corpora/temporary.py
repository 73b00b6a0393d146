"""Temporary folders that go when their process does, also where it is told to end in the middle of one."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

_there: dict[str, int] = {}
"""Folders with the process that made each: one that was forked has them in its memory and not for its own."""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give an empty folder, which is removed after use, by SIGTERM, and by `remove_all`; not by SIGKILL."""
    with TemporaryDirectory(prefix="budew-") as folder:
        _there[folder] = os.getpid()
        _on_termination(signal.SIG_DFL, _end)
        try:
            yield Path(folder)
        finally:
            del _there[folder]
            if not _there:
                _on_termination(_end, signal.SIG_DFL)


def remove_all() -> None:
    """Remove all that this process has made: for one that ends without another word."""
    for folder, process in list(_there.items()):
        if process == os.getpid():
            shutil.rmtree(folder, ignore_errors=True)


def _on_termination(now: object, then: object) -> None:
    """Replace what is done on SIGTERM, unless somebody else has a use for it. Only a main thread may."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is now:
        signal.signal(signal.SIGTERM, then)  # type: ignore[arg-type]


def _end(number: int, frame: FrameType | None) -> None:
    remove_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
