"""Prompts: messages that request a caption in other words from a language model, made from a prompt file.

The system message is the same for all requests, so that servers can cache it. The user message lists what the
caption must express, with words of the lexicon for each part. The words are drawn again for each request,
since many models use the words that they are given: the draw determines how varied a corpus becomes. Captions
and earlier answers are quoted: on one line, truncated, without characters that could end the quotation or
form a special token of the model.
"""

import hashlib
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from random import Random

from budew.captions import expressible, load_lexicon
from budew.captions.content_selection import denied_emotions
from budew.captions.vocabulary import with_article
from budew.errors import InputError, SettingsError
from budew.io.resources import data_folder
from budew.io.settings import load, read_yaml, validated
from budew.paraphrase.backend import RefusedCandidate, RewriteRequest
from budew.paraphrase.prompt_file import (
    LONGEST_BANNED,
    SLOT,
    BanList,
    ExampleFile,
    FewShotExample,
    FewShots,
    ParaphrasePromptFile,
    WritingStyle,
)
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.taxonomy import ATTRIBUTES, BURSTS, EMOTIONS, LEVEL_NAMES, LEVELS
from budew.taxonomy.rating_scales import nearest_level, to_intensity

LONGEST_QUOTED = 1500
"""Most characters of a caption or an earlier answer in a prompt; the rest is cut off."""
MOST_BANNED = 60
"""Most phrases of a ban list in a prompt; the first ones are used."""
_MARKUP = re.compile(r"[<>{}\[\]|\\`#*=_]")
_NAME_PARTS = re.compile(r"/| & | and ")
_TAXONOMY_NAME = re.compile(
    "|".join(re.escape(name) for name in (*EMOTIONS, *ATTRIBUTES) if set("_/&") & set(name))
)
_RECORDING = ("Recording_Quality", "Background_Noise", "volume", "distance")


@dataclass(frozen=True)
class Prompts:
    """Prompts for rewriting captions, made by `load_prompts`.

    Attributes:
        file: contents of the prompt file.
        few_shots: examples of rewritten captions.
        banned: phrases that captions should not contain.

    Example:
        >>> prompts = load_prompts()
        >>> request = RewriteRequest("a", "A very sad voice.", VoiceProfile({"Sadness": 0.75}), seed=7)
        >>> [message["role"] for message in prompts.messages(request, structured=True)]
        ['system', 'user']
    """

    file: ParaphrasePromptFile
    few_shots: FewShots = field(default_factory=FewShots)
    banned: tuple[str, ...] = ()

    @property
    def styles(self) -> Mapping[str, WritingStyle]:
        """Writing styles by name, in the order of the prompt file."""
        return self.file.styles

    def style_of(self, seed: int, id: str, number: int) -> str:
        """Return the name of a random style for a caption of a clip.

        No style is used twice for a clip before all have been used.

        Args:
            seed: random seed.
            id: id of the clip.
            number: number of the caption among the captions of the clip, from 0.
        """
        turn, place = divmod(number, len(self.styles))
        chance = generator("styles", seed, id, turn)
        key = {name: -(chance.random() ** (1 / style.weight)) for name, style in self.styles.items()}
        return sorted(self.styles, key=key.__getitem__)[place]

    def messages(self, request: RewriteRequest, *, structured: bool) -> tuple[dict[str, str], ...]:
        """Return the chat messages for a request: a system message and a user message.

        Args:
            request: caption to rewrite, with its profile and style.
            structured: request the answer as JSON, not as plain text.

        Raises:
            InputError: the style of the request does not exist.
        """
        name, profile = self._style(request), expressible(request.profile)
        chance = generator("prompt", request.seed, len(request.refused))
        chosen = self.few_shots.choose(profile.emotions, name, chance)
        shown = "\n".join(self._shown_examples[example.text, example.style == name] for example in chosen)
        values = {
            "examples": filled(self.file.examples_of_style, {"examples": shown}) if chosen else "",
            "style": self.styles[name].wording,
            "keep": "\n".join(f"- {line}" for line in self._content(request, profile, chance)),
            "caption": quoted(request.caption),
            "refused": "\n".join(map(self._attempt, request.refused[-self.file.refused.shown :])),
        }
        return (
            {"role": "system", "content": self._systems[structured]},
            {"role": "user", "content": filled(self.file.request, values)},
        )

    def text(self, request: RewriteRequest) -> str:
        """Return a request as one text without examples, for models that are not chat models."""
        chance = generator("prompt", request.seed, len(request.refused))
        reasons = (reason for refused in request.refused[-1:] for reason in refused.reasons)
        values = {
            "style": self.styles[self._style(request)].wording,
            "keep": "; ".join(self._content(request, expressible(request.profile), chance)),
            "caption": quoted(request.caption),
            "refused": " ".join(self.explain(reason.code, reason.what) for reason in reasons),
        }
        return " ".join(filled(self.file.text, values).split())

    def answer_tokens(self, request: RewriteRequest) -> int:
        """Return the largest number of tokens for an answer; more if the caption must express more."""
        wanted, tokens = expressible(request.profile), self.file.answer_tokens
        things = len(wanted.emotions) + len(wanted.bursts) + len(wanted.traits)
        return tokens.fixed + tokens.for_each * things

    def explain(self, code: str, what: str = "") -> str:
        """Return a sentence that explains a `Reason` of the gate, given by its `code` and `what`."""
        sentence = self.file.reasons.get(code, self.file.reasons["lint"])
        plain = plain_name(what)
        if plain == what:  # not a name but a sentence, which may contain names
            plain = _TAXONOMY_NAME.sub(lambda match: plain_name(match[0]), what)
        subject = quoted(plain)[:LONGEST_BANNED].strip()
        if not subject:
            sentence = sentence.replace(" ({what})", "")
        return filled(sentence, {"what": subject or "…"})

    def sha256(self) -> str:
        """Return the SHA-256, in hexadecimal, of all prompts, with examples and banned phrases."""
        shots = [(shot.profile.to_json(), shot.style, shot.text) for shot in self.few_shots.examples]
        parts = [self.file.model_dump(mode="json"), shots, self.few_shots.confusable, self.banned]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _style(self, request: RewriteRequest) -> str:
        name = request.style or self.style_of(request.seed, request.id, 0)
        if name not in self.styles:
            raise InputError(f"no style {name!r}: there are {', '.join(self.styles)}")
        return name

    def _content(self, request: RewriteRequest, profile: VoiceProfile, chance: Random) -> list[str]:
        """Return a line for each part of a profile that a caption can express, emotions first."""
        keep, lines = self.file.keep, []
        denied = dict.fromkeys(denied_emotions(request.profile), 0.0)
        for name, level in (profile.emotions or denied).items():
            offered = ", ".join(_drawn(_words(name, level), self.file.words, chance))
            line = keep.emotion.replace("{level}", LEVEL_NAMES[LEVELS.index(level)])
            lines.append(line.replace("{name}", plain_name(name)).replace("{words}", offered))
        if not profile.emotions and not denied:
            rated = request.profile.fully_rated
            silent = not rated or profile.bursts or "Valence" in profile.traits
            neutral = " or ".join(load_lexicon().varied.neutral["adjective"])
            lines.append(keep.silent if silent else keep.neutral.replace("{words}", neutral))
        for burst in profile.bursts:
            lines.append(keep.burst.replace("{words}", " or ".join(load_lexicon().varied.bursts[burst])))
        for key, value in profile.traits.items():
            kind = "recording" if key in _RECORDING else "attribute" if key in ATTRIBUTES else key
            lines.append(getattr(keep, kind).replace("{words}", " or ".join(_trait_words(key, value))))
        return lines

    @cached_property
    def _systems(self) -> Mapping[bool, str]:
        """System messages, by whether the answer is requested as JSON."""
        levels = "\n".join(f"- {level}: {', '.join(words)}" for level, words in self.file.levels.items())
        ban = filled(self.file.banned, {"phrases": "; ".join(self.banned)}) if self.banned else ""
        forms = {True: self.file.answer.structured, False: self.file.answer.plain}
        return {
            structured: filled(self.file.system, {"levels": levels, "answer": form, "banned": ban})
            for structured, form in forms.items()
        }

    @cached_property
    def _shown_examples(self) -> Mapping[tuple[str, bool], str]:
        """Each example as text in a prompt, by its caption and whether it has the requested style."""
        shown = {}
        for example in self.few_shots.examples:
            source = example.template(self.styles[example.style].source_style or "prose")
            values = {"caption": source, "rewritten": example.text, "style": example.style}
            shown[example.text, True] = filled(self.file.example, values)
            shown[example.text, False] = filled(self.file.example_of_another_style, values)
        return shown

    def _attempt(self, refused: RefusedCandidate) -> str:
        reasons = "\n".join(f"- {self.explain(reason.code, reason.what)}" for reason in refused.reasons)
        return filled(self.file.refused.text, {"text": quoted(refused.text), "reasons": reasons})


def load_prompts(path: str | Path | None = None, *, ban: str | Path | None = None) -> Prompts:
    """Load the prompts of a prompt file.

    Args:
        path: prompt file in YAML, with the keys of `paraphrase/prompts.yaml`; None for that file.
        ban: file of phrases that captions should not contain, as `budew paraphrase report --ban` writes it;
            only the first 60 are used, with a warning if there are more. None for no phrases.

    Raises:
        SettingsError: a file cannot be read, or a field of it is missing, unknown or invalid.

    Example:
        >>> list(load_prompts().styles)[:3]
        ['plain', 'literary', 'clinical']
    """
    prompts = _shipped() if path is None else _read(Path(path))
    if ban is None:
        return prompts
    phrases = load(BanList, Path(ban)).phrases
    if len(phrases) > MOST_BANNED:
        warnings.warn(f"{ban}: only the first {MOST_BANNED} of {len(phrases)} phrases are used", stacklevel=2)
    banned = dict.fromkeys(map(quoted, phrases[:MOST_BANNED]))
    return replace(prompts, banned=tuple(filter(None, banned)))


@cache
def _shipped() -> Prompts:
    return _read(data_folder("paraphrase") / "prompts.yaml")


def _read(path: Path) -> Prompts:
    file = validated(ParaphrasePromptFile, {"name": path.stem, **read_yaml(path)}, name=str(path))
    if file.examples is None:
        return Prompts(file)
    beside = path.with_name(file.examples.file)
    read = load(ExampleFile, beside)
    shots = [
        FewShotExample(row.profile, style, text)
        for row in read.examples
        for style, text in row.captions.items()
    ]
    if unknown := [shot.style for shot in shots if shot.style not in file.styles]:
        raise SettingsError(
            f"{beside}: an example has style {unknown[0]!r}, but {path.name} has no style {unknown[0]!r}"
        )
    return Prompts(file, FewShots(file.examples.count, tuple(shots), read.confusable))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Replace the slots (`{name}`) of a text by `values`; slots in the values are not replaced.

    A line that consists of slots only is left out if the values of all of them are empty.
    """
    lines = []
    for line in text.strip("\n").split("\n"):
        slots = SLOT.findall(line)
        if not slots or SLOT.sub("", line).strip() or any(values[slot] for slot in slots):
            lines.append(SLOT.sub(lambda match: values[match[1]], line))
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return a text on one line, cut to `LONGEST_QUOTED` characters, without markup and special marks."""
    marked = _MARKUP.sub(" ", text[: 4 * LONGEST_QUOTED])
    plain = "".join(letter if letter.isprintable() else " " for letter in marked)
    return " ".join(plain.split())[:LONGEST_QUOTED].strip()


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return words for the name of an emotion, burst or attribute ("a chuckle"); other texts unchanged."""
    vocabulary = load_lexicon().varied
    if name in EMOTIONS:
        return " or ".join(_NAME_PARTS.split(name)).lower()
    if name in BURSTS:
        return vocabulary.bursts[name][0]
    if (name, 0.25) in vocabulary.attributes:
        return " or ".join(vocabulary.attributes[name, share][0] for share in (0.25, 0.75))
    return name


def _drawn(options: tuple[tuple[str, ...], ...], count: int, chance: Random) -> list[str]:
    """Draw `count` words: one noun, one adjective and so on; of each list from a random word onwards."""
    starts = [int(chance.random() * len(words)) for words in options]
    found: list[str] = []
    for place in range(count):
        for words, start in zip(options, starts, strict=True):
            if place < len(words):
                found.append(words[(start + place) % len(words)])
    return found[:count]


@cache
def _words(name: str, level: float) -> tuple[tuple[str, ...], ...]:
    """Return nouns and adjectives for an emotion at a level, without the words of `plain_name`."""
    known, fitting = plain_name(name).split(), []
    for form in ("noun", "adjective"):
        if not level:
            pattern = load_lexicon().table["denied_as"][form]
            fitting.append(tuple(map(pattern.format, load_lexicon().varied.denied[form][name])))
            continue
        words = load_lexicon().varied.emotions[form][name, level]
        offered = dict.fromkeys((*words.under_carried, *words.bare))
        fitting.append(tuple(word for word in offered if word not in known))
    return tuple(fitting)


def _trait_words(key: str, value: str | float) -> tuple[str, ...]:
    """Return all phrases of the lexicon for a trait or an attribute."""
    vocabulary = load_lexicon().varied
    if key == "accent":
        return (with_article(vocabulary.accent.format(value), vocabulary.sounds),)
    if isinstance(value, str):
        return vocabulary.traits[key, value]
    return vocabulary.attributes[key, nearest_level(to_intensity(value, ATTRIBUTES[key].scale))]
