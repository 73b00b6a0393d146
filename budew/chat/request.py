"""Requests to a server as data: the body, how to read the answer, and the key of the answer in the cache.

`object_in` finds the JSON object in the text of a model, with or without other text and code fences around
it.
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
_KEY_VERSION = b"budew chat 1\n"  # a change invalidates all cached answers
LONGEST_TEXT = 200_000
"""Largest number of characters of an answer that is searched for JSON, at up to `_MOST_BRACES` places."""
_MOST_BRACES = 200


@dataclass(frozen=True, slots=True)
class Usage:
    """Number of tokens of a request, `tokens_in`, and of its answer, `tokens_out`."""

    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to a request: one or more `texts`, and the `usage` that the server reports, if it does.

    Audio is a text in Base64. A text that the server cut off, at `max_tokens` or by a filter, is empty.
    """

    texts: tuple[str, ...]
    usage: Usage | None = None


class ServerRequest(ABC):
    """A request that can be sent to the endpoint `path`, relative to the base URL.

    `salt` distinguishes the answer in the cache from answers to requests with the same body.
    """

    __slots__ = ()
    path: ClassVar[str]
    salt: str = ""

    @property
    def structured(self) -> bool:
        """Whether `body` has parts that only some servers support, which `plain_body` leaves out."""
        return False

    @abstractmethod
    def body(self) -> dict[str, Any]:
        """Return the JSON body; a body with values of type bytes is sent as a form, with these as files."""

    def plain_body(self) -> dict[str, Any]:
        """Return the body for a server that supports only the required parts of the protocol."""
        return self.body()

    @abstractmethod
    def probe(self) -> "ServerRequest":
        """Return a short request that any working server answers."""

    @abstractmethod
    def read(self, content: bytes, content_type: str) -> Answer:
        """Read the answer from the body of a response.

        Raises:
            AnswerError: the answer is invalid; another attempt may give a valid one.
            ServerError: the model refuses, and would refuse again.
        """


def request_key(request: ServerRequest) -> bytes:
    """Return a hash of all that determines the answer: model, messages with audio, sampling, schema, salt."""
    text = json.dumps(request.body(), sort_keys=True, separators=(",", ":"), default=_digest)
    return hashlib.sha256(_KEY_VERSION + text.encode() + request.salt.encode()).digest()


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON schema of answers, and its name (letters, digits, `_` and `-`)."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest(ServerRequest):
    """A request for a chat completion, with the fields of the protocol; None for the default of the server.

    Attributes:
        messages: messages of the protocol, whose content is text, or a list of text and audio parts.
        n: number of answers; some servers always give one.
        schema: JSON schema of the answer; None for free text.
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
        """Return a chat request of one word."""
        return ChatRequest(self.model, ({"role": "user", "content": "ping"},), max_tokens=8)

    def read(self, content: bytes, content_type: str) -> Answer:
        """Return the texts of all choices in a response."""
        choices = response_object(content).get("choices")
        if not choices or not isinstance(choices, list):
            raise AnswerError(f"the response has no chat answer: {reason_in(content)}")
        return Answer(tuple(map(_text, choices)), usage_in(content))


def _digest(file: bytes) -> str:
    return hashlib.sha256(file).hexdigest()


def usage_in(content: bytes) -> Usage | None:
    """Return the usage that a response reports; None if it has no valid report."""
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
    """Return the JSON object in a response; {} if it is not a JSON object."""
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
    """Return the JSON object in `text` that has at least one of `keys`. Text before `</think>` is ignored.

    Raises:
        AnswerError: there is no such object, or several that differ; a key occurs twice; or a number is NaN
            or infinity.
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
