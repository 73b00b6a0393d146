"""The places that frames of the offline rewriting may name, and which of them a profile has something for."""

from collections.abc import Sequence

from budew.captions.filling import Said
from budew.paraphrase.grammar.vocabulary import Vocabulary

_ALL = ("nouns", "adjectives", "adverbials", "fillings", "statements")
_FIRST = (
    "first_noun", "first_adjective", "first_adverbial", "first_tone", "first_verb", "first_filling",
    "a_first_speaker", "a_first_voice",
)  # fmt: skip
_REST = ("rest_nouns", "rest_adjectives", "rest_adverbials", "rest_fillings")
_VOICE = (
    "a_voice", "the_voice", "known_voice", "a_speaker", "the_speaker", "known_speaker", "a_first_speaker",
    "a_first_voice",
)  # fmt: skip
_SLIGHT = 0.25
CONDITIONS = frozenset(("one", "more", "rest_one", "rest_more", "rest_slight", "strongest", "weakest"))
"""Places without a text, for what stands in brackets beside them."""
PLACES = (
    *_ALL, *_FIRST, *_REST, *_VOICE, "bursts", "burst_verbs", "accent_timbre", "manner", "qualities",
    "recording", "speaks", "she", "her", *sorted(CONDITIONS),
)  # fmt: skip
BIT = {name: 1 << index for index, name in enumerate(dict.fromkeys(PLACES))}
BIT["delivery"] = BIT["manner"]


def _bits(*places: str) -> int:
    return sum(BIT[place] for place in places)


OF_ORDER = _bits("first_verb", "strongest", "weakest", "rest_slight")
"""The places that depend on which emotion comes first."""
_WITH_EMOTIONS = _bits(*(place for place in (*_ALL, *_FIRST) if place != "first_verb"))
_ALWAYS = _bits("a_voice", "the_voice", "a_speaker", "the_speaker", "speaks")
_KNOWN = _bits("known_voice", "known_speaker")
_OF_TRAIT = {
    "accent": _KNOWN | _bits("accent_timbre"), "timbre": _KNOWN | _bits("accent_timbre"),
    "style": _bits("manner"), "pace": _bits("manner"), "age": _KNOWN, "gender": _KNOWN,
}  # fmt: skip
_ONE, _TWO, _MORE = _bits("one"), _bits("more", "rest_one", *_REST), _bits("more", "rest_more", *_REST)
_PRONOUNS = _bits("she", "her")
_RECORDING = ("Recording_Quality", "Background_Noise")


def possible(said: Said, vocabulary: Vocabulary) -> int:
    """Return the bits of the places that can be filled, whichever emotion comes first."""
    bits = _ALWAYS
    for key in said.traits:
        bits |= _OF_TRAIT[key]
    for name, _ in said.attributes:
        bits |= BIT["recording" if name in _RECORDING else "qualities"]
    if said.traits.get("gender") in vocabulary.pronouns:
        bits |= _PRONOUNS
    if said.bursts:
        bits |= BIT["bursts"]
        if all(name in vocabulary.burst_verbs for name in said.bursts):
            bits |= BIT["burst_verbs"]
    if said.emotions:
        bits |= _WITH_EMOTIONS | (_ONE, _TWO, _MORE)[min(len(said.emotions), 3) - 1]
        for at in range(len(said.emotions)):
            first = [said.emotions[at], *said.emotions[:at], *said.emotions[at + 1 :]]
            bits |= of_order(first, vocabulary)
    return bits


def of_order(emotions: Sequence[tuple[str, float]], vocabulary: Vocabulary) -> int:
    """Return the bits of the places that depend on which emotion comes first."""
    bits = 0
    if not emotions:
        return bits
    first, rest = emotions[0], [level for _, level in emotions[1:]]
    if vocabulary.says("verb", *first)[0]:
        bits |= BIT["first_verb"]
    if not rest or max(rest) < first[1]:
        bits |= BIT["strongest"]
    if rest and min(rest) > first[1]:
        bits |= BIT["weakest"]
    if rest and max(rest) == _SLIGHT:
        bits |= BIT["rest_slight"]
    return bits
