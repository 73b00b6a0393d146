"""The prompt file `paraphrase/prompts.yaml` and its few-shot examples, validated; the choice of examples.

Texts have slots (`{caption}`). Which a text must and may have stands with its field.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from budew.captions import render
from budew.captions.caption_prompt import Style as RenderStyle
from budew.captions.lint.rules import load_rules
from budew.io.settings import Settings
from budew.profile import VoiceProfile
from budew.randomness import derived_seed
from budew.taxonomy import EMOTION_GROUPS, LEVEL_NAMES, LEVELS, emotion

REASON_CODES = (
    "empty", "long", "lost", "added", "moved", "lost-burst", "added-burst", "lost-trait", "added-trait",
    "other-trait", "copy", "sibling", "spoken", "lint",
)  # fmt: skip
"""Codes that need a sentence; that of "lint" serves for every other code."""
SLOT = re.compile(r"\{(\w+)\}")
LONGEST_BANNED = 80
"""Characters of a phrase that may be banned."""
_SAME_STYLE_SCORE, _SHARED_EMOTION_SCORE, _FURTHER_EMOTION_SCORE = 3.0, 4.0, -0.75
"""What counts for an example: its style, each shared emotion not shown yet, each further emotion."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Level = Literal["slight", "moderate", "strong", "extreme"]


def _slots(must: str, may: str = "") -> AfterValidator:
    """Check the slots of a text, given as names in one string."""
    needed = set(must.split())
    allowed = needed.union(may.split())

    def check(text: str) -> str:
        found = set(SLOT.findall(text))
        if wrong := sorted((needed - found) | (found - allowed)):
            names = ", ".join(f"{{{name}}}" for name in sorted(allowed)) or "none"
            raise ValueError(f"{{{wrong[0]}}} is missing or unknown: the slots are {names}")
        return text

    return AfterValidator(check)


_Words = Annotated[Text, _slots("words")]
_Example = Annotated[Text, _slots("caption rewritten", "style")]
_Sentence = Annotated[Text, _slots("", "what")]


class WritingStyle(Settings):
    """A manner of writing."""

    instruction: Text
    length: str = ""
    source_style: RenderStyle | None = Field(None, description="Style of the template; any if None.")
    weight: float = Field(1.0, ge=0.01, le=100, description="How soon it is drawn for a clip.")

    @property
    def wording(self) -> str:
        """Manner and length, as the model reads them."""
        return f"{self.instruction} {self.length}".strip()


class Sampling(Settings):
    """How answers are sampled."""

    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(ge=0.01, le=1)


class AnswerTokens(Settings):
    """Longest answer in tokens: `fixed`, and `for_each` thing to express."""

    fixed: int = Field(ge=1, le=10**6)
    for_each: int = Field(ge=0, le=10**4)


class ShownExamples(Settings):
    """The few-shot examples: a file in the same folder, and how many of them a request shows."""

    file: str = Field(pattern=r"^[^/\\]+$")
    count: int = Field(ge=0, le=50)


class AnswerForms(Settings):
    """The form of the answer, where a server holds it to a schema and where not."""

    structured: Text
    plain: Text


class ContentLines(Settings):
    """How each part of a profile is listed; `silent`: no emotion but sounds, or unknown emotions."""

    emotion: Annotated[Text, _slots("level name words")]
    neutral: _Words
    silent: Annotated[Text, _slots("")]
    burst: _Words
    gender: _Words
    age: _Words
    accent: _Words
    timbre: _Words
    pace: _Words
    style: _Words
    attribute: _Words
    recording: _Words


class RetryText(Settings):
    """How refused attempts are shown: the last `shown`."""

    shown: int = Field(ge=1, le=10)
    text: Annotated[Text, _slots("text reasons")]


class ParaphrasePromptFile(Settings):
    """A prompt file; its keys are explained in `paraphrase/prompts.yaml`."""

    name: Text = "prompts"
    version: int = Field(ge=1, le=10**9)
    examples: ShownExamples | None = None
    sampling: Sampling = Sampling(temperature=1.0, top_p=1.0)
    answer_tokens: AnswerTokens
    words: int = Field(ge=0, le=10, description="Words offered for each emotion.")
    system: Annotated[Text, _slots("levels answer", "banned")]
    answer: AnswerForms
    banned: Annotated[Text, _slots("phrases")]
    levels: dict[Level, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(min_length=4)
    styles: dict[str, WritingStyle] = Field(min_length=1)
    request: Annotated[Text, _slots("style keep caption refused", "examples")]
    text: Annotated[Text, _slots("keep caption", "style refused")]
    examples_of_style: Annotated[Text, _slots("examples")]
    example: _Example
    example_of_another_style: _Example
    keep: ContentLines
    refused: RetryText
    reasons: dict[str, _Sentence]

    @field_validator("reasons")
    @classmethod
    def _all_codes(cls, reasons: dict[str, str]) -> dict[str, str]:
        unknown = reasons.keys() - {*REASON_CODES, *load_rules().severity}
        if wrong := sorted(set(REASON_CODES) - reasons.keys() | unknown):
            raise ValueError(f"the reason {wrong[0]} is missing, or is no code of the gate or of budew lint")
        return reasons


class ExampleRow(Settings):
    """Rewritten captions of one profile, by style; the levels of its emotions in words."""

    emotions: dict[str, Level] = Field(default_factory=dict)
    bursts: tuple[str, ...] = ()
    traits: dict[str, Any] = Field(default_factory=dict)
    captions: dict[str, Text]

    def model_post_init(self, context: Any) -> None:
        """Raise ValueError where the profile is invalid."""
        _ = self.profile

    @cached_property
    def profile(self) -> VoiceProfile:
        """The profile with levels as numbers."""
        levels = {name: LEVELS[LEVEL_NAMES.index(level)] for name, level in self.emotions.items()}
        return VoiceProfile(levels, self.bursts, self.traits)


class ExampleFile(Settings):
    """A file of examples; `confusable`: groups of emotions that are taken for each other."""

    confusable: tuple[tuple[Annotated[str, AfterValidator(emotion)], ...], ...] = ()
    examples: tuple[ExampleRow, ...]


class BanList(Settings):
    """Phrases that shall not be used, as `budew paraphrase report --ban` writes them."""

    phrases: tuple[Annotated[str, Field(max_length=LONGEST_BANNED)], ...]


@dataclass(frozen=True, slots=True)
class FewShotExample:
    """A rewritten caption of a style, and the profile that it expresses."""

    profile: VoiceProfile
    style: str
    text: str

    def template(self, source_style: RenderStyle) -> str:
        """Return the template caption of which this is a rewriting."""
        return render(self.profile, seed=derived_seed("example", self.text), style=source_style)


@dataclass(frozen=True, slots=True)
class FewShots:
    """The examples of a prompt file, of which a request shows the nearest.

    Attributes:
        count: how many a request shows.
        examples: all there are.
        confusable: emotions taken for each other, besides those of one family of the taxonomy.
    """

    count: int = 0
    examples: tuple[FewShotExample, ...] = ()
    confusable: tuple[tuple[str, ...], ...] = ()

    def choose(self, emotions: Iterable[str], style: str, chance: Random) -> tuple[FewShotExample, ...]:
        """Return at most `count` examples of different profiles, the best one last, in about 60 µs.

        Those of the style that share emotions are best; `chance` draws among those that are about as good.
        None has an emotion that is not asked for and easily taken for one that is: the model would learn to
        blur the two.
        """
        asked = set(emotions)
        groups = (*EMOTION_GROUPS.values(), *self.confusable)
        confusable = {name for group in groups if not asked.isdisjoint(group) for name in group} - asked
        scores: list[tuple[FewShotExample, float]] = []
        for example in self.examples:
            shown, same_style = example.profile.emotions, example.style == style
            further = len(shown.keys() - asked)
            if (same_style or further < len(shown)) and confusable.isdisjoint(shown):
                score = _SAME_STYLE_SCORE if same_style else 0.0
                score += _FURTHER_EMOTION_SCORE * further
                scores.append((example, score + chance.random()))
        chosen: list[FewShotExample] = []
        missing = asked
        while scores and len(chosen) < self.count:
            shared = [len(missing & example.profile.emotions.keys()) for example, _ in scores]
            totals = [score + _SHARED_EMOTION_SCORE * n for (_, score), n in zip(scores, shared, strict=True)]
            best = scores[totals.index(max(totals))][0]
            chosen.append(best)
            missing = missing - best.profile.emotions.keys()
            scores = [row for row in scores if row[0].profile is not best.profile]
        return tuple(reversed(chosen))
