"""A checkpoint to spoil."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.inference.conftest import make_sound  # noqa: F401  # a fixture


@pytest.fixture
def folder(whisper_folder, tmp_path):
    """A copy of the tiny checkpoint, to spoil."""
    return Path(shutil.copytree(whisper_folder, tmp_path / "copy"))


@pytest.fixture
def edit() -> Callable[..., None]:
    """`edit(path, key=value, …)` changes values in a JSON file."""

    def change(path: Path, **changes: object) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change
