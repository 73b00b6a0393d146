"""Words of a language model that the parser does not know, in candidates that miss an emotion.

Such a word is either an invention or wording that the lexicon lacks. Words that are frequent where one
emotion is missed, and rare in accepted captions, are worth a line in `caption_templates/en.yaml`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from budew.captions.lexicon import load_lexicon
from budew.captions.lint.rules import load_rules
from budew.captions.parse import SHORTEST_UNKNOWN, parse
from budew.captions.tokens import tokenize
from budew.corpora.clip import Clip
from budew.paraphrase.metrics.candidate_counts import refusals_of
from budew.taxonomy import EMOTIONS

_EXAMPLES = 3
_NO_CAPTION = frozenset(("not-english", "refusal", "chat", "spoken", "repetition", "broken-text", "empty"))
"""Codes of candidates that are no English caption: their words would fill the table."""
_MOST_WORDS = 200_000
"""Different words that are counted; further ones are only numbered."""


@dataclass(frozen=True, slots=True)
class Harvested:
    """A word that the parser does not know.

    Attributes:
        word: lower-case.
        missed: refused candidates with it that miss an emotion and are English captions.
        named: of them, those where it is in the position of an emotion ("a sense of …").
        passed: accepted captions with it.
        emotions: the missed emotions, the most frequent first, and how often.
        examples: candidates with it.
    """

    word: str
    missed: int
    named: int
    passed: int
    emotions: tuple[tuple[str, int], ...]
    examples: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "emotions": dict(self.emotions), "share": round(self.share, 3)}

    @property
    def share(self) -> float:
        """Share of the texts with it that miss an emotion."""
        return self.missed / (self.missed + self.passed)


class Harvest:
    """Counts over any number of clips, the same in any order of them but for the examples.

    Attributes:
        beyond: words that were not counted, because there were too many different ones.
    """

    def __init__(self) -> None:
        self.beyond = 0
        self._missed: Counter[str] = Counter()
        self._named: Counter[str] = Counter()
        self._passed: Counter[str] = Counter()
        self._emotions: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._examples: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, clip: Clip) -> None:
        """Count the words of the refused candidates and of the captions of a clip."""
        for caption in clip.captions:
            if caption.made_by.get("by") == "paraphrase" and "fallback" not in caption.made_by:
                self._passed.update(self._countable(unread(caption.text)))
        for text, missed in _missing(clip):
            words = self._countable(unread(text))
            named = {unknown.word for unknown in parse(text).unknown}
            self._missed.update(words)
            self._named.update(words & named)
            for word in words:
                self._emotions[word].update(missed)
                if len(self._examples[word]) < _EXAMPLES and text not in self._examples[word]:
                    self._examples[word].append(text)

    def ranked(self, *, fewest: int = 2) -> list[Harvested]:
        """Return the words, first those most often in the position of an emotion where one was missed."""
        found = [self._harvested(word) for word, count in self._missed.items() if count >= fewest]
        return sorted(found, key=lambda row: (-row.named, -row.missed * row.share, row.word))

    def _countable(self, words: set[str]) -> set[str]:
        """Return the words to count: those counted already, and new ones up to the limit."""
        if len(self._missed) + len(self._passed) < _MOST_WORDS:
            return words
        known = {word for word in words if word in self._missed or word in self._passed}
        self.beyond += len(words) - len(known)
        return known

    def _harvested(self, word: str) -> Harvested:
        emotions = sorted(self._emotions[word].items(), key=lambda pair: (-pair[1], EMOTIONS.index(pair[0])))
        return Harvested(
            word,
            self._missed[word],
            self._named[word],
            self._passed[word],
            tuple(emotions),
            tuple(self._examples[word]),
        )


def harvest(clips: Iterable[Clip], *, fewest: int = 2) -> list[Harvested]:
    """Return the words that the parser does not know, the likeliest gaps of the lexicon first.

    Args:
        clips: of `Paraphrase` with `keep_refused`.
        fewest: refused candidates with a word from which it is listed.
    """
    counts = Harvest()
    for clip in clips:
        counts.add(clip)
    return counts.ranked(fewest=fewest)


def unread(text: str) -> set[str]:
    """Return the content words of a text that are in no entry of the lexicon, lower-case."""
    lexicon, grammar = load_lexicon(), load_rules().function_words
    tokens = tokenize(text)
    words = {tokens[first] for first, _, entry in lexicon.phrases.scan(tokens) if entry is None}
    return {
        word
        for word in words
        if len(word) >= SHORTEST_UNKNOWN
        and word.isalpha()
        and word not in lexicon.known
        and word not in grammar
    }


def _missing(clip: Clip) -> Iterator[tuple[str, list[str]]]:
    """Yield the refused candidates that are English captions and miss emotions, and which."""
    for refusal in refusals_of(clip):
        missed = [name for name in refusal.missed if name in EMOTIONS]
        if missed and _NO_CAPTION.isdisjoint(refusal.codes):
            yield refusal.text, missed
