"""A plan with little in it, and a speech server on the loopback that misbehaves as a test wants."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from budew.chat.server_settings import ServerSettings
from budew.synthesis.acting import ActingPlan, SpeechServerBackend, make_plan
from budew.synthesis.acting.speech_backend import SpeechBackend
from tests.annotation.sounds import encoded
from tests.chat.conftest import ScriptedServer, quick_retries, start  # noqa: F401

ASKED = ("input", "voice", "instructions")
"""Fields that tell the requests of two clips apart."""


def tone(seconds: float = 1.0, *, level: float = 0.3, rate: int = 24_000, format: str = "WAV") -> bytes:
    """An encoded hum."""
    angle = 2 * np.pi * 150 / rate * np.arange(int(seconds * rate))
    return encoded(level * np.sin(angle), rate, format=format)


def reply(status: int = 200, body: bytes | None = None, **headers: str) -> tuple[int, dict, bytes]:
    """An answer as `ScriptedServer` sends it: a second of sound by default."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "audio/wav", **named}, tone() if body is None else body


def server_at(
    url: str, *, response_format: str = "mp3", api: Literal["speech", "chat"] = "speech", **settings: Any
) -> SpeechServerBackend:
    """A speech server without much patience."""
    chosen = {"base_url": url, "model": "m", "retries": 2, "timeout": 5.0, "patience": 1.0, **settings}
    return SpeechServerBackend(ServerSettings(**chosen), response_format, api)


@pytest.fixture
def serve(start) -> Callable[..., ScriptedServer]:  # noqa: F811
    """`serve(replies)` answers with `replies(request, how often it was asked before)`, and probes well."""

    def serve(replies: Callable) -> ScriptedServer:
        def answer(asked: dict[str, Any], _count: int) -> Any:
            if asked["input"] == "One, two, three.":
                return reply()
            same = [other for other in server.seen if all(other[name] == asked[name] for name in ASKED)]
            return server.replies(asked, len(same) - 1)

        server = start(ScriptedServer(answer))
        server.replies = replies
        return server

    return serve


@pytest.fixture(scope="session")
def small() -> Callable[..., ActingPlan]:
    """`small(backend, seed=…)` makes a plan of short neutral lines in two languages."""

    def plan(backend: SpeechBackend, seed: int = 3, **axes: Any) -> ActingPlan:
        return make_plan(backend, seed=seed, **{"languages": ["en", "de"], "texts": ["neutral"], **axes})

    return plan
