"""Acting by servers with an OpenAI-compatible API, many clips at a time.

`/v1/audio/speech` reads a line aloud. `/v1/chat/completions` with audio output (`modalities` text and audio,
as of GPT-4o Audio) improvises: the speech begins with the line and continues freely.

Requests are sent by the client of `budew.chat`. Each answer is decoded completely before it is used, since
servers also send HTML pages, truncated files, silence, or speech that never ends. Such clips are requested
again.
"""

import hashlib
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
"""Audio formats that can be requested: those of the API whose files begin with a recognizable header."""
READ_SECONDS = (0.2, 60.0)
"""Shortest and longest duration of a line. A line takes 3 to 15 s; longer speech is a fault of the model."""
IMPROVISED_SECONDS = (3.0, 30.0)
"""Shortest and longest duration of an improvisation, as in LAION's Got Talent."""
IMPROVISED_RATE = 24_000
"""Sampling rate of improvisations in Hz, as of GPT-4o Audio and LAION's Got Talent; others are resampled."""
SILENCE = 1e-3
"""Audio with no sample above this value is silent: 60 dB below full scale."""
_PROBE = "One, two, three."
_SHOWN = 40
_LONGEST_TRANSCRIPT = 5_000  # characters; 30 s hold about 600


@dataclass(frozen=True, slots=True)
class ActingRequest(ServerRequest):
    """Request for the speech of a clip, with what the requests of both APIs have in common.

    Attributes:
        model: name of the model on the server.
        clip: planned clip, with its voice, line and instructions.
        response_format: audio format to request, one of `FORMATS`.
        salt: id of the clip, so that equal lines of different clips are different requests.
        audio_prompt: recording whose voice and manner to take on; empty for none.
        wording: how the instructions are worded, a key of `instructions.yaml`.
    """

    model: str
    clip: PlannedClip
    response_format: str
    salt: str
    audio_prompt: bytes = b""
    wording: ClassVar[str]


@dataclass(frozen=True, slots=True)
class SpeechRequest(ActingRequest):
    """Request to `/v1/audio/speech`; the body of the answer is an audio file."""

    path: ClassVar[str] = "/audio/speech"
    wording: ClassVar[str] = "line"

    def body(self) -> dict[str, Any]:
        """Return the body of the request as JSON values."""
        return {
            "model": self.model,
            "voice": self.clip.voice,
            "input": self.clip.text,
            "instructions": self.clip.instructions,
            "response_format": self.response_format,
        }

    def probe(self) -> "SpeechRequest":
        """Return a short request (three words) that tests whether the server works."""
        return replace(self, clip=replace(self.clip, text=_PROBE, instructions=""))

    def read(self, content: bytes, content_type: str) -> Answer:
        """Return the answer from its body; its text is the audio in Base64. Errors as of `decode_speech`."""
        decode_speech(content, content_type=content_type)
        return Answer((b64encode(content).decode(),))

    def spoken_clip(self, answer: Answer) -> SpokenClip:
        """Return the speech of an answer that `read` returned."""
        return decode_speech(b64decode(answer.texts[0]))


@dataclass(frozen=True, slots=True)
class ImprovisedSpeechRequest(ActingRequest):
    """Request to `/v1/chat/completions` with audio output; the answer is improvised speech."""

    path: ClassVar[str] = "/chat/completions"
    wording: ClassVar[str] = "audition"

    def body(self) -> dict[str, Any]:
        """Return the body of the request as JSON values."""
        instructions = self.clip.instructions
        line: str | list[dict[str, Any]] = self.clip.text
        if self.audio_prompt:
            instructions += f" {synthesis_table('acting/instructions')['audio_prompt']}"
            data, format = b64encode(self.audio_prompt).decode(), sniff_format(self.audio_prompt[:16])
            recording = {"type": "input_audio", "input_audio": {"data": data, "format": format}}
            line = [recording, {"type": "text", "text": self.clip.text}]
        return {
            "model": self.model,
            "modalities": ["text", "audio"],
            "audio": {"voice": self.clip.voice, "format": self.response_format},
            "messages": [
                {"role": "system", "content": instructions},
                {"role": "user", "content": line},
            ],
        }

    def probe(self) -> ChatRequest:
        """Return a short text request that tests whether the server works."""
        return ChatRequest(self.model, (), max_tokens=8).probe()

    def read(self, content: bytes, content_type: str) -> Answer:
        """Return the answer, whose texts are the audio in Base64 and its transcript.

        Raises:
            AnswerError: there is no transcript, or no speech of 3 to 30 s.
            ServerError: the model refused, or a content filter of the provider removed the answer.
        """
        given = response_object(content).get("choices")
        choices = [choice for choice in given if isinstance(choice, dict)] if isinstance(given, list) else []
        messages = [choice["message"] for choice in choices if isinstance(choice.get("message"), dict)]
        # vLLM-Omni sends text and audio in two messages, or the text beside the audio
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
        """Return the speech of an answer that `read` returned, with its transcript."""
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
    """Speech backend that uses a server with an OpenAI-compatible API.

    Attributes:
        server: address, model, timeouts and retries.
        response_format: audio format to request, one of `FORMATS`; the received files are not re-encoded.
        api: "speech" reads the lines aloud (`/v1/audio/speech`); "chat" improvises, beginning with the line
            (`/v1/chat/completions`), and its audio is resampled to `IMPROVISED_RATE` if necessary.
        audio_prompt: contents of a wav or mp3 file, a recording whose voice and manner the model is asked to
            take on, sent with each line as `input_audio`; None for none. Only for "chat".

    Raises:
        InputError: the format is unknown, a limit of cost or tokens is set for `speech`, whose servers do not
            report tokens, or the audio prompt is for `speech` or is no wav or mp3.
    """

    server: ServerSettings
    response_format: str = "mp3"
    api: Literal["speech", "chat"] = "speech"
    audio_prompt: bytes | None = None
    license: ClassVar[str | None] = None
    computes: ClassVar[bool] = False
    instructed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.response_format not in FORMATS:
            raise InputError(f"{self.response_format!r} is not supported: use one of {', '.join(FORMATS)}")
        if self.server.has_ceiling and self.api == "speech":
            raise InputError("speech servers do not report token counts: remove max_cost and max_tokens")
        if self.audio_prompt is not None and self.api == "speech":
            raise InputError("/v1/audio/speech takes no audio prompt: use the chat API, or leave it out")
        if self.audio_prompt is not None and sniff_format(self.audio_prompt[:16]) not in ("wav", "mp3"):
            raise InputError("the audio prompt is no wav or mp3 file: convert it")

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.server.model

    @property
    def wording(self) -> str:
        """How the instructions are worded, a key of `instructions.yaml`."""
        return REQUESTS[self.api].wording

    def voices(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return `names`, the voices of OpenAI's server for None."""
        return tuple(synthesis_table("acting/voices")["server"] if names is None else names)

    def accents(self, language: str) -> tuple[str, ...]:
        """Return all accents of a language code, since accents are requested in the instructions."""
        return tuple(languages()[language].accents)

    def settings(self) -> dict[str, Any]:
        """Return API, model, audio format, version of the instructions and audio prompt, as JSON values."""
        prompt = self.audio_prompt
        return {
            "backend": f"openai-{self.api}",
            "model": self.server.model,
            "response_format": self.response_format,
            "instructions_version": synthesis_table("acting/instructions")["version"],
            **({} if prompt is None else {"audio_prompt_sha256": hashlib.sha256(prompt).hexdigest()}),
        }

    def speak(
        self, clips: Iterable[PlannedClip], failed: OnFailed
    ) -> Iterator[tuple[PlannedClip, SpokenClip]]:
        """Yield each clip with its speech, in order; requests are concurrent.

        `failed` is called for clips that the server does not speak after all retries.
        """
        with closing(answered_in_order(clips, self._spoken, self.server)) as spoken:
            for clip, answer in spoken:
                try:
                    yield clip, answer.result()
                except (ServerError, AnswerError) as error:
                    failed(clip.id, error)

    async def _spoken(self, client: Client, clip: PlannedClip) -> SpokenClip:
        prompt = self.audio_prompt or b""
        request = REQUESTS[self.api](self.server.model, clip, self.response_format, clip.id, prompt)
        return request.spoken_clip(await client.complete(request))


def decode_speech(
    audio: bytes,
    *,
    content_type: str = "",
    seconds: tuple[float, float] = READ_SECONDS,
    rate: int | None = None,
) -> SpokenClip:
    """Check the audio that a server sent; return it with its format, sampling rate and duration.

    Args:
        audio, content_type: body of the answer, and its `Content-Type` header, for the message.
        seconds: shortest and longest duration.
        rate: sampling rate in Hz; audio with another rate is resampled and becomes FLAC. None keeps all.

    Raises:
        AnswerError: the audio is empty, damaged, silent, too short, too long, or not audio.
    """
    format = sniff_format(audio[:16])
    if format is None:
        kind = content_type[:_SHOWN] or "data"
        raise AnswerError(
            f"the answer is not audio but {kind}: {audio[:_SHOWN]!r}" if audio else "the answer is empty"
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
