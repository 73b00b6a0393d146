"""Fake audio language model: a local chat server for tests and benchmarks, with optional faults.

It answers each recording with scores that are derived from a hash of the audio, so the same audio gets the
same profile in each run. With `--misbehave 0.3`, three of ten requests get a fault of `FAULTS`, chosen by the
seed, the audio and the number of earlier requests for it. `GET /stats` returns the number of requests, the
most concurrent requests, and the faults.

    python benchmarks/annotate_server.py --port 0 --misbehave 0.3 --seed 1
"""

import argparse
import base64
import hashlib
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from budew.annotation.llm_protocol import PARTS, answer_schema
from budew.randomness import generator


@dataclass
class Behavior:
    """Settings of the server.

    Attributes:
        misbehave: share of requests that get a fault.
        seed: random seed of the faults.
        faults: names of the faults to choose from; None for all of `FAULTS`.
        refuse_schema: answer requests that have a `response_format` with status 400.
        seconds: duration of an answer.
        stall: duration of a stalled answer, in seconds.
        refuse: hashes of audio whose requests always get status 400.
        down: answer all requests with status 503.
    """

    misbehave: float = 0.0
    seed: int = 0
    faults: Sequence[str] | None = None
    refuse_schema: bool = False
    seconds: float = 0.0
    stall: float = 5.0
    refuse: frozenset[str] = frozenset()
    down: bool = False


@dataclass
class Seen:
    """Counts of requests and faults; `most` is the largest number of concurrent requests."""

    requests: int = 0
    under_way: int = 0
    most: int = 0
    met: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)


class AnnotateServer(ThreadingHTTPServer):
    """HTTP server of the fake model; `behavior` may be changed while it runs."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, behavior: Behavior | None = None, *, port: int = 0) -> None:
        self.behavior, self.seen, self.lock = behavior or Behavior(), Seen(), threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def shutdown_request(self, request: Any) -> None:
        """Close the connection without a shutdown, so that the client sees a reset."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that closed their connection."""


def profile_for(audio: bytes) -> dict[str, Any]:
    """Return the scores for a recording: few emotions, sometimes a vocal burst, all traits."""
    chance = generator("annotate-server", hashlib.sha256(audio).hexdigest())
    schema = answer_schema(PARTS).schema["properties"]
    emotions = dict.fromkeys(schema["emotions"]["properties"], 0)
    for name in chance.sample(sorted(emotions), 4):
        emotions[name] = chance.randint(1, 4)
    words = {
        name: chance.choice(row.get("enum", ("unknown", "Irish")))
        for name, row in schema["traits"]["properties"].items()
    }
    numbers = {
        name: round(chance.uniform(row["minimum"], row["maximum"]), 1)
        for name, row in schema["attributes"]["properties"].items()
    }
    bursts = chance.sample(schema["bursts"]["items"]["enum"], chance.choice((0, 0, 1, 2)))
    return {"emotions": emotions, "bursts": bursts, "traits": words, "attributes": numbers}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: AnnotateServer

    def do_GET(self) -> None:
        seen = self.server.seen
        told = {"requests": seen.requests, "most_at_once": seen.most, "faults": dict(seen.met)}
        self._reply(200, json.dumps(told).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.requests += 1
            self.server.seen.times.append(time.monotonic())
            self.server.seen.under_way += 1
            self.server.seen.most = max(self.server.seen.most, self.server.seen.under_way)
        try:
            self._answer(body)
        finally:
            with self.server.lock:
                self.server.seen.under_way -= 1

    def _answer(self, body: Mapping[str, Any]) -> None:
        behavior = self.server.behavior
        time.sleep(behavior.seconds)
        if behavior.down:
            return self._error(503, "the engine is dead")
        audio = _audio_in(body)
        if audio is None:
            return self._complete("pong")
        name = hashlib.sha256(audio).hexdigest()
        if name in behavior.refuse:
            return self._error(400, "this audio cannot be read")
        if behavior.refuse_schema and "response_format" in body:
            return self._error(400, "response_format is not supported")
        fault, profile = self._fault(name), _asked_for(body, profile_for(audio))
        if fault in _ON_THE_WAY:
            return _ON_THE_WAY[fault](self)
        return self._complete(_WRITTEN[fault](profile) if fault else json.dumps(profile))

    def _fault(self, name: str) -> str:
        """Return the name of the fault for this request, "" for none."""
        behavior, seen = self.server.behavior, self.server.seen
        with self.server.lock:
            seen.asked[name] += 1
            chance = generator("fault", behavior.seed, name, seen.asked[name])
            if chance.random() >= behavior.misbehave:
                return ""
            fault = chance.choice(behavior.faults or FAULTS)
            seen.met[fault] += 1
            return fault

    def _complete(self, content: str | None) -> None:
        message = {"role": "assistant", "content": content}
        usage = {"prompt_tokens": 1_500, "completion_tokens": 20 + len(content or "") // 4}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        self._reply(
            200, json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()
        )

    def _error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        self._reply(status, json.dumps({"error": {"message": message}}).encode(), headers=headers)

    def _reply(
        self,
        status: int,
        data: bytes,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _cut(self, *, reset: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2000")
        self.end_headers()
        self.wfile.write(b'{"choices": [{"message": {"content": "{\\"emotions\\": ')
        self.close_connection = True
        if reset:
            self._reset()

    def _drip(self) -> None:
        """Send single bytes, each before a read timeout of the client."""
        self.send_response(200)
        self.send_header("Content-Length", "2000")
        self.end_headers()
        end = time.monotonic() + self.server.behavior.stall
        while time.monotonic() < end:
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.02)
        self.close_connection = True

    def _reset(self) -> None:
        """End the connection with a reset."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *parts: Any) -> None:
        """Print no log lines."""


def _audio_in(body: Mapping[str, Any]) -> bytes | None:
    for message in body["messages"]:
        parts = message["content"] if isinstance(message["content"], list) else ()
        for part in parts:
            if part["type"] == "input_audio":
                return base64.b64decode(part["input_audio"]["data"], validate=True)
    return None


def _asked_for(body: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of an answer that the schema of the request has; all parts without a schema."""
    form = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return {part: profile[part] for part in form.get("properties", profile)}


def _soon() -> str:
    """Return the date and time of the next second, for `Retry-After`."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)


def _scored(profile: Mapping[str, Any], score: Any) -> str:
    """Return an answer with `score` for the first emotion."""
    emotions = profile["emotions"]
    return json.dumps({**profile, "emotions": {**emotions, next(iter(emotions)): score}})


def _named(profile: Mapping[str, Any], **added: int) -> str:
    """Return an answer in which the name of the first emotion is replaced."""
    others = dict(list(profile["emotions"].items())[1:])
    return json.dumps({**profile, "emotions": {**others, **added}})


_ON_THE_WAY: Mapping[str, Callable[[_Handler], None]] = {
    "429 with seconds": lambda handler: handler._error(429, "slow down", {"Retry-After": "0.05"}),
    "429 with a date": lambda handler: handler._error(429, "slow down", {"Retry-After": _soon()}),
    "429 bare": lambda handler: handler._error(429, "slow down"),
    "500": lambda handler: handler._error(500, "it broke"),
    "503": lambda handler: handler._error(503, "overloaded"),
    "an HTML error page": lambda handler: handler._reply(
        502, b"<html>\x1b[31mBad gateway</html>", "text/html"
    ),
    "a stalled answer": lambda handler: time.sleep(handler.server.behavior.stall),
    "a dripping answer": lambda handler: handler._drip(),
    "a reset connection": lambda handler: handler._reset(),
    "a reset within the answer": lambda handler: handler._cut(reset=True),
    "a response cut short": lambda handler: handler._cut(reset=False),
    "a response that is not JSON": lambda handler: handler._reply(200, b"Service starting"),
    "an error with status 200": lambda handler: handler._reply(200, b'{"error": {"message": "try later"}}'),
    "no choices": lambda handler: handler._reply(200, b'{"choices": []}'),
    "no content": lambda handler: handler._complete(None),
    "the key in an error": lambda handler: handler._error(500, f"bad {handler.headers.get('Authorization')}"),
}
_WRITTEN: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "truncated JSON": lambda profile: json.dumps(profile)[:-300],
    "prose around the JSON": lambda profile: f"I hear {{much}}.\n{json.dumps(profile)}\nShall I go on?",
    "a code fence": lambda profile: f"```json\n{json.dumps(profile, indent=2)}\n```",
    "a wrong field": lambda profile: _named(profile, **{"Amusment Park": 1}),
    "a score out of range": lambda profile: _scored(profile, 7),
    "a score that is a word": lambda profile: _scored(profile, "high"),
    "a score that is true": lambda profile: _scored(profile, True),
    "a score missing": lambda profile: _named(profile),
    "a key twice": lambda profile: json.dumps(profile).replace('": {"', '": {"Amusement": 4, "', 1),
    "two answers": lambda profile: f"{_scored(profile, 1)} or rather {_scored(profile, 2)}",
    "not JSON at all": lambda profile: "I am sorry, I cannot listen to audio.",
}
FAULTS = (*_ON_THE_WAY, *_WRITTEN)
"""Names of all faults: of the transmission, and of the text of the model."""
HARMLESS = ("prose around the JSON", "a code fence")
"""Faults that a client must tolerate: the answer is valid."""


def main() -> None:
    """Serve until interrupted; print how to start the server if no port is given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, help="port to listen on; 0 for any free one")
    parser.add_argument("--misbehave", type=float, default=0.0, help="share of requests that get a fault")
    parser.add_argument("--seed", type=int, default=0, help="random seed of the faults")
    parser.add_argument("--seconds", type=float, default=0.0, help="duration of an answer")
    parser.add_argument("--stall", type=float, default=5.0, help="duration of a stalled answer, in seconds")
    parser.add_argument("--refuse-schema", action="store_true", help="reject requests with a response_format")
    arguments = vars(parser.parse_args())
    port = arguments.pop("port")
    if port is None:
        parser.print_help()
        return
    server = AnnotateServer(Behavior(**arguments), port=port)
    print(server.url, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
