"""Other libraries: what to install where one is missing, and transformers kept off the terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
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


class _Watch(MetaPathFinder):
    """Calls a function once a module has been imported."""

    def __init__(self, module: str, then: Callable[[ModuleType], None]) -> None:
        self._module, self._then = module, then

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return the spec that others find for the module, with a loader that calls the function."""
        if name != self._module:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_call(module: ModuleType) -> None:
                execute(module)
                self._then(module)

            spec.loader.exec_module = execute_and_call  # type: ignore[method-assign]  # of this loader alone
        return spec


def when_imported(module: str, then: Callable[[ModuleType], None]) -> None:
    """Call `then(module)` when that module is imported, or now if it has been."""
    if module in sys.modules:
        then(sys.modules[module])
    else:
        sys.meta_path.insert(0, _Watch(module, then))


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
