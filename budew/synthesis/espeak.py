"""Speech from text by espeak-ng, bit-identical for identical requests: the client side of `zygote`.

The library and its data come with the `espeakng-loader` wheel (espeak-ng 1.52): no system package is needed.
"""

import atexit
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from budew.extras import require
from budew.synthesis.zygote import FAILED

LONGEST_DATA_PATH = 140  # characters; espeak-ng 1.52 fails to start from 149 on


class SynthesisError(ValueError):
    """espeak-ng could not say what it was asked to."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One request. `rate` is in words a minute; `pitch` and `range` are espeak-ng's 0-100 (50 is
    the voice's own).
    """

    ssml: str
    voice: str
    rate: int = 175
    pitch: int = 50
    range: int = 50
    seed: int = 1


class Espeak:
    """A running espeak-ng. Use it as a context manager; one at a time may be asked, so make one for
    each worker.
    """

    def __init__(self) -> None:
        loader = require("espeakng_loader", extra="train", purpose="budew corpus synthesize")
        data = _short_path(Path(loader.get_data_path()))
        program = str(Path(__file__).with_name("zygote.py"))
        command = [sys.executable, "-I", program, str(data), str(loader.get_library_path())]
        self._process = subprocess.Popen(  # noqa: S603 - our own program with paths of our own
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.sampling_rate = self._read_length()
        if self.sampling_rate == FAILED:
            raise SynthesisError(f"espeak-ng does not start from {data}: reinstall espeakng-loader")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process.stdin and self._process.stdout:
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()

    def speak(self, utterance: Utterance) -> npt.NDArray[np.float64]:
        """Return the samples (n,) in [-1, 1] at `self.sampling_rate`.

        Raises:
            SynthesisError: the voice does not exist or the process died.
        """
        assert self._process.stdin is not None  # noqa: S101 - opened as a pipe in __init__
        self._process.stdin.write(json.dumps(asdict(utterance)).encode() + b"\n")
        self._process.stdin.flush()
        length = self._read_length()
        if length == FAILED:
            raise SynthesisError(
                f"espeak-ng could not say {utterance.ssml[:80]!r} with the voice {utterance.voice!r}"
            )
        return np.frombuffer(self._read(length), dtype="<i2").astype(np.float64) / 32768

    def _read_length(self) -> int:
        return int(struct.unpack("<I", self._read(4))[0])

    def _read(self, count: int) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - opened as a pipe in __init__
        data = self._process.stdout.read(count)
        if len(data) < count:
            raise SynthesisError(f"the espeak-ng process ended with status {self._process.poll()}")
        return data


def _short_path(data: Path) -> Path:
    """Return `data` itself, or a short link to it where espeak-ng would cut the path off."""
    if len(os.fspath(data)) <= LONGEST_DATA_PATH:
        return data
    folder = Path(tempfile.mkdtemp(prefix="espeak-", dir="/tmp" if os.path.isdir("/tmp") else None))  # noqa: S108
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = folder / "data"
    link.symlink_to(data)
    return link
