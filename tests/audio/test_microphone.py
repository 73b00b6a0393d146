"""Recording through the real PortAudio, from a file that ALSA takes for a microphone; what can be missing."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from budew.audio.microphone import Microphone, find_microphone
from budew.errors import InputError, MissingExtraError

CARD = """
pcm.!default {
  type file
  slave.pcm { type null }
  file /dev/null
  infile %s
  format raw
  hint { show on description "a file" }
}
"""
RECORD = """
import sys
from budew.audio.microphone import find_microphone
microphone = find_microphone()
sys.stdout.buffer.write(microphone.record(0.5).tobytes())
print(microphone.sampling_rate, file=sys.stderr)
"""
WITHOUT_PORTAUDIO = f"import ctypes.util\nctypes.util.find_library = lambda name: None\n{RECORD}"


def run(program: str, config: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a program, with these settings in place of those of ALSA; PortAudio looks for devices once."""
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(config), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment)


@pytest.fixture
def sounddevice() -> ModuleType:
    """The library, where it finds PortAudio."""
    try:
        return import_module("sounddevice")
    except (ImportError, OSError) as error:
        pytest.skip(f"no PortAudio: {error}")


class RefusedError(Exception):
    pass


def device(rec) -> Microphone:
    return Microphone("a device", 8_000, SimpleNamespace(rec=rec, PortAudioError=RefusedError))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ALSA is of Linux")
@pytest.mark.usefixtures("sounddevice")
def test_the_samples_are_those_of_the_device_at_its_own_rate(tmp_path):
    sound = np.sin(np.arange(44_100) / 20).astype(np.float32) / 2
    sound.tofile(tmp_path / "sound.raw")
    (tmp_path / "alsa.conf").write_text(CARD % (tmp_path / "sound.raw"))
    done = run(RECORD, tmp_path / "alsa.conf")
    rate = int(done.stderr)
    assert np.array_equal(np.frombuffer(done.stdout, np.float32), sound[: rate // 2])


def test_without_a_microphone_one_line_says_so(sounddevice):
    if any(device["max_input_channels"] for device in sounddevice.query_devices()):
        pytest.skip("there is a microphone")
    with pytest.raises(InputError, match=r"there is no microphone \(.+\): connect one, or caption a file"):
        find_microphone()


def test_without_portaudio_the_system_package_is_named(tmp_path):
    pytest.importorskip("cffi")
    done = run(WITHOUT_PORTAUDIO, tmp_path / "alsa.conf")
    last = done.stderr.decode().splitlines()[-1]
    assert last.startswith("budew.errors.InputError: recording needs the system library PortAudio")
    assert "libportaudio2" in last


def test_without_sounddevice_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match=r"budew\[record\]"):
        find_microphone()


def test_a_device_that_refuses_or_is_muted_is_an_input_error():
    def refuse(*_, **__):
        raise RefusedError("Device unavailable\n[PaErrorCode -9985]")

    with pytest.raises(InputError, match=r"a device cannot be recorded from \(Device unavailable\)"):
        device(refuse).record(1)
    with pytest.raises(InputError, match="zeros only: unmute"):
        device(lambda frames, **_: np.zeros((frames, 1), np.float32)).record(1)
