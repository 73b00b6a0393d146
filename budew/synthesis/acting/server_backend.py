"""Acting by any server that speaks the OpenAI speech protocol (`/v1/audio/speech`), many clips at a time.

What may pass (no answer in time, overload, a server error, an answer that is no speech) is tried again, after
ever longer waits or as long as the server asks for; then the clip is listed and the others go on. What no
other clip fares better with (no key, no such model, nobody there) ends the run, to be gone on with.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from budew.errors import JobError
from budew.extras import require
from budew.jobs import OnFailed
from budew.synthesis.acting.answer import AnswerError, as_take
from budew.synthesis.acting.backend import Take
from budew.synthesis.acting.errors import ActingError, SpeechError
from budew.synthesis.acting.faults import Fault, fault_of, refuse, waiting
from budew.synthesis.acting.plan import Item
from budew.synthesis.acting.tables import data, languages

FORMATS = ("mp3", "opus", "aac", "flac", "wav")
"""Encodings that can be asked for: those of the protocol that say what they are."""
LARGEST_ANSWER = 16 * 2**20
"""Bytes; a minute of wav at 48 kHz in stereo takes 11 MB."""
MOST_IN_A_ROW = 20
"""Clips that may fail one after the other before the run ends: then it is not the clips."""
_NO_KEY = "not-needed"  # the client insists on a key; servers of one's own do not
_LONGEST_VOICE = 100


@dataclass(frozen=True, slots=True)
class ServerBackend:
    """A speech server. The key comes from the environment variable `OPENAI_API_KEY` and from nowhere else.

    Attributes:
        base_url: such as `https://api.openai.com/v1` or `http://localhost:8000/v1`.
        model: the name under which the server knows it.
        response_format: the encoding asked for, one of `FORMATS`; what comes is kept as it is.
        concurrency: requests under way at a time.
        timeout: seconds for one answer, to its last byte.
        attempts: how often a clip is tried.
        first_wait: seconds before the second attempt; doubled for each one after it.

    Raises:
        ActingError: no address, no model, an unknown format, or a number out of range.
    """

    base_url: str = field(repr=False)
    model: str
    response_format: str = "mp3"
    concurrency: int = 8
    timeout: float = 120.0
    attempts: int = 5
    first_wait: float = 1.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ActingError(
                "the backend is no address: give one such as http://localhost:8000/v1, or espeak"
            )
        if parts.query or parts.fragment:
            raise ActingError(
                "the address of the backend has a query: leave it out, keys come from the environment"
            )
        if not self.model:
            raise ActingError("a speech server needs the name of a model: give one with --model")
        if self.response_format not in FORMATS:
            raise ActingError(
                f"{self.response_format!r} cannot be asked for: use one of {', '.join(FORMATS)}"
            )
        if min(self.concurrency, self.attempts) < 1 or min(self.timeout, self.first_wait) <= 0:
            raise ActingError("concurrency and attempts are at least 1, timeout and first wait more than 0")

    @property
    def name(self) -> str:
        """The model."""
        return self.model

    @property
    def license(self) -> None:
        """Not known here: whoever runs the server says."""
        return None

    @property
    def computes(self) -> bool:
        """Not here."""
        return False

    def voices(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return the voices of these names, or those of OpenAI's endpoint."""
        chosen = tuple(data("voices")["server"] if names is None else names)
        for name in chosen:
            if not name.strip() or len(name) > _LONGEST_VOICE or not name.isprintable():
                raise ActingError(
                    f"{name[:_LONGEST_VOICE]!r} cannot be the name of a voice: correct --voices"
                )
        return chosen

    def accents(self, language: str) -> tuple[str, ...]:
        """Return all accents of the language: a model that follows instructions is told."""
        return tuple(accent.name for accent in languages()[language].accents)

    def settings(self) -> dict[str, Any]:
        """Return model, encoding and the version of the instructions."""
        return {
            "backend": "openai-speech",
            "model": self.model,
            "response_format": self.response_format,
            "instructions_version": data("instructions")["version"],
        }

    def speak(self, items: Iterable[Item], failed: OnFailed) -> Iterator[tuple[Item, Take]]:
        """Speak all items side by side; give them in their order when the last one is there."""
        items = list(items)
        takes = asyncio.run(_Recording(self).all(items))
        for item, take in zip(items, takes, strict=True):
            if isinstance(take, Take):
                yield item, take
            else:
                failed(item.id, take)


class _Recording:
    """Requests of one shard, in one event loop."""

    def __init__(self, server: ServerBackend) -> None:
        self._openai = require("openai", extra="corpora", purpose="budew corpus act by a speech server")
        self._server = server
        self._key = os.environ.get("OPENAI_API_KEY", "").strip()
        self._places = asyncio.Semaphore(server.concurrency)
        self._in_a_row = 0

    async def all(self, items: Sequence[Item]) -> list[Take | SpeechError]:
        """Return what became of each item, in their order. The first `JobError` stops the others."""
        server = self._server
        async with self._openai.AsyncOpenAI(
            api_key=self._key or _NO_KEY,
            base_url=server.base_url,
            timeout=server.timeout,
            max_retries=0,
            http_client=self._openai.DefaultAsyncHttpxClient(event_hooks={"response": [refuse]}),
        ) as client:
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._one(client, item)) for item in items]
            except ExceptionGroup as group_error:
                raise group_error.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _one(self, client: Any, item: Item) -> Take | SpeechError:
        async with self._places:
            try:
                take = await self._tried(client, item)
            except SpeechError as error:
                self._in_a_row += 1
                if self._in_a_row >= MOST_IN_A_ROW:
                    raise JobError(
                        f"{self._in_a_row} clips in a row could not be spoken, the last because {error}: "
                        "see to it and start again to go on"
                    ) from error
                return error
        self._in_a_row = 0
        return take

    async def _tried(self, client: Any, item: Item) -> Take:
        attempt = 0
        while True:
            try:
                return await self._asked(client, item)
            except Exception as error:
                fault = fault_of(error, self._openai)
                if fault is None:
                    raise
            attempt += 1
            if not fault.passing or attempt == self._server.attempts:
                raise self._given_up(fault)
            await asyncio.sleep(waiting(fault, attempt - 1, first=self._server.first_wait, of=item.id))

    def _given_up(self, fault: Fault) -> Exception:
        """Return what ends the clip, or the run; some servers repeat the key that they refuse."""
        reason = fault.reason.replace(self._key, "(key)") if self._key else fault.reason
        if fault.remedy:
            return JobError(f"the speech server cannot be used, {reason}: {fault.remedy}")
        return SpeechError(reason)

    async def _asked(self, client: Any, item: Item) -> Take:
        audio = bytearray()
        async with (
            asyncio.timeout(self._server.timeout),
            client.audio.speech.with_streaming_response.create(
                model=self._server.model,
                voice=item.voice,
                input=item.text,
                instructions=item.instructions,
                response_format=self._server.response_format,
                extra_headers={"Accept-Encoding": "identity"},
            ) as response,
        ):
            async for chunk in response.iter_bytes():
                audio += chunk
                if len(audio) > LARGEST_ANSWER:
                    raise AnswerError(f"the answer is larger than {LARGEST_ANSWER // 2**20} MiB")
            content_type = response.headers.get("content-type", "")
        return as_take(bytes(audio), content_type=content_type)
