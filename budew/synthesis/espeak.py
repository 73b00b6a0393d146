"""Speech from a plan by espeak-ng, bit-identical for identical requests: the client of `espeak_process`.

The library and its data come with the `espeakng-loader` wheel (espeak-ng 1.52): no system package is needed.

The cues that espeak-ng can follow (pitch, intonation, rate, pauses) are written as SSML. Its pitch setting is
exponential: measured on its voices, 25, 50, 75 and 99 give 0.81, 1, 1.29 and 1.68 times the voice's default
fundamental frequency, about 0.16 semitones a unit. Pitch accents, the contour of the last words and an uneven
rate are set word by word, since espeak-ng ignores SSML's own `contour`.
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
from html import escape
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt

from budew.errors import InputError, JobError, require
from budew.randomness import generator
from budew.synthesis.clip_plan import ClipPlan, cues
from budew.synthesis.espeak_process import FAILED

SEMITONES_PER_UNIT = 0.16
NEUTRAL_PITCH, NEUTRAL_RANGE, NEUTRAL_RATE = 50.0, 45.0, 170.0
SHORTEST_PAUSE = 0.12  # seconds; shorter silence is not heard as a pause
CONTOUR_WORDS = 3
LONGEST_DATA_PATH = 140  # characters; espeak-ng 1.52 fails to start from 149 on


@dataclass(frozen=True, slots=True)
class Utterance:
    """Text for espeak-ng, and the settings to speak it with.

    Attributes:
        ssml: text with SSML tags.
        voice: language and variant, such as "en-us+m3".
        rate: words a minute.
        pitch, range: mean pitch and its variation, 0 to 100; 50 is the default of the voice.
        seed: of espeak-ng's random numbers.
    """

    ssml: str
    voice: str
    rate: int = 175
    pitch: int = 50
    range: int = 50
    seed: int = 1


class Espeak:
    """A running espeak-ng process, as a context manager that ends it.

    A process synthesizes one utterance at a time, so each worker needs an `Espeak` object.
    """

    def __init__(self) -> None:
        loader = require("espeakng_loader", extra="train", purpose="budew corpus synthesize")
        data = _short_path(Path(loader.get_data_path()))
        program = str(Path(__file__).with_name("espeak_process.py"))
        command = [sys.executable, "-I", program, str(data), str(loader.get_library_path())]
        self._process = subprocess.Popen(  # noqa: S603 - our own program with paths of our own
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._requests, self._answers = cast(Any, self._process.stdin), cast(Any, self._process.stdout)
        self.sampling_rate = self._read_length()
        if self.sampling_rate == FAILED:
            raise JobError(f"espeak-ng does not start from {data}: reinstall espeakng-loader")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._requests.close()
        self._process.wait()
        self._answers.close()

    def speak(self, utterance: Utterance) -> npt.NDArray[np.float64]:
        """Synthesize an utterance: samples (n,) in [-1, 1] at `self.sampling_rate` (Hz).

        Raises:
            InputError: the voice does not exist, or espeak-ng rejects the text.
            JobError: the espeak-ng process ended.
        """
        self._requests.write(json.dumps(asdict(utterance)).encode() + b"\n")
        self._requests.flush()
        length = self._read_length()
        if length == FAILED:
            said, voice = utterance.ssml[:80], utterance.voice
            raise InputError(f"espeak-ng could not say {said!r} with the voice {voice!r}")
        return np.frombuffer(self._read(length), dtype="<i2").astype(np.float64) / 32768

    def _read_length(self) -> int:
        return int(struct.unpack("<I", self._read(4))[0])

    def _read(self, count: int) -> bytes:
        data: bytes = self._answers.read(count)
        if len(data) < count:
            raise JobError(f"the espeak-ng process ended with status {self._process.poll()}")
        return data


def _short_path(data: Path) -> Path:
    """Return `data`, or a short link to it if the path is too long for espeak-ng, which truncates it."""
    if len(os.fspath(data)) <= LONGEST_DATA_PATH:
        return data
    folder = Path(tempfile.mkdtemp(prefix="espeak-", dir="/tmp" if os.path.isdir("/tmp") else None))  # noqa: S108
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = folder / "data"
    link.symlink_to(data)
    return link


def utterance(plan: ClipPlan, *, formants: float) -> Utterance:
    """Return the utterance for a plan.

    Resampling the audio multiplies formants, pitch and rate by `formants`. Pitch and rate are as planned
    after it.
    """
    rng = generator(plan.seed, plan.id, "speech")
    words = plan.text.split()
    accents = _word_pitches(plan, [rng.gauss(0, 1) for _ in words])
    unevenness = _setting(plan, "irregularity")
    rates = [float(np.clip(np.exp(unevenness * rng.gauss(0, 1)), 0.4, 2.2)) for _ in words]
    breaks = _breaks(plan, len(words), rng.sample(range(1, len(words)), k=min(3, len(words) - 1)))
    level = _setting(plan, "pitch_level") + plan.voice.pitch - 12 * np.log2(formants)
    base = _clip(NEUTRAL_PITCH + level / SEMITONES_PER_UNIT)
    pitches = [_clip(base + accent / SEMITONES_PER_UNIT) for accent in accents]
    marked = "".join(
        _word(word, pitch=pitch, rate=rate, silence=breaks.get(place, 0.0))
        for place, (word, pitch, rate) in enumerate(zip(words, pitches, rates, strict=True))
    )
    rate = NEUTRAL_RATE * _setting(plan, "rate") / formants
    return Utterance(
        ssml=f"<speak>{marked}</speak>",
        voice=plan.voice.name,
        rate=int(np.clip(rate, 80, 450)),
        pitch=round(base),
        range=round(_clip(NEUTRAL_RANGE * (1 + plan.settings["pitch_range"]))),
        seed=rng.randrange(1, 2**31),
    )


def _word(word: str, *, pitch: float, rate: float, silence: float) -> str:
    pause = f'<break time="{silence * 1000:.0f}ms"/>' if silence else ""
    return f'{pause}<prosody pitch="{pitch:.0f}" rate="{rate * 100:.0f}%">{escape(word)}</prosody> '


def _word_pitches(plan: ClipPlan, noise: list[float]) -> list[float]:
    """Return the pitch of each word, in semitones above the base pitch of the utterance."""
    spread = max(0.0, _setting(plan, "pitch_range"))
    contour = _setting(plan, "contour")
    pitches = [spread * value for value in noise]
    for step in range(min(CONTOUR_WORDS, len(pitches))):
        pitches[-1 - step] = pitches[-1 - step] * 0.5 + contour * (CONTOUR_WORDS - step) / CONTOUR_WORDS
    return pitches


def _breaks(plan: ClipPlan, words: int, places: list[int]) -> dict[int, float]:
    """Return the seconds of silence before words, by the number of the word."""
    total = max(0.0, _setting(plan, "pauses"))
    count = min(len(places), 1 + int(total / 0.5))
    each = total / count if count else 0.0
    return dict.fromkeys(places[:count], each) if each >= SHORTEST_PAUSE and words > 1 else {}


def _setting(plan: ClipPlan, cue: str) -> float:
    return cues()[cue].at(plan.settings[cue])


def _clip(value: float) -> float:
    return float(np.clip(value, 0, 99))
