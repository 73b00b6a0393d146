"""How much the caption language can express, and how much of other people's captions its lexicon covers.

A word without a lexicon entry where an emotion word is expected ("a sense of ___") is a candidate for a new
entry. For each such word, the captions in which it occurs are counted, and some are kept as examples.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from budew.captions.parse import parse
from budew.captions.render import load_templates
from budew.taxonomy import EMOTIONS

EXAMPLES = 3
"""Example captions kept for each unknown word."""
MOST_WORDS = 100_000
"""Most unknown words in the tally. If there are more, words that occurred once are dropped."""
LONGEST_EXAMPLE = 160
"""Characters of an example caption; longer ones are shortened."""


@dataclass(slots=True)
class Coverage:
    """Counts of what was parsed in a collection of captions.

    Attributes:
        captions: number of captions.
        with_emotion: number of captions in which an emotion was found.
        emotions: number of captions by emotion.
        unknown: number of captions by unknown word.
        examples: by unknown word, up to `EXAMPLES` captions in which it occurs, shortened.

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
        """Return plain data: `captions`, `captions_with_emotion`, `emotions`, `unknown`.

        `unknown` lists the `most` most frequent unknown words (None: all), each with `word`, `captions`
        (number) and `examples`.
        """
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
    """Parse captions, and count the emotions and the unknown words in them.

    Args:
        captions: texts of the captions.
        progress: called with the number of captions parsed so far.

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
        frames: number of sentence frames.
        sentences: number of sentence structures that the frames give, whatever words fill their slots.
        rendered: by emotion, the number of different phrases that express it, over all levels and forms.
        parsed: by emotion, the number of different words and phrases that are parsed as this emotion.
        phrases: number of all phrases that the parser recognizes.
    """

    frames: int
    sentences: int
    rendered: Mapping[str, int]
    parsed: Mapping[str, int]
    phrases: int


def language_size() -> LanguageSize:
    """Count the frames and phrases of the English lexicon."""
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
