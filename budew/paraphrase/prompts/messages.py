"""What a language model is asked for a caption in other words: the messages, made of a prompt file.

The system message is the same for all requests, so that servers compute it once; what is asked for a clip
comes after it. Whatever comes from outside (a caption, an earlier answer) is quoted: on one line, without
the marks that could end the quotation or be a token of the model, and no longer than a caption.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any

from budew.captions import expressible
from budew.captions.render import Style as SourceStyle
from budew.chat.request import Schema
from budew.paraphrase.backend import Refused, Request
from budew.paraphrase.gate import Reason
from budew.paraphrase.prompts.few_shots import Example, FewShots, template_of
from budew.paraphrase.prompts.must_say import Listing, in_plain_words, listed
from budew.profile import VoiceProfile
from budew.prompt_file import PromptError, filled
from budew.randomness import generator

REASONS = (
    "empty", "long", "lost", "added", "moved", "lost-burst", "added-burst", "lost-trait", "added-trait",
    "other-trait", "copy", "sibling", "spoken", "lint",
)  # fmt: skip
"""Codes for which there must be a sentence; that of "lint" serves for every other code."""
LONGEST_QUOTED = 1500
"""Characters of a caption or an earlier answer that a model is shown."""
MOST_BANNED, LONGEST_BANNED = 60, 80
"""Phrases that may be banned, and characters of each."""
SCHEMA = Schema(
    "caption",
    {
        "type": "object",
        "properties": {"caption": {"type": "string"}},
        "required": ["caption"],
        "additionalProperties": False,
    },
)
"""Of an answer, where the server holds it to one."""
_MARK = re.compile(r"[<>{}\[\]|\\`#*=_]")
_UNNAMED = " ({what})"
"""Falls away from the sentence of a reason that is about nothing in particular."""


@dataclass(frozen=True, slots=True)
class Style:
    """A manner of writing.

    Attributes:
        name: of the style.
        instruction: what the model is told.
        length: how long the caption shall be; may be empty.
        source_style: in which the caption is rendered that is to be rewritten; None for any.
        weight: how soon it comes up among the styles of a clip.
    """

    name: str
    instruction: str
    length: str = ""
    source_style: SourceStyle | None = None
    weight: float = 1.0

    @property
    def told(self) -> str:
        """What the model is told: manner and length."""
        return f"{self.instruction} {self.length}".strip()


@dataclass(frozen=True, slots=True)
class Retry:
    """How earlier attempts are told: the last `shown`, each by a text with `{text}` and `{reasons}`."""

    shown: int
    text: str


@dataclass(frozen=True)
class Prompts:
    """What a language model is asked, and how it is to answer. `load_prompts` reads and checks it.

    Attributes:
        name: of the prompt file, such as its language.
        version: raised with every change of the file or of its examples.
        temperature, top_p: how answers are drawn.
        tokens, tokens_for_each: longest answer, for each thing that is to be said.
        system: with places for the levels, the form of the answer, and what is banned.
        structured, plain: the form of the answer, with a schema and without.
        levels: level name and its words, each.
        ban: with `{phrases}`.
        banned: phrases that shall not be used.
        all_styles: at least one.
        request: with places for style, examples, what must be kept, the caption and earlier attempts.
        one_text: the same, for models that take one text.
        listing: how what must be kept is listed.
        examples_of_style, example, example_of_another_style: how few-shots are told.
        few_shots: all of them.
        retry: how earlier attempts are told.
        sentences: code of a reason and its sentence, each.
    """

    name: str
    version: int
    temperature: float
    top_p: float
    tokens: int
    tokens_for_each: int
    system: str
    structured: str
    plain: str
    levels: tuple[tuple[str, tuple[str, ...]], ...]
    ban: str
    banned: tuple[str, ...]
    all_styles: tuple[Style, ...]
    request: str
    one_text: str
    listing: Listing
    examples_of_style: str
    example: str
    example_of_another_style: str
    few_shots: FewShots
    retry: Retry
    sentences: tuple[tuple[str, str], ...]

    @cached_property
    def styles(self) -> Mapping[str, Style]:
        """The styles by their names, in the order of the file."""
        return {style.name: style for style in self.all_styles}

    def style_of(self, seed: int, id: str, number: int) -> str:
        """Return the style of a clip's caption `number`, from 0: another one until all have come up.

        Raises:
            ValueError: the number is below 0.
        """
        if number < 0:
            raise ValueError(f"captions of a clip are counted from 0, not from {number}")
        turn, place = divmod(number, len(self.all_styles))
        chance = generator("styles", seed, id, turn)
        soonest = sorted(self.all_styles, key=lambda style: -(chance.random() ** (1 / style.weight)))
        return soonest[place].name

    def banning(self, phrases: Iterable[str]) -> "Prompts":
        """Return these prompts with more phrases that shall not be used, at most 60 of at most 80 characters.

        Raises:
            PromptError: there are more or longer ones.
        """
        more = dict.fromkeys((*self.banned, *map(quoted, phrases)))
        banned = tuple(phrase for phrase in more if phrase)
        if len(banned) > MOST_BANNED or any(len(phrase) > LONGEST_BANNED for phrase in banned):
            raise PromptError(
                f"at most {MOST_BANNED} phrases of {LONGEST_BANNED} characters can be banned, "
                f"not {len(banned)}: keep the most used"
            )
        return replace(self, banned=banned)

    def messages(self, request: Request, *, structured: bool) -> tuple[dict[str, str], ...]:
        """Return the messages of a chat that asks for the caption in other words.

        Args:
            request: what is asked; a style of "" is drawn.
            structured: whether the server holds the answer to `schema()`.

        Raises:
            ValueError: there is no such style.
        """
        style = self._style(request)
        chance, said = self._chance(request), expressible(request.profile)
        asked = {
            "examples": self._examples(said, style, chance),
            "style": style.told,
            "keep": "\n".join([f"- {line}" for line in self._must_say(request, said, chance)]),
            "caption": quoted(request.caption),
            "refused": "\n".join(map(self._attempt, request.refused[-self.retry.shown :])),
        }
        return (
            {"role": "system", "content": self._systems[structured]},
            {"role": "user", "content": filled(self.request, asked)},
        )

    def text(self, request: Request) -> str:
        """Return the request as one text, without few-shots, for models that take a text and give a text.

        Raises:
            ValueError: there is no such style.
        """
        said = expressible(request.profile)
        reasons = [self._sentence(reason) for refused in request.refused[-1:] for reason in refused.reasons]
        asked = {
            "style": self._style(request).told,
            "keep": "; ".join(self._must_say(request, said, self._chance(request))),
            "caption": quoted(request.caption),
            "refused": " ".join(reasons),
        }
        return " ".join(filled(self.one_text, asked).split())

    def answer_tokens(self, request: Request) -> int:
        """Return how many tokens an answer may take."""
        said = expressible(request.profile)
        return self.tokens + self.tokens_for_each * (len(said.emotions) + len(said.bursts) + len(said.traits))

    def schema(self) -> Schema:
        """Return the JSON schema of a structured answer: an object with the text `caption`."""
        return SCHEMA

    def told(self, code: str, what: str = "") -> str:
        """Return what a model is told of a reason for which the gate refused its caption.

        Args:
            code: of the reason.
            what: it is about: an emotion, a burst, a trait, or words.
        """
        sentence = self._sentences.get(code, self._sentences["lint"])
        about = quoted(in_plain_words(what))[:LONGEST_BANNED].strip()
        return filled(sentence if about else sentence.replace(_UNNAMED, ""), {"what": about or "…"})

    def sha256(self) -> str:
        """Return the digest of all that is asked, examples and banned phrases with it."""
        shots = self.few_shots
        texts = [(shot.profile.to_json(), shot.style, shot.text) for shot in shots.examples]
        rest = replace(self, few_shots=replace(shots, examples=()))
        return hashlib.sha256(f"{rest!r} {texts!r}".encode()).hexdigest()

    def settings(self) -> dict[str, Any]:
        """Return what decides the requests, as JSON values."""
        return {"prompt": self.name, "prompt_version": self.version, "prompt_sha256": self.sha256()}

    def _style(self, request: Request) -> Style:
        name = request.style or self.style_of(request.seed, request.id, 0)
        if name not in self.styles:
            raise ValueError(f"no style {name!r}: there are {', '.join(self.styles)}")
        return self.styles[name]

    @staticmethod
    def _chance(request: Request) -> Random:
        """Return what draws words and examples: others after each attempt."""
        return generator("prompt", request.seed, len(request.refused))

    def _must_say(self, request: Request, said: VoiceProfile, chance: Random) -> list[str]:
        return listed(said, self.listing, chance, feelings=request.profile.emotions_known)

    def _examples(self, said: VoiceProfile, style: Style, chance: Random) -> str:
        chosen = self.few_shots.chosen(said.emotions, style.name, chance)
        shown = [self._told_examples[example.text][example.style == style.name] for example in chosen]
        return filled(self.examples_of_style, {"examples": "\n".join(shown)}) if shown else ""

    @cached_property
    def _systems(self) -> tuple[str, str]:
        """The system message for a bare caption, and for a structured answer."""
        levels = "\n".join(f"- {level}: {', '.join(words)}" for level, words in self.levels)
        ban = filled(self.ban, {"phrases": "; ".join(self.banned)}) if self.banned else ""
        plain, structured = (
            filled(self.system, {"levels": levels, "answer": form, "banned": ban})
            for form in (self.plain, self.structured)
        )
        return plain, structured

    @cached_property
    def _told_examples(self) -> Mapping[str, tuple[str, str]]:
        """By its text, each example among those of another style, and among those of its own."""
        return {example.text: self._told_example(example) for example in self.few_shots.examples}

    def _told_example(self, example: Example) -> tuple[str, str]:
        source = template_of(example, self.styles[example.style].source_style or "prose")
        told = {"caption": source, "rewritten": example.text, "style": example.style}
        return filled(self.example_of_another_style, told), filled(self.example, told)

    @cached_property
    def _sentences(self) -> Mapping[str, str]:
        return dict(self.sentences)

    def _attempt(self, refused: Refused) -> str:
        reasons = "\n".join(f"- {self._sentence(reason)}" for reason in refused.reasons)
        return filled(self.retry.text, {"text": quoted(refused.text), "reasons": reasons})

    def _sentence(self, reason: Reason | str) -> str:
        return quoted(reason) if isinstance(reason, str) else self.told(reason.code, reason.what)


def quoted(text: str) -> str:
    """Return a text from outside on one line, cut to `LONGEST_QUOTED`, without marks that no prose needs.

    Without them nothing in it can end its quotation, stand for a token of a chat template, or be a place.
    """
    if not text.isprintable() or len(text) > LONGEST_QUOTED or _MARK.search(text):
        cut = _MARK.sub(" ", text[: 4 * LONGEST_QUOTED])
        text = "".join(letter if letter.isprintable() else " " for letter in cut)
    return " ".join(text.split())[:LONGEST_QUOTED].strip()
