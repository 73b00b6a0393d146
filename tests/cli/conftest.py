"""Ways to run the command."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from budew.__main__ import main
from budew.statistics.resampling import Resampling


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Budew = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch) -> None:
    """The 1,000 resamples that a command takes tell nothing more about the command."""
    monkeypatch.setattr(Resampling.__init__, "__defaults__", (50, 10, 0))


@pytest.fixture
def budew(monkeypatch, capsys) -> Budew:
    """Run the command in this process: `budew("parse", "A sad man.")`."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["budew", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        return Outcome(ended.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def talk(tmp_path) -> Path:
    """A folder with two recordings, of 1 s and 5 s, and a text file named as audio."""
    folder = tmp_path / "talk"
    folder.mkdir()
    for name, seconds in (("a.wav", 1), ("b.flac", 5)):
        time = np.arange(seconds * 16_000) / 16_000
        soundfile.write(folder / name, 0.3 * np.sin(2 * np.pi * 150 * time), 16_000)
    (folder / "c.mp3").write_text("no audio at all")
    return folder


@pytest.fixture
def shell() -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run a line of bash in which `budew` is the command."""

    def run(command: str) -> subprocess.CompletedProcess[str]:
        program = f"{sys.executable} -m budew"
        return subprocess.run(
            ["bash", "-c", command.replace("budew", program)], capture_output=True, text=True
        )

    return run


@pytest.fixture
def at_a_terminal() -> Callable[..., tuple[int, bytes, str]]:
    """Run the command with a terminal as stderr; exit status, stdout, and what the terminal showed."""

    def run(*arguments: str) -> tuple[int, bytes, str]:
        screen, terminal = os.openpty()
        ran = subprocess.Popen(
            [sys.executable, "-m", "budew", *arguments],
            stdout=subprocess.PIPE,
            stderr=terminal,
            env={**os.environ, "TERM": "xterm"},
        )
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while piece := os.read(screen, 4_096):
                shown += piece
        os.close(screen)
        out, _ = ran.communicate()
        return ran.returncode, out, shown.decode()

    return run
