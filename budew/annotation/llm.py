"""Annotation by an audio language model: 40 scores, bursts and traits for each clip, or a reason why not.

Any server that speaks the OpenAI chat protocol with `input_audio` will do. Whatever it does, each clip ends
annotated or told as failed, and nothing that it answered is asked or paid again: answers are kept by their
content in a file that all workers share. Our own part takes 4 ms of one core for a clip of 5 s, and 1.5 ms
where the answer is there already (benchmarks/annotation.py).
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from budew.annotation.audio import SentAudio, audio_to_send
from budew.annotation.prompt import AnnotationPrompt, load_prompt
from budew.annotation.reading import AnswerError, read_answer
from budew.annotation.schema import answer_schema
from budew.chat.client import ChatClient
from budew.chat.errors import RefusedError
from budew.chat.in_order import in_order, loop_in_thread, wait_for
from budew.chat.ledger import Ledger
from budew.chat.request import ChatRequest
from budew.chat.server import ChatServer
from budew.chat.spending import UNLIMITED, Budget
from budew.corpora.clip import Clip
from budew.jobs.job import OnFailed
from budew.profile import VoiceProfile

MAX_SECONDS = 60.0
_LONGEST_REPEATED = 20_000  # characters of an answer that are given back to the model


class AnnotationError(ValueError):
    """A clip that the model did not annotate; names the clip and says why."""


@dataclass(frozen=True, slots=True)
class AnnotateByLLM:
    """Give each clip the profile that an audio language model hears in it.

    Emotions, and bursts where they are asked for, replace those that a clip has. So do traits; one that the
    model cannot tell stays as it was.

    Attributes:
        server: where to ask, and how patiently.
        model: the name under which the server knows it.
        prompt: what to ask.
        temperature: 0 for the likeliest answer.
        seed: sent along, None for none.
        turns: answers that a model may give for a clip: after each that cannot be used but the last it is
            told what was wrong. With more turns, clips that failed can be tried again (`retry_failed`):
            the answers that were kept are gone through, and only what is new is asked.
        max_seconds: longer clips are not sent, and told as failed.
        cache: file that keeps the answers, shared by all workers; None keeps them until the shard is done.
        budget: prices, and what may be spent.
        account: name under which the cache adds up what is spent, the same in all workers and restarts.

    Raises:
        ValueError: a number out of range, or a ceiling without a cache to count in.
    """

    server: ChatServer
    model: str
    prompt: AnnotationPrompt = field(default_factory=load_prompt)
    temperature: float = 0.0
    seed: int | None = 0
    turns: int = 2
    max_seconds: float = MAX_SECONDS
    cache: Path | None = None
    budget: Budget = UNLIMITED
    account: str = ""
    name: str = "annotate"

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("the model has no name: give the one under which the server knows it")
        if self.turns < 1 or self.max_seconds <= 0 or not 0 <= self.temperature <= 2:
            raise ValueError("turns are at least 1, seconds more than 0, and a temperature is from 0 to 2")
        if self.budget.has_ceiling and self.cache is None:
            raise ValueError("a ceiling is counted in the cache, over all workers: name a file for it")

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the profiles. What decides only which clips fail may change between runs."""
        return {**self._made_by(), "prompt_sha256": self.prompt.sha256()}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Annotate clips in their order, many at a time.

        Raises:
            JobError: the key or the model is refused, the server stays away for longer than patience lasts,
                a ceiling is reached, or the cache cannot be written. What was answered is kept.
            MissingExtraError: the library openai is not installed.
        """
        with closing(Ledger(self.cache)) as ledger, loop_in_thread() as loop:
            client = wait_for(loop, _opened(self.server, ledger, self.budget, self.account))
            annotated = in_order(
                map(self._prepared, clips),
                partial(self._annotated, client),
                loop=loop,
                ahead=2 * self.server.concurrency,
            )
            try:
                with closing(annotated):
                    yield from self._told(annotated, failed)
            finally:
                wait_for(loop, client.__aexit__(None, None, None))

    def _told(
        self, annotated: Iterator[tuple[tuple[Clip, object], Future[VoiceProfile]]], failed: OnFailed
    ) -> Iterator[Clip]:
        for (clip, _), heard in annotated:
            try:
                profile = heard.result()
            except Exception as error:  # noqa: BLE001  # whatever one clip does, the others go on
                failed(clip.id, error)
            else:
                yield self._with_profile(clip, profile)

    def _prepared(self, clip: Clip) -> tuple[Clip, SentAudio | Exception]:
        try:
            return clip, audio_to_send(clip, max_seconds=self.max_seconds)
        except Exception as error:  # noqa: BLE001  # told as the failure of this clip, in its turn
            return clip, error

    async def _annotated(
        self, client: ChatClient, prepared: tuple[Clip, SentAudio | Exception]
    ) -> VoiceProfile:
        clip, audio = prepared
        if isinstance(audio, Exception):
            raise audio
        messages = self.prompt.messages(b64encode(audio.data).decode(), audio.format)
        problems: tuple[str, ...] = ()
        for _ in range(self.turns):
            text = await self._answer(client, clip, messages)
            try:
                return read_answer(text, self.prompt.parts)
            except AnswerError as error:
                problems = error.problems
                messages += self.prompt.corrected(text[:_LONGEST_REPEATED], problems)
        raise AnnotationError(
            f"clip {clip.id!r}: the last of {self.turns} answers of {self.model} cannot be used "
            f"({'; '.join(problems)}): allow more turns, or use another model"
        )

    async def _answer(self, client: ChatClient, clip: Clip, messages: tuple[Mapping[str, Any], ...]) -> str:
        request = ChatRequest(
            model=self.model,
            messages=messages,
            max_tokens=self.prompt.answer_tokens,
            temperature=self.temperature,
            seed=self.seed,
            schema=answer_schema(self.prompt.parts),
        )
        try:
            return (await client.complete(request)).texts[0]
        except RefusedError as refusal:
            raise AnnotationError(
                f"clip {clip.id!r}: no answer from {self.model} ({refusal}): listen to the clip, or use "
                "another model"
            ) from refusal

    def _with_profile(self, clip: Clip, heard: VoiceProfile) -> Clip:
        before = clip.profile or VoiceProfile()
        bursts = heard.bursts if "bursts" in self.prompt.parts else before.bursts
        profile = VoiceProfile(heard.emotions, bursts, {**before.traits, **heard.traits})
        return replace(clip, profile=profile, metadata={**clip.metadata, "annotated_by": self._made_by()})

    def _made_by(self) -> dict[str, Any]:
        return {
            "by": "llm",
            "model": self.model,
            "prompt": self.prompt.name,
            "prompt_version": self.prompt.version,
            "temperature": self.temperature,
            "seed": self.seed,
        }


async def _opened(server: ChatServer, ledger: Ledger, budget: Budget, account: str) -> ChatClient:
    return await ChatClient(server, ledger, budget=budget, account=account).__aenter__()
