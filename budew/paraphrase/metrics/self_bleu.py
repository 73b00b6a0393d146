"""Self-BLEU: BLEU of each caption against all others (Zhu et al. 2018, "Texygen", SIGIR).

Each against all others is quadratic: sacrebleu takes 2.4 s for 200 captions, a minute for 1,000. But BLEU
asks of the references only the highest count of each n-gram, which is known for all but one caption at once
from the two highest counts and the caption with the highest. So this is exact, linear, and takes 0.2 s for
1,000 captions. Each score is `sacrebleu.BLEU(effective_order=True, tokenize="none").sentence_score`: four
orders, exponential smoothing.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

ORDERS = 4
Words = Sequence[str]
_Gram = tuple[str, ...]


def self_bleu(texts: Sequence[Words]) -> float | None:
    """Return the mean BLEU of each text against all others, 0 to 100: 100 where all are the same.

    Args:
        texts: the words of each; None for fewer than two texts.
    """
    if len(texts) < 2:
        return None
    grams = [Counter(_grams(text)) for text in texts]
    highest = _two_highest(grams)
    lengths = Counter(map(len, texts))
    ordered = sorted(lengths)
    scores = (
        _bleu(_matched(own, number, highest), len(text), _nearest(len(text), lengths, ordered))
        for number, (text, own) in enumerate(zip(texts, grams, strict=True))
    )
    return math.fsum(scores) / len(texts)


def _grams(words: Words) -> Iterator[_Gram]:
    for order in range(1, ORDERS + 1):
        yield from zip(*(words[start:] for start in range(order)), strict=False)


def _two_highest(grams: Sequence[Counter[_Gram]]) -> Mapping[_Gram, tuple[int, int, int]]:
    """Return for each n-gram its highest count in a text, which text has it, and the highest in another."""
    found: dict[_Gram, tuple[int, int, int]] = {}
    for number, counts in enumerate(grams):
        for gram, count in counts.items():
            most, holder, second = found.get(gram, (0, -1, 0))
            if count > most:
                found[gram] = (count, number, most)
            else:
                found[gram] = (most, holder, max(second, count))
    return found


def _matched(own: Counter[_Gram], number: int, highest: Mapping[_Gram, tuple[int, int, int]]) -> list[int]:
    """Count, by order, the n-grams of a text that one of the others has as often."""
    matched = [0] * ORDERS
    for gram, count in own.items():
        most, holder, second = highest[gram]
        matched[len(gram) - 1] += min(count, second if holder == number else most)
    return matched


def _nearest(length: int, lengths: Counter[int], ordered: Sequence[int]) -> int:
    """Return the length of another text that is nearest to that of a text; of two the shorter."""
    if lengths[length] > 1:
        return length
    at = bisect_left(ordered, length)
    others = (*ordered[max(0, at - 1) : at], *ordered[at + 1 : at + 2])
    return min(others, key=lambda other: (abs(other - length), other))


def _bleu(matched: Sequence[int], length: int, reference: int) -> float:
    """Return BLEU by what matched, with the smoothing of mteval-v13a (Chen and Cherry 2014, method 3)."""
    if not any(matched):
        return 0.0
    logs, smoothing = [], 1.0
    for order, right in enumerate(matched, start=1):
        total = length - order + 1
        if total < 1:
            break
        if not right:
            smoothing *= 2
        logs.append(math.log(right / total if right else 1 / (smoothing * total)))
    brevity = min(1.0, math.exp(1 - reference / length))
    return 100 * brevity * math.exp(math.fsum(logs) / len(logs))
