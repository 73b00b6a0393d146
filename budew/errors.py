"""All errors and warnings of this package, and functions that import optional libraries.

Each message is one sentence that names the file, clip or option, what is wrong with it and the remedy. The
command line prints it and exits with 1; everything else is a bug.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType, ModuleType
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
    """A clip that the settings of a job exclude; jobs count and list such clips separately from failures.

    Attributes:
        details: measured values as JSON values, written to the clip's line in `left_out.jsonl`.
    """

    details: Mapping[str, Any] = MappingProxyType({})


class WithheldError(FilteredError, InputError):
    """A profile or text that joins a minor with sexual content: no job captions, rewrites or exports it."""


class CheckpointError(BudewError, ValueError):
    """Model files that cannot be loaded: choose another checkpoint, or download it again."""


class AnswerError(BudewError, ValueError):
    """An answer of a model or server that cannot be used: try again, or use another model."""


class ServerError(BudewError):
    """A server that refuses, or does not answer: check its address, model, key and load."""


class JobError(BudewError):
    """A fault that would affect every clip (no key, a full disk): remove it, and run the job again."""


class MissingExtraError(BudewError, ImportError):
    """An optional library that is not installed; the message says what to install."""


class BudewWarning(UserWarning):
    """A problem that the user should know about but that does not end the work."""


OnBad = Callable[[CorpusError], None]
"""Called with the error of each broken item; reading continues."""


def report(error: CorpusError, on_bad: OnBad | None) -> None:
    """Pass `error` to `on_bad`; raise it if `on_bad` is None."""
    if on_bad is None:
        raise error
    on_bad(error)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its class if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional library, and return its module.

    Args:
        module: name as in an import statement, such as `espeakng_loader`.
        extra: extra of this package that installs the library, such as `train`.
        purpose: what needs the library, preferably a command such as `budew corpus synthesize`; for the
            error.

    Raises:
        MissingExtraError: the library is not installed.
        ImportError: the library is installed, but its import fails.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if error.name != library:
            raise
        raise _missing(library, extra, purpose) from error


def locate_library(library: str, *, extra: str, purpose: str) -> Path:
    """Return the folder of an installed library, for its data files, without importing the library.

    Args:
        library: name as in an import statement, such as `silero_vad`.
        extra: extra of this package that installs the library, such as `corpora`.
        purpose: what needs the library, preferably a command such as `budew corpus segment`; for the error.

    Raises:
        MissingExtraError: the library is not installed.
    """
    found = find_spec(library)
    if found is None or found.origin is None:
        raise _missing(library, extra, purpose)
    return Path(found.origin).parent


def _missing(library: str, extra: str, purpose: str) -> MissingExtraError:
    message = f'{purpose} needs {library}, which is not installed: run pip install "budew[{extra}]"'
    return MissingExtraError(message, name=library)
