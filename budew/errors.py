"""All errors and warnings of this package, named by what the user can do about them.

Each message is one sentence that names the file, clip or option, what is wrong with it and the remedy. The
command line prints it and exits with 1; everything else is a bug.
"""

import errno
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any


class BudewError(Exception):
    """Base class of all errors of this package."""


class InputError(BudewError, ValueError):
    """An argument, option or value that is out of range or unknown: pass another one."""


class SettingsError(BudewError, ValueError):
    """A settings file (recipe, prompt, lexicon, table, server, cluster) that is invalid: correct the file."""


class CorpusError(BudewError, ValueError):
    """A corpus, shard, manifest or clip that cannot be read or written: correct or remove it."""


class AudioError(CorpusError):
    """Audio that cannot be decoded: record or copy it again."""


class FilteredError(CorpusError):
    """A clip that the settings of a job exclude. Counted and listed separately from failures.

    Attributes:
        details: measured values as JSON, for its line in `left_out.jsonl`.
    """

    details: Mapping[str, Any] = MappingProxyType({})


class WithheldError(FilteredError, InputError):
    """A profile or text that joins a minor with sexual content: nothing is made of it, in any job."""


class CheckpointError(BudewError, ValueError):
    """Model files that cannot be loaded: choose another checkpoint, or download it again."""


class AnswerError(BudewError, ValueError):
    """An answer of a model or server that cannot be used: ask again, or use another model."""


class ServerError(BudewError):
    """A server that refuses, or does not answer: check its address, model, key and load."""


class JobError(BudewError):
    """Something that would fail for every clip (no key, a full disk): fix it, run again."""


class MissingExtraError(BudewError, ImportError):
    """An optional library that is not installed; the message says what to install."""


class BudewWarning(UserWarning):
    """A problem that the user should know about but that does not end the work."""


OnBad = Callable[[CorpusError], None]
"""Called with the error of each broken item; reading continues."""


def report(error: CorpusError, on_bad: OnBad | None) -> None:
    """Raise `error`, or pass it to `on_bad` when there is one."""
    if on_bad is None:
        raise error
    on_bad(error)


_REMEDIES = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there, or ask for a larger quota",
    errno.EROFS: "choose a folder that can be written to",
    errno.EFBIG: "allow larger files (ulimit -f), or make smaller ones",
}


def remedy_for(error: BaseException) -> str | None:
    """Return the remedy for an error of the disk; None for any other error."""
    return _REMEDIES.get(error.errno or 0) if isinstance(error, OSError) else None


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its class if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
