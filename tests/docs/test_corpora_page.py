"""Every example of docs/corpora.md runs as it stands there, section by section, beside a file `clip.wav`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from budew.corpora import read
from budew.corpora.audio import decode
from budew.resources import data_folder

PAGE = Path(__file__).parents[2] / "docs/corpora.md"
_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, list[tuple[str, str]]]:
    """Return the examples below each heading. What needs a server of others stands there as `console`."""
    parts = re.split(r"^#{2,3} (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {name: _BLOCK.findall(text) for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    return {name: blocks for name, blocks in found.items() if blocks}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a clip of speech, and `budew` in the path of its shell."""
    clip = next(read(data_folder("demo_clips") / "clips.tar")).audio
    soundfile.write(tmp_path / "clip.wav", decode(clip), 16_000)
    program = tmp_path / "bin/budew"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m budew "$@"\n')
    program.chmod(0o755)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", sections())
def test_the_examples_of_a_section_run(name, place):
    environment = {**os.environ, "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    environment["PYTHONPATH"] = os.pathsep.join([str(PAGE.parents[1]), os.environ.get("PYTHONPATH", "")])
    for kind, text in sections()[name]:
        script = place / ("example.py" if kind == "python" else "example.sh")
        script.write_text(text)
        command = [sys.executable, script] if kind == "python" else [shutil.which("bash"), "-eu", script]
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{text}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
