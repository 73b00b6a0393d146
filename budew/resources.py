"""Where the data folders are: beside the package in a checkout, inside it in an installed wheel."""

from importlib.resources import files
from pathlib import Path


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
