"""Format of prompt files (`paraphrase/prompts.yaml`) and of their examples; choice of few-shot examples.

Texts have slots (`{caption}`). `_slots` lists the slots that a text must have, and those that it may have.
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
    "other-trait", "added-content", "copy", "sibling", "spoken", "lint",
)  # fmt: skip
"""Codes of the gate for which a prompt file needs a sentence; that of "lint" is used for all other codes."""
SLOT = re.compile(r"\{(\w+)\}")
LONGEST_BANNED = 80
"""Most characters of a banned phrase."""
_SAME_STYLE_SCORE, _SHARED_EMOTION_SCORE, _FURTHER_EMOTION_SCORE = 3.0, 4.0, -0.75
"""Scores of an example: for the requested style, for each requested emotion that no chosen example has, and
for each emotion that is not requested."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Level = Literal["slight", "moderate", "strong", "extreme"]


def _slots(must: str, may: str = "") -> AfterValidator:
    """Return a validator of texts: slots that they must have, and may have, as names separated by spaces."""
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
    """Writing style of rewritten captions.

    Attributes:
        instruction: how to write, for the model.
        length: how long a caption should be, for the model; "" says nothing about it.
        source_style: style of the template captions to rewrite; None for any.
        weight: relative weight when the next style of a clip is drawn.
    """

    instruction: Text
    length: str = ""
    source_style: RenderStyle | None = Field(
        None, description="Style of the template to rewrite; None for any."
    )
    weight: float = Field(
        1.0, ge=0.01, le=100, description="Relative weight when the next style of a clip is drawn."
    )

    @property
    def wording(self) -> str:
        """Instruction and length as one text for the prompt."""
        return f"{self.instruction} {self.length}".strip()


class Sampling(Settings):
    """Sampling parameters of the language model."""

    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(ge=0.01, le=1)


class AnswerTokens(Settings):
    """Most tokens of an answer: `fixed` + `for_each` × (emotions + bursts + traits to express)."""

    fixed: int = Field(ge=1, le=10**6)
    for_each: int = Field(ge=0, le=10**4)


class ShownExamples(Settings):
    """Few-shot examples: `file` in the folder of the prompt file, and `count`, their number in a request."""

    file: str = Field(pattern=r"^[^/\\]+$")
    count: int = Field(ge=0, le=50)


class AnswerForms(Settings):
    """Instructions on the form of the answer: `structured` for JSON by a schema, `plain` for text."""

    structured: Text
    plain: Text


class ContentLines(Settings):
    """Lines of a request, one for each part of the profile that the caption must express.

    `neutral` is used if all emotions are absent; `silent` if they are unrated, or absent next to bursts or
    valence.
    """

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
    """Text about each refused candidate in the next request; only the last `shown` candidates are listed."""

    shown: int = Field(ge=1, le=10)
    text: Annotated[Text, _slots("text reasons")]


class ParaphrasePromptFile(Settings):
    """Contents of a prompt file; `paraphrase/prompts.yaml` explains the keys."""

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
            raise ValueError(
                f"the reason {wrong[0]} is missing, or is not a code of the gate or of budew lint"
            )
        return reasons


class ExampleRow(Settings):
    """A profile, with the levels of its emotions in words, and rewritten captions of it by style."""

    emotions: dict[str, Level] = Field(default_factory=dict)
    bursts: tuple[str, ...] = ()
    traits: dict[str, Any] = Field(default_factory=dict)
    captions: dict[str, Text]

    def model_post_init(self, context: Any) -> None:
        """Raise ValueError if the profile is invalid."""
        _ = self.profile

    @cached_property
    def profile(self) -> VoiceProfile:
        """Profile of the example, with levels as numbers."""
        levels = {name: LEVELS[LEVEL_NAMES.index(level)] for name, level in self.emotions.items()}
        return VoiceProfile(levels, self.bursts, self.traits)


class ExampleFile(Settings):
    """Contents of a file of examples; `confusable` are groups of emotions that are easily confused."""

    confusable: tuple[tuple[Annotated[str, AfterValidator(emotion)], ...], ...] = ()
    examples: tuple[ExampleRow, ...]


class BanList(Settings):
    """Contents of a ban list: phrases that captions should not contain (`budew paraphrase report --ban`)."""

    phrases: tuple[Annotated[str, Field(max_length=LONGEST_BANNED)], ...]


@dataclass(frozen=True, slots=True)
class FewShotExample:
    """A rewritten caption (`text`), its style, and the profile that it expresses."""

    profile: VoiceProfile
    style: str
    text: str

    def template(self, source_style: RenderStyle) -> str:
        """Return a template caption of the same profile, shown in the prompt as the text to rewrite."""
        return render(self.profile, seed=derived_seed("example", self.text), style=source_style)


@dataclass(frozen=True, slots=True)
class FewShots:
    """Few-shot examples of a prompt file, of which each request shows the most similar.

    Attributes:
        count: number of examples in a request.
        examples: all examples.
        confusable: groups of emotions that are easily confused, in addition to the groups of the taxonomy.
    """

    count: int = 0
    examples: tuple[FewShotExample, ...] = ()
    confusable: tuple[tuple[str, ...], ...] = ()

    def choose(self, emotions: Iterable[str], style: str, chance: Random) -> tuple[FewShotExample, ...]:
        """Return at most `count` examples with different profiles, the most similar one last; takes 60 µs.

        Similar examples have the same style and share emotions. Examples with an emotion that is easily
        confused with a requested one are left out, since the model would confuse the two.

        Args:
            emotions: names of the emotions that the caption must express.
            style: name of the requested style.
            chance: source of random numbers, to choose among similar examples.
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
