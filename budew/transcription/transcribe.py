"""`Transcribe`: a job that adds a transcript to each clip without one, by any Whisper checkpoint.

Text-to-speech training needs transcripts, and so does the syllable rate; many corpora come without.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from budew.audio.samples import decode
from budew.corpora.clip import Clip
from budew.corpora.column_names import language_tag
from budew.errors import CheckpointError, InputError, JobError, first_line
from budew.jobs import OnFailed
from budew.model.checkpoint import identity
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
                raise InputError(f"{self.language!r} is not a known language: use a tag, such as en or pt-BR")
            object.__setattr__(self, "language", tag)

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the transcripts: the hash of the weights, and the options."""
        return {"model": identity(self.transcriber.model), "language": self.language, "again": self.again}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Pass on the clips of a shard, in their order, with transcripts.

        What cannot be decoded, or is in a language that the checkpoint does not know, goes to `failed`.

        Raises:
            JobError: there is no such checkpoint or device, or memory is insufficient.
        """
        model = identity(self.transcriber.model)
        for batch in self._batches(clips):
            try:
                done = iter(self._transcribed([*filter(self._needs_transcript, batch)], failed, model))
            except CheckpointError as error:
                raise JobError(str(error)) from error
            except (RuntimeError, MemoryError) as error:
                raise JobError(
                    f"{self.transcriber.batch_size} windows at once cannot be transcribed "
                    f"({first_line(error)[:200]}): "
                    "use a smaller --batch-size, or another --device"
                ) from error
            for clip in batch:
                result = next(done) if self._needs_transcript(clip) else clip
                if result is not None:
                    yield result

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

    def _transcribed(self, clips: Sequence[Clip], failed: OnFailed, model: str) -> list[Clip | None]:
        """Return each clip with transcript and language, None where it failed."""
        if not clips:
            return []
        recognizer, samples = self.transcriber, dict[int, Samples]()
        rate = recognizer.sampling_rate
        for number, clip in enumerate(clips):
            try:
                name = f"clip {clip.id!r}"
                samples[number] = decode(clip.audio, sampling_rate=rate, name=name).usable
            except Exception as error:  # noqa: BLE001  # whatever happens to one clip, the others continue
                failed(clip.id, error)
        languages = {number: clips[number].language or self.language for number in samples}
        bare = [number for number, language in languages.items() if language is None]
        languages |= zip(bare, recognizer.detect([samples[number] for number in bare]), strict=True)
        for number, language in languages.items():
            try:
                recognizer.require_languages([language])
            except CheckpointError as error:
                failed(clips[number].id, error)
                del samples[number]
        texts = recognizer.transcribe(
            [*samples.values()], languages=[languages[number] for number in samples]
        )
        note = {"name": recognizer.name, "model": model}
        done: list[Clip | None] = [None] * len(clips)
        for number, text in zip(samples, texts, strict=True):
            clip, guessed = clips[number], "detected" if self.language is None else "given"
            by = {**note, "language_by": "clip" if clip.language else guessed}
            metadata = {**clip.metadata, NOTE: by}
            done[number] = replace(clip, transcript=text, language=languages[number], metadata=metadata)
        return done
