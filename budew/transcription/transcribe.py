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
            JobError: there is no such checkpoint or device, or memory is short.
        """
        model = identity(self.transcriber.model)
        for batch in self._batches(clips):
            if not any(map(self._is_bare, batch)):
                yield from batch
                continue
            try:
                yield from self._transcribed(batch, failed, model)
            except CheckpointError as error:
                raise JobError(str(error)) from error
            except (RuntimeError, MemoryError) as error:
                raise self._breakdown(error) from error

    def _is_bare(self, clip: Clip) -> bool:
        return self.again or not (clip.transcript or "").strip()

    def _batches(self, clips: Iterator[Clip]) -> Iterator[list[Clip]]:
        """Give the clips in parts, each with as many to transcribe as are done at once, or with none."""
        size = self.transcriber.batch_size
        batch, bare = list[Clip](), 0
        for clip in clips:
            batch.append(clip)
            bare += self._is_bare(clip)
            if bare in (0, size) or len(batch) == HELD * size:
                yield batch
                batch, bare = [], 0
        if batch:
            yield batch

    def _transcribed(self, batch: Sequence[Clip], failed: OnFailed, model: str) -> list[Clip]:
        going_on = self._decoded(batch, failed)
        self._set_languages([place for place in going_on if place.is_bare and place.clip.language is None])
        going_on = [place for place in going_on if not place.is_bare or self._knows(place.clip, failed)]
        bare = [place for place in going_on if place.is_bare]
        texts = self.transcriber.transcribe(
            [place.samples for place in bare if place.samples is not None],
            languages=[place.clip.language for place in bare],
        )
        by = {"name": self.transcriber.name, "model": model}
        for place, text in zip(bare, texts, strict=True):
            place.write(text, by)
        return [place.clip for place in going_on]

    def _decoded(self, batch: Sequence[Clip], failed: OnFailed) -> list["_Place"]:
        rate, decoded = self.transcriber.sampling_rate, []
        for clip in batch:
            try:
                bare = self._is_bare(clip)
                name = f"clip {clip.id!r}"
                samples = decode(clip.audio, sampling_rate=rate, name=name).usable if bare else None
                decoded.append(_Place(clip, samples))
            except Exception as error:  # noqa: BLE001  # whatever one clip does, the others go on
                failed(clip.id, error)
        return decoded

    def _set_languages(self, places: Sequence["_Place"]) -> None:
        languages = [self.language] * len(places)
        if self.language is None:
            samples = [place.samples for place in places if place.samples is not None]
            languages = [*self.transcriber.detect(samples)]
        for place, language in zip(places, languages, strict=True):
            place.clip = replace(place.clip, language=language)
            place.language_by = "detected" if self.language is None else "told"

    def _knows(self, clip: Clip, failed: OnFailed) -> bool:
        try:
            self.transcriber.require_languages([clip.language])
        except CheckpointError as error:
            failed(clip.id, error)
            return False
        return True

    def _breakdown(self, error: Exception) -> JobError:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return JobError(
            f"{self.transcriber.batch_size} windows at once cannot be transcribed ({reason[:200]}): use a "
            "smaller --batch-size, or another --device"
        )


@dataclass(slots=True)
class _Place:
    """A clip in its place in a batch; with samples (n,) where it is to be transcribed."""

    clip: Clip
    samples: Samples | None
    language_by: str = "clip"

    @property
    def is_bare(self) -> bool:
        return self.samples is not None

    def write(self, text: str, by: Mapping[str, str]) -> None:
        note = {**by, "language_by": self.language_by}
        self.clip = replace(self.clip, transcript=text, metadata={**self.clip.metadata, NOTE: note})
