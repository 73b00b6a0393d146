"""A chat completion as data: what is asked, what comes back, and the key under which the answer is kept."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from budew.chat.errors import FaultError

_KEY_VERSION = b"budew chat 1\n"  # another one forgets all answers that were kept


@dataclass(frozen=True, slots=True)
class Schema:
    """The JSON that an answer has to be: a JSON schema and its name (letters, digits, `_` and `-`)."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model is asked.

    Attributes:
        model: the name under which the server knows it.
        messages: as the protocol has them; the content of one is text, or parts of text and audio.
        max_tokens: longest answer.
        temperature: 0 for the likeliest answer.
        top_p: share of the probability that is drawn from, sent along where it is not None.
        seed: sent along where it is not None.
        n: answers wanted. Some servers give one all the same.
        schema: form of the answer, where it has one.
    """

    model: str
    messages: tuple[Mapping[str, Any], ...]
    max_tokens: int
    temperature: float = 0.0
    top_p: float | None = None
    seed: int | None = None
    n: int = 1
    schema: Schema | None = None

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
        """Return the body for a server that knows neither schemas nor seeds."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(self.messages),
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }
        if self.top_p is not None:
            body["top_p"] = self.top_p
        return body if self.n == 1 else {**body, "n": self.n}

    def key(self) -> bytes:
        """Return SHA-256 of all that decides the answer: model, messages with the audio, sampling, schema."""
        text = json.dumps(self.body(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(_KEY_VERSION + text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a request cost."""

    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: at least one text, some possibly empty, and what it cost where the server says so."""

    texts: tuple[str, ...]
    usage: Usage | None = None


def usage_in(response: Mapping[str, Any]) -> Usage | None:
    """Return what a response says of its cost."""
    usage = response.get("usage")
    if not isinstance(usage, Mapping):
        return None
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    known = [count for count in counts if type(count) is int and 0 <= count < 2**40]
    return Usage(*known) if len(known) == len(counts) else None


def answer_in(response: Mapping[str, Any]) -> Answer:
    """Return the texts of a response.

    Raises:
        FaultError: there are none in it.
    """
    choices = response.get("choices")
    texts = [_text(choice) for choice in choices] if isinstance(choices, list) else []
    if not texts:
        raise FaultError("the answer has no choices in it")
    return Answer(tuple(texts), usage_in(response))


def _text(choice: Any) -> str:
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise FaultError("a choice of the answer has no message")
    content = message.get("content")
    if isinstance(content, list):  # some servers answer in parts
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""
