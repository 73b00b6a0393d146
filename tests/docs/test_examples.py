"""The examples of each page run as they stand, in order, beside a `clip.wav` and a folder `whisper`.

The commands of pages are checked in `tests/cli/test_help.py`, links by `make docs`.
"""

import inspect
import re
import shlex
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name

import pytest
import soundfile

from budew.audio.samples import decode
from budew.cli import app
from budew.corpora import read
from budew.io.resources import data_folder

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.fixture
def place(tmp_path: Path, whisper_folder: Path) -> Path:
    """A folder with a clip of speech and a checkpoint."""
    folder = tmp_path / "place"
    shutil.copytree(whisper_folder, folder / "whisper")
    clip = next(read(data_folder("demo_clips") / "clips.tar")).audio
    soundfile.write(folder / "clip.wav", decode(clip).samples, 16_000)
    return folder


def examples(page: Path) -> list[tuple[str, str]]:
    """Return kind and text of each example. What needs a server or third-party data is marked `console`."""
    return re.findall(
        r"^```(python|sh)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def run_lines(text: str) -> None:
    """Run `budew` lines in this process, so that torch is imported once, and others in bash."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["budew"]:
            app(words[1:], prog_name="budew", standalone_mode=False)
        else:
            subprocess.run(["bash", "-euc", line], check=True)


def test_what_the_readme_names_can_be_imported():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for module, name in re.findall(r"`from (budew[\w.]*) import (\w+)`", text):
        assert hasattr(import_module(module), name)


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "reference").glob("*.md")), ids=lambda page: page.stem
)
def test_the_reference_lists_names_that_exist_and_are_documented(page):
    for path in re.findall(r"^::: (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE):
        shown = resolve_name(path)
        is_constant = path.rpartition(".")[2].isupper()
        assert is_constant or inspect.getdoc(shown), path


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=lambda page: page.stem)
def test_examples_of_a_page_run(page, place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", place / "datasets")
    for number, (kind, text) in enumerate(examples(page), 1):
        print(f"\n== {page.name}, example {number}\n{text}")
        if kind == "python":
            exec(compile(text, f"{page.name}, example {number}", "exec"), {"__name__": "__main__"})
        else:
            run_lines(text)
