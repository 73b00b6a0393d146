"""Why a caption is parsed as it is: the words that give each phrase its level, and phrases that do not count.

The reasons for a level are found by trial. A word is a reason if the phrase has another level or role once
the word is ignored. If no single word is a reason in this sense ("probably a bit sad"), a word is one if the
phrase has another level or role with that word alone. This holds for every scope rule. Only words in the same
sentence and the two sentences beside it, at most `_FARTHEST` phrases away, are tried, so that the cost is
linear in the length of the text (1 ms for a caption of 20 words).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import NamedTuple

from budew.captions.items import items_of, without_quotations
from budew.captions.lexicon import load_lexicon
from budew.captions.phrases import QUOTED, Entry, Form, Kind
from budew.captions.scope import resolve_scopes
from budew.captions.tokens import spans, tokenize

_LEVELLED = frozenset((Kind.EMOTION, Kind.BURST, Kind.TRAIT, Kind.ATTRIBUTE, Kind.ORIGIN))
_NOT_GOVERNING = _LEVELLED | {
    Kind.QUALITY, Kind.INERT, Kind.UNKNOWN, Kind.COMMA, Kind.STOP, Kind.LINK, Kind.NAMING, Kind.CONJUNCTION,
    Kind.PASSING, Kind.BREAKING, Kind.SUBJECT,
}  # fmt: skip
_FARTHEST = 60
_RULES = {Form.DEGREE: "intensity of the next word", Form.STANCE: "comment on the sentence"}

Span = tuple[int, int]
"""Start and end in a text, in characters."""


class Explanation(NamedTuple):
    """Reasons for a parse, which `ParsedCaption.mentions` does not have.

    Attributes:
        reasons: span of a phrase to the words that give it its level and role, in the order of the text.
        dropped: span of a phrase that can mean an emotion or a burst, to the reason why it does not here.

    Example:
        >>> explain("She is very sad.").reasons
        {(12, 15): ('very',)}
    """

    reasons: dict[Span, tuple[str, ...]]
    dropped: dict[Span, str]


def explain(text: str) -> Explanation:
    """Return the words that give each phrase of a caption its level and role, and phrases that do not count.

    Example:
        >>> text = "She is probably a bit sad."
        >>> explain(text).reasons[text.index("sad"), len(text) - 1]
        ('probably', 'bit')
    """
    lexicon = load_lexicon()
    tokens = tokenize(text)
    places = spans(text)
    items = without_quotations(items_of(text, tokens, lexicon), text, lexicon)
    entries = [entry for _, _, entry in items]

    def span(index: int) -> Span:
        return places[items[index][0]][0], places[items[index][1] - 1][1]

    found: dict[int, list[int]] = {}
    for cause, affected in _effects(entries, lambda entry: False):
        found.setdefault(affected, []).append(cause)
    unexplained = set(range(len(entries))) - found.keys()
    for cause, affected in _effects(entries, lambda entry: entry.kind not in _NOT_GOVERNING):
        if affected in unexplained:
            found.setdefault(affected, []).append(cause)
    reasons = {
        span(index): tuple(text[slice(*span(cause))] for cause in causes) for index, causes in found.items()
    }
    roles = resolve_scopes(entries)[1]
    dropped: dict[Span, str] = {}
    for index, (first, stop, entry) in enumerate(items):
        if entry.kind is Kind.EMOTION and not roles[index]:
            dropped[span(index)] = _RULES.get(entry.form, "voice quality")
        elif entry.kind is Kind.INERT and entry is not QUOTED:
            words = (lexicon.phrases.scan([word])[0][2] for word in tokens[first:stop])
            if any(word.kind in (Kind.EMOTION, Kind.BURST) for word in words):
                dropped[span(index)] = "fixed phrase"
    return Explanation(reasons, dropped)


def _effects(entries: list[Entry], ignored: Callable[[Entry], bool]) -> Iterator[tuple[int, int]]:
    """Yield the places of each entry that governs another, and of that other one, where some are ignored."""
    stops = [index for index, entry in enumerate(entries) if entry.kind is Kind.STOP]
    for cause, entry in enumerate(entries):
        if entry.kind in _NOT_GOVERNING:
            continue
        at = bisect_left(stops, cause)
        first = max(stops[at - 2] + 1 if at >= 2 else 0, cause - _FARTHEST)
        last = min(stops[at + 1] if at + 1 < len(stops) else len(entries), cause + _FARTHEST)
        around = [at for at in range(first, last) if at != cause and not ignored(entries[at])]
        before, after = (
            dict(zip(places, zip(*resolve_scopes([entries[at] for at in places]), strict=True), strict=True))
            for places in (around, sorted([*around, cause]))
        )
        for affected in around:
            if entries[affected].kind in _LEVELLED and before[affected] != after[affected]:
                yield cause, affected
