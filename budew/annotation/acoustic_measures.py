"""Acoustic measures of a clip, without a model, as in dataspeech: pitch, rate, loudness, noise, room.

Runs at about 8 times real time on one core; pYIN takes nearly all of it. The measures are stored in the
clip's metadata under the names of dataspeech, and are columns of every export; `budew.annotation.bins` turns
them into traits.

- Speech and pauses: de Jong & Wempe (Behavior Research Methods 41, 2009). Frames of 64 ms every 16 ms; frames
  more than 25 dB below the 99th percentile, or near the level of the noise, are silence; sounds under 0.1 s
  and pauses under 0.3 s are ignored.
- Pitch: pYIN (Mauch & Dixon, ICASSP 2014) of librosa with its defaults. It compiles for some 10 s at first,
  and also finds a pitch in noise.
- Syllables: each run of vowels counts as one, which is a fifth too many in English ("rate" counts as two).
  Compare rates only within one language, as bins do.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import soxr
from numpy.typing import NDArray

from budew.annotation.recording_measures import FLOOR, decibels, recording_measures
from budew.audio.samples import SAMPLING_RATE, decode
from budew.corpora.clip import Clip
from budew.corpora.writers.clip_values import text_to_speech_columns
from budew.errors import require
from budew.io.files import wait_for_lock
from budew.io.resources import packaged_table
from budew.jobs import OnFailed, each

MEASURES = tuple(text_to_speech_columns()["measures"])
"""Names of all measures, which are those of dataspeech where it has them."""
LONGEST = 120.0
"""Longest clip in seconds; pYIN takes 0.5 MB per second."""
FRAME, HOP = 1_024, 256  # samples
SECONDS = HOP / SAMPLING_RATE
"""Seconds from one frame to the next."""
SILENCE = 25.0  # dB below the 99th percentile of the levels
NOISE_MARGIN = 6.0
"""Least level of a sound in dB over the quietest hundredth of the frames; silence is as far below the top."""
SHORTEST_SOUND, SHORTEST_PAUSE = 0.1, 0.3  # seconds
FAINTEST = -75.0
"""Level in dBFS below which a clip is silent and only its duration is measured."""

LOWEST, HIGHEST = 65.0, 800.0
"""Range of pitch in Hz. librosa advises at least 65; screams above 800 are found an octave lower or
unvoiced."""
PITCH_HOP = 512
"""Samples from one pitch to the next: librosa's default, a quarter of its frames of 2,048."""
FEWEST = 5
"""Fewest voiced frames (0.16 s) from which pitch is measured."""

DIP = 2.0
"""Smallest drop in dB from a syllable nucleus to the next trough (de Jong & Wempe 2009)."""
DIGITS = 3
_WINDOW = np.hanning(FRAME) / np.hanning(FRAME).sum()
_MARKUP = re.compile(r"\[[^\]]*\]|<[^>]*>|\([^)]*\)|\*[^*]*\*")
_WORD = re.compile(r"[^\W_]+")
_SYLLABLE = re.compile("v+|w|h")


@dataclass(frozen=True, slots=True)
class Measure:
    """The job `measure`: writes measures into the metadata of each clip; the profile is unchanged.

    `budew.annotation.describe_measured` then turns the measures of the whole corpus into traits.

    Example:
        >>> from budew.corpora import read
        >>> from budew.io.resources import data_folder
        >>> clips = read(data_folder("demo_clips") / "clips.tar")
        >>> measured = next(Measure().run(clips, failed=print))
        >>> measured.metadata["pauses"]
        2
    """

    name: ClassVar[str] = "measure"

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the measures."""
        return {
            "pitch": f"librosa {version('librosa')} pyin",
            "hertz": [LOWEST, HIGHEST],
            "silence": SILENCE,
            "version": 2,  # increase when the meaning of a measure changes
        }

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Measure each clip; clips that cannot be decoded or are too long fail."""
        return each(clips, measure_clip, failed)


def measure_clip(clip: Clip) -> Clip:
    """Return the clip with its measures; raise `AudioError` if it cannot be decoded or is too long."""
    decoded = decode(clip.audio, sampling_rate=None, max_seconds=LONGEST, name=f"clip {clip.id!r}")
    measures = acoustic_measures(
        decoded.usable, decoded.sampling_rate, transcript=clip.transcript, language=clip.language
    )
    others = {name: value for name, value in clip.metadata.items() if name not in MEASURES}
    seconds = round(len(decoded.samples) / decoded.sampling_rate, 6)
    return replace(
        clip, duration=seconds, sampling_rate=decoded.sampling_rate, metadata={**others, **measures}
    )


def acoustic_measures(
    samples: NDArray[np.float32],
    rate: int = SAMPLING_RATE,
    *,
    transcript: str | None = None,
    language: str | None = None,
) -> dict[str, float]:
    """Measure a clip; values are rounded to three decimals, and unknown ones are left out.

    Args:
        samples: (n,) mono, in [-1, 1].
        rate: sampling rate in Hz, that of the recording: noise that resampling removes is not measured.
        transcript: the spoken words; None if unknown.
        language: BCP 47 tag of the transcript; None if unknown.

    Returns:
        `utterance_pitch_mean` and `utterance_pitch_std` in Hz, and `pitch_std_semitones`; `speaking_rate`,
        syllables of the transcript per second of speech, and `nuclei_rate`, the same for syllable nuclei in
        the audio; `speech_duration` in seconds, without silence at the ends and pauses, and `speech_share`,
        its share of the clip; `pauses`, number of pauses of 0.3 s or more; `loudness` in LUFS; `snr` and
        `c50` in dB; `bandwidth` in Hz. Of silence, only `speech_duration` and `speech_share`, which are 0.

    Example:
        >>> import numpy as np
        >>> acoustic_measures(np.zeros(8_000, np.float32))
        {'speech_duration': 0.0, 'speech_share': 0.0}
    """
    voice = soxr.resample(samples, rate, SAMPLING_RATE) if rate != SAMPLING_RATE else samples
    levels = frame_levels(voice)
    speaking = speech(levels)
    measures: dict[str, float] = {"speech_duration": 0.0, "speech_share": 0.0}
    if levels.max() > FAINTEST and speaking.any():
        seconds, duration = float(speaking.sum()) * SECONDS, len(samples) / rate
        measures = {"speech_duration": seconds, "speech_share": min(seconds / duration, 1.0)}
        measures["pauses"] = len(pauses(speaking))
        measures |= recording_measures(samples, rate) | _voice_measures(voice, levels, seconds)
        syllables = count_syllables(transcript or "", language)
        if syllables is not None:
            measures["speaking_rate"] = syllables / seconds
    return {
        name: value if isinstance(value, int) else round(float(value), DIGITS) + 0.0  # no negative zero
        for name, value in measures.items()
    }


def frame_levels(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the level in dBFS of each frame of `samples` (n,); frame i is centred on sample `i * HOP`."""
    padded = np.pad(samples.astype(np.float64) - samples.mean(), FRAME // 2)
    power = np.square(np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]) @ _WINDOW
    return decibels(power)


def speech(loudness: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each frame whether it is speech: a sound, or a gap that is too short to be a pause.

    Pauses are also found in noise of less than 25 dB below the speech, as long as the speech is louder.
    """
    sounding = is_sound(loudness) & (loudness > FLOOR)
    for start, end in _runs(sounding):
        if (end - start) * SECONDS < SHORTEST_SOUND:
            sounding[start:end] = False
    for start, end in _inner_gaps(sounding):
        if (end - start) * SECONDS < SHORTEST_PAUSE:
            sounding[start:end] = True
    return sounding


def is_sound(loudness: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each frame whether it is a sound: near the 99th percentile of the levels, not the first."""
    floor, top = np.percentile(loudness, [1, 99])
    return np.asarray(loudness > min(max(top - SILENCE, floor + NOISE_MARGIN), top - NOISE_MARGIN))


def pauses(speaking: NDArray[np.bool_]) -> list[float]:
    """Return the duration in seconds of each pause between two stretches of speech, in order."""
    return [(end - start) * SECONDS for start, end in _inner_gaps(speaking)]


def _inner_gaps(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return start and end of each stretch of False between two of True."""
    return [(start, end) for start, end in _runs(~flags) if start > 0 and end < len(flags)]


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return start and end of each stretch of True."""
    changes = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return [(int(start), int(end)) for start, end in changes.reshape(-1, 2)]


def _voice_measures(
    samples: NDArray[np.float32], loudness: NDArray[np.float64], seconds: float
) -> dict[str, float]:
    track = pitch_track(samples)
    voiced = np.isfinite(np.repeat(track, PITCH_HOP // HOP)[: len(loudness)])
    nuclei = count_nuclei(loudness[: len(voiced)], voiced)
    return {**pitch_measures(track), "nuclei_rate": nuclei / seconds}


def pitch_track(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the fundamental frequency (Hz) of each frame of `samples` (n,) at 16 kHz; NaN where unvoiced."""
    track, _, _ = _compiled_pyin()(samples, **_PYIN)
    return np.asarray(track, dtype=np.float64)


_PYIN: Mapping[str, Any] = {"fmin": LOWEST, "fmax": HIGHEST, "sr": SAMPLING_RATE, "hop_length": PITCH_HOP}


@cache
def _compiled_pyin() -> Any:
    """Return librosa's pYIN, compiled or loaded from numba's cache, by one process at a time.

    Two processes that compile into the same cache mix up its files, and whoever loads them crashes.
    """
    librosa: Any = require("librosa", extra="corpora", purpose="budew corpus measure")
    with Path(librosa.__file__).open("rb") as lock:
        wait_for_lock(lock)
        librosa.pyin(np.zeros(SAMPLING_RATE, np.float32), **_PYIN)
    return librosa.pyin


def pitch_measures(track: NDArray[np.float64]) -> dict[str, float]:
    """Summarize a pitch track in Hz, NaN where unvoiced.

    Returns:
        `utterance_pitch_mean` and `utterance_pitch_std` in Hz, `pitch_std_semitones`. Empty if fewer than
        `FEWEST` frames are voiced.
    """
    voiced = track[np.isfinite(track)]
    if len(voiced) < FEWEST:
        return {}
    return {
        "utterance_pitch_mean": float(voiced.mean()),
        "utterance_pitch_std": float(voiced.std()),
        "pitch_std_semitones": float(np.std(12 * np.log2(voiced))),
    }


def count_nuclei(loudness: NDArray[np.float64], voiced: NDArray[np.bool_]) -> int:
    """Count syllable nuclei: voiced peaks of loudness that are `DIP` dB above the next trough.

    The count is too low where syllables run together: about 4 of 5 are found in synthetic speech.
    """
    inner = loudness[1:-1]
    peaks = 1 + np.flatnonzero((inner > loudness[:-2]) & (inner >= loudness[2:]))
    peaks = peaks[is_sound(loudness)[peaks]]
    ends = [*peaks[1:], len(loudness) - 1]
    count = 0
    for peak, end in zip(peaks, ends, strict=True):
        trough = loudness[peak : end + 1].min()
        count += bool(voiced[peak]) and loudness[peak] - trough > DIP
    return int(count)


def count_syllables(text: str, language: str | None = None) -> int | None:
    """Count the syllables of a text; None if its letters do not show them.

    The result is None for text without words, with digits, in scripts other than Latin, Greek, Cyrillic,
    Hangul, kana and Chinese, or in Japanese with Han characters. Text in brackets or between asterisks is not
    counted.

    Args:
        text: the spoken words.
        language: BCP 47 tag; None if unknown.

    Example:
        >>> count_syllables("Banana, [laughs] again"), count_syllables("In 1984")
        (5, None)
    """
    spoken = unicodedata.normalize("NFC", _MARKUP.sub(" ", text.lower()))
    han_unknown = (language or "").partition("-")[0].lower() in _syllables()["han_unknown"]
    total = 0
    for word in _WORD.findall(spoken):
        kinds = "".join(map(_kind, word))
        if "?" in kinds or ("h" in kinds and han_unknown):
            return None
        total += max(len(_SYLLABLE.findall(kinds)), 1)  # a word of consonants counts as one
    return total or None


@cache
def _kind(letter: str) -> str:
    """Return v(owel), c(onsonant), w(hole syllable), h(an) or ?."""
    table, script = _syllables(), unicodedata.name(letter, "?").split()[0]
    bare = unicodedata.normalize("NFD", letter)[0]
    if letter in table["small"] or unicodedata.combining(letter):
        return "c"
    if script in table["whole"]:
        return "h" if script == "CJK" else "w"
    if bare in table["vowels"] or letter in table["vowels"]:
        return "v"
    return "c" if script in table["alphabets"] and letter.isalpha() else "?"


@cache
def _syllables() -> dict[str, Any]:
    table: dict[str, Any] = packaged_table(__package__, "syllables")
    return table
