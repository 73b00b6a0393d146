"""Acting by any server that speaks the OpenAI speech protocol (`/v1/audio/speech`), many clips at a time.

The client is that of `budew.chat`. An answer is decoded to its end before it is used: servers send a page of
HTML, half a file, a minute of silence, or a take that never ends. Then the clip is asked for again.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from budew.audio.formats import sniff_format
from budew.audio.samples import decode
from budew.chat.client import Client, answered_in_order
from budew.chat.request import Answer
from budew.chat.server_settings import ServerSettings
from budew.errors import AnswerError, AudioError, InputError, ServerError
from budew.jobs import OnFailed
from budew.synthesis.acting.acting_data import data, languages
from budew.synthesis.acting.acting_job import Take
from budew.synthesis.acting.acting_plan import Item

FORMATS = ("mp3", "opus", "aac", "flac", "wav")
"""Encodings that can be asked for: those of the protocol that name themselves."""
LONGEST, SHORTEST = 60.0, 0.2
"""Seconds of a take. A line takes 3 to 15; a model that sings on has lost it."""
SILENCE = 1e-3
"""Largest sample of a silent take, 60 dB under full scale."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """A request of `/v1/audio/speech`; its answer is a take, see `as_take`."""

    model: str
    voice: str
    text: str
    instructions: str
    response_format: str
    path: ClassVar[str] = "/audio/speech"
    structured: ClassVar[bool] = False

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        return {
            "model": self.model,
            "voice": self.voice,
            "input": self.text,
            "instructions": self.instructions,
            "response_format": self.response_format,
        }

    def plain_body(self) -> dict[str, Any]:
        """Return the same: the protocol has no optional parts."""
        return self.body()

    def probe(self) -> "SpeechRequest":
        """Return a request of three words."""
        return replace(self, text="One, two, three.", instructions="")

    def read(self, content: bytes, content_type: str) -> Answer:
        """Return the audio in Base64; AnswerError where it is not speech, see `as_take`."""
        as_take(content, content_type=content_type)
        return Answer((b64encode(content).decode(),))


@dataclass(frozen=True, slots=True)
class ServerBackend:
    """A speech server.

    Attributes:
        server: where and which model to ask, and how patiently.
        response_format: the encoding asked for, one of `FORMATS`; the audio is kept as it comes.

    Raises:
        InputError: an unknown format, or a ceiling: speech servers do not report tokens.
    """

    server: ServerSettings
    response_format: str = "mp3"
    license: ClassVar[None] = None
    computes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.response_format not in FORMATS:
            raise InputError(f"{self.response_format!r} is not supported: use one of {', '.join(FORMATS)}")
        if self.server.has_ceiling:
            raise InputError("speech servers do not report tokens: remove max_cost and max_tokens")

    @property
    def name(self) -> str:
        """The model."""
        return self.server.model

    def voices(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return the voices of these names, or those of OpenAI's endpoint."""
        return tuple(data("voices")["server"] if names is None else names)

    def accents(self, language: str) -> tuple[str, ...]:
        """Return all accents of the language: the instructions ask for one."""
        return tuple(accent.name for accent in languages()[language].accents)

    def settings(self) -> dict[str, Any]:
        """Return model, encoding and the version of the instructions."""
        return {
            "backend": "openai-speech",
            "model": self.server.model,
            "response_format": self.response_format,
            "instructions_version": data("instructions")["version"],
        }

    def speak(self, items: Iterable[Item], failed: OnFailed) -> Iterator[tuple[Item, Take]]:
        """Speak items concurrently; yield them in their order."""
        with closing(answered_in_order(items, self._spoken, self.server)) as spoken:
            for item, take in spoken:
                try:
                    yield item, take.result()
                except (ServerError, AnswerError) as error:
                    failed(item.id, error)

    async def _spoken(self, client: Client, item: Item) -> Take:
        request = SpeechRequest(
            self.server.model, item.voice, item.text, item.instructions, self.response_format
        )
        return as_take(b64decode((await client.complete(request)).texts[0]))


def as_take(audio: bytes, *, content_type: str = "") -> Take:
    """Return encoded speech with its rate and length.

    Args:
        audio: the body of an answer.
        content_type: what the server calls it, for the message.

    Raises:
        AnswerError: it is empty, not audio, damaged, silent, too short or too long.
    """
    format = sniff_format(audio[:16])
    if format is None:
        kind = content_type[:_SHOWN] or "data"
        raise AnswerError(
            f"the answer is not audio but {kind}: {audio[:_SHOWN]!r}" if audio else "it is empty"
        )
    try:
        decoded = decode(audio, sampling_rate=None, max_seconds=LONGEST, name="the answer")
    except AudioError as error:
        raise AnswerError(str(error)) from error
    seconds = len(decoded.samples) / decoded.sampling_rate
    if decoded.damage is not None or seconds < SHORTEST or np.abs(decoded.samples).max() < SILENCE:
        raise AnswerError(decoded.damage or f"{seconds:.1f} s without speech")
    return Take(audio, format, decoded.sampling_rate, round(seconds, 4))
