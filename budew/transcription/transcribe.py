"""`Transcribe`: a job that transcribes clips that have no transcript, with any Whisper checkpoint.

Text-to-speech training and the syllable rate need transcripts, which many corpora lack.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, ClassVar

from budew.corpora.clip import Clip
from budew.corpora.column_names import language_tag
from budew.errors import CheckpointError, InputError, JobError, first_line
from budew.jobs import OnFailed
from budew.model.checkpoint import identity
from budew.transcription.recognizer import Samples, Transcriber

PROVENANCE = "transcribed_by"
"""Metadata field with the model that wrote the transcript, and the source of the language."""


@dataclass(frozen=True, slots=True)
class Transcribe:
    """The job `transcribe`, which adds transcripts to clips of at most ten minutes; longer clips fail.

    A clip without words gets an empty transcript. Clips also get their language.

    Attributes:
        transcriber: recognizer: checkpoint, device and batch size.
        language: language of clips that state no language, as a BCP 47 tag or a name such as "German"; None:
            the checkpoint detects it.
        again: whether to transcribe clips that already have a transcript.

    Raises:
        InputError: unknown language.

    Example:
        >>> job = Transcribe(Transcriber("openai/whisper-small"), language="German")
        >>> job.language
        'de'
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
        """Yield the clips with transcripts, in order.

        Args:
            clips: clips to transcribe.
            failed: called with id and error of each clip that cannot be decoded, or whose language the
                checkpoint does not support.

        Raises:
            JobError: the checkpoint or device does not exist, or memory is insufficient.
        """
        model = identity(self.transcriber.model)
        while batch := list(islice(clips, self.transcriber.batch_size)):
            try:
                results = iter(self._transcribe([*filter(self._needs_transcript, batch)], failed, model))
            except CheckpointError as error:
                raise JobError(str(error)) from error
            except (RuntimeError, MemoryError) as error:
                raise JobError(
                    f"{self.transcriber.batch_size} windows at once cannot be transcribed "
                    f"({first_line(error)[:200]}): "
                    "use a smaller --batch-size, or another --device"
                ) from error
            for clip in batch:
                result = next(results) if self._needs_transcript(clip) else clip
                if result is not None:
                    yield result

    def _needs_transcript(self, clip: Clip) -> bool:
        return self.again or not (clip.transcript or "").strip()

    def _transcribe(self, clips: Sequence[Clip], failed: OnFailed, model: str) -> list[Clip | None]:
        """Return each clip with transcript and language; None for a clip that failed."""
        if not clips:  # do not load the checkpoint
            return []
        samples = self.transcriber.decode(clips, failed)
        languages = self._languages(clips, samples, failed)
        texts = self.transcriber.transcribe(
            [samples[number] for number in languages], languages=[*languages.values()]
        )
        results: list[Clip | None] = [None] * len(clips)
        for (number, language), text in zip(languages.items(), texts, strict=True):
            clip = clips[number]
            source = "given" if self.language else "detected"
            if clip.language:
                source = "clip"
            made_by = {"name": self.transcriber.name, "model": model, "language_by": source}
            metadata = {**clip.metadata, PROVENANCE: made_by}
            results[number] = replace(clip, transcript=text, language=language, metadata=metadata)
        return results

    def _languages(
        self, clips: Sequence[Clip], samples: Mapping[int, Samples], failed: OnFailed
    ) -> dict[int, str | None]:
        """Return the stated or detected language of each decoded clip that the checkpoint supports."""
        languages = {number: clips[number].language or self.language for number in samples}
        unknown = [number for number, language in languages.items() if language is None]
        detected = self.transcriber.detect([samples[number] for number in unknown])
        languages.update(zip(unknown, detected, strict=True))
        supported = {}
        for number, language in languages.items():
            try:
                self.transcriber.require_languages([language])
                supported[number] = language
            except CheckpointError as error:
                failed(clips[number].id, error)
        return supported
