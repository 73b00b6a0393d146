"""`budew doctor`: checks what works in this installation, and prints a remedy for each problem.

Everything is tried: audio is encoded and decoded, the checkpoint is loaded, espeak-ng is started.
"""

import importlib.metadata
import locale
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import typer

from budew import audio, inference, synthesis
from budew import model as models
from budew.version import __version__

app = typer.Typer()

FORMATS = ("wav", "flac", "mp3", "ogg", "m4a")


@app.command("doctor")
def doctor_command() -> None:
    """Check the installation, and print how to fix each problem.

    FAIL: captioning or evaluation will not work. --: optional, not installed.

    Example: budew doctor
    """
    lacking = 0
    for finding in examine():
        mark = "ok" if finding.ok else "FAIL" if finding.needed else "--"
        print(f"{mark:>4}  {finding.subject:<20} {finding.detail}", flush=True)
        if not finding.ok:
            lacking += finding.needed
            print(f"      {'':<20} → {finding.remedy}")
    print(f"{lacking} problems, see FAIL" if lacking else "captioning, parsing and evaluation work")
    raise typer.Exit(1 if lacking else 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check of the installation.

    Attributes:
        subject: name of the checked part, such as "audio".
        ok: whether the part works.
        needed: whether captioning, parsing, rendering or evaluation needs the part.
        detail: versions, or the problem.
        remedy: what to do about the problem; "" if there is none.
    """

    subject: str
    ok: bool
    needed: bool
    detail: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Yield the results of all checks, such as versions, libraries, checkpoint, device, audio, microphone."""
    detail = (
        f"budew {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    yield Finding("versions", True, True, detail)
    yield _tried("locale", _locale, "set LC_ALL=C.UTF-8 or PYTHONUTF8=1", needed=False)
    yield from _libraries()
    remedy = "reinstall budew, or name another checkpoint with --model or the variable BUDEW_MODEL"
    yield _tried("default checkpoint", _checkpoint, remedy)
    yield _tried("its model card", _card, remedy)
    yield from _precisions()
    yield _tried("device", _device, "caption with --device cpu, or run pip install --force-reinstall torch")
    for format in FORMATS:
        remedy = "run pip install --force-reinstall soundfile av soxr"
        yield _tried(f"audio {format}", partial(_audio, format), remedy)
    yield _tried("espeak-ng", _espeak, 'for synthetic speech, run pip install "budew[train]"', needed=False)
    remedy = 'for budew caption --record, connect a microphone and run pip install "budew[record]"'
    yield _tried("microphone", _microphone, remedy, needed=False)


def _tried(subject: str, check: Callable[[], str], remedy: str, *, needed: bool = True) -> Finding:
    try:
        return Finding(subject, True, needed, check())
    except Exception as error:  # noqa: BLE001  # any error of a broken installation becomes a finding
        return Finding(subject, False, needed, f"{type(error).__name__}: {error}", remedy)


def _libraries() -> Iterator[Finding]:
    """Check the libraries of the base installation and of each extra, listed in the package's metadata."""
    try:
        requirements = importlib.metadata.requires("budew") or []
    except importlib.metadata.PackageNotFoundError:
        detail = "budew runs from a folder and is not installed: its libraries are not known"
        yield Finding("libraries", False, False, detail, "run pip install -e . in that folder")
        return
    for extra, libraries in _by_extra(requirements).items():
        versions = {name: _version(name) for name in libraries}
        found = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
        missing = ", ".join(name for name, version in versions.items() if version is None)
        detail = f"missing: {missing}; found: {found or 'none'}" if missing else found
        subject, package = (f"extra {extra}", f'"budew[{extra}]"') if extra else ("base libraries", "budew")
        yield Finding(subject, not missing, not extra, detail, f"run pip install {package}")


def _precisions() -> Iterator[Finding]:
    """Report which precisions work on this CPU, and how fast, for training and each installed library."""
    for engine in models.DTYPES:
        if engine != "training" and _version(engine) is None:
            continue
        found = models.trials(engine)
        speeds = [f"{name} {1000 * seconds:.0f} ms" for name, seconds in found.seconds.items()]
        faults = [f"{name}: {fault}" for name, fault in found.faults.items()]
        detail = f"{found.fastest} is used ({', '.join(speeds)}); {'; '.join(faults)}".removesuffix("; ")
        remedy = found.remedy or f"do not choose a precision: the default, {found.fastest}, works"
        yield Finding(f"precision {engine}", not found.crashing, False, detail, remedy)


def _by_extra(requirements: list[str]) -> dict[str, list[str]]:
    """Return libraries by extra ("" is the base) from lines such as `openai>=2; extra == 'paraphrase'`."""
    extras: dict[str, list[str]] = {"": []}
    for requirement in requirements:
        name = re.match(r"[\w.-]+", requirement)
        found = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", requirement)
        extra = found[1] if found else ""
        if name and extra != "dev" and name[0].lower() != "budew":
            extras.setdefault(extra, []).append(name[0])
    return extras


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _checkpoint() -> str:
    backend = inference.load_backend(inference.ModelOptions(device="cpu"))
    variable = models.MODEL_VARIABLE
    origin = f" ({variable}={os.environ[variable]})" if os.environ.get(variable) else ""
    return f"{backend.name}{origin}: windows of {backend.window_seconds:g} s, {backend.runs_on}"


def _card() -> str:
    card = models.read_card()
    return (
        " ".join(filter(None, (card.training, "; ".join(map(str, card.results)))))
        or "has no training data or results"
    )


def _microphone() -> str:
    microphone = audio.find_microphone()
    return f"{microphone.name}, {microphone.sampling_rate} Hz"


def _device() -> str:
    import torch  # here, so that an error of the import becomes a finding

    device = models.choose_device(None)
    torch.ones(2, device=device).sum().item()
    gpu = {"cuda": torch.cuda, "xpu": torch.xpu}.get(device.type)
    return f"{device}: {f'{torch.get_num_threads()} threads' if gpu is None else gpu.get_device_name()}"


def _audio(format: str) -> str:
    seconds = len(audio.decode(_tone(format), name=f"a tone as {format}").samples) / 16_000
    if abs(seconds - 0.5) >= 0.2:
        raise ValueError(f"a tone of 0.5 s decodes to {seconds:.2f} s")
    return f"a tone of 0.5 s decodes to {seconds:.2f} s"


def _tone(format: str) -> bytes:
    """Return half a second of 220 Hz, encoded."""
    import numpy as np

    samples = 0.3 * np.sin(2 * np.pi * 220 * np.arange(22_050) / 44_100)
    encoded = BytesIO()
    if format != "m4a":
        import soundfile

        soundfile.write(encoded, samples, 44_100, format=format.upper())
        return encoded.getvalue()
    import av

    with av.open(encoded, "w", format="ipod") as container:
        track = container.add_stream("aac", rate=44_100, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (samples * 32_767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate = 44_100
        container.mux([*track.encode(frame), *track.encode(None)])
    return encoded.getvalue()


def _espeak() -> str:
    with synthesis.Espeak() as espeak:
        return f"starts, {espeak.sampling_rate} Hz"


def _locale() -> str:
    used = (locale.getpreferredencoding(False), sys.getfilesystemencoding(), sys.stdout.encoding or "unknown")
    detail = f"text and file names as {', '.join(sorted(set(used)))}"
    if any(encoding.lower().replace("-", "") != "utf8" for encoding in used):
        raise ValueError(detail)
    return detail
