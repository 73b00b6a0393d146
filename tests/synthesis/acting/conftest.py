"""A plan with little in it, and a speech server on the loopback that does what it is told to."""

import io
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from budew.chat.server import ServerSettings
from budew.synthesis.acting import ActingPlan, ServerBackend, make_plan
from budew.synthesis.acting.acting_job import Backend
from tests.chat.conftest import quick_retries  # noqa: F401


def tone(seconds: float = 1.0, *, level: float = 0.3, rate: int = 24_000, format: str = "WAV") -> bytes:
    """An encoded hum."""
    file = io.BytesIO()
    angle = 2 * np.pi * 150 / rate * np.arange(int(seconds * rate))
    sf.write(file, level * np.sin(angle), rate, format=format)
    return file.getvalue()


class Reply:
    """An answer: status, body, headers; endless, or byte after byte with `pause` seconds in between."""

    def __init__(
        self,
        status: int = 200,
        body: bytes | None = None,
        *,
        endless: bool = False,
        pause: float = 0.0,
        **headers: str,
    ) -> None:
        self.status, self.endless, self.pause = status, endless, pause
        self.body = tone() if body is None else body
        self.headers = {"Content-Type": "audio/wav", **headers}


Replies = Callable[[dict[str, Any], int], Reply]


class SpeechServer(ThreadingHTTPServer):
    """Answers with `replies(request, how often its text was asked for before)`."""

    daemon_threads = True

    def __init__(self, replies: Replies) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies = replies
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.most = self.now = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *where: Any) -> None:
        """A client that hangs up is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*where)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SpeechServer

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked["path"] = self.path
        with self.server.lock:
            before = sum(_same(other, asked) for other in self.server.seen)
            self.server.seen.append(asked)
            self.server.keys.append(self.headers["Authorization"])
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
        try:
            probed = asked["input"] == "One, two, three."
            self._send(Reply() if probed else self.server.replies(asked, before))
        finally:
            with self.server.lock:
                self.server.now -= 1

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name.replace("_", "-"), value)
        if reply.endless:
            self.send_header("Connection", "close")
            self.end_headers()
            while True:
                self.wfile.write(reply.body)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        step = 1 if reply.pause else len(reply.body) or 1
        for start in range(0, len(reply.body), step):
            self.wfile.write(reply.body[start : start + step])
            time.sleep(reply.pause)

    def log_message(self, *_: object) -> None:
        pass


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other[name] for name in ("input", "voice", "instructions"))


def server_at(url: str, *, response_format: str = "mp3", **settings: Any) -> ServerBackend:
    """A speech server without much patience."""
    chosen = {"base_url": url, "model": "m", "retries": 2, "timeout": 5.0, "patience": 1.0, **settings}
    return ServerBackend(ServerSettings(**chosen), response_format)


@pytest.fixture
def serve(quick_retries) -> Iterator[Callable[[Replies], SpeechServer]]:  # noqa: F811
    """`serve(replies)` starts a server."""
    servers = []

    def start(replies: Replies) -> SpeechServer:
        server = SpeechServer(replies)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def small() -> Callable[..., ActingPlan]:
    """`small(backend, seed=…)` makes a plan of short neutral lines in two languages."""

    def plan(backend: Backend, seed: int = 3, **axes: Any) -> ActingPlan:
        return make_plan(backend, seed=seed, **{"languages": ["en", "de"], "texts": ["neutral"], **axes})

    return plan
