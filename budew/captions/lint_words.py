"""Words that come again: loops, sentences that stand twice, doubled words. A stuck model writes these.

Linear time: a text is compared with itself once for each length of a phrase, never phrase with phrase.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from budew.captions.lint_rules import Finding, Rules

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE = re.compile(r"[^.!?;\n]+")


class Word(NamedTuple):
    """A word of a caption, lower-case, and its span in characters."""

    word: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """Return the words of a text; whatever else it holds only parts them."""
    return [Word(match[0].lower(), *match.span()) for match in _WORD.finditer(text)]


def repetitions(text: str, words: Sequence[Word], rules: Rules) -> Iterator[Finding]:
    """Find phrases that come several times in a row, sentences that come twice, and doubled words."""
    looped = bytearray(len(words))
    for first, stop, length in _loops(words, rules, looped):
        phrase = text[words[first].start : words[first + length - 1].end]
        yield Finding("repetition", phrase, words[first].start, words[stop - 1].end)
    if not any(looped):
        yield from _sentences_twice(text, rules)
    yield from _doubled(text, words, rules, looped)


def _loops(words: Sequence[Word], rules: Rules, looped: bytearray) -> Iterator[tuple[int, int, int]]:
    """Give first word, word after the last and length of the phrase of each loop; mark its words as looped.

    A phrase of k words stands r times in a row where (r - 1) * k words in a row equal the one k before.
    """
    limits, plain = rules.caption, [word.word for word in words]
    if max(Counter(plain).values(), default=0) < limits.repeats:
        return
    for length in range(1, limits.longest_phrase + 1):
        needed = (limits.repeats - 1) * length
        equal = [one == other for one, other in zip(plain, plain[length:], strict=False)]
        if sum(equal) < needed:
            continue
        for start, stop in _runs(equal, needed):
            if not any(looped[start : stop + length]):
                looped[start : stop + length] = b"\1" * (stop + length - start)
                yield start, stop + length, length


def _runs(equal: Sequence[bool], shortest: int) -> Iterator[tuple[int, int]]:
    """Give where each run of True of at least this length begins and ends."""
    start = 0
    for index, same in enumerate((*equal, False)):
        if not same:
            if index - start >= shortest:
                yield start, index
            start = index + 1


def _sentences_twice(text: str, rules: Rules) -> Iterator[Finding]:
    seen: set[tuple[str, ...]] = set()
    for match in _SENTENCE.finditer(text):
        sentence = tuple(_WORD.findall(match[0].lower()))
        if len(sentence) >= rules.caption.shortest_sentence:
            if sentence in seen:
                yield Finding("repetition", match[0].strip(), *match.span())
            seen.add(sentence)


def _doubled(text: str, words: Sequence[Word], rules: Rules, looped: bytearray) -> Iterator[Finding]:
    for index in range(1, len(words)):
        one, other = words[index - 1], words[index]
        if one.word != other.word or looped[index] or one.word in rules.may_double:
            continue
        if text[one.end : other.start].isspace():
            yield Finding("doubled-word", text[one.start : other.end], one.start, other.end)
