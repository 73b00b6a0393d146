"""`Segment`: the job that turns recordings of any length into clips of speech.

A clip is mono FLAC at the sampling rate of its recording. Its metadata have its origin (`segment`: recording,
start and end in seconds) and measurements (`levels`). Language, speaker, source and license are copied from
the recording. Transcript, profile and captions are not copied, because they describe the whole recording;
other metadata are copied only if `keep` names them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from math import log10
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from budew.audio.decoders import Samples
from budew.corpora.clip import Clip
from budew.errors import AudioError, CorpusError, FilteredError, JobError, MissingExtraError
from budew.jobs.job import OnFailed
from budew.segmentation.cutter import SegmentSettings, SpeechSegment
from budew.segmentation.recording import AudioSegment, cut_recording
from budew.segmentation.voice_activity import load_speech_detector, speech_detector_name

FULL_SCALE = 0.99
"""Samples of at least this magnitude count as clipped: 8-bit audio reaches only 0.992, and encoders round."""
FLOOR = 1e-12
"""Mean square of digital silence: -120 dB."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The job `segment`, which cuts recordings into clips of speech; a `budew.jobs.Job`.

    The intact part of a damaged recording is cut, and the damage is reported as an `AudioError`. Clips that
    the settings exclude are reported as a `FilteredError`.

    Attributes:
        cuts: where clips begin and end, and which clips are left out.

    Example:
        >>> from budew import read
        >>> from budew.io.resources import data_folder
        >>> recordings = [next(read(data_folder("demo_clips")))]
        >>> job = Segment(SegmentSettings(min_seconds=0.5, max_pause=0.2))
        >>> [round(clip.duration, 1) for clip in job.run(iter(recordings), failed=print)]
        [1.2, 1.4, 0.7]
    """

    cuts: SegmentSettings = field(default_factory=SegmentSettings)
    name: str = "segment"

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the clips, as JSON values."""
        return {
            "model": speech_detector_name(),
            **self.cuts.model_dump(mode="json"),
            "exit_threshold": self.cuts.exit,
        }

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Cut recordings one after the other; yield each clip as soon as it is complete.

        Args:
            clips: recordings.
            failed: called with id and error of each recording or clip that fails or is left out.

        Raises:
            JobError: a library, or the model that detects languages, is missing.
        """
        try:
            load_speech_detector()
        except MissingExtraError as error:
            raise JobError(str(error)) from error
        for recording in clips:
            try:
                yield from self._cut(recording, failed)
            except JobError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever one recording does, the others continue
                failed(recording.id, error)

    def _cut(self, recording: Clip, failed: OnFailed) -> Iterator[Clip]:
        if recording.language is not None or self.cuts.language_model is None:
            check_language(recording.language, self.cuts.languages)
        found, short = False, list[float]()

        def on_end(_seconds: float, damage: str | None) -> None:
            if damage is not None:
                failed(recording.id, AudioError(damage))

        for segment in cut_recording(recording.audio, self.cuts, name=recording.id, on_end=on_end):
            seconds = len(segment.samples) / segment.sampling_rate
            if segment.speech.speech_seconds < self.cuts.min_speech:
                continue
            if seconds < self.cuts.min_seconds:
                short.append(seconds)
                continue
            found = True
            start, end = (int(second * 1000) for second in segment.span)
            id = f"{recording.id}-{start:09d}-{end:09d}"  # unique, and sorted by time
            try:
                yield self._clip(recording, segment, id)
            except FilteredError as error:
                failed(id, error)
        if short:
            counted = f"times {len(short)}, {sum(short):.1f} s in all"
            fault = f"left out: speech shorter than {self.cuts.min_seconds:g} s, {counted}"
            failed(recording.id, FilteredError(fault))
        elif not found:
            failed(recording.id, FilteredError("left out: there is no speech in it"))

    def _clip(self, recording: Clip, segment: AudioSegment, id: str) -> Clip:
        """Make the clip of a segment.

        Raises:
            FilteredError: the settings exclude its levels or its language.
            CorpusError: FLAC does not support its sampling rate, or the id is too long.
        """
        levels = measure_levels(segment.samples, segment.speech)
        check_levels(levels, self.cuts)
        language = recording.language
        if language is None and self.cuts.language_model is not None:
            from budew.segmentation.language_detector import load_language_detector  # loads torch: seconds

            detector = load_language_detector(self.cuts.language_model)
            language = detector.detect(segment.samples, segment.sampling_rate)
        check_language(language, self.cuts.languages)
        kept = {name: recording.metadata[name] for name in self.cuts.keep if name in recording.metadata}
        start, end = (round(second, 6) for second in segment.span)
        speech = round(segment.speech.speech_seconds, 3)
        place = {"recording": recording.id, "start": start, "end": end, "speech": speech}
        if "segment" in recording.metadata:  # the recording is itself a segment of another one
            place["within"] = recording.metadata["segment"]
        return Clip(
            id=id,
            audio=encode_flac(segment.samples, segment.sampling_rate, bits=self.cuts.bits, name=recording.id),
            format="flac",
            sampling_rate=segment.sampling_rate,
            duration=len(segment.samples) / segment.sampling_rate,
            language=language,
            speaker=recording.speaker,
            source=recording.source,
            license=recording.license,
            metadata={**kept, "segment": place, "levels": levels},
        )


def measure_levels(samples: Samples, speech: SpeechSegment) -> dict[str, float]:
    """Measure the levels of a clip.

    Args:
        samples: samples of the clip, mono (n,), full scale 1; at least one.
        speech: measurements of the voice detector.

    Returns:
        `rms_dbfs` and `peak_dbfs`: levels of the clip and of its largest sample, in dB relative to a square
        wave of full scale. `clipped`: share of samples at full scale. `snr_db`, if there were enough frames
        without speech: estimated ratio of speech to noise in dB, -20 to 100; as noise counts everything that
        the voice detector does not count as speech.
    """
    largest = float(np.abs(samples).max())
    levels = {
        "rms_dbfs": round(_decibels(float(np.mean(np.square(samples), dtype=np.float64))), 2),
        "peak_dbfs": round(_decibels(largest**2), 2),
        "clipped": round(float(np.mean(np.abs(samples) >= FULL_SCALE)), 6),
    }
    if (noise := speech.noise_power) is not None:
        ratio = _decibels(speech.speech_power - noise) - _decibels(noise)
        levels["snr_db"] = round(min(100.0, max(-20.0, ratio)), 2)
    return levels


def check_levels(levels: Mapping[str, float], limits: SegmentSettings) -> None:
    """Raise `FilteredError` if the levels of a clip (from `measure_levels`) are outside the limits."""
    clipped, level, ratio = levels["clipped"], levels["rms_dbfs"], levels.get("snr_db", 100.0)
    if limits.max_clipped is not None and clipped > limits.max_clipped:
        fault = f"{clipped:.2%} of its samples are clipped, at most {limits.max_clipped:.2%} are allowed"
    elif limits.min_rms_dbfs is not None and level < limits.min_rms_dbfs:
        fault = f"its level is {level:.1f} dBFS, at least {limits.min_rms_dbfs:g} is required"
    elif limits.min_snr_db is not None and ratio < limits.min_snr_db:
        fault = f"its signal-to-noise ratio is {ratio:.1f} dB, at least {limits.min_snr_db:g} is required"
    else:
        return
    raise FilteredError(f"left out: {fault}")


def _decibels(power: float) -> float:
    return 10 * log10(max(power, FLOOR))


def check_language(language: str | None, wanted: Sequence[str]) -> None:
    """Raise `FilteredError` if the language of a clip is not one of the wanted languages.

    Args:
        language: BCP 47 tag of the clip; None if unknown.
        wanted: BCP 47 ranges; "en" includes "en-US", but "pt-BR" does not include "pt". Empty: all languages.
    """
    if not wanted:
        return
    if language is None:
        raise FilteredError("left out: its language is unknown: choose a model that detects languages")
    tag, *ranges = (name.strip().replace("_", "-").lower() for name in (language, *wanted))
    if not any(tag == within or tag.startswith(f"{within}-") for within in ranges):
        raise FilteredError(f"left out: its language is {language}, not {' or '.join(wanted)}")


def encode_flac(samples: Samples, sampling_rate: int, *, bits: int, name: str) -> bytes:
    """Encode mono samples (n,), full scale 1, as FLAC; values beyond full scale are clipped.

    Args:
        samples: samples to encode.
        sampling_rate: their rate in Hz.
        bits: bits per sample, 16 or 24.
        name: name of the recording, for errors.

    Raises:
        CorpusError: FLAC does not support the sampling rate.
    """
    # A FLAC frame has 16 bits for the rate in Hz or in tens of Hz; libsndfile 1.2 has the same limits.
    if sampling_rate >= 2**16 and (sampling_rate % 10 or sampling_rate >= 10 * 2**16):
        raise CorpusError(f"{name}: FLAC has no sampling rate of {sampling_rate} Hz: resample the recording")
    largest = np.float32(2 ** (bits - 1))
    integers: NDArray[np.int32] = np.clip(np.rint(samples * largest), -largest, largest - 1).astype(np.int32)
    file = BytesIO()  # soundfile writes the upper bits of an integer
    soundfile.write(file, integers << (32 - bits), sampling_rate, format="FLAC", subtype=f"PCM_{bits}")
    return file.getvalue()
