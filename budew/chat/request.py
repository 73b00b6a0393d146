"""Requests to a server as data: the body, how to read the answer, and its key in the cache.

`object_in` finds the JSON object in the text of a model, whether or not there are prose and code fences
around it.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from budew.errors import AnswerError
from budew.io.strict_json import HOOKS

_CUT_OFF = ("length", "content_filter")  # values of `finish_reason`
_KEY_VERSION = b"budew chat 1\n"  # another one invalidates all cached answers
LONGEST_TEXT = 200_000
"""Characters of an answer that are searched for JSON, at as many as `_MOST_BRACES` places."""
_MOST_BRACES = 200


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a request and its answer."""

    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class Answer:
    """At least one text, some possibly empty (audio is in Base64), and the usage that the server reports.

    A text that the server cut off, at `max_tokens` or by a filter, is empty.
    """

    texts: tuple[str, ...]
    usage: Usage | None = None


class ServerRequest(ABC):
    """Anything that can be sent to the endpoint `path`, below the base URL.

    `salt` distinguishes the answer in the cache from those to requests with the same body.
    """

    __slots__ = ()
    path: ClassVar[str]
    salt: str = ""

    @property
    def structured(self) -> bool:
        """Whether `body` has parts that only some servers support; `plain_body` is without them."""
        return False

    @abstractmethod
    def body(self) -> dict[str, Any]:
        """Return the JSON body; one with a value of bytes is sent as a form, and the bytes as its file."""

    def plain_body(self) -> dict[str, Any]:
        """Return the body for a server that supports only the required parts of the protocol."""
        return self.body()

    @abstractmethod
    def probe(self) -> "ServerRequest":
        """Return a short request that any healthy server answers."""

    @abstractmethod
    def read(self, content: bytes, content_type: str) -> Answer:
        """Return the answer in the body of a response.

        Raises:
            AnswerError: it cannot be used; another attempt may give one that can.
            ServerError: the model refuses, and would again.
        """


def request_key(request: ServerRequest) -> bytes:
    """Return SHA-256 of what decides the answer: model, messages with the audio, sampling, schema, salt."""
    text = json.dumps(request.body(), sort_keys=True, separators=(",", ":"), default=_digest)
    return hashlib.sha256(_KEY_VERSION + text.encode() + request.salt.encode()).digest()


@dataclass(frozen=True, slots=True)
class Schema:
    """JSON schema of an answer, and its name (letters, digits, `_` and `-`)."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest(ServerRequest):
    """A chat completion, with the fields of the protocol; None for the default of the server.

    Attributes:
        messages: messages of the protocol; the content of one is text, or parts of text and audio.
        n: number of answers. Some servers give one all the same.
        schema: JSON schema of the answer, None for text.
    """

    model: str
    messages: tuple[Mapping[str, Any], ...]
    max_tokens: int
    temperature: float = 0.0
    top_p: float | None = None
    seed: int | None = None
    n: int = 1
    schema: Schema | None = None
    path: ClassVar[str] = "/chat/completions"

    @property
    def structured(self) -> bool:
        """Whether a schema is requested."""
        return self.schema is not None

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        body = self.plain_body()
        if self.seed is not None:
            body["seed"] = self.seed
        if self.schema is not None:
            form = {"name": self.schema.name, "strict": True, "schema": self.schema.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    def plain_body(self) -> dict[str, Any]:
        """Return the body for a server that supports neither schemas nor seeds."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(self.messages),
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }
        if self.top_p is not None:
            body["top_p"] = self.top_p
        return body if self.n == 1 else {**body, "n": self.n}

    def probe(self) -> "ChatRequest":
        """Return a question of one word."""
        return ChatRequest(self.model, ({"role": "user", "content": "ping"},), max_tokens=8)

    def read(self, content: bytes, content_type: str) -> Answer:
        """Return the texts of the choices in a response."""
        choices = response_object(content).get("choices")
        if not choices or not isinstance(choices, list):
            raise AnswerError(f"no answer of the protocol: {reason_in(content)}")
        return Answer(tuple(map(_text, choices)), usage_in(content))


def _digest(file: bytes) -> str:
    return hashlib.sha256(file).hexdigest()


def usage_in(content: bytes) -> Usage | None:
    """Return the usage that a response reports, None without a valid report."""
    usage = response_object(content).get("usage")
    if not isinstance(usage, dict):
        return None
    counts: list[Any] = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    return Usage(*counts) if all(type(n) is int and 0 <= n < 2**40 for n in counts) else None


def reason_in(content: bytes) -> str:
    """Return the message of an error response, whether it follows the protocol or not."""
    text, response = content[:4_000].decode("utf-8", "replace"), response_object(content)
    error = response.get("error") or response.get("detail")
    return str(error.get("message", text) if isinstance(error, dict) else error or text)


def response_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object of a response; an empty one if it is no JSON object."""
    try:
        response = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return response if isinstance(response, dict) else {}


def _text(choice: Any) -> str:
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise AnswerError("a choice of the answer has no message")
    if choice.get("finish_reason") in _CUT_OFF:
        return ""
    content = message.get("content")
    if isinstance(content, list):  # some servers answer in parts
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def object_in(text: str, *, keys: Iterable[str]) -> dict[str, Any]:
    """Return the JSON object in `text` that has one of `keys`. Text before `</think>` is ignored.

    Raises:
        AnswerError: there is no such object, or two that differ; a key occurs twice; or NaN or infinity.
    """
    if len(text) > LONGEST_TEXT:
        raise AnswerError(f"the answer is {len(text)} characters long: at most {LONGEST_TEXT} are read")
    found: list[dict[str, Any]] = []
    wanted = frozenset(keys)
    for value in _objects(text.rpartition("</think>")[2]):
        if wanted & value.keys() and value not in found:
            found.append(value)
    if len(found) != 1:
        raise AnswerError(f"the answer holds {len(found)} JSON objects of the requested form: give one")
    return found[0]


def _objects(text: str) -> Iterable[dict[str, Any]]:
    decoder = json.JSONDecoder(**HOOKS)
    place = text.find("{")
    for _ in range(_MOST_BRACES):
        if place < 0:
            return
        end = place + 1
        try:
            value, end = decoder.raw_decode(text, place)
            yield value
        except (json.JSONDecodeError, RecursionError):
            pass  # no object begins here; one may begin at the next brace
        except ValueError as error:
            raise AnswerError(str(error)) from error
        place = text.find("{", end)
