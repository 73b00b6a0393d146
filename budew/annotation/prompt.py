"""The prompt of `paraphrase/annotation.yaml`, or of a file like it, with the names of the taxonomy in it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from budew.annotation.schema import PARTS, UNKNOWN, answer_schema, form_of
from budew.malformed import fault_in
from budew.prompt_file import PromptError, read_prompt_file
from budew.resources import data_folder
from budew.taxonomy import ATTRIBUTES, BURSTS, CATEGORIES, EMOTIONS, LEVEL_NAMES, WORD_TRAITS


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

    def corrected(self, answer: str, problems: Sequence[str]) -> tuple[dict[str, Any], ...]:
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
    table = read_prompt_file(file, what="annotation prompt", like="paraphrase/annotation.yaml")
    try:
        return _prompt(table)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise PromptError(
            f"{file}: is no annotation prompt ({fault_in(error)}): compare it with paraphrase/annotation.yaml"
        ) from error


def _prompt(table: Any) -> AnnotationPrompt:
    if not isinstance(table, Mapping):
        raise ValueError("it is no table of names and texts")
    parts = tuple(dict.fromkeys(table["parts"]))
    if "emotions" not in parts or not set(parts) <= set(PARTS):
        raise ValueError(f"parts are emotions and any of {', '.join(PARTS[1:])}")
    texts = {name: _text(table, name) for name in ("system", "request", "correction")}
    if "{problems}" not in texts["correction"]:
        raise ValueError("the correction has no {problems}")
    sections = "".join(_filled(part, _text(table["sections"], part), _words(part)) for part in parts)
    form = form_of(answer_schema(parts).schema)
    return AnnotationPrompt(
        name=str(table["name"]),
        version=int(table["version"]),
        parts=parts,
        system=_filled("system", texts["system"], {"parts": sections.rstrip(), "form": form}).strip(),
        request=texts["request"].strip(),
        correction=texts["correction"].strip(),
        answer_tokens=int(table["answer_tokens"]),
    )


def _text(table: Mapping[str, Any], name: str) -> str:
    text = table[name]
    if not isinstance(text, str):
        raise ValueError(f"its {name!r} is no text: put it in quotes, or after a |")
    return text


def _filled(name: str, text: str, words: Mapping[str, str | int]) -> str:
    """Put words in the place of their names in braces; how wide, or what of them, no file may ask."""
    try:
        places = [
            (field, spec or mark) for _, field, spec, mark in Formatter().parse(text) if field is not None
        ]
    except ValueError as error:
        raise ValueError(f"in {name!r} is a single brace: write {{{{ for {{ and }}}} for }}") from error
    for field, more in places:
        if field not in words or more:
            known = ", ".join(f"{{{word}}}" for word in words)
            raise ValueError(
                f"in {name!r} {{{field[:40]}}} stands for nothing: there are {known}; write {{{{ for {{"
            )
    return text.format(**words)


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
