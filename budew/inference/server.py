"""Captions from a server with the protocol `/v1/audio/transcriptions`, such as vLLM with Whisper.

It uses the client of `budew.chat`, which retries requests, probes the health of the server, and stores
answers.
"""

import time
import weakref
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from budew.audio.samples import SAMPLING_RATE, encode_audio
from budew.chat.client import Client
from budew.chat.ordered_requests import in_order, open_in_thread
from budew.chat.request import Answer, ServerRequest, reason_in, response_object, usage_in
from budew.errors import AnswerError, InputError, ServerError
from budew.inference.backends import DecodingOptions, FeatureBatch, GeneratedBatch, GeneratedText, Samples
from budew.inference.options import CaptionServer

LONGEST = 10_000
"""Characters of the longest caption that is accepted."""


@dataclass(frozen=True, slots=True)
class TranscriptionRequest(ServerRequest):
    """A request to `/v1/audio/transcriptions`: model name, a window as wav bytes, and the prompt."""

    model: str
    wav: bytes
    prompt: str = ""
    path: ClassVar[str] = "/audio/transcriptions"

    def body(self) -> dict[str, Any]:
        """Return the fields of the multipart form; the audio file is bytes."""
        fields = {"model": self.model, "file": self.wav, "response_format": "json", "temperature": "0"}
        return {**fields, "prompt": self.prompt} if self.prompt else fields

    def probe(self) -> "TranscriptionRequest":
        """Return a request with a second of noise, which checks whether the server works."""
        noise = np.random.default_rng(0).normal(0, 0.01, SAMPLING_RATE).astype(np.float32)
        return replace(self, wav=encode_audio(noise, SAMPLING_RATE, "WAV"), prompt="")

    def read(self, content: bytes, content_type: str) -> Answer:
        """Parse a response of the server.

        Raises:
            AnswerError: the response does not follow the protocol.
        """
        text = response_object(content).get("text")
        if not isinstance(text, str):
            raise AnswerError(f"the response has no text of a transcription: {reason_in(content)}")
        return Answer((text[:LONGEST],), usage_in(content))


class CaptionServerBackend:
    """Backend whose model runs on a server; all windows of a batch are requested at the same time.

    The server chooses precision and beam width. Whether its model was trained with prompts is unknown, so
    style and parts are always sent if they are given.
    """

    def __init__(self, server: CaptionServer) -> None:
        """Create the backend.

        Args:
            server: settings of the server.

        Raises:
            InputError, JobError, MissingExtraError: see `budew.chat.client.Client`.
        """
        self.name = server.model
        self.runs_on = f"server, {server.shown}"
        self.window_seconds = server.window_seconds
        self.sampling_rate = SAMPLING_RATE
        self.short_windows = False
        self.trained_with_prompts = True
        self.can_sample = False
        self.num_beams = 1
        opened = ExitStack()
        self._loop, self._client = opened.enter_context(open_in_thread(lambda: Client(server)))
        weakref.finalize(self, opened.close)

    def prepare(self, windows: Sequence[Samples], seconds: float) -> FeatureBatch:
        """Encode each window as a wav file in memory; `seconds` is ignored, as the server pads windows."""
        return FeatureBatch(windows, [encode_audio(window, SAMPLING_RATE, "WAV") for window in windows])

    def write(self, batch: FeatureBatch, decodings: Sequence[DecodingOptions]) -> list[GeneratedBatch]:
        """Request captions of all windows; a window that the server rejects gets a `fault`.

        Raises:
            InputError: a beam width is given, which the protocol does not support.
            JobError: the server stays down, or rejects every request.
        """
        return [self._write(batch, decoding) for decoding in decodings]

    def _write(self, batch: FeatureBatch, decoding: DecodingOptions) -> GeneratedBatch:
        if decoding.num_beams > 1:
            raise InputError("servers do not accept num_beams: remove it")
        start = time.perf_counter()
        requests = [TranscriptionRequest(self.name, wav, decoding.prompt) for wav in batch.features]
        texts = []
        with closing(in_order(requests, self._client.complete, loop=self._loop, ahead=len(requests))) as all_:
            for _, answer in all_:
                try:
                    texts.append(GeneratedText(answer.result().texts[0]))
                except ServerError as error:
                    texts.append(GeneratedText("", fault=str(error)))
        return GeneratedBatch(texts, time.perf_counter() - start)
