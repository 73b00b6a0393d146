"""`Segment`: the job that turns recordings of any length into clips of speech.

A clip is FLAC, mono, at the sampling rate of its recording, and keeps where it comes from
(`metadata["segment"]`: recording, start and end in seconds) and how it was measured (`metadata["levels"]`).
Language, speaker, source and license are those of the recording. Its transcript, profile and captions
describe the whole and are not copied, nor is its metadata except for what `keep` names.
"""

from collections.abc import Iterator, Mapping
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
from budew.segmentation.cutter import Stretch
from budew.segmentation.language import check_language, load_detector
from budew.segmentation.recording import Piece, cut_recording
from budew.segmentation.segment_settings import SegmentSettings
from budew.segmentation.voice_activity import load_model, model_name

FULL_SCALE = 0.99
"""Samples of at least this count as clipped: eight bits reach 0.992, and encoders round."""
FLOOR = 1e-12
"""Mean square of digital silence: -120 dB."""


@dataclass(frozen=True)
class Segment:
    """Cut recordings into clips of speech; a `budew.jobs.Job`.

    Failures carry the id of the recording or clip: `AudioError` for a damaged recording, whose intact part is
    cut all the same, `FilteredError` for what the settings leave out.
    """

    cuts: SegmentSettings = field(default_factory=SegmentSettings)
    name: str = "segment"

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the clips, as JSON values."""
        return {
            "model": model_name(),
            **self.cuts.model_dump(mode="json"),
            "exit_threshold": self.cuts.exit,
        }

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Cut recordings one after the other, each clip as soon as it is decided.

        Raises:
            JobError: a library or the model of languages is missing.
        """
        try:
            load_model()
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

        for piece in cut_recording(recording.audio, self.cuts, name=recording.id, on_end=on_end):
            seconds = len(piece.samples) / piece.sampling_rate
            if piece.stretch.speech < self.cuts.min_speech:
                continue
            if seconds < self.cuts.min_seconds:
                short.append(seconds)
                continue
            found, id = True, _id(recording.id, piece)
            try:
                yield self._clip(recording, piece, id)
            except FilteredError as error:
                failed(id, error)
        if short:
            counted = f"times {len(short)}, {sum(short):.1f} s in all"
            fault = f"left out: speech shorter than {self.cuts.min_seconds:g} s, {counted}"
            failed(recording.id, FilteredError(fault))
        elif not found:
            failed(recording.id, FilteredError("left out: there is no speech in it"))

    def _clip(self, recording: Clip, piece: Piece, id: str) -> Clip:
        """Make the clip of a piece.

        Raises:
            FilteredError: its levels or its language are not wanted.
            CorpusError: FLAC does not support its sampling rate, or the id is too long.
        """
        levels = measure(piece.samples, piece.stretch)
        check_levels(levels, self.cuts)
        language = recording.language
        if language is None and self.cuts.language_model is not None:
            language = load_detector(self.cuts.language_model).detect(piece.samples, piece.sampling_rate)
        check_language(language, self.cuts.languages)
        kept = {name: recording.metadata[name] for name in self.cuts.keep if name in recording.metadata}
        return Clip(
            id=id,
            audio=encode_flac(piece.samples, piece.sampling_rate, bits=self.cuts.bits, name=recording.id),
            format="flac",
            sampling_rate=piece.sampling_rate,
            duration=len(piece.samples) / piece.sampling_rate,
            language=language,
            speaker=recording.speaker,
            source=recording.source,
            license=recording.license,
            metadata={**kept, "segment": _segment(recording, piece), "levels": levels},
        )


def measure(samples: Samples, stretch: Stretch) -> dict[str, float]:
    """Measure a clip.

    Args:
        samples: of the clip, mono (n,), full scale 1; at least one.
        stretch: what the voice detector measured in it.

    Returns:
        `rms_dbfs` and `peak_dbfs`, level of the clip and of its largest sample in dB relative to a square
        wave of full scale; `clipped`, the share of its samples at full scale; and, unless there is too little
        noise, `snr_db`, the level of speech over that of the noise around it, -20 to 100. This is an
        estimate: the noise is what the voice detector takes for no speech.
    """
    largest = float(np.abs(samples).max())
    levels = {
        "rms_dbfs": round(_decibels(float(np.mean(np.square(samples), dtype=np.float64))), 2),
        "peak_dbfs": round(_decibels(largest**2), 2),
        "clipped": round(float(np.mean(np.abs(samples) >= FULL_SCALE)), 6),
    }
    if (noise := stretch.noise_power) is not None:
        ratio = _decibels(stretch.speech_power - noise) - _decibels(noise)
        levels["snr_db"] = round(min(100.0, max(-20.0, ratio)), 2)
    return levels


def check_levels(levels: Mapping[str, float], limits: SegmentSettings) -> None:
    """Raise `FilteredError` if a clip is clipped too often, too quiet or too noisy; `levels` by `measure`."""
    clipped, level, ratio = levels["clipped"], levels["rms_dbfs"], levels.get("snr_db", 100.0)
    if limits.max_clipped is not None and clipped > limits.max_clipped:
        fault = f"{clipped:.2%} of its samples are clipped, {limits.max_clipped:.2%} at most"
    elif limits.min_rms_dbfs is not None and level < limits.min_rms_dbfs:
        fault = f"its level is {level:.1f} dBFS, {limits.min_rms_dbfs:g} at least"
    elif limits.min_snr_db is not None and ratio < limits.min_snr_db:
        fault = f"its signal-to-noise ratio is {ratio:.1f} dB, {limits.min_snr_db:g} at least"
    else:
        return
    raise FilteredError(f"left out: {fault}")


def _decibels(power: float) -> float:
    return 10 * log10(max(power, FLOOR))


def _id(recording: str, piece: Piece) -> str:
    """Return an id in the order of time: milliseconds in nine digits, so that no two can be the same."""
    start, end = piece.span
    return f"{recording}-{int(start * 1000):09d}-{int(end * 1000):09d}"


def _segment(recording: Clip, piece: Piece) -> dict[str, Any]:
    """Return where a piece comes from; a piece of a piece keeps where that comes from, under `within`."""
    start, end = (round(second, 6) for second in piece.span)
    place = {"recording": recording.id, "start": start, "end": end, "speech": round(piece.stretch.speech, 3)}
    earlier = recording.metadata.get("segment")
    return place if earlier is None else {**place, "within": earlier}


def encode_flac(samples: Samples, sampling_rate: int, *, bits: int, name: str) -> bytes:
    """Encode mono samples (n,), full scale 1. Samples of at most `bits` bits come back unchanged.

    Args:
        samples: what exceeds full scale is clipped, what is finer than a bit rounded.
        sampling_rate: Hz.
        bits: 16 or 24.
        name: what errors call the recording.

    Raises:
        CorpusError: FLAC does not support the sampling rate.
    """
    # A frame has 16 bits for the rate in Hz, or in tens of Hz; libsndfile 1.2 agrees.
    if sampling_rate >= 2**16 and (sampling_rate % 10 or sampling_rate >= 10 * 2**16):
        raise CorpusError(f"{name}: FLAC has no sampling rate of {sampling_rate} Hz: resample the recording")
    largest = np.float32(2 ** (bits - 1))
    integers: NDArray[np.int32] = np.clip(np.rint(samples * largest), -largest, largest - 1).astype(np.int32)
    file = BytesIO()  # soundfile takes the upper bits of an integer
    soundfile.write(file, integers << (32 - bits), sampling_rate, format="FLAC", subtype=f"PCM_{bits}")
    return file.getvalue()
