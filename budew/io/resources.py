"""Data of this package: data folders (in a checkout beside the package, in a wheel inside), YAML tables."""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Loader of YAML in C, seven times as fast as that in Python. Deep nesting crashes it, so it reads only files
of this package."""


def data_folder(name: str) -> Path:
    """Return the path of a data folder of this package, such as `caption_templates` or `checkpoints`.

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


@cache
def folder_sha256(name: str) -> str:
    """Return the SHA-256 digest of the names and contents of the files in a data folder."""
    digest, folder = hashlib.sha256(), data_folder(name)
    for path in sorted(folder.rglob("*.*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def packaged_table(package: str, name: str) -> Any:
    """Read the file `name`.yaml in the folder of a Python package; not cached.

    Args:
        package: dotted name of the package; a module passes its own `__package__`.
        name: file name without suffix.

    Example:
        >>> packaged_table("budew.taxonomy", "scales")["bud-e"]["high"]
        4
    """
    return packaged_yaml(files(package) / f"{name}.yaml")


def packaged_yaml(file: Path | Traversable) -> Any:
    """Read a YAML file of this package; for files of users see `budew.io.settings.read_yaml`."""
    return yaml.load(file.read_text(encoding="utf-8"), _SafeLoader)  # noqa: S506  # it is a safe one
