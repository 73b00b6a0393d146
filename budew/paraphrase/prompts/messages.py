"""What a language model is asked for a caption in other words: the messages, made of a prompt file.

The system message is the same for all requests, so that servers compute it once; the request of a clip comes
after it. Texts from outside (a caption, an earlier answer) are quoted: on one line, no longer than a caption,
without characters that could end the quotation or form a special token of the model.
"""

import hashlib
import json
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from random import Random

from budew.captions import expressible
from budew.chat.request import Schema
from budew.errors import InputError, SettingsError
from budew.paraphrase.backend import Refused, Request
from budew.paraphrase.prompts.few_shots import Example, FewShots
from budew.paraphrase.prompts.must_say import in_plain_words, listed
from budew.paraphrase.prompts.prompt_file import (
    LONGEST_BANNED,
    MOST_BANNED,
    SLOT,
    BanList,
    Examples,
    PromptFile,
    Style,
)
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.resources import data_folder
from budew.settings import load, read_yaml, validated

LONGEST_QUOTED = 1500
"""Characters of a caption or an earlier answer that a model is shown."""
_CAPTION = {"type": "object", "properties": {"caption": {"type": "string"}}, "required": ["caption"]}
SCHEMA = Schema("caption", {**_CAPTION, "additionalProperties": False})
"""Of an answer, where the server holds it to one."""
_MARK = re.compile(r"[<>{}\[\]|\\`#*=_]")
_ABOUT = " ({what})"
"""Removed from the sentence of a reason without a subject."""


@dataclass(frozen=True)
class Prompts:
    """What a language model is asked, and how it is to answer.

    Attributes:
        file: the texts.
        few_shots: all examples.
        banned: phrases that shall not be used.
    """

    file: PromptFile
    few_shots: FewShots = field(default_factory=FewShots)
    banned: tuple[str, ...] = ()

    @property
    def styles(self) -> Mapping[str, Style]:
        """The styles by their names, in the order of the file."""
        return self.file.styles

    def made_by(self, backend: str, model: str, style: str | None = None) -> dict[str, str | int | float]:
        """Return the provenance of what a model answers, in one style or in any."""
        made_by: dict[str, str | int | float] = {"backend": backend, "model": model}
        made_by |= {"prompt": self.file.name, "prompt_version": self.file.version}
        return made_by if style is None else {**made_by, "style": style}

    def style_of(self, seed: int, id: str, number: int) -> str:
        """Return the style of a clip's caption `number`, from 0: another one until all have been drawn."""
        turn, place = divmod(number, len(self.styles))
        chance = generator("styles", seed, id, turn)
        key = {name: -(chance.random() ** (1 / style.weight)) for name, style in self.styles.items()}
        return sorted(self.styles, key=key.__getitem__)[place]

    def banning(self, phrases: Iterable[str]) -> "Prompts":
        """Return these prompts with more phrases that shall not be used.

        Raises:
            InputError: there are more than 60, or longer ones than 80 characters.
        """
        more = dict.fromkeys((*self.banned, *map(quoted, phrases)))
        banned = tuple(phrase for phrase in more if phrase)
        if len(banned) > MOST_BANNED or any(len(phrase) > LONGEST_BANNED for phrase in banned):
            raise InputError(f"at most {MOST_BANNED} phrases of {LONGEST_BANNED} characters can be banned")
        return replace(self, banned=banned)

    def messages(self, request: Request, *, structured: bool) -> tuple[dict[str, str], ...]:
        """Return the messages of a chat that asks for the caption in other words.

        Args:
            request: what is asked; a style of "" is drawn.
            structured: whether the server holds the answer to `SCHEMA`.

        Raises:
            InputError: there is no such style.
        """
        name, profile = self._style(request), expressible(request.profile)
        chance = generator("prompt", request.seed, len(request.refused))
        values = {
            "examples": self._examples(profile, name, chance),
            "style": self.styles[name].wording,
            "keep": "\n".join([f"- {line}" for line in self._must_say(request, profile, chance)]),
            "caption": quoted(request.caption),
            "refused": "\n".join(map(self._attempt, request.refused[-self.file.refused.shown :])),
        }
        return (
            {"role": "system", "content": self._systems[structured]},
            {"role": "user", "content": filled(self.file.request, values)},
        )

    def text(self, request: Request) -> str:
        """Return the request as one text, without few-shots, for models that take a text and give a text.

        Raises:
            InputError: there is no such style.
        """
        chance = generator("prompt", request.seed, len(request.refused))
        reasons = (reason for refused in request.refused[-1:] for reason in refused.reasons)
        values = {
            "style": self.styles[self._style(request)].wording,
            "keep": "; ".join(self._must_say(request, expressible(request.profile), chance)),
            "caption": quoted(request.caption),
            "refused": " ".join(self.explain(reason.code, reason.what) for reason in reasons),
        }
        return " ".join(filled(self.file.text, values).split())

    def answer_tokens(self, request: Request) -> int:
        """Return how many tokens an answer may take."""
        wanted, tokens = expressible(request.profile), self.file.answer_tokens
        things = len(wanted.emotions) + len(wanted.bursts) + len(wanted.traits)
        return tokens.fixed + tokens.for_each * things

    def explain(self, code: str, what: str = "") -> str:
        """Return the sentence for a reason of the gate, by its code and its subject (a name or words)."""
        sentence = self.file.reasons.get(code, self.file.reasons["lint"])
        subject = quoted(in_plain_words(what))[:LONGEST_BANNED].strip()
        return filled(sentence if subject else sentence.replace(_ABOUT, ""), {"what": subject or "…"})

    def sha256(self) -> str:
        """Return the digest of all that is asked, examples and banned phrases included."""
        shots = [(shot.profile.to_json(), shot.style, shot.text) for shot in self.few_shots.examples]
        parts = [self.file.model_dump(mode="json"), shots, self.few_shots.confusable, self.banned]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _style(self, request: Request) -> str:
        name = request.style or self.style_of(request.seed, request.id, 0)
        if name not in self.styles:
            raise InputError(f"no style {name!r}: there are {', '.join(self.styles)}")
        return name

    def _must_say(self, request: Request, profile: VoiceProfile, chance: Random) -> list[str]:
        known = request.profile.emotions_known
        return listed(profile, self.file.keep, chance, words=self.file.words, emotions_known=known)

    def _examples(self, profile: VoiceProfile, style: str, chance: Random) -> str:
        chosen = self.few_shots.choose(profile.emotions, style, chance)
        shown = [self._shown_examples[example.text][example.style == style] for example in chosen]
        return filled(self.file.examples_of_style, {"examples": "\n".join(shown)}) if shown else ""

    @cached_property
    def _systems(self) -> tuple[str, str]:
        """The system message for a bare caption, and for a structured answer."""
        levels = "\n".join(f"- {level}: {', '.join(words)}" for level, words in self.file.levels.items())
        ban = filled(self.file.banned, {"phrases": "; ".join(self.banned)}) if self.banned else ""
        plain, structured = (
            filled(self.file.system, {"levels": levels, "answer": form, "banned": ban})
            for form in (self.file.answer.plain, self.file.answer.structured)
        )
        return plain, structured

    @cached_property
    def _shown_examples(self) -> Mapping[str, tuple[str, str]]:
        """By its text, each example among those of another style, and among those of its own."""
        return {example.text: self._shown_example(example) for example in self.few_shots.examples}

    def _shown_example(self, example: Example) -> tuple[str, str]:
        source = example.template(self.styles[example.style].source_style or "prose")
        values = {"caption": source, "rewritten": example.text, "style": example.style}
        return filled(self.file.example_of_another_style, values), filled(self.file.example, values)

    def _attempt(self, refused: Refused) -> str:
        reasons = "\n".join(f"- {self.explain(reason.code, reason.what)}" for reason in refused.reasons)
        return filled(self.file.refused.text, {"text": quoted(refused.text), "reasons": reasons})


def load_prompts(path: str | Path | None = None, *, ban: str | Path | None = None) -> Prompts:
    """Return the prompts in a file, those of this installation when None.

    Args:
        path: a file such as `paraphrase/prompts.yaml`, with its examples beside it.
        ban: a file of phrases that shall not be used, `phrases: [...]`, as `budew paraphrase report --ban`
            writes it; its first 60 count, with a warning where there are more.

    Raises:
        SettingsError: a file cannot be read, or a field is missing, unknown or wrong; names file and field.
    """
    prompts = _shipped() if path is None else _read(Path(path))
    if ban is None:
        return prompts
    phrases = load(BanList, Path(ban)).phrases
    if len(phrases) > MOST_BANNED:
        warnings.warn(f"{ban}: only the first {MOST_BANNED} of {len(phrases)} phrases are used", stacklevel=2)
    return prompts.banning(phrases[:MOST_BANNED])


@cache
def _shipped() -> Prompts:
    return _read(data_folder("paraphrase") / "prompts.yaml")


def _read(path: Path) -> Prompts:
    file = validated(PromptFile, {"name": path.stem, **read_yaml(path)}, name=str(path))
    if file.examples is None:
        return Prompts(file)
    beside = path.with_name(file.examples.file)
    read = load(Examples, beside)
    for number, row in enumerate(read.examples):
        if unknown := [style for style in row.captions if style not in file.styles]:
            raise SettingsError(
                f"{beside}: examples.{number}.captions: {path.name} has no style {unknown[0]!r}"
            )
    shots = (
        Example(row.profile, style, text) for row in read.examples for style, text in row.captions.items()
    )
    return Prompts(file, FewShots(file.examples.count, tuple(shots), read.confusable))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its slots filled, once: a value that looks like a slot stays as it is.

    A line of nothing but slots is left out where all of them are empty.
    """
    lines = []
    for line in text.strip("\n").split("\n"):
        slots = SLOT.findall(line)
        if not slots or SLOT.sub("", line).strip() or any(values[slot] for slot in slots):
            lines.append(SLOT.sub(lambda match: values[match[1]], line))
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return a text from outside on one line, cut to `LONGEST_QUOTED`, without marks that no prose needs."""
    if not text.isprintable() or len(text) > LONGEST_QUOTED or _MARK.search(text):
        cut = _MARK.sub(" ", text[: 4 * LONGEST_QUOTED])
        text = "".join(letter if letter.isprintable() else " " for letter in cut)
    return " ".join(text.split())[:LONGEST_QUOTED].strip()
