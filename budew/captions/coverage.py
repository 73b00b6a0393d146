"""How much the caption language can express, and how much of other people's captions its lexicon covers.

A word in the position of an emotion ("a sense of ___") that no entry has is a candidate for one. Such words
are counted by the captions that they occur in, with examples, the most frequent first.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from budew.captions.parse import parse
from budew.captions.render import load_templates
from budew.taxonomy import EMOTIONS

EXAMPLES = 3
"""Captions that are kept for each unknown word."""
MOST_WORDS = 100_000
"""Unknown words that are counted at once; beyond, those that came once are forgotten."""
LONGEST_EXAMPLE = 160
"""Characters."""


@dataclass(slots=True)
class Coverage:
    """What was parsed in a collection of captions.

    Attributes:
        captions: in all.
        with_emotion: in which an emotion was found.
        emotions: captions by emotion.
        unknown: captions by unknown word.
        examples: captions in which an unknown word occurs, shortened.

    Example:
        >>> measure_coverage(["She sounds flumpish and sad."]).to_dict()["emotions"]
        {'Sadness': 1}
    """

    captions: int = 0
    with_emotion: int = 0
    emotions: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def to_dict(self, *, most: int | None = None) -> dict[str, Any]:
        """Return plain data: emotions in their order, at most `most` unknown words by frequency."""
        ranked = sorted(self.unknown.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
        return {
            "captions": self.captions,
            "captions_with_emotion": self.with_emotion,
            "emotions": {name: self.emotions[name] for name in EMOTIONS if self.emotions[name]},
            "unknown": [
                {"word": word, "captions": count, "examples": self.examples[word]} for word, count in ranked
            ],
        }


def measure_coverage(captions: Iterable[str], *, progress: Callable[[int], None] | None = None) -> Coverage:
    """Parse captions and count the emotions that were found, and the unknown words.

    Args:
        captions: texts.
        progress: called with the number of captions that are done.

    Example:
        >>> found = measure_coverage(["She sounds flumpish and sad.", "A man speaks."])
        >>> found.with_emotion, dict(found.unknown)
        (1, {'flumpish': 1})
    """
    found = Coverage()
    for text in captions:
        parsed = parse(text)
        found.captions += 1
        found.with_emotion += bool(parsed.emotions)
        found.emotions.update(parsed.emotions.keys())
        for word in {unknown.word for unknown in parsed.unknown}:
            found.unknown[word] += 1
            examples = found.examples.setdefault(word, [])
            if len(examples) < EXAMPLES:
                examples.append(text if len(text) <= LONGEST_EXAMPLE else text[: LONGEST_EXAMPLE - 1] + "…")
        if len(found.unknown) > MOST_WORDS:
            for rare in [word for word, count in found.unknown.items() if count == 1]:
                del found.unknown[rare], found.examples[rare]
        if progress:
            progress(found.captions)
    return found


@dataclass(frozen=True, slots=True)
class LanguageSize:
    """Size of the lexicon.

    Attributes:
        frames: sentence frames.
        sentences: ways to build a sentence from them, all places filled, words in the places not counted.
        rendered: for each emotion, the different phrases it is rendered as, over its levels and forms.
        parsed: for each emotion, the different words and phrases that are parsed as it.
        phrases: all phrases that are parsed.
    """

    frames: int
    sentences: int
    rendered: Mapping[str, int]
    parsed: Mapping[str, int]
    phrases: int


def language_size() -> LanguageSize:
    """Return the size of the English lexicon."""
    templates = load_templates()
    lexicon = templates.lexicon
    rendered: dict[str, set[str]] = {name: set() for name in lexicon.emotions}
    for of_form in lexicon.varied.emotions.values():
        for (name, _), phrases in of_form.items():
            rendered[name].update(phrases.before, phrases.bare)
    parsed = dict.fromkeys(lexicon.emotions, 0)
    number_of_phrases = 0
    for entry in lexicon.phrases.meanings():
        number_of_phrases += 1
        if entry.name in parsed:
            parsed[entry.name] += 1
    return LanguageSize(
        frames=len(templates.frames),
        sentences=sum(frame.ways for frame in templates.frames.values()),
        rendered={name: len(forms) for name, forms in rendered.items()},
        parsed=parsed,
        phrases=number_of_phrases,
    )
