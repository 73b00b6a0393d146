"""The prompt of `paraphrase/annotation.yaml`, or of a file like it, with the names of the taxonomy in it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from budew.annotation.schema import PARTS, UNKNOWN, answer_schema, form_of
from budew.resources import data_folder
from budew.taxonomy import ATTRIBUTES, BURSTS, CATEGORIES, EMOTIONS, LEVEL_NAMES, WORD_TRAITS

LARGEST_FILE = 100_000


class PromptError(ValueError):
    """A file that is no annotation prompt."""


@dataclass(frozen=True, slots=True)
class AnnotationPrompt:
    """What a model is asked about a clip.

    Attributes:
        name: of the prompt, such as its language.
        version: raised with every change of the file.
        parts: what is asked for, some of `PARTS`.
        system: the task, with all names.
        request: what stands after the audio.
        correction: what is said of an answer that cannot be used, with `{problems}` in it.
        answer_tokens: longest answer.
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
        heard = {"type": "input_audio", "input_audio": {"data": audio, "format": format}}
        asked = {"type": "text", "text": self.request}
        return ({"role": "system", "content": self.system}, {"role": "user", "content": [heard, asked]})

    def corrected(self, answer: str, problems: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
        """Return the messages that give an answer back with what is wrong with it."""
        lines = "\n".join(f"- {problem}" for problem in problems)
        said = self.correction.replace("{problems}", lines)
        return ({"role": "assistant", "content": answer or "{}"}, {"role": "user", "content": said})

    def sha256(self) -> str:
        """Return the digest of all that is asked."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def load_prompt(path: str | Path | None = None) -> AnnotationPrompt:
    """Return the prompt in a file, that of this installation when None.

    Raises:
        PromptError: the file cannot be read or is no prompt; says what is missing.
    """
    file = data_folder("paraphrase") / "annotation.yaml" if path is None else Path(path)
    try:
        with file.open("rb") as opened:
            table = yaml.safe_load(opened.read(LARGEST_FILE).decode())
    except OSError as error:
        raise PromptError(f"{file}: cannot be read ({error.strerror}): check the path") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PromptError(
            f"{file}: is not YAML ({' '.join(str(error).split())[:200]}): correct it"
        ) from error
    try:
        return _prompt(table)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise PromptError(
            f"{file}: is no annotation prompt ({type(error).__name__}: {error}): compare it with "
            "paraphrase/annotation.yaml"
        ) from error


def _prompt(table: Mapping[str, Any]) -> AnnotationPrompt:
    parts = tuple(dict.fromkeys(table["parts"]))
    if "emotions" not in parts or not set(parts) <= set(PARTS):
        raise ValueError(f"parts are emotions and any of {', '.join(PARTS[1:])}")
    if "{problems}" not in table["correction"]:
        raise ValueError("the correction has no {problems}")
    sections = "".join(table["sections"][part].format(**_words(part)) for part in parts)
    form = form_of(answer_schema(parts).schema)
    return AnnotationPrompt(
        name=str(table["name"]),
        version=int(table["version"]),
        parts=parts,
        system=table["system"].format(parts=sections.rstrip(), form=form).strip(),
        request=table["request"].strip(),
        correction=table["correction"].strip(),
        answer_tokens=int(table["answer_tokens"]),
    )


def _words(part: str) -> dict[str, str | int]:
    """Return what the taxonomy says for the paragraph of a part."""
    if part == "emotions":
        levels = ", ".join(f"{number} {name}" for number, name in enumerate(LEVEL_NAMES))
        return {"count": len(EMOTIONS), "names": "; ".join(EMOTIONS), "levels": levels}
    if part == "bursts":
        return {"count": len(BURSTS), "names": "; ".join(BURSTS)}
    if part == "traits":
        lines = (_choice(name) for name in WORD_TRAITS if name in CATEGORIES)
    else:
        lines = (
            f"- {row.name}: {row.scale.low:g} ({row.at_low}) to {row.scale.high:g} ({row.at_high})"
            for row in ATTRIBUTES.values()
        )
    return {"lines": "\n".join(lines)}


def _choice(trait: str) -> str:
    return f"- {trait}: {', '.join((*CATEGORIES[trait], UNKNOWN))}"
