"""`Transcribe`: a job that adds a transcript to each clip without one, by any Whisper checkpoint.

Text-to-speech training needs transcripts, and so does the syllable rate; many corpora come without.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from budew.audio.samples import decode
from budew.corpora.clip import Clip
from budew.corpora.languages import language_tag
from budew.errors import CheckpointError, InputError, JobError
from budew.jobs import OnFailed
from budew.model.encoder import identity
from budew.transcription.recognizer import Samples, Transcriber

NOTE = "transcribed_by"
"""Name in the metadata of what wrote the transcript, and of who named the language."""
HELD = 8
"""Most clips in memory, in batches, while those of them without transcript make one batch."""


@dataclass(frozen=True, slots=True)
class Transcribe:
    """The job `transcribe`, for clips of up to ten minutes; longer ones fail.

    A clip without words gets an empty transcript.

    Attributes:
        transcriber: checkpoint, device and batch size.
        language: of the clips that have none, as a BCP 47 tag or a name; None detects it. It is written into
            the clips.
        again: transcribe clips that have a transcript, too.

    Raises:
        InputError: there is no such language.
    """

    transcriber: Transcriber
    language: str | None = None
    again: bool = False
    name: ClassVar[str] = "transcribe"

    def __post_init__(self) -> None:
        if self.language is not None:
            tag = language_tag(self.language)
            if tag is None:
                raise InputError(f"{self.language!r} is no known language: give its tag, such as en or pt-BR")
            object.__setattr__(self, "language", tag)

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the transcripts: the hash of the weights, and the options."""
        return {"model": identity(self.transcriber.model), "language": self.language, "again": self.again}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Pass on the clips of a shard, in their order, with transcripts.

        What cannot be decoded, or is in a language that the checkpoint does not know, goes to `failed`.

        Raises:
            JobError: there is no such checkpoint or device, or memory is insufficient.
        """
        model = identity(self.transcriber.model)
        for batch in self._batches(clips):
            if not any(map(self._needs_transcript, batch)):
                yield from batch
                continue
            try:
                yield from self._transcribed(batch, failed, model)
            except CheckpointError as error:
                raise JobError(str(error)) from error
            except (RuntimeError, MemoryError) as error:
                raise self._model_failure(error) from error

    def _needs_transcript(self, clip: Clip) -> bool:
        return self.again or not (clip.transcript or "").strip()

    def _batches(self, clips: Iterator[Clip]) -> Iterator[list[Clip]]:
        """Yield the clips in lists, each with one batch to transcribe, or none."""
        size = self.transcriber.batch_size
        batch, pending = list[Clip](), 0
        for clip in clips:
            batch.append(clip)
            pending += self._needs_transcript(clip)
            if pending in (0, size) or len(batch) == HELD * size:
                yield batch
                batch, pending = [], 0
        if batch:
            yield batch

    def _transcribed(self, batch: Sequence[Clip], failed: OnFailed, model: str) -> list[Clip]:
        kept = self._decoded(batch, failed)
        self._set_languages(
            [entry for entry in kept if entry.needs_transcript and entry.clip.language is None]
        )
        kept = [entry for entry in kept if not entry.needs_transcript or self._knows(entry.clip, failed)]
        pending = [entry for entry in kept if entry.needs_transcript]
        texts = self.transcriber.transcribe(
            [entry.samples for entry in pending if entry.samples is not None],
            languages=[entry.clip.language for entry in pending],
        )
        by = {"name": self.transcriber.name, "model": model}
        for entry, text in zip(pending, texts, strict=True):
            entry.write(text, by)
        return [entry.clip for entry in kept]

    def _decoded(self, batch: Sequence[Clip], failed: OnFailed) -> list["_Entry"]:
        rate, decoded = self.transcriber.sampling_rate, []
        for clip in batch:
            try:
                pending = self._needs_transcript(clip)
                name = f"clip {clip.id!r}"
                samples = decode(clip.audio, sampling_rate=rate, name=name).usable if pending else None
                decoded.append(_Entry(clip, samples))
            except Exception as error:  # noqa: BLE001  # whatever one clip does, the others go on
                failed(clip.id, error)
        return decoded

    def _set_languages(self, entries: Sequence["_Entry"]) -> None:
        languages = [self.language] * len(entries)
        if self.language is None:
            samples = [entry.samples for entry in entries if entry.samples is not None]
            languages = [*self.transcriber.detect(samples)]
        for entry, language in zip(entries, languages, strict=True):
            entry.clip = replace(entry.clip, language=language)
            entry.language_by = "detected" if self.language is None else "told"

    def _knows(self, clip: Clip, failed: OnFailed) -> bool:
        try:
            self.transcriber.require_languages([clip.language])
        except CheckpointError as error:
            failed(clip.id, error)
            return False
        return True

    def _model_failure(self, error: Exception) -> JobError:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return JobError(
            f"{self.transcriber.batch_size} windows at once cannot be transcribed ({reason[:200]}): use a "
            "smaller --batch-size, or another --device"
        )


@dataclass(slots=True)
class _Entry:
    """A clip of a batch; with samples (n,) where it is to be transcribed."""

    clip: Clip
    samples: Samples | None
    language_by: str = "clip"

    @property
    def needs_transcript(self) -> bool:
        return self.samples is not None

    def write(self, text: str, by: Mapping[str, str]) -> None:
        note = {**by, "language_by": self.language_by}
        self.clip = replace(self.clip, transcript=text, metadata={**self.clip.metadata, NOTE: note})
