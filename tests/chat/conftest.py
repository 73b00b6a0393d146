"""A chat server on the loopback that answers as the test wants, and a client for it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from budew.chat.client import Client
from budew.chat.request import ChatRequest
from budew.chat.server_settings import ServerSettings


class ScriptedServer(ThreadingHTTPServer):
    """Answers with `reply(body, count)`: a text, a (status, headers, bytes), or None to hang up.

    With a header `Drip: x` the bytes are sent one by one, x seconds apart.
    """

    daemon_threads = True

    def __init__(self, reply: Callable, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.reply, self.seen, self.headers_seen, self.lock = reply, [], [], threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def questions(self) -> list[str]:
        """Return what was asked, without probes."""
        texts = [body["messages"][-1]["content"] for body in self.seen]
        return [text for text in texts if text != "ping"]

    def handle_error(self, *_) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = _body(self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append(body)
            sent = {name.title(): value for name, value in self.headers.items()}
            self.server.headers_seen.append({"path": self.path, **sent})
            count = len(self.server.seen)
        reply = self.server.reply(body, count)
        if reply is None:
            self.close_connection = True
            return
        status, headers, data = reply if isinstance(reply, tuple) else (200, {}, completion(reply))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        for number in range(len(data)) if "Drip" in headers else ():
            self.wfile.write(data[number : number + 1])
            time.sleep(float(headers["Drip"]))
        self.wfile.write(b"" if "Drip" in headers else data)

    def log_message(self, *_) -> None:
        pass


def _body(kind: str, data: bytes) -> dict:
    """Return the fields of a request: those of JSON, or of a form, as bytes."""
    if not kind.startswith("multipart/form-data"):
        return json.loads(data)
    parts = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + data).get_payload()
    return {
        part.get_param("name", header="Content-Disposition"): part.get_payload(decode=True) for part in parts
    }


def completion(text: str | None, *, tokens: tuple[int, int] | None = (100, 10)) -> bytes:
    usage = None if tokens is None else {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


def refusal(status: int, message: str = "no", **headers: str) -> tuple[int, dict, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, json.dumps({"error": {"message": message}}).encode()


def ask(text: str, **changes) -> ChatRequest:
    message = {"role": "user", "content": text}
    return ChatRequest(**{"model": "m", "messages": (message,), "max_tokens": 50, **changes})


@pytest.fixture
def quick_retries(monkeypatch) -> None:
    """Shorten the waits of the `openai` client and of the health probe from half a second to 10 ms."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("budew.chat.client._FIRST_WAIT", 0.01)


@pytest.fixture
def start(quick_retries) -> Iterator[Callable[[ThreadingHTTPServer], ThreadingHTTPServer]]:
    """`start(server)` runs a server until the end of the test and returns it."""
    running = []

    def run(server: ThreadingHTTPServer) -> ThreadingHTTPServer:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        running.append(server)
        return server

    yield run
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def serve(start) -> Callable[..., ScriptedServer]:
    """`serve(reply)` starts a server that answers by `reply`."""
    return lambda reply, port=0: start(ScriptedServer(reply, port))


def settings_of(url: str, **settings) -> ServerSettings:
    """Settings of a server without much patience."""
    return ServerSettings(**{"base_url": url, "model": "m", "timeout": 2.0, "patience": 5.0, **settings})


@asynccontextmanager
async def client_of(url: str, *, account="", **settings):
    async with Client(settings_of(url, **settings), account=account) as client:
        yield client
