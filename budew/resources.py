"""Data of this package: folders beside it in a checkout or inside a wheel, and tables beside the code."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # seven times as fast, where it is built


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
    """Return the content of `name`.yaml beside the modules of a package: pass its `__package__`.

    It is read anew at each call; whoever asks keeps it.
    """
    return read_yaml(files(package) / f"{name}.yaml")


def read_yaml(file: Path | Traversable) -> Any:
    """Return the content of a YAML file of this package."""
    return yaml.load(file.read_text(encoding="utf-8"), _SafeLoader)  # noqa: S506  # it is a safe one
