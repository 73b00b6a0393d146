"""A job that lets through the clips in which what should be said is heard: their transcript, by a Whisper.

Speech models leave words out, add some and sing on; a clip whose words are wrong teaches a model nothing of
how they were said. What is dropped is told with its word error rate and what was heard; what is kept carries
both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from budew.audio.samples import decode
from budew.corpora.clip import Clip
from budew.errors import CorpusError, FilteredError
from budew.extras import require
from budew.jobs import OnFailed
from budew.transcription.recognizer import BATCH, Transcriber
from budew.transcription.word_errors import counts_characters, word_error_rate

MAX_WER = 0.3
_SHOWN = 200


class WordsError(FilteredError):
    """A clip in which something else is heard than should be said; `details` are rate and what was heard."""

    def __init__(self, rate: float, heard: str, most: float, *, unit: str) -> None:
        self.details: dict[str, Any] = {"wer": round(rate, 4), "heard": heard[:1000]}
        super().__init__(f"{unit} error rate {rate:.2f} is over {most:g}: heard {heard[:_SHOWN]!r}")


@dataclass(frozen=True, slots=True)
class CheckWords:
    """Drops clips above a word error rate.

    Attributes:
        transcriber: who listens.
        max_wer: highest rate that is let through; see `word_error_rate`.
    """

    transcriber: Transcriber
    max_wer: float = MAX_WER
    name: str = "check words"

    def settings(self) -> Mapping[str, Any]:
        """Return checkpoint and highest rate."""
        return {"model": self.transcriber.name, "max_wer": self.max_wer}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Let clips through, in their order, with rate and transcription in `metadata["words"]`."""
        require("jiwer", extra="corpora", purpose="budew corpus act --check-words")
        while batch := list(islice(clips, BATCH)):
            yield from self._checked(batch, failed)

    def _checked(self, clips: list[Clip], failed: OnFailed) -> Iterator[Clip]:
        ready = []
        for clip in clips:
            try:
                rate = self.transcriber.sampling_rate
                ready.append((clip, decode(clip.audio, sampling_rate=rate, name=clip.id).usable))
            except CorpusError as error:
                failed(clip.id, error)
        languages = [clip.language for clip, _ in ready]
        heard = self.transcriber.transcribe([samples for _, samples in ready], languages=languages)
        for (clip, _), text in zip(ready, heard, strict=True):
            try:
                yield self._judged(clip, text)
            except (WordsError, ValueError) as error:
                failed(clip.id, error)

    def _judged(self, clip: Clip, heard: str) -> Clip:
        rate = word_error_rate(clip.transcript or "", heard, language=clip.language)
        if rate > self.max_wer:
            unit = "character" if counts_characters(clip.language) else "word"
            raise WordsError(rate, heard, self.max_wer, unit=unit)
        words = {"wer": round(rate, 4), "heard": heard[:1000], "by": self.transcriber.name}
        return replace(clip, metadata={**clip.metadata, "words": words})
