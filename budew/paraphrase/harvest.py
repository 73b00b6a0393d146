"""Harvest: words of a language model that the parser cannot read yet, where an emotion was missed.

Such a word is either an invention or wording that the lexicon lacks. Those that stand again and again where
one emotion was missed, and hardly where none was, are worth a line in `caption_templates/en.yaml`.
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
from budew.paraphrase.job import METADATA
from budew.taxonomy import EMOTIONS

_EXAMPLES = 3
_NO_CAPTION = frozenset(("not-english", "refusal", "chat", "spoken", "repetition", "broken-text", "empty"))
"""Codes of candidates that are no try at an English caption: their words would fill the table."""
_MOST_WORDS = 200_000
"""Different words that are counted. What comes after them is not looked at, and told."""


@dataclass(frozen=True, slots=True)
class Harvested:
    """A word that nobody reads.

    Attributes:
        word: lower-case.
        missed: refused candidates with it in which an emotion was missed; not those that are no caption in
            English at all, such as chat or German.
        named: of them, those where it stands as an emotion stands ("a sense of …").
        passed: accepted captions with it, which say all that they have to.
        emotions: which emotions were missed, the most frequent first, and how often.
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
        """How often an emotion was missed where it stands."""
        return self.missed / (self.missed + self.passed)


class Harvest:
    """Counts over any number of clips, the same in any order of them but for the examples.

    Attributes:
        beyond: words that were not counted, because there were too many different ones.
    """

    def __init__(self, language: str = "en") -> None:
        self.beyond, self._language = 0, language
        self._missed: Counter[str] = Counter()
        self._named: Counter[str] = Counter()
        self._passed: Counter[str] = Counter()
        self._emotions: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._examples: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, clip: Clip) -> None:
        """Count what the refused candidates and the captions of a clip hold."""
        for caption in clip.captions:
            if caption.made_by.get("by") == "paraphrase" and "fallback" not in caption.made_by:
                self._passed.update(self._room(unread(caption.text, self._language)))
        for text, missed in _refusals(clip):
            words = self._room(unread(text, self._language))
            named = {unknown.word for unknown in parse(text, language=self._language).unknown}
            self._missed.update(words)
            self._named.update(words & named)
            for word in words:
                self._emotions[word].update(missed)
                if len(self._examples[word]) < _EXAMPLES and text not in self._examples[word]:
                    self._examples[word].append(text)

    def ranked(self, *, fewest: int = 2) -> list[Harvested]:
        """Return the words, those first that stand most often as an emotion stands where one was missed."""
        found = [self._harvested(word) for word, count in self._missed.items() if count >= fewest]
        return sorted(found, key=lambda row: (-row.named, -row.missed * row.share, row.word))

    def _room(self, words: set[str]) -> set[str]:
        """Return the words that may be counted: all that are known, and new ones while there is room."""
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


def harvest(clips: Iterable[Clip], *, fewest: int = 2, language: str = "en") -> list[Harvested]:
    """Return the words that the parser cannot read, the likeliest to lack in the lexicon first.

    Args:
        clips: of `Paraphrase` with `keep_refused`.
        fewest: refused candidates with a word from which it is listed.
        language: of the captions.
    """
    counts = Harvest(language)
    for clip in clips:
        counts.add(clip)
    return counts.ranked(fewest=fewest)


def unread(text: str, language: str = "en") -> set[str]:
    """Return the words of a text that carry meaning and are in no entry of the lexicon, lower-case."""
    lexicon, grammar = load_lexicon(language), load_rules(language).function_words
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


def _refusals(clip: Clip) -> Iterator[tuple[str, list[str]]]:
    """Give the refused candidates that missed an emotion, so far as the metadata is what we write."""
    account: Any = clip.metadata.get(METADATA)
    rows = account.get("refusals") if isinstance(account, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("text"), str) and isinstance(row.get("missed"), list):
            missed = [name for name in row["missed"] if name in EMOTIONS]
            if missed and not _is_no_caption(row.get("codes")):
                yield row["text"], missed


def _is_no_caption(codes: Any) -> bool:
    return isinstance(codes, list) and any(isinstance(code, str) and code in _NO_CAPTION for code in codes)
