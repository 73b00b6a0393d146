"""Data of this package: folders beside it in a checkout or inside a wheel, and tables beside the code."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Seven times as fast, where it is built. Deep nesting ends its process: it reads no files of users."""


def data_folder(name: str) -> Path:
    """Return the folder of packaged data called `name`, such as `caption_templates` or `checkpoints`.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    package = Path(str(files("budew")))
    for folder in (package / "_data" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"the data folder {name!r} is missing from this installation of budew: reinstall it"
    )


def packaged_table(package: str, name: str) -> Any:
    """Return the content of `name`.yaml in the folder of a package; a module passes its own `__package__`.

    Not cached: the file is read at each call.

    Example:
        >>> packaged_table("budew.taxonomy", "scales")["bud-e"]["high"]
        4
    """
    return packaged_yaml(files(package) / f"{name}.yaml")


def packaged_yaml(file: Path | Traversable) -> Any:
    """Return the content of a YAML file of this package; for files of users see `budew.io.settings`."""
    return yaml.load(file.read_text(encoding="utf-8"), _SafeLoader)  # noqa: S506  # it is a safe one
