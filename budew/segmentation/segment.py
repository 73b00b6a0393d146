"""`Segment`: the job that turns recordings of any length into clips of speech.

A clip is FLAC, mono, at the sampling rate of its recording, and keeps where it comes from
(`metadata["segment"]`: recording, start and end in seconds) and how it was measured (`metadata["levels"]`).
Language, speaker, source and license are those of the recording. Its transcript, profile and captions
describe the whole and are not copied, nor is its metadata except for what `keep` names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from budew.audio.decoders import Samples
from budew.corpora.clip import Clip
from budew.errors import AudioError, CorpusError, FilteredError, JobError, MissingExtraError
from budew.jobs.job import OnFailed
from budew.segmentation.language import check_language, load_detector
from budew.segmentation.quality import check_levels, measure
from budew.segmentation.recording import Piece, cut_recording
from budew.segmentation.segment_settings import SegmentSettings
from budew.segmentation.voice_activity import load_model, model_name


@dataclass(frozen=True)
class Segment:
    """Cut recordings into clips of speech; a `budew.jobs.Job`.

    Failures carry the id of the recording or clip: `AudioError` for a damaged recording, whose intact part is
    cut all the same, `FilteredError` for what the settings leave out.
    """

    cuts: SegmentSettings = field(default_factory=SegmentSettings)
    name: str = "segment"

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the clips, as JSON values."""
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
            except Exception as error:  # noqa: BLE001  # whatever one recording does, the others go on
                failed(recording.id, error)

    def _cut(self, recording: Clip, failed: OnFailed) -> Iterator[Clip]:
        if recording.language is not None or self.cuts.language_model is None:
            check_language(recording.language, self.cuts.languages)
        count = _Count()

        def on_damage(damage: str) -> None:
            failed(recording.id, AudioError(damage))

        for piece in cut_recording(recording.audio, self.cuts, name=recording.id, on_damage=on_damage):
            if not count.is_kept(piece, self.cuts):
                continue
            id = _id(recording.id, piece)
            try:
                yield self._clip(recording, piece, id)
            except FilteredError as error:
                failed(id, error)
        count.report(recording.id, self.cuts, failed)

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
            metadata={**kept, "segment": _segment(recording, piece), "levels": levels.to_dict()},
        )


@dataclass(slots=True)
class _Count:
    """How much of a recording was kept, and what was too short."""

    kept: int = 0
    short: int = 0
    short_seconds: float = 0.0
    seconds: float = 0.0

    def is_kept(self, piece: Piece, cuts: SegmentSettings) -> bool:
        if piece.stretch.speech < cuts.min_speech:
            return False
        length = len(piece.samples) / piece.sampling_rate
        if length < cuts.min_seconds:
            self.short, self.short_seconds = self.short + 1, self.short_seconds + length
            return False
        self.kept += 1
        return True

    def report(self, id: str, cuts: SegmentSettings, failed: OnFailed) -> None:
        if self.short:
            times = f"times {self.short}, {self.short_seconds:.1f} s in all"
            failed(id, FilteredError(f"left out: speech shorter than {cuts.min_seconds:g} s, {times}"))
        elif not self.kept:
            failed(id, FilteredError("left out: there is no speech in it"))


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
