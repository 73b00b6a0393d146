"""`Segment`: the job that turns recordings of any length into clips of speech.

A clip is FLAC, mono, at the sampling rate of its recording, and keeps where it comes from
(`metadata["segment"]`: recording, start and end in seconds) and how it was measured (`metadata["levels"]`).
Language, speaker, source and license are those of the recording. Its transcript, profile and captions tell of
the whole and are not copied, nor is its metadata but for what `Segment.keep` names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from budew.corpora.clip import Clip
from budew.errors import AudioError, CorpusError, FilteredError, JobError, MissingExtraError
from budew.jobs import OnFailed
from budew.segmentation.cuts import Cuts
from budew.segmentation.flac import BITS, encode_flac
from budew.segmentation.language import Languages
from budew.segmentation.levels import Limits, measure
from budew.segmentation.recording import Piece, cut_recording
from budew.segmentation.voice_activity import load_model, model_name


@dataclass(frozen=True)
class Segment:
    """Cut recordings into clips of speech; a `budew.jobs.Job`.

    What comes to nothing is told by the id of the recording or clip: a damaged recording, whose good part is
    cut all the same, as an `AudioError`; what the settings leave out as a `FilteredError`.

    Attributes:
        cuts: where clips begin and end.
        limits: which clips are too loud, too quiet or too noisy to keep.
        languages: which languages to keep.
        bits: 16 or 24 bits a sample.
        keep: fields of a recording's metadata that hold for each of its clips too.

    Raises:
        CorpusError: FLAC has no such number of bits.
    """

    cuts: Cuts = field(default_factory=Cuts)
    limits: Limits = field(default_factory=Limits)
    languages: Languages = field(default_factory=Languages)
    bits: int = 16
    keep: tuple[str, ...] = ()
    name = "segment"

    def __post_init__(self) -> None:
        if self.bits not in BITS:
            raise CorpusError(f"{self.bits} bits a sample are not written: use {' or '.join(map(str, BITS))}")

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the clips, as JSON values."""
        chosen = asdict(self)
        chosen["cuts"]["exit_threshold"] = self.cuts.exit
        chosen["languages"]["wanted"] = list(self.languages.wanted)
        return {"model": model_name(), **chosen, "keep": list(self.keep)}

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
        self.languages.check(recording.language)
        heard = _Count()
        report_damage = partial(_report_damage, recording.id, failed)
        for piece in cut_recording(recording.audio, self.cuts, name=recording.id, on_damage=report_damage):
            if not heard.is_kept(piece, self.cuts):
                continue
            id = _id(recording.id, piece)
            try:
                yield self._clip(recording, piece, id)
            except FilteredError as error:
                failed(id, error)
        heard.tell(recording.id, self.cuts, failed)

    def _clip(self, recording: Clip, piece: Piece, id: str) -> Clip:
        """Make the clip of a piece.

        Raises:
            FilteredError: its levels or its language are not wanted.
            CorpusError: FLAC knows no such sampling rate, or the id is too long.
        """
        levels = measure(piece.samples, piece.stretch)
        self.limits.check(levels)
        language = recording.language or self.languages.hear(piece.samples, piece.sampling_rate)
        self.languages.check(language)
        kept = {name: recording.metadata[name] for name in self.keep if name in recording.metadata}
        return Clip(
            id=id,
            audio=encode_flac(piece.samples, piece.sampling_rate, bits=self.bits, name=recording.id),
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

    def is_kept(self, piece: Piece, cuts: Cuts) -> bool:
        if piece.stretch.speech < cuts.min_speech:
            return False
        length = len(piece.samples) / piece.sampling_rate
        if length < cuts.min_seconds:
            self.short, self.short_seconds = self.short + 1, self.short_seconds + length
            return False
        self.kept += 1
        return True

    def tell(self, id: str, cuts: Cuts, failed: OnFailed) -> None:
        if self.short:
            times = f"times {self.short}, {self.short_seconds:.1f} s in all"
            failed(id, FilteredError(f"left out: speech shorter than {cuts.min_seconds:g} s, {times}"))
        elif not self.kept:
            failed(id, FilteredError("left out: there is no speech in it"))


def _report_damage(id: str, failed: OnFailed, damage: str) -> None:
    failed(id, AudioError(damage))


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
