"""What an audio model is to answer, as a JSON schema made of the taxonomy.

Only what OpenAI's strict mode, Gemini, vLLM's grammars and llama.cpp all understand: every property is
required, "unknown" stands for none, and scores are bounded integers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from budew.chat.request import Schema
from budew.taxonomy import ATTRIBUTES, BURSTS, CATEGORIES, EMOTIONS, WORD_TRAITS
from budew.taxonomy.scales import SCALES

PARTS = ("emotions", "bursts", "traits", "attributes")
"""What can be asked for."""
UNKNOWN = "unknown"
"""Stands for a trait that nobody can tell."""
SCALE = SCALES["bud-e"]
"""Scale of the emotions."""


def answer_schema(parts: Sequence[str]) -> Schema:
    """Return the schema of an answer with `parts`, some of `PARTS`."""
    return Schema("voice", _object({part: _PART[part] for part in parts}))


def form_of(schema: Mapping[str, Any]) -> str:
    """Return what an answer to `schema` looks like, on one line: names as they are, `n` for numbers."""
    if schema["type"] == "object":
        fields = (f'"{name}": {form_of(value)}' for name, value in schema["properties"].items())
        return "{" + ", ".join(fields) + "}"
    if schema["type"] == "array":
        return f"[{form_of(schema['items'])}, …]"
    return '"…"' if schema["type"] == "string" else "n"


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _word(trait: str) -> dict[str, Any]:
    words = CATEGORIES.get(trait)
    return {"type": "string"} if words is None else {"type": "string", "enum": [*words, UNKNOWN]}


def _bounded(kind: str, low: float, high: float) -> dict[str, Any]:
    return {"type": kind, "minimum": int(low), "maximum": int(high)}


_PART: Mapping[str, Any] = {
    "emotions": _object(dict.fromkeys(EMOTIONS, _bounded("integer", SCALE.low, SCALE.high))),
    "bursts": {"type": "array", "items": {"type": "string", "enum": list(BURSTS)}},
    "traits": _object({trait: _word(trait) for trait in WORD_TRAITS}),
    "attributes": _object(
        {name: _bounded("number", row.scale.low, row.scale.high) for name, row in ATTRIBUTES.items()}
    ),
}
