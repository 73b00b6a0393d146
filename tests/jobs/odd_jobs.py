"""Jobs that misbehave, in a module that the processes of a pool can import."""

import io
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from budew.corpora import Clip
from budew.errors import FilteredError, JobError
from budew.jobs import OnFailed, each


def flac(seconds: float = 0.05) -> bytes:
    """A little noise."""
    file = io.BytesIO()
    samples = np.random.default_rng(1).normal(0, 0.1, round(16_000 * seconds))
    soundfile.write(file, samples, 16_000, format="FLAC")
    return file.getvalue()


def until(true: Callable[[], object]) -> None:
    """Wait for something that a sound program makes true sooner or later, however busy the machine."""
    deadline = time.monotonic() + 600
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, but for logs."""
    files = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {name: held for name, held in named.items() if not name.startswith("logs/")}


def in_session(session: int) -> list[str]:
    """Return what of a session of processes still lives."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(path.parent.name)
    return found


@dataclass(frozen=True)
class Odd:
    """Does to each clip what its id says."""

    marks: Path | None = None
    name: str = "odd"

    def settings(self) -> Mapping[str, Any]:
        return {}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        return each(clips, self._do, failed)

    def _do(self, clip: Clip) -> Clip | list[Clip]:
        what = clip.id.rpartition("-")[2]
        if what == "twice":
            return [replace(clip, id=f"{clip.id}-{half}") for half in "ab"]
        if what == "same":
            return [clip, clip]
        if what == "none":
            return []
        if what == "raise":
            raise RuntimeError("no such\nluck")
        if what == "nan":
            return replace(clip, metadata={"x": float("nan")})
        if what == "half":
            return replace(clip, transcript="a\ud800b")
        if what == "gone":
            return replace(clip, audio=Path("nowhere.wav"))
        if what == "unwanted":
            raise FilteredError("left out: too loud")
        if what == "grow" and self.marks:
            self.marks.write_bytes(self.marks.read_bytes() + bytes(512))
        if what == "wait" and self.marks:
            until((self.marks / "go").exists)
        if what == "fatal":
            raise JobError("there is no key")
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return clip


@dataclass(frozen=True)
class Maker:
    """Makes planned clips and marks each try; at the first one dies, one fails and one is left out."""

    marks: Path
    name: str = "maker"
    prefix: str = "made"

    def settings(self) -> Mapping[str, Any]:
        return {}

    def id_of(self, number: int) -> str:
        return f"made-{number}"

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        return each(clips, self._make, failed)

    def _make(self, clip: Clip) -> Clip:
        if clip.audio:
            return clip
        number = clip.metadata["number"]
        tries = len(list(self.marks.glob(f"{number}-*")))
        (self.marks / f"{number}-{tries}").touch()
        if not tries and number in self.odd:
            raise self.odd[number]
        if not tries and number == 6:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(clip, audio=flac(), format="flac")

    @property
    def odd(self) -> Mapping[int, Exception]:
        return {1: ValueError("hoarse"), 4: FilteredError("too loud")}


@dataclass(frozen=True)
class Counting(Odd):
    """Counts the letters of ids, and how many of them are "a"."""

    tallies: tuple[str, ...] = ("letters", "a")

    def tally(self, clip: Clip) -> Mapping[str, int]:
        return {"letters": len(clip.id), "a": clip.id.count("a"), "not asked for": 1}
