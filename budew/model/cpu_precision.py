"""Find the precisions that work on this CPU, and the fastest: one trial per machine, in a child process.

The flags of a processor are not reliable. A virtual machine may list `amx_tile` but forbid it. A product of
bfloat16 matrices then ends the process with SIGILL; `ONEDNN_MAX_CPU_ISA` can avoid this, but bfloat16 may
then be slower than float32. So a child process runs a small Whisper in each precision (`cpu_trial.py`, 2 to 6
s per engine) when a precision has to be chosen, or another one than float32 is requested. The result is
stored in the cache folder of the user for this processor, kernel, library and environment, so that the choice
does not change from run to run.
"""

import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from budew.errors import InputError
from budew.io.disk import fingerprint, user_cache
from budew.io.files import locked_file, whole_file

Engine = Literal["training", "torch", "ctranslate2", "openvino"]
"""Engine for which precisions are tried: "training" is mixed precision in torch; the others run models."""
DTYPES: Mapping[Engine, tuple[str, ...]] = {
    "training": ("float32", "bfloat16"),
    "torch": ("float32", "bfloat16", "float16", "int8"),
    "ctranslate2": ("int8", "float32", "bfloat16"),
    "openvino": ("float32", "bfloat16"),
}
"""Precisions that are tried for each engine. The first is chosen unless another is `FASTER` times as fast."""
FASTER = 1.2
"""Factor by which a precision must be faster than the first one to be chosen."""
LONGEST = 120
"""Longest time of a trial in seconds."""
TRIAL = Path(__file__).with_name("cpu_trial.py")
WORKAROUND = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}
"""Environment in which torch, CTranslate2 and OpenVINO compute without matrix tiles (AMX)."""
_LIBRARIES: Mapping[Engine, str] = {"training": "torch"}
_ON_REQUEST = {("torch", "int8")}  # never chosen: its results depend on the other windows of a batch
_SETTINGS = (
    *WORKAROUND,
    "DNNL_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
    "CT2_FORCE_CPU_ISA",
    "MKL_ENABLE_INSTRUCTIONS",
)
_CRASHES = {signal.SIGILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGABRT}


@dataclass(frozen=True, slots=True)
class Trials:
    """Results of the trials of an engine on this machine.

    Attributes:
        engine: the engine.
        seconds: each precision that works, to the time of a small workload on one thread.
        faults: each precision that does not work, to the reason.
        crashing: precisions in `faults` that end the process.
        with_workaround: precisions in `faults` that work with `WORKAROUND`, to their time in seconds.
    """

    engine: Engine
    seconds: Mapping[str, float] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    crashing: Sequence[str] = ()
    with_workaround: Mapping[str, float] = field(default_factory=dict)

    @property
    def fastest(self) -> str:
        """The precision to choose; the first of `DTYPES` if no precision could be tried."""
        first, *others = (name for name in DTYPES[self.engine] if (self.engine, name) not in _ON_REQUEST)
        limit = self.seconds[first] / FASTER if first in self.seconds else float("inf")
        faster = [name for name in others if self.seconds.get(name, float("inf")) < limit]
        return min(faster, key=self.seconds.__getitem__, default=first)

    @property
    def remedy(self) -> str:
        """Text on how to make the crashing precisions work; "" if there is no way."""
        settings = " ".join(f"{name}={value}" for name, value in WORKAROUND.items())
        speeds = ", ".join(
            f"{name} {self.seconds['float32'] / seconds:.1f} times as fast as float32"
            for name, seconds in self.with_workaround.items()
            if "float32" in self.seconds
        )
        return f"set {settings} before Python starts ({speeds} then)" if speeds else ""


@lru_cache
def trials(engine: Engine) -> Trials:
    """Return which precisions of an engine work on this machine; run the trials if they are not cached.

    If the cache cannot be written, each process runs the trials.

    Raises:
        PackageNotFoundError: the library of the engine is not installed.
    """
    key = _key(engine)
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    path = user_cache() / "precision" / f"{engine}-{name}.json"
    with ExitStack() as stack:
        with suppress(OSError):  # without a lock, other processes are not waited for
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked_file(path.with_suffix(".lock")))
        with suppress(OSError, ValueError, TypeError, KeyError):  # missing, or damaged
            return Trials(**json.loads(path.read_text(encoding="utf-8"))["trials"])
        found, is_lasting = _try(engine)
        if is_lasting:
            with suppress(OSError), whole_file(path) as file:
                json.dump({"machine": key, "trials": asdict(found)}, file, indent=1)
    return found


def fastest(engine: Engine) -> str:
    """Return the precision to choose for an engine (see `DTYPES`). Takes seconds once per machine."""
    return trials(engine).fastest


def check_precision(engine: Engine, dtype: str, *, instead: str | None = None) -> None:
    """Require that a precision works on this CPU; float32 is not tried.

    Args:
        engine: engine that will use it.
        dtype: the precision.
        instead: advice for the error; None: use the fastest precision that works.

    Raises:
        InputError: the precision does not work; the message says what to use instead.
    """
    if dtype == "float32":
        return
    found = trials(engine)
    if dtype in found.seconds:
        return
    fault = found.faults.get(dtype, "it has no such precision")
    remedies = f"use {instead or found.fastest}"
    if dtype in found.with_workaround:
        remedies += f", or {found.remedy}"
    raise InputError(f"{_library(engine)} cannot compute in {dtype} on this CPU ({fault}): {remedies}")


def _library(engine: Engine) -> str:
    return _LIBRARIES.get(engine, engine)


def _key(engine: Engine) -> list[Any]:
    """Return everything on which a trial depends: processor, kernel, library, environment, its own code."""
    libraries = [f"{name} {version(name)}" for name in {_library(engine), "torch"}]
    settings = {name: os.environ[name] for name in _SETTINGS if name in os.environ}
    kernel = platform.system(), platform.release()
    return [_processor(), kernel, sorted(libraries), settings, fingerprint([TRIAL])]


def _processor() -> dict[str, str]:
    """Return model name and feature flags of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    except OSError:  # not Linux
        return {"machine": platform.machine(), "model name": platform.processor()}
    fields = dict(line.replace("\t", "").split(": ", 1) for line in lines if ": " in line)
    names = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags", "Features")
    return {"machine": platform.machine(), **{name: fields[name] for name in names if name in fields}}


def _try(engine: Engine) -> tuple[Trials, bool]:
    """Run the trials of an engine; return the results, and whether they may be cached."""
    seconds, faults, signals = _results(engine, DTYPES[engine], {})
    crashing = [name for name, number in signals.items() if number in _CRASHES]
    with_workaround: dict[str, float] = {}
    if crashing and not WORKAROUND.keys() <= os.environ.keys():
        with_workaround, _, _ = _results(engine, crashing, WORKAROUND)
    is_lasting = len(crashing) == len(signals)  # else another program ended the trial, or it took too long
    return Trials(engine, seconds, faults, crashing, with_workaround), is_lasting


def _results(
    engine: Engine, dtypes: Sequence[str], environment: Mapping[str, str]
) -> tuple[dict[str, float], dict[str, str], dict[str, int]]:
    """Return seconds and faults by precision, and the signals that ended child processes by precision."""
    seconds: dict[str, float] = {}
    faults: dict[str, str] = {}
    signals: dict[str, int] = {}
    left = list(dtypes)
    while left:
        lines, fault, number = _run_trial(engine, left, environment)
        for line in lines:
            if "seconds" in line:
                seconds[line["dtype"]] = line["seconds"]
            else:
                faults[line["dtype"]] = line["fault"]
        left = left[len(lines) :]
        if left:
            crashed = left.pop(0)
            faults[crashed] = fault
            signals[crashed] = number
    return seconds, faults, signals


def _run_trial(
    engine: Engine, dtypes: Sequence[str], environment: Mapping[str, str]
) -> tuple[list[dict[str, Any]], str, int]:
    """Run a trial; return its lines, the reason why it ended early, and the signal that ended it (or 0)."""
    command = [sys.executable, "-P", str(TRIAL), engine, *dtypes]  # -P: no module of this folder
    given = {**os.environ, **environment, "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603  # our own program
            command, env=given, stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST, check=False
        )
        output, errors, status = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired as error:
        output, errors, status = error.stdout or b"", b"", 0
    lines = [json.loads(line) for line in output.decode().splitlines() if line.startswith('{"dtype"')]
    if status < 0:
        name = signal.Signals(-status).name
        return lines, f"a trial in another process ended with {name}", -status
    reason = (errors.decode(errors="replace").strip() or f"it took over {LONGEST} s").splitlines()[-1]
    return lines, f"a trial in another process failed: {reason}", 0
