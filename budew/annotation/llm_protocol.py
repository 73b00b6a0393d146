"""The protocol of annotation by an audio LLM: its prompt, the JSON schema of an answer, reading the answer.

The schema has only what OpenAI's strict mode, Gemini, vLLM's grammars and llama.cpp all understand: every
property is required, "unknown" stands for none, and scores are bounded integers. An answer is read strictly:
everything that is asked for, once, in range, and nothing else.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import Formatter
from typing import Any, Literal, get_args

from pydantic import field_validator
from pydantic_core import PydanticCustomError

from budew.chat.json_in_text import object_in
from budew.chat.request import Schema
from budew.errors import AnswerError, InputError, SettingsError
from budew.profile import VoiceProfile
from budew.resources import data_folder
from budew.settings import Settings, load
from budew.taxonomy import (
    ATTRIBUTES,
    BURSTS,
    CATEGORIES,
    EMOTIONS,
    LEVEL_NAMES,
    WORD_TRAITS,
    burst,
    emotion,
    trait,
)
from budew.taxonomy.scales import SCALES, to_intensity

Part = Literal["emotions", "bursts", "traits", "attributes"]
PARTS: tuple[Part, ...] = get_args(Part)
"""What can be asked for."""
UNKNOWN = "unknown"
"""Stands for a trait that is not known."""
SCALE = SCALES["bud-e"]
"""Scale of the emotions."""
MOST_PROBLEMS = 20
_LONGEST_PROBLEM = 200


class PromptFile(Settings):
    """A file like `paraphrase/annotation.yaml`. Texts may have the words in braces that stand in it.

    `version` is raised with every change of the file; `answer_tokens` bounds an answer.
    """

    name: str
    version: int
    parts: tuple[Part, ...]
    system: str
    sections: Mapping[Part, str]
    request: str
    correction: str
    answer_tokens: int

    @field_validator("parts")
    @classmethod
    def _has_emotions(cls, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        if "emotions" not in parts:
            raise PydanticCustomError("settings", "emotions are always asked for")
        return parts

    @field_validator("correction")
    @classmethod
    def _has_problems(cls, text: str) -> str:
        if "{problems}" not in text:
            raise PydanticCustomError("settings", "has no {problems}")
        return text


@dataclass(frozen=True, slots=True)
class AnnotationPrompt:
    """What a model is asked about a clip: a `PromptFile` with all names filled in.

    `system` is the task, `request` the text after the audio, and `correction` the text about an answer that
    cannot be used, with `{problems}` in it.
    """

    name: str
    version: int
    parts: tuple[str, ...]
    system: str
    request: str
    correction: str
    answer_tokens: int

    def messages(self, audio: str, format: str) -> tuple[dict[str, Any], ...]:
        """Return the messages that ask about a clip.

        Args:
            audio: the encoded file in base64.
            format: "wav" or "mp3".
        """
        audio_part = {"type": "input_audio", "input_audio": {"data": audio, "format": format}}
        asked = {"type": "text", "text": self.request}
        return ({"role": "system", "content": self.system}, {"role": "user", "content": [audio_part, asked]})

    def corrected(self, answer: str, problems: Sequence[str]) -> tuple[dict[str, Any], ...]:
        """Return the messages that give an answer back with its problems."""
        lines = "\n".join(f"- {problem}" for problem in problems)
        text = self.correction.replace("{problems}", lines)
        return ({"role": "assistant", "content": answer or "{}"}, {"role": "user", "content": text})

    def sha256(self) -> str:
        """Return the digest of all that is asked."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def load_prompt(path: str | Path | None = None) -> AnnotationPrompt:
    """Return the prompt in a file, that of this installation when None.

    Raises:
        SettingsError: names the file, the field and what is wrong with it.
    """
    file = data_folder("paraphrase") / "annotation.yaml" if path is None else Path(path)
    given = load(PromptFile, file)
    parts = tuple(dict.fromkeys(given.parts))
    missing = [part for part in parts if part not in given.sections]
    if missing:
        raise SettingsError(f"{file}: sections.{missing[0]}: required")
    sections = "".join(_filled(file, part, given.sections[part], _words(part)) for part in parts)
    words = {"parts": sections.rstrip(), "form": form_of(answer_schema(parts).schema)}
    return AnnotationPrompt(
        name=given.name,
        version=given.version,
        parts=parts,
        system=_filled(file, "system", given.system, words).strip(),
        request=given.request.strip(),
        correction=given.correction.strip(),
        answer_tokens=given.answer_tokens,
    )


def _filled(file: Path, name: str, text: str, words: Mapping[str, str | int]) -> str:
    """Replace the names in braces by their words; formats and attributes of them are refused."""
    try:
        fields = [
            (field, spec or mark) for _, field, spec, mark in Formatter().parse(text) if field is not None
        ]
    except ValueError as error:
        raise SettingsError(f"{file}: {name}: a single brace: write {{{{ for {{ and }}}} for }}") from error
    for field, more in fields:
        if field not in words or more:
            known = ", ".join(f"{{{word}}}" for word in words)
            raise SettingsError(
                f"{file}: {name}: unknown field {{{field[:40]}}}: there are {known}; write {{{{ for {{"
            )
    return text.format(**words)


def _words(part: str) -> dict[str, str | int]:
    """Return the words of the taxonomy for the paragraph of a part."""
    if part == "emotions":
        levels = ", ".join(f"{number} {name}" for number, name in enumerate(LEVEL_NAMES))
        return {"count": len(EMOTIONS), "names": "; ".join(EMOTIONS), "levels": levels}
    if part == "bursts":
        return {"count": len(BURSTS), "names": "; ".join(BURSTS)}
    if part == "traits":
        known = (name for name in WORD_TRAITS if name in CATEGORIES)
        lines = (f"- {name}: {', '.join((*CATEGORIES[name], UNKNOWN))}" for name in known)
    else:
        lines = (
            f"- {row.name}: {row.scale.low:g} ({row.at_low}) to {row.scale.high:g} ({row.at_high})"
            for row in ATTRIBUTES.values()
        )
    return {"lines": "\n".join(lines)}


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


def _bounded(kind: str, low: float, high: float) -> dict[str, Any]:
    return {"type": kind, "minimum": int(low), "maximum": int(high)}


_PART: Mapping[str, Any] = {
    "emotions": _object(dict.fromkeys(EMOTIONS, _bounded("integer", SCALE.low, SCALE.high))),
    "bursts": {"type": "array", "items": {"type": "string", "enum": list(BURSTS)}},
    "traits": _object(
        {
            name: {"type": "string"} | ({"enum": [*CATEGORIES[name], UNKNOWN]} if name in CATEGORIES else {})
            for name in WORD_TRAITS
        }
    ),
    "attributes": _object(
        {name: _bounded("number", row.scale.low, row.scale.high) for name, row in ATTRIBUTES.items()}
    ),
}


def read_answer(text: str, parts: Sequence[str]) -> VoiceProfile:
    """Return the profile in an answer.

    Args:
        text: what the model wrote: a JSON object with `parts`, prose around it or not.
        parts: what it was asked for, some of `PARTS`.

    Raises:
        AnswerError: with everything that is wrong, one line for each problem.
    """
    data = object_in(text, keys=parts)
    problems = [f"{_shown(name)} is not asked for" for name in data if name not in parts]
    read = {part: _READ[part](data.get(part), problems) for part in parts}
    if problems:
        shown = [problem[:_LONGEST_PROBLEM] for problem in problems[:MOST_PROBLEMS]]
        more = [f"and {len(problems) - MOST_PROBLEMS} more"] * (len(problems) > MOST_PROBLEMS)
        raise AnswerError("\n".join([*shown, *more]))
    return VoiceProfile(
        read["emotions"], read.get("bursts", ()), {**read.get("traits", {}), **read.get("attributes", {})}
    )


def _emotions(value: Any, problems: list[str]) -> dict[str, float]:
    scores = {}
    for name, score in _each_once("emotions", value, EMOTIONS, emotion, problems):
        try:
            scores[name] = to_intensity(score, SCALE)
        except InputError:
            problems.append(f"emotions: {name} is {_shown(score)}, not a number from 0 to 4")
    return scores


def _bursts(value: Any, problems: list[str]) -> list[str]:
    if not isinstance(value, list):
        problems.append(f"bursts is {_shown(value)}, not a list of names")
        return []
    if len(value) > len(BURSTS):
        problems.append(f"bursts holds {len(value)} names, more than there are")
        return []
    names: list[str] = []
    for given in value:
        try:
            name = burst(given)
        except (InputError, TypeError) as error:
            problems.append(f"bursts: {_reason(error)}")
            continue
        if name in names:
            problems.append(f"bursts: {name!r} stands there twice")
        names.append(name)
    return names


def _traits(
    value: Any, problems: list[str], *, part: str, names: Sequence[str], words: bool
) -> dict[str, str | float]:
    """Return the traits of a part, which are `words` or numbers."""
    found: dict[str, str | float] = {}
    for name, content in _each_once(part, value, names, str, problems):
        if isinstance(content, str) is not words:
            kind = "a word" if words else "a number"
            problems.append(f"{part}: {name} is {_shown(content)}, not {kind}")
        elif not words or content.strip().lower() != UNKNOWN:
            try:
                found.update([trait(name, content)])
            except InputError as error:
                problems.append(f"{part}: {name}: {_reason(error)}")
    return found


def _each_once(
    part: str, value: Any, names: Sequence[str], resolve: Callable[[str], str], problems: list[str]
) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a part under their canonical names; note those unknown, repeated or missing."""
    if not isinstance(value, Mapping):
        problems.append(f"{part} is {_shown(value)}, not an object")
        return
    if len(value) > 2 * len(names):  # finding the nearest name to a wrong one takes time
        problems.append(f"{part} holds {len(value)} names, not {len(names)}")
        return
    seen = set()
    for given, content in value.items():
        try:
            name = resolve(given)
        except InputError as error:
            problems.append(f"{part}: {_reason(error)}")
            continue
        if name not in names:
            problems.append(f"{part}: {_shown(given)} is not asked for")
        elif name in seen:
            problems.append(f"{part}: {name!r} stands there twice")
        else:
            seen.add(name)
            yield name, content
    missing = [name for name in names if name not in seen]
    if missing:
        problems.append(f"{part}: {', '.join(missing)} missing")


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    text = repr(value)[:60] if isinstance(value, str | int | float) else type(value).__name__
    return {"dict": "an object", "list": "a list"}.get(text, text)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())


_READ: Mapping[str, Callable[[Any, list[str]], Any]] = {
    "emotions": _emotions,
    "bursts": _bursts,
    "traits": partial(_traits, part="traits", names=WORD_TRAITS, words=True),
    "attributes": partial(_traits, part="attributes", names=tuple(ATTRIBUTES), words=False),
}
