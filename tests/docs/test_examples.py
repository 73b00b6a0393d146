"""Every example of the pages on corpora and paraphrasing runs as it stands, beside a `clip.wav` and a folder
`whisper`, section by section.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import soundfile

from budew.audio.samples import decode
from budew.corpora import read
from budew.resources import data_folder

ROOT = Path(__file__).parents[2]
PAGES = ("corpora", "segmentation", "annotation", "acting", "balance", "paraphrasing")
_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> dict[str, list[tuple[str, str]]]:
    """Return the examples below each heading. What needs a server or data of others stands as `console`."""
    found = {}
    for page in PAGES:
        text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        parts = re.split(r"^#{2,3} (.+)$", text, flags=re.MULTILINE)
        for name, section in zip(parts[1::2], parts[2::2], strict=True):
            found[f"{page}: {name}"] = _BLOCK.findall(section)
    return {name: blocks for name, blocks in found.items() if blocks}


@pytest.fixture
def place(tmp_path: Path, whisper_folder: Path) -> Path:
    """A folder with a clip of speech and a checkpoint, and `budew` in the path of its shell."""
    shutil.copytree(whisper_folder, tmp_path / "whisper")
    clip = next(read(data_folder("demo_clips") / "clips.tar")).audio
    soundfile.write(tmp_path / "clip.wav", decode(clip).samples, 16_000)
    program = tmp_path / "bin/budew"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m budew "$@"\n')
    program.chmod(0o755)
    return tmp_path


def imports_in_readme() -> list[str]:
    """Return the imports that the tables of the README name."""
    return re.findall(r"`(from budew[\w.]* import \w+)`", (ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("line", imports_in_readme())
def test_what_the_readme_names_can_be_imported(line):
    _, module, _, name = line.split()
    assert hasattr(import_module(module), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", examples())
def test_the_examples_of_a_section_run(name, place):
    environment = {**os.environ, "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment |= {
        "HF_HOME": str(place / "hf"),
        "HF_HUB_OFFLINE": "1",
        "XDG_CACHE_HOME": str(place / "cache"),
    }
    for kind, text in examples()[name]:
        script = place / ("example.py" if kind == "python" else "example.sh")
        script.write_text(text)
        command = [sys.executable, script] if kind == "python" else [shutil.which("bash"), "-eu", script]
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, f"{text}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
