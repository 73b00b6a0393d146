"""Other libraries: what to install where one is missing, and transformers kept off the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from budew.errors import MissingExtraError


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import `module`, which the extra `extra` of this package brings.

    Args:
        module: name as in an import statement, such as `espeakng_loader`.
        extra: name in the optional dependencies, such as `train`.
        purpose: what needs it, preferably the command: `budew corpus synthesize`.

    Raises:
        MissingExtraError: the library is not installed.
        ImportError: it is installed but broken; raised as it comes.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if error.name != library:
            raise
        raise _missing(library, extra, purpose) from error


def locate(library: str, *, extra: str, purpose: str) -> Path:
    """Return the folder of an installed library without importing it: for its data.

    Arguments are those of `require`.

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


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep advice of `transformers` about its own internals, and its progress bars, off the terminal."""
    noise: Any = import_module("transformers.utils.logging")
    verbosity, bars = noise.get_verbosity(), noise.is_progress_bar_enabled()
    noise.set_verbosity_error()
    noise.disable_progress_bar()
    try:
        yield
    finally:
        noise.set_verbosity(verbosity)
        if bars:
            noise.enable_progress_bar()
