"""Annotation by an audio language model: 40 scores, bursts and traits for each clip, or a reason why not.

Works with any server for the OpenAI chat protocol with `input_audio`. Each clip is annotated or listed in
`failures.jsonl`. No answer is requested or paid for twice: answers are cached in a file that all workers
share. Besides the request, a clip of 5 s takes 4 ms of one core, or 1.5 ms if its answer is cached
(benchmarks/annotation.py).

Every clip is decoded before it is sent, so that no broken file is paid for. A whole mp3 or wav smaller than
16 kHz mono is sent as it is; anything else becomes a wav of 16 kHz, 16 bit, mono: 32 kB a second.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from budew.annotation.llm_protocol import AnnotationPrompt, answer_schema, load_prompt, read_answer
from budew.audio.formats import sniff_format
from budew.audio.samples import SAMPLING_RATE, decode, encode_audio
from budew.chat.client import Client, complete_with_corrections
from budew.chat.ordered_requests import answered_in_order
from budew.chat.request import ChatRequest
from budew.chat.server_settings import ServerSettings
from budew.corpora.clip import Clip, annotated
from budew.errors import InputError
from budew.jobs.job import OnFailed
from budew.profile import VoiceProfile

MAX_SECONDS = 60.0
_PLAIN_WAV = b"fmt \x01\x00"  # uncompressed; servers may not read other kinds
_HEADER = 44


class SentAudio(NamedTuple):
    """Audio as it is sent: the bytes of a file, and its format, "wav" or "mp3"."""

    data: bytes
    format: str


@dataclass(frozen=True, slots=True)
class AnnotateByLLM:
    """Give each clip the profile that an audio language model predicts.

    Predicted emotions, and bursts if the prompt asks for them, replace those of the clip. Predicted traits do
    as well; a trait that the model answers with "unknown" keeps its old value.

    Attributes:
        server: address and model, timeouts, retries and limits of cost.
        prompt: texts of the request.
        temperature: sampling temperature, 0 to 2; 0 for the most probable answer.
        seed: sampling seed that is sent with each request; None for no seed.
        turns: number of answers that a model may give for a clip; the errors of an invalid answer are sent
            back. After raising it, clips that failed can be tried again (`retry_failed`): only the new turns
            are requested.
        max_seconds: duration above which a clip is not sent, and fails.
        account: name under which the cache adds up the cost.

    Raises:
        InputError: a number is out of range.

    Example:
        >>> job = AnnotateByLLM(ServerSettings(base_url="http://localhost:8000/v1", model="ear-1"))
        >>> job.settings()["model"], job.settings()["temperature"]
        ('ear-1', 0.0)
    """

    server: ServerSettings
    prompt: AnnotationPrompt = field(default_factory=load_prompt)
    temperature: float = 0.0
    seed: int | None = 0
    turns: int = 2
    max_seconds: float = MAX_SECONDS
    account: str = ""
    name: str = "annotate"

    def __post_init__(self) -> None:
        if self.turns < 1 or self.max_seconds <= 0 or not 0 <= self.temperature <= 2:
            raise InputError("turns must be at least 1, max_seconds above 0, and temperature from 0 to 2")

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine profiles, without those that only decide which clips fail."""
        return {**self._made_by(), "prompt_sha256": self.prompt.sha256()}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Annotate many clips at a time and yield them in order.

        Raises:
            JobError: every other request would fail, too. Answers so far are cached.
        """
        return annotate_in_order(clips, self._annotated, failed, self.server, account=self.account)

    async def _annotated(self, client: Client, clip: Clip) -> Clip:
        audio = await asyncio.to_thread(audio_to_send, clip, max_seconds=self.max_seconds)
        request = ChatRequest(
            model=self.server.model,
            messages=self.prompt.messages(b64encode(audio.data).decode(), audio.format),
            max_tokens=self.prompt.answer_tokens,
            temperature=self.temperature,
            seed=self.seed,
            schema=answer_schema(self.prompt.parts),
        )
        predicted = await complete_with_corrections(
            client,
            request,
            partial(read_answer, parts=self.prompt.parts),
            correction=self.prompt.correction,
            turns=self.turns,
            item=f"clip {clip.id!r}",
        )
        before = clip.profile or VoiceProfile()
        bursts = predicted.bursts if "bursts" in self.prompt.parts else before.bursts
        profile = VoiceProfile(predicted.emotions, bursts, {**before.traits, **predicted.traits})
        return annotated(clip, profile, self._made_by())

    def _made_by(self) -> dict[str, Any]:
        return {
            "by": "llm",
            "model": self.server.model,
            "prompt": self.prompt.name,
            "prompt_version": self.prompt.version,
            "temperature": self.temperature,
            "seed": self.seed,
        }


def annotate_in_order(
    clips: Iterator[Clip],
    annotate: Callable[[Client, Clip], Coroutine[Any, Any, Clip]],
    failed: OnFailed,
    server: ServerSettings,
    *,
    account: str,
) -> Iterator[Clip]:
    """Annotate many clips at a time and yield them in order; a clip fails if `annotate` raises an error.

    The cache adds up the cost under the name `account`.

    Raises:
        JobError: every other request would fail, too. Answers so far are cached.
    """
    with closing(answered_in_order(clips, annotate, server, account=account)) as annotated:
        for clip, done in annotated:
            try:
                yield done.result()
            except Exception as error:  # noqa: BLE001  # whatever happens to one clip, the others continue
                failed(clip.id, error)


def audio_to_send(clip: Clip, *, max_seconds: float) -> SentAudio:
    """Return the audio of a clip as it is sent: the original file if it is small, else a 16 kHz wav.

    Raises:
        AudioError: the clip cannot be decoded, or is longer than `max_seconds`.
    """
    decoded = decode(clip.audio, max_seconds=max_seconds, name=f"clip {clip.id!r}")
    samples = np.rint(np.clip(decoded.usable, -1, 1) * 32767).astype(np.int16)
    data = clip.audio.read_bytes() if isinstance(clip.audio, Path) else clip.audio
    format = sniff_format(data[:16])
    plain = format == "mp3" or (format == "wav" and data[12:16] + data[20:22] == _PLAIN_WAV)
    if format and plain and decoded.damage is None and len(data) <= _HEADER + samples.nbytes:
        return SentAudio(data, format)
    return SentAudio(encode_audio(samples, SAMPLING_RATE, "WAV"), "wav")
