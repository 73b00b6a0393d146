"""`CheckWords`: a job that drops clips whose speech does not match the transcript, by word error rate.

Speech synthesis models omit words, add some, and continue after the end of the text. A clip with wrong words
is a bad training example. Dropped clips are listed with their word error rate and the recognized text; the
metadata of the other clips have both.

Before words are counted, NFKC is applied to both texts, and case, punctuation and symbols are removed
(apostrophes and hyphens within words too: "it's" becomes "its"). Numbers are compared as written, so "nine"
recognized as "9" is an error. For languages without spaces the unit is the character.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

from budew.corpora.clip import Clip
from budew.errors import FilteredError, InputError, require
from budew.io.resources import packaged_table
from budew.jobs import OnFailed
from budew.transcription.recognizer import BATCH, Transcriber

MAX_WER = 0.3
_SHOWN = 200
_WITHIN_WORDS = frozenset("'’ʼ‘`´-‐‑")


class WordsError(FilteredError):
    """A clip whose word error rate is too high.

    Attributes:
        details: `wer`: the word error rate; `recognized`: the recognized text.

    Example:
        >>> error = WordsError(0.5, "a cat", 0.3, unit="word")
        >>> str(error)
        "word error rate 0.50 is over 0.3: recognized 'a cat'"
    """

    def __init__(self, rate: float, recognized: str, most: float, *, unit: str) -> None:
        self.details: dict[str, Any] = {"wer": round(rate, 4), "recognized": recognized[:1000]}
        super().__init__(f"{unit} error rate {rate:.2f} is over {most:g}: recognized {recognized[:_SHOWN]!r}")


@dataclass(frozen=True, slots=True)
class CheckWords:
    """The job `check words`, which drops clips with a word error rate above `max_wer`.

    Attributes:
        transcriber: speech recognizer.
        max_wer: highest accepted word error rate, such as 0.2; see `word_error_rate`.

    Example:
        >>> job = CheckWords(Transcriber("openai/whisper-small"), max_wer=0.2)
        >>> job.max_wer
        0.2
    """

    transcriber: Transcriber
    max_wer: float = MAX_WER
    name: str = "check words"

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the result: checkpoint and `max_wer`."""
        return {"model": self.transcriber.name, "max_wer": self.max_wer}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield the accepted clips in order, with error rate and recognized text in `metadata["words"]`.

        Args:
            clips: clips with transcripts.
            failed: called with id and error of each clip that is dropped or cannot be checked.
        """
        require("jiwer", extra="corpora", purpose="budew corpus act --check-words")
        while batch := list(islice(clips, BATCH)):
            yield from self._check(batch, failed)

    def _check(self, clips: list[Clip], failed: OnFailed) -> Iterator[Clip]:
        samples = self.transcriber.decode(clips, failed)
        languages = [clips[number].language for number in samples]
        texts = self.transcriber.transcribe([*samples.values()], languages=languages)
        for number, text in zip(samples, texts, strict=True):
            try:
                yield self._check_clip(clips[number], text)
            except (WordsError, InputError) as error:
                failed(clips[number].id, error)

    def _check_clip(self, clip: Clip, recognized: str) -> Clip:
        rate = word_error_rate(clip.transcript or "", recognized, language=clip.language)
        if rate > self.max_wer:
            unit = "character" if counts_characters(clip.language) else "word"
            raise WordsError(rate, recognized, self.max_wer, unit=unit)
        words = {"wer": round(rate, 4), "recognized": recognized[:1000], "by": self.transcriber.name}
        return replace(clip, metadata={**clip.metadata, "words": words})


def word_error_rate(expected: str, recognized: str, *, language: str | None = None) -> float:
    """Return (insertions + deletions + substitutions) / words of the expected text.

    Args:
        expected: reference text.
        recognized: text of a recognizer.
        language: BCP 47 tag; characters are counted instead of words if it is written without spaces. None:
            words.

    Raises:
        InputError: `expected` has no words.
        MissingExtraError: jiwer is not installed.

    Example:
        >>> word_error_rate("The tea is cold.", "the tea was cold", language="en")
        0.25
    """
    jiwer = require("jiwer", extra="corpora", purpose="counting word errors")
    reference, hypothesis = comparable(expected), comparable(recognized)
    if not reference:
        raise InputError(f"the transcript {expected[:60]!r} has no words: give clips with transcripts")
    if counts_characters(language):
        reference, hypothesis = reference.replace(" ", ""), hypothesis.replace(" ", "")
        return float(jiwer.cer(reference, hypothesis))
    return float(jiwer.wer(reference, hypothesis))


def comparable(text: str) -> str:
    """Normalize a text for comparison: lower case, NFKC, without punctuation and symbols."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    closed = (letter for letter in folded if letter not in _WITHIN_WORDS)
    return " ".join(
        "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in closed).split()
    )


def counts_characters(language: str | None) -> bool:
    """Return whether a language is written without spaces between words."""
    return (language or "").partition("-")[0].lower() in _without_spaces()


@cache
def _without_spaces() -> frozenset[str]:
    return frozenset(packaged_table(__package__, "word_check")["without_spaces"])
