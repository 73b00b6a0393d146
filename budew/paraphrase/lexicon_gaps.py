"""Lexicon gaps: words in refused candidates that are not in the lexicon, where an emotion was missed.

Such a word is either an invention of the model or a word that the lexicon lacks. Words that are frequent
where one emotion is missed, and rare in accepted captions, should be added to `caption_templates/en.yaml`.
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
"""Codes of candidates that are not English captions; their words are ignored."""


@dataclass(frozen=True, slots=True)
class LexiconGap:
    """A word that is not in the lexicon.

    Attributes:
        word: the word, lower-case.
        missed: number of refused candidates with the word in which an emotion was missed.
        named: how many of them have the word where an emotion is expected ("a sense of …").
        passed: number of accepted captions with the word.
        emotions: missed emotions and how often each was missed, the most frequent first.
        examples: up to three refused candidates with the word.
    """

    word: str
    missed: int
    named: int
    passed: int
    emotions: tuple[tuple[str, int], ...]
    examples: tuple[str, ...]

    @property
    def share(self) -> float:
        """Share of refused candidates among the texts with the word: `missed` / (`missed` + `passed`)."""
        return self.missed / (self.missed + self.passed)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields and `share` as JSON values."""
        return {**asdict(self), "emotions": dict(self.emotions), "share": round(self.share, 3)}


def find_lexicon_gaps(
    clips: Iterable[Clip], *, fewest: int = 2, progress: Callable[[int], None] | None = None
) -> list[LexiconGap]:
    """Return words that are probably missing in the lexicon, the likeliest first.

    Args:
        clips: clips with captions and refused candidates by the job `paraphrase`.
        fewest: least number of refused candidates in which a word occurs.
        progress: called with the number of clips read so far.

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
    """Return the content words of a text that are not in the lexicon, lower-case."""
    lexicon, function_words = load_lexicon(), load_rules().function_words
    tokens = tokenize(text)
    words = {tokens[first] for first, _, entry in lexicon.phrases.scan(tokens) if entry is UNKNOWN}
    return {
        word
        for word in words - lexicon.known - function_words
        if len(word) >= SHORTEST_UNKNOWN and word.isalpha()
    }
