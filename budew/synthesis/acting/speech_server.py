"""Acting by any server that speaks the OpenAI protocols, many clips at a time.

Either `/v1/audio/speech`, which reads a line out, or `/v1/chat/completions` with audio output (`modalities`
text and audio, as GPT-4o Audio has them), which improvises: it begins with the line and continues.

The client is that of `budew.chat`. An answer is decoded to its end before it is used: servers send a page of
HTML, half a file, a minute of silence, or speech that never ends. Then the clip is requested again.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from budew.audio.formats import sniff_format
from budew.audio.samples import decode
from budew.chat.client import Client
from budew.chat.ordered_requests import answered_in_order
from budew.chat.request import Answer, ChatRequest, ServerRequest, reason_in, response_object, usage_in
from budew.chat.server_settings import ServerSettings
from budew.errors import AnswerError, AudioError, InputError, ServerError
from budew.jobs import OnFailed
from budew.synthesis.acting.acting_data import languages
from budew.synthesis.acting.speech_backend import PlannedClip, SpokenClip
from budew.synthesis.clip_plan import synthesis_table
from budew.synthesis.speech_signal import as_flac

FORMATS = ("mp3", "opus", "aac", "flac", "wav")
"""Encodings that can be asked for: those of the protocols that name themselves."""
READ_SECONDS = (0.2, 60.0)
"""Shortest and longest line that is read out. One takes 3 to 15 s; a model that sings on has lost it."""
IMPROVISED_SECONDS = (3.0, 30.0)
"""Shortest and longest improvisation, as in LAION's Got Talent."""
IMPROVISED_RATE = 24_000
"""Hz of an improvisation, as in LAION's Got Talent: what GPT-4o Audio sends. Others are converted to it."""
SILENCE = 1e-3
"""Largest sample of a silent answer, 60 dB under full scale."""
_PROBE = "One, two, three."
_SHOWN = 40
_LONGEST_TRANSCRIPT = 5_000  # characters; 30 s hold about 600


@dataclass(frozen=True, slots=True)
class ActingRequest(ServerRequest):
    """The request for a clip in both protocols; `salt` is its id. For the others see `SpeechBackend`."""

    model: str
    voice: str
    text: str
    instructions: str
    response_format: str
    salt: str
    wording: ClassVar[str]
    clip_seconds: ClassVar[float]


@dataclass(frozen=True, slots=True)
class SpeechRequest(ActingRequest):
    """A request of `/v1/audio/speech`; its answer is speech, see `decode_speech`."""

    path: ClassVar[str] = "/audio/speech"
    wording: ClassVar[str] = "line"
    clip_seconds: ClassVar[float] = 5.0

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        return {
            "model": self.model,
            "voice": self.voice,
            "input": self.text,
            "instructions": self.instructions,
            "response_format": self.response_format,
        }

    def probe(self) -> "SpeechRequest":
        """Return a request of three words."""
        return replace(self, text=_PROBE, instructions="")

    def read(self, content: bytes, content_type: str) -> Answer:
        """Return the audio in Base64; AnswerError where it is not speech, see `decode_speech`."""
        decode_speech(content, content_type=content_type)
        return Answer((b64encode(content).decode(),))

    def spoken_clip(self, answer: Answer) -> SpokenClip:
        """Return the speech of an answer."""
        return decode_speech(b64decode(answer.texts[0]))


@dataclass(frozen=True, slots=True)
class ImprovisedSpeechRequest(ActingRequest):
    """A request of `/v1/chat/completions` with audio output; its answer is improvised speech."""

    path: ClassVar[str] = "/chat/completions"
    wording: ClassVar[str] = "audition"
    clip_seconds: ClassVar[float] = 10.0

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        return {
            "model": self.model,
            "modalities": ["text", "audio"],
            "audio": {"voice": self.voice, "format": self.response_format},
            "messages": [
                {"role": "system", "content": self.instructions},
                {"role": "user", "content": self.text},
            ],
        }

    def probe(self) -> ChatRequest:
        """Return a question of one word, to be answered in text."""
        return ChatRequest(self.model, (), max_tokens=8).probe()

    def read(self, content: bytes, content_type: str) -> Answer:
        """Return the audio in Base64 and its transcript.

        Raises:
            AnswerError: it is not speech of that length.
            ServerError: the model refuses to act it, or its provider filters it.
        """
        given = response_object(content).get("choices")
        choices = [choice for choice in given if isinstance(choice, dict)] if isinstance(given, list) else []
        messages = [choice["message"] for choice in choices if isinstance(choice.get("message"), dict)]
        # vLLM-Omni has text and audio in two of them, or the text beside the audio
        spoken = (each["audio"] for each in messages if isinstance(each.get("audio"), dict))
        audio: dict[str, Any] = next(spoken, {})
        words = [audio.get("transcript"), *(each.get("content") for each in messages)]
        said = next((text.strip() for text in words if isinstance(text, str) and text.strip()), "")
        encoded = audio.get("data")
        if refusals := [each["refusal"] for each in messages if isinstance(each.get("refusal"), str)]:
            raise ServerError(f"the model refuses: {refusals[0][:200]!r}")
        if any(choice.get("finish_reason") == "content_filter" for choice in choices):
            raise ServerError("the answer was removed by the provider's content filter")
        if not isinstance(encoded, str):
            raise AnswerError(f"the answer has no audio but says {(said or reason_in(content))[:200]!r}")
        if not 0 < len(said) <= _LONGEST_TRANSCRIPT:
            raise AnswerError("the answer has no transcript of its audio")
        answer = Answer((encoded, said), usage_in(content))
        self.spoken_clip(answer)
        return answer

    def spoken_clip(self, answer: Answer) -> SpokenClip:
        """Return the speech of an answer, with its own words; AnswerError as `decode_speech`."""
        encoded, said = answer.texts
        try:
            audio = b64decode(encoded, validate=True)
        except ValueError as error:
            raise AnswerError(f"the audio of the answer is not Base64: {error}") from error
        return replace(
            decode_speech(audio, seconds=IMPROVISED_SECONDS, rate=IMPROVISED_RATE), transcript=said
        )


REQUESTS: dict[str, type[SpeechRequest | ImprovisedSpeechRequest]] = {
    "speech": SpeechRequest,
    "chat": ImprovisedSpeechRequest,
}


@dataclass(frozen=True, slots=True)
class SpeechServerBackend:
    """A speech server.

    Attributes:
        server: where and which model to ask, and how patiently.
        response_format: the encoding asked for, one of `FORMATS`; the audio is kept as it comes.
        api: `speech` reads the lines out, `chat` improvises on them.

    Raises:
        InputError: an unknown format, or a ceiling for `speech`, whose servers do not report tokens.
    """

    server: ServerSettings
    response_format: str = "mp3"
    api: Literal["speech", "chat"] = "speech"
    license: ClassVar[None] = None
    computes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.response_format not in FORMATS:
            raise InputError(f"{self.response_format!r} is not supported: use one of {', '.join(FORMATS)}")
        if self.server.has_ceiling and self.api == "speech":
            raise InputError("speech servers do not report token counts: remove max_cost and max_tokens")

    @property
    def name(self) -> str:
        """The model."""
        return self.server.model

    @property
    def wording(self) -> str:
        """The instructions that it follows."""
        return REQUESTS[self.api].wording

    @property
    def clip_seconds(self) -> float:
        """About what a line takes, or what an improvisation is asked to take."""
        return REQUESTS[self.api].clip_seconds

    def voices(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return the voices of these names, or those of OpenAI's endpoint."""
        return tuple(synthesis_table("acting/voices")["server"] if names is None else names)

    def accents(self, language: str) -> tuple[str, ...]:
        """Return all accents of the language: the instructions ask for one."""
        return tuple(languages()[language].accents)

    def settings(self) -> dict[str, Any]:
        """Return model, encoding and the version of the instructions."""
        return {
            "backend": f"openai-{self.api}",
            "model": self.server.model,
            "response_format": self.response_format,
            "instructions_version": synthesis_table("acting/instructions")["version"],
        }

    def speak(
        self, clips: Iterable[PlannedClip], failed: OnFailed
    ) -> Iterator[tuple[PlannedClip, SpokenClip]]:
        """Speak clips concurrently; yield them in their order."""
        with closing(answered_in_order(clips, self._spoken, self.server)) as spoken:
            for clip, answer in spoken:
                try:
                    yield clip, answer.result()
                except (ServerError, AnswerError) as error:
                    failed(clip.id, error)

    async def _spoken(self, client: Client, clip: PlannedClip) -> SpokenClip:
        words = (clip.voice, clip.text, clip.instructions)
        request = REQUESTS[self.api](self.server.model, *words, self.response_format, salt=clip.id)
        return request.spoken_clip(await client.complete(request))


def decode_speech(
    audio: bytes,
    *,
    content_type: str = "",
    seconds: tuple[float, float] = READ_SECONDS,
    rate: int | None = None,
) -> SpokenClip:
    """Return encoded speech with its rate and length.

    Args:
        audio: the body of an answer.
        content_type: what the server calls it, for the message.
        seconds: shortest and longest speech.
        rate: Hz; speech at another rate is converted to it, as FLAC.

    Raises:
        AnswerError: it is empty, not audio, damaged, silent, too short or too long.
    """
    format = sniff_format(audio[:16])
    if format is None:
        kind = content_type[:_SHOWN] or "data"
        raise AnswerError(
            f"the answer is not audio but {kind}: {audio[:_SHOWN]!r}" if audio else "it is empty"
        )
    shortest, longest = seconds
    try:
        decoded = decode(audio, sampling_rate=None, name="the answer")
    except AudioError as error:
        raise AnswerError(str(error)) from error
    length = len(decoded.samples) / decoded.sampling_rate
    if decoded.damage is not None:
        raise AnswerError(decoded.damage)
    if not shortest <= length <= longest:
        raise AnswerError(f"the audio of the answer lasts {length:.1f} s, not {shortest:g} to {longest:g} s")
    if np.abs(decoded.samples).max() < SILENCE:
        raise AnswerError(f"the audio of the answer ({length:.1f} s) has no speech")
    if rate not in (None, decoded.sampling_rate):
        decoded = decode(audio, sampling_rate=rate)
        audio, format = as_flac(decoded.samples, decoded.sampling_rate), "flac"
    return SpokenClip(audio, format, decoded.sampling_rate, round(length, 4))
