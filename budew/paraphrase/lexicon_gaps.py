"""Gaps of the lexicon: words of a language model that the parser does not know, where an emotion was missed.

Such a word is either an invention or wording that the lexicon lacks. Words that are frequent where one
emotion is missed, and rare in accepted captions, are worth a line in `caption_templates/en.yaml`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from budew.captions.lexicon import load_lexicon
from budew.captions.lint.rules import load_rules
from budew.captions.parse import SHORTEST_UNKNOWN, parse
from budew.captions.phrases import UNKNOWN
from budew.captions.tokens import tokenize
from budew.corpora.clip import Clip
from budew.paraphrase.metrics.candidate_counts import is_fallback, refusals_of, written_by_rewriting
from budew.taxonomy import EMOTIONS

_EXAMPLES = 3
_NOT_A_CAPTION = frozenset(("not-english", "refusal", "chat", "spoken", "repetition", "broken-text", "empty"))
"""Codes of candidates that are no English caption: their words would fill the table."""


@dataclass(frozen=True, slots=True)
class LexiconGap:
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

    @property
    def share(self) -> float:
        """Share of the texts with it that miss an emotion."""
        return self.missed / (self.missed + self.passed)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "emotions": dict(self.emotions), "share": round(self.share, 3)}


def find_lexicon_gaps(
    clips: Iterable[Clip], *, fewest: int = 2, progress: Callable[[int], None] | None = None
) -> list[LexiconGap]:
    """Return the words that at least `fewest` refused candidates of clips have, the likeliest gaps first.

    `progress` is called with the number of clips read.

    Example:
        >>> refusal = {"text": "A deep sense of zorbling.", "codes": ["lost"], "missed": ["Anger"]}
        >>> clip = Clip("a", b"", "wav", metadata={"paraphrase": {"refusals": [refusal]}})
        >>> [gap.word for gap in find_lexicon_gaps([clip, clip])]
        ['zorbling']
    """
    missed, named, passed = Counter[str](), Counter[str](), Counter[str]()
    emotions: defaultdict[str, Counter[str]] = defaultdict(Counter)
    examples: defaultdict[str, list[str]] = defaultdict(list)
    for number, clip in enumerate(clips, 1):
        for caption in written_by_rewriting(clip):
            if not is_fallback(caption):
                passed.update(unknown_words(caption.text))
        for refusal in refusals_of(clip):
            lost = [name for name in refusal.missed if name in EMOTIONS]
            if not lost or not _NOT_A_CAPTION.isdisjoint(refusal.codes):
                continue
            words = unknown_words(refusal.text)
            missed.update(words)
            named.update(words & {unknown.word for unknown in parse(refusal.text).unknown})
            for word in words:
                emotions[word].update(lost)
                if len(examples[word]) < _EXAMPLES and refusal.text not in examples[word]:
                    examples[word].append(refusal.text)
        if progress:
            progress(number)
    gaps = []
    for word, count in missed.items():
        if count >= fewest:
            ranked = sorted(emotions[word].items(), key=lambda pair: (-pair[1], EMOTIONS.index(pair[0])))
            gaps.append(
                LexiconGap(word, count, named[word], passed[word], tuple(ranked), tuple(examples[word]))
            )
    return sorted(gaps, key=lambda gap: (-gap.named, -gap.missed * gap.share, gap.word))


def unknown_words(text: str) -> set[str]:
    """Return the content words of a text that are in no entry of the lexicon, lower-case."""
    lexicon, function_words = load_lexicon(), load_rules().function_words
    tokens = tokenize(text)
    words = {tokens[first] for first, _, entry in lexicon.phrases.scan(tokens) if entry is UNKNOWN}
    return {
        word
        for word in words - lexicon.known - function_words
        if len(word) >= SHORTEST_UNKNOWN and word.isalpha()
    }
