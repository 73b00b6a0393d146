"""Protocol of annotation by an audio LLM: the prompt, the JSON schema of an answer, and reading an answer.

The schema uses only features that OpenAI's strict mode, Gemini, vLLM's grammars and llama.cpp all support:
every property is required, "unknown" is the value of a missing trait, and scores are bounded integers.
Answers are read strictly: they must have every requested value once and in range, and nothing else.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import model_validator

from budew.chat.request import Schema, object_in
from budew.errors import AnswerError, InputError, SettingsError
from budew.io.resources import data_folder
from budew.io.settings import Settings, load
from budew.profile import VoiceProfile
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
from budew.taxonomy.rating_scales import SCALES, to_intensity

Part = Literal["emotions", "bursts", "traits", "attributes"]
PARTS: tuple[Part, ...] = get_args(Part)
UNKNOWN = "unknown"  # value of a trait that the model cannot recognize
MULTI_SHOT = "multi-shot"  # name of the prompt of this package with its examples
SCALE = SCALES["bud-e"]
MOST_PROBLEMS = 20
_LONGEST_PROBLEM = 200


class AnnotationPromptFile(Settings):
    """Content of a prompt file such as `paraphrase/annotation.yaml`, with the same fields in braces.

    `version` must be raised with every change of what is sent; `answer_tokens` is the largest length of an
    answer. The system prompt ends with `examples`.
    """

    name: str
    version: int
    parts: tuple[Part, ...]
    system: str
    sections: Mapping[Part, str]
    request: str
    correction: str
    answer_tokens: int
    examples: str = ""

    @model_validator(mode="after")
    def _is_complete(self) -> "AnnotationPromptFile":
        whole = "emotions" in self.parts and set(self.parts) <= set(self.sections)
        if not whole or "{problems}" not in self.correction:
            raise ValueError(
                "parts must include emotions, sections needs each part, correction must contain {problems}"
            )
        return self


@dataclass(frozen=True, slots=True)
class AnnotationPrompt:
    """Texts that a model gets with a clip: an `AnnotationPromptFile` with all fields filled in.

    `system` is the task, `request` the text after the audio, and `correction` the reply to an invalid answer,
    with `{problems}` in it.
    """

    name: str
    version: int
    parts: tuple[str, ...]
    system: str
    request: str
    correction: str
    answer_tokens: int

    def messages(self, audio: str, format: str) -> tuple[dict[str, Any], ...]:
        """Return the messages of a request; `audio` is a file in Base64, its `format` "wav" or "mp3"."""
        audio_part = {"type": "input_audio", "input_audio": {"data": audio, "format": format}}
        asked = {"type": "text", "text": self.request}
        return ({"role": "system", "content": self.system}, {"role": "user", "content": [audio_part, asked]})

    def sha256(self) -> str:
        """Return a digest of the whole prompt."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def load_prompt(path: str | Path | None = None) -> AnnotationPrompt:
    """Load a prompt.

    Args:
        path: a file in the form of `AnnotationPromptFile`; None for the prompt of this package,
            `MULTI_SHOT` for the same prompt with its examples.

    Raises:
        SettingsError: the file is invalid; the error names the file and the field.
    """
    multi_shot = str(path) == MULTI_SHOT
    file = data_folder("paraphrase") / "annotation.yaml" if path is None or multi_shot else Path(path)
    given = load(AnnotationPromptFile, file)
    parts = tuple(dict.fromkeys(given.parts))
    sections = "".join(_filled(file, part, given.sections[part], _words(part)) for part in parts)
    words = {"parts": sections.rstrip(), "form": form_of(answer_schema(parts).schema)}
    system = _filled(file, "system", given.system, words).strip()
    examples = "" if path is None else given.examples
    return AnnotationPrompt(
        name=f"{given.name}-{MULTI_SHOT}" if multi_shot else given.name,
        version=given.version,
        parts=parts,
        system=f"{system}\n{examples}".strip(),
        request=given.request.strip(),
        correction=given.correction.strip(),
        answer_tokens=given.answer_tokens,
    )


def _filled(file: Path, name: str, text: str, words: Mapping[str, str | int]) -> str:
    """Replace the names in braces by their words, and doubled braces by single ones."""
    try:
        return text.format_map(words)
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        known = ", ".join(f"{{{word}}}" for word in words)
        raise SettingsError(
            f"{file}: {name}: a field in braces is not valid ({error}): use {known}, and write {{{{ for {{"
        ) from error


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
    """Return the JSON schema of an answer with these parts, which are among `PARTS`."""
    return Schema("voice", _object({part: _PART[part] for part in parts}))


def form_of(schema: Mapping[str, Any]) -> str:
    """Return an example of the form of an answer, on one line, with `n` for numbers and `…` for text."""
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
    """Read the profile from an answer: a JSON object with `parts`, with or without text around it.

    Raises:
        AnswerError: the answer is invalid; the text has one line for each problem.
    """
    data = object_in(text, keys=parts)
    problems = [f"{_shown(name)} is not requested" for name in data if name not in parts]
    read = {part: _read_part(part, data.get(part), problems) for part in parts}
    if problems:
        shown = [problem[:_LONGEST_PROBLEM] for problem in problems[:MOST_PROBLEMS]]
        if len(problems) > MOST_PROBLEMS:
            shown.append(f"and {len(problems) - MOST_PROBLEMS} more")
        raise AnswerError("\n".join(shown))
    traits = {**read.get("traits", {}), **read.get("attributes", {})}
    known = {name: value for name, value in traits.items() if value is not None}
    return VoiceProfile(read["emotions"], tuple(read.get("bursts", ())), known)


def _read_part(part: str, given: Any, problems: list[str]) -> dict[str, Any]:
    """Return the values of a part by canonical names; note what is unknown, repeated, missing or wrong."""
    kind, names, canonical, value_of = _READ[part]
    if not isinstance(given, kind) or len(given) > 2 * len(
        names
    ):  # finding the nearest valid name takes time
        what = "a list of names" if kind is list else "an object"
        problems.append(f"{part}: give {what}, of at most {len(names)}, not {_shown(given)}")
        return {}
    found: dict[str, Any] = {}
    pairs = given.items() if isinstance(given, dict) else [(name, None) for name in given]
    for written, value in pairs:
        try:
            name = canonical(written)
            if name not in names or name in found:
                again = "occurs twice" if name in found else "is not requested"
                problems.append(f"{part}: {_shown(name)} {again}")
                continue
            found[name] = None
            found[name] = value_of(name, value)
        except (InputError, TypeError) as error:
            problems.append(f"{part}: {_shown(written)}: {' '.join(str(error).split())}")
    missing = [name for name in names if name not in found] if kind is dict else []
    if missing:
        problems.append(f"{part}: {', '.join(missing)} missing")
    return found


def _word(name: str, value: Any) -> str | float | None:
    if not isinstance(value, str):
        raise InputError(f"{_shown(value)} is not a word")
    return None if value.strip().lower() == UNKNOWN else trait(name, value)[1]


def _shown(value: Any) -> str:
    return repr(value)[:60] if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"


_Kind = type[dict[str, Any]] | type[list[Any]]
_READ: Mapping[str, tuple[_Kind, Sequence[str], Callable[[Any], str], Callable[[str, Any], Any]]] = {
    "emotions": (dict, EMOTIONS, emotion, lambda _, value: to_intensity(value, SCALE)),
    "bursts": (list, BURSTS, burst, lambda name, _: name),
    "traits": (dict, WORD_TRAITS, str, _word),
    "attributes": (dict, tuple(ATTRIBUTES), str, lambda name, value: ATTRIBUTES[name].scale.checked(value)),
}
"""JSON type of each part, its names, and the functions that bring a name and a value to canonical form."""
