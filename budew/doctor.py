"""`budew doctor`: what this installation can do here, and one remedy for each thing that it cannot.

Every answer comes from trying: audio is encoded and decoded, espeak-ng is started, the device computes.
"""

import importlib.metadata
import locale
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO

from budew.resources import data_folder
from budew.version import __version__

BASE = (
    "torch",
    "transformers",
    "numpy",
    "scipy",
    "soundfile",
    "av",
    "soxr",
    "webdataset",
    "pyarrow",
    "safetensors",
)
FORMATS = ("wav", "flac", "mp3", "ogg", "m4a")
EMBEDDED_CHECKPOINT = "tiny-synthetic"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what.
        ok: whether it works.
        needed: whether captioning, parsing, rendering and evaluating need it.
        detail: what was found.
        remedy: what to do when it does not work.
    """

    subject: str
    ok: bool
    needed: bool
    detail: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Look at versions, libraries, extras, checkpoint, device, audio formats, espeak-ng and locale."""
    yield _python()
    yield from _libraries()
    yield from _extras()
    yield _checkpoint()
    yield _device()
    yield from map(_audio, FORMATS)
    yield _espeak()
    yield _locale()


def _python() -> Finding:
    version = platform.python_version()
    detail = f"budew {__version__}, Python {version}, {platform.system()} {platform.machine()}"
    return Finding("versions", sys.version_info >= (3, 11), True, detail, "use Python 3.11 or newer")


def _libraries() -> Iterator[Finding]:
    versions = {name: _version(name) for name in BASE}
    found = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    missing = [name for name, version in versions.items() if version is None]
    detail = f"missing: {', '.join(missing)}; found: {found}" if missing else found
    yield Finding("base libraries", not missing, True, detail, "run pip install --force-reinstall budew")


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _extras() -> Iterator[Finding]:
    try:
        requirements = importlib.metadata.requires("budew") or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(
            "extras", False, False, "budew runs from a folder, not installed", "run pip install -e ."
        )
        return
    for extra, libraries in _libraries_of_extras(requirements).items():
        missing = [name for name in libraries if _version(name) is None]
        detail = f"missing: {', '.join(missing)}" if missing else f"present ({', '.join(libraries)})"
        yield Finding(f"extra {extra}", not missing, False, detail, f'run pip install "budew[{extra}]"')


def _libraries_of_extras(requirements: list[str]) -> dict[str, list[str]]:
    """Return extra → libraries from requirements as metadata has them: `openai>=2; extra == 'paraphrase'`."""
    extras: dict[str, list[str]] = {}
    for requirement in requirements:
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", requirement)
        if name and extra and extra[1] != "dev" and name[0].lower() != "budew":
            extras.setdefault(extra[1], []).append(name[0])
    return extras


def _checkpoint() -> Finding:
    remedy = "reinstall budew, or name another checkpoint with --model"
    try:
        folder = data_folder("checkpoints") / EMBEDDED_CHECKPOINT
        size = (folder / "model.safetensors").stat().st_size
    except OSError as error:
        return Finding("embedded checkpoint", False, True, f"not found ({error})", remedy)
    return Finding("embedded checkpoint", True, True, f"{folder} ({size / 1e6:.1f} MB)")


def _device() -> Finding:
    if find_spec("torch") is None:
        return Finding(
            "device", False, True, "torch is not installed", "run pip install --force-reinstall budew"
        )
    import torch  # seconds, and only this needs it

    if torch.cuda.is_available():
        return Finding("device", True, True, f"cuda: {torch.cuda.get_device_name()}")
    if torch.backends.mps.is_available():
        return Finding("device", True, True, "mps: Apple GPU")
    return Finding("device", True, True, f"cpu, {torch.get_num_threads()} threads")


def _audio(format: str) -> Finding:
    remedy = "run pip install --force-reinstall soundfile av soxr"
    try:
        from budew.corpora.audio import decode

        seconds = len(decode(_tone(format), name=f"a tone as {format}")) / 16_000
    except Exception as error:  # noqa: BLE001  # whatever a broken installation raises is the finding
        return Finding(f"audio {format}", False, True, f"{type(error).__name__}: {error}", remedy)
    ok = abs(seconds - 0.5) < 0.2
    return Finding(f"audio {format}", ok, True, f"a tone of 0.5 s reads as {seconds:.2f} s", remedy)


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


def _espeak() -> Finding:
    if find_spec("espeakng_loader") is None:
        remedy = 'run pip install "budew[train]"'
        return Finding("espeak-ng", False, False, "not installed: no synthetic speech", remedy)
    try:
        from budew.synthesis.espeak import Espeak

        with Espeak() as espeak:
            return Finding("espeak-ng", True, False, f"starts, {espeak.sampling_rate} Hz")
    except (OSError, ValueError, ImportError) as error:
        return Finding(
            "espeak-ng", False, False, str(error), "run pip install --force-reinstall espeakng-loader"
        )


def _locale() -> Finding:
    encodings = {
        locale.getpreferredencoding(False),
        sys.getfilesystemencoding(),
        sys.stdout.encoding or "unknown",
    }
    ok = all(encoding.lower().replace("-", "") == "utf8" for encoding in encodings)
    detail = f"text and file names as {', '.join(sorted(encodings))}"
    return Finding("locale", ok, False, detail, "set LC_ALL=C.UTF-8 or PYTHONUTF8=1")
