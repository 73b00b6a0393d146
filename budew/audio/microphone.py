"""Record from the default microphone through PortAudio: `find_microphone().record(5)`."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from budew.errors import InputError, first_line, require


@dataclass(frozen=True, slots=True)
class Microphone:
    """A microphone: its name, and its default sampling rate in Hz, at which it records.

    Example:
        >>> find_microphone().record(5).shape  # doctest: +SKIP
        (240000,)
    """

    name: str
    sampling_rate: int
    sounddevice: ModuleType

    def record(self, seconds: float) -> NDArray[np.float32]:
        """Record for `seconds`; return mono samples (n,) in [-1, 1]. Nothing is written to a file.

        Raises:
            InputError: the device cannot record, or records only zeros.
        """
        try:
            recorded = self.sounddevice.rec(
                round(seconds * self.sampling_rate),
                samplerate=self.sampling_rate,
                channels=1,
                dtype="float32",
                blocking=True,
            )
        except self.sounddevice.PortAudioError as error:
            raise InputError(
                f"{self.name} cannot be recorded from ({first_line(error)}): close other programs that use "
                "it, and allow this one to record"
            ) from error
        samples: NDArray[np.float32] = recorded[:, 0]
        if not samples.any():
            raise InputError(f"{self.name} recorded zeros only: unmute it, and allow this program to record")
        return samples


def find_microphone() -> Microphone:
    """Return the default microphone.

    Raises:
        MissingExtraError: sounddevice is not installed.
        InputError: PortAudio is missing, or there is no input device.

    Example:
        >>> find_microphone().name  # doctest: +SKIP
        'default'
    """
    try:
        sounddevice = require("sounddevice", extra="record", purpose="recording")
    except OSError as error:
        raise InputError(
            f"recording needs the system library PortAudio ({first_line(error)}): install it, on Debian and "
            "Ubuntu with apt install libportaudio2"
        ) from error
    try:
        device = sounddevice.query_devices(kind="input")
    except sounddevice.PortAudioError as error:
        raise InputError(
            f"there is no microphone ({first_line(error)}): connect one, or caption a file"
        ) from error
    return Microphone(device["name"], round(device["default_samplerate"]), sounddevice)
