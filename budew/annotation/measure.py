"""What can be measured in a clip, with no model: pitch, rate, pauses, loudness, noise. As dataspeech does it.

About 45 times real time on a core, nearly all of it pYIN. The figures go into the clip's metadata, under
`measured`; `budew.annotation.bins` makes traits of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from budew.annotation import frames, pitch, syllables
from budew.annotation.frames import SAMPLING_RATE, SECONDS
from budew.audio.samples import decode
from budew.corpora.clip import Clip
from budew.errors import AudioError
from budew.jobs import OnFailed, each

FIELD = "measured"
LONGEST = 120.0
"""Seconds. pYIN takes 0.5 MB for each."""
FAINTEST = -75.0
"""dBFS: less is silence, in which there is nothing to measure."""
NOISE = 10.0
"""Percentile of the frames that is taken for noise."""
MOST_SNR = 80.0
DIGITS = 3


@dataclass(frozen=True, slots=True)
class Measure:
    """The job `measure`: clips get their figures in `metadata["measured"]`; all else stays."""

    name: ClassVar[str] = "measure"

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the figures."""
        return {
            "pitch": f"librosa {version('librosa')} pyin",
            "hertz": [pitch.LOWEST, pitch.HIGHEST],
            "step": pitch.STEP,
            "silence": frames.SILENCE,
            "figures": 1,  # count up when a figure comes to mean something else
        }

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Measure one clip after the other; those that cannot be decoded, or are too long, fail."""
        return each(clips, measure_clip, failed)


def measure_clip(clip: Clip) -> Clip:
    """Return the clip with its figures.

    Raises:
        AudioError: it cannot be decoded, or is longer than `LONGEST`.
    """
    try:
        samples = decode(
            clip.audio, sampling_rate=SAMPLING_RATE, max_seconds=LONGEST, name=f"clip {clip.id!r}"
        ).usable
    except AudioError as error:
        if "longer than" not in str(error):
            raise
        raise AudioError(
            f"clip {clip.id!r}: longer than {LONGEST:g} s: cut it first, by budew corpus segment"
        ) from error
    figures = measure(samples, transcript=clip.transcript, language=clip.language)
    return replace(clip, metadata={**clip.metadata, FIELD: figures})


def measure(
    samples: NDArray[np.float32], *, transcript: str | None = None, language: str | None = None
) -> dict[str, float]:
    """Return the figures of a clip, rounded to three decimals; one that cannot be told is left out.

    Args:
        samples: (n,) mono at 16 kHz, in [-1, 1].
        transcript: what is said.
        language: BCP 47 tag of it.

    Returns:
        `seconds`; `speech_seconds` without the silence around and the pauses within; `level` of the speech
        and `peak`, in dBFS; `snr` in dB, see `_snr`; `pauses` of 0.3 s or more, `pause_share` of the time
        from first to last word; `voiced_share` of the speech; pitch as in `pitch_figures`; `nuclei_rate`,
        and `syllable_rate` where the transcript tells, a second of speech.
    """
    loudness = frames.levels(samples)
    figures: dict[str, float] = {"seconds": len(samples) / SAMPLING_RATE}
    figures["peak"] = float(frames.decibels(float(np.abs(samples).max()) ** 2))
    if loudness.max() > FAINTEST:
        speaking = frames.speech(loudness)
        if speaking.any():
            figures |= _time(speaking) | _loudness(loudness, speaking)
            figures |= _voice(samples, loudness, speaking)
            figures |= _syllable_rate(figures["speech_seconds"], transcript, language)
    return {name: _rounded(value) for name, value in figures.items()}


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else round(float(value), DIGITS) + 0.0  # no negative zero


def _time(speaking: NDArray[np.bool_]) -> dict[str, float]:
    spoken, breaks = float(speaking.sum()) * SECONDS, frames.pauses(speaking)
    share = sum(breaks) / (spoken + sum(breaks))
    return {"speech_seconds": spoken, "pauses": len(breaks), "pause_share": share}


def _loudness(loudness: NDArray[np.float64], speaking: NDArray[np.bool_]) -> dict[str, float]:
    power = float(np.mean(10 ** (loudness[speaking] / 10)))
    return {"level": float(frames.decibels(power)), "snr": _snr(loudness)}


def _snr(loudness: NDArray[np.float64]) -> float:
    """Return the ratio of speech to noise in dB, by percentiles of the frame levels, as NIST's `stnr` has it.

    Noise is the 10th percentile, speech and noise together the mean of all that is above `SILENCE`. With
    white and pink noise mixed to 0 to 30 dB into 36 recordings of people, medians are off by 2.2 dB at most
    and the middle half of the clips lies within 3.5 dB. WADA-SNR (Kim & Stern 2008) is as exact up to 10 dB,
    but its middle half spreads over 20 dB at 30. A clip without a gap is taken for noisier than it is.
    dataspeech takes Brouhaha, a network.
    """
    noise = 10 ** (float(np.percentile(loudness, NOISE)) / 10)
    loud = loudness[loudness > np.percentile(loudness, 99) - frames.SILENCE]
    voice = float(np.mean(10 ** (loud / 10))) - noise
    return min(10 * float(np.log10(max(voice, noise / 10) / noise)), MOST_SNR)


def _voice(
    samples: NDArray[np.float32], loudness: NDArray[np.float64], speaking: NDArray[np.bool_]
) -> dict[str, float]:
    track = pitch.pitch_track(samples)[: len(loudness)]
    loud = loudness[: len(track)] > np.percentile(loudness, 99) - frames.SILENCE
    track = np.where(loud, track, np.nan)  # in silence pYIN now and then finds a pitch
    voiced = np.isfinite(track)
    nuclei = syllables.count_nuclei(loudness[: len(track)], voiced)
    return {
        "voiced_share": min(float(voiced.sum() / speaking.sum()), 1.0),
        **pitch.pitch_figures(track),
        "nuclei_rate": nuclei / (float(speaking.sum()) * SECONDS),
    }


def _syllable_rate(seconds: float, transcript: str | None, language: str | None) -> dict[str, float]:
    count = syllables.count_syllables(transcript, language) if transcript else None
    return {} if count is None else {"syllable_rate": count / seconds}
