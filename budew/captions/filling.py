"""Filling the places of a sentence frame: which words, in which order, with which intensity.

An emotion word goes without an intensity only where the rules of `scope` give it the right level all the
same: moderate when nothing governs it, or the level that the list carries ("strong anger and fear").
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from budew.captions.draw import Draw
from budew.captions.english import joined, with_article
from budew.captions.lexicon import Lexicon
from budew.captions.lexicon_words import Wordings
from budew.captions.places import BIT
from budew.captions.scope_state import MODERATE

Wording = Literal["varied", "plain"]
"""Whether words are drawn among the synonyms, or the first of each taken."""

_BARE = 2  # one in so many emotion words that may go without an intensity does
_AFTER = 7  # one in so many of the intensities in prose stands behind its word
_RECORDING = ("Recording_Quality", "Background_Noise")
_BEHIND = 1
"""The bit of an intensity behind its word."""
_PERSON = {"female": "woman", "male": "man"}
_SPEAKER = "speaker"


class Said(NamedTuple):
    """What a caption shall say: emotions with levels, bursts, traits as words, and voice attributes as
    their near or far pole.
    """

    emotions: list[tuple[str, float]]
    bursts: list[str]
    traits: dict[str, str]
    attributes: list[tuple[str, float]]
    feelings: bool = True


class Filling:
    """The words for one caption. Each place is drawn when it is asked for, in the order of the frame."""

    __slots__ = ("_draw", "_person", "_used", "below", "emotions", "filled", "lexicon", "plain", "said")

    def __init__(self, said: Said, lexicon: Lexicon, draw: Draw, *, wording: Wording = "varied") -> None:
        self.said = said
        self.lexicon = lexicon
        self.plain = wording == "plain"
        self._draw = draw
        self.below = _first if self.plain else draw.below
        self.emotions = said.emotions
        draw.shuffle(said.emotions)
        if said.bursts:
            draw.shuffle(said.bursts)
        self.filled = _filled(said)
        self._person = ""  # the last that was named
        self._used = 0  # a bit for each intensity that stands in the caption already

    def place(self, name: str) -> str:
        """Return the text for a place, empty where the profile has nothing to put there."""
        return _PLACES[name](self)

    def prose(self, emotions: Sequence[tuple[str, float]], form: str) -> str:
        """Return emotions as a list that "and" closes, or what is said in their place when there are none."""
        if not emotions:
            return self._choose(self.lexicon.neutral[form])
        book, below = self.lexicon.book[form], self.below
        if self.plain:
            return joined([book[emotion].before[0] for emotion in emotions])
        said = []
        carried: float | None = None
        for name, level in emotions:
            words = book[name, level]
            if (MODERATE if carried is None else carried) == level and not below(_BARE):
                said.append(words.bare[below(len(words.bare))])
            elif words.after and not below(_AFTER) and not self._used & _BEHIND:
                self._used |= _BEHIND
                said.append(words.after[below(len(words.after))])
                carried = None
            else:
                said.append(self._graded(words))
                carried = level
        return joined(said)

    def tags(self, form: str) -> str:
        """Return emotions as a list of commas, each with its own intensity; a bare word is moderate."""
        if not self.emotions:
            return self._choose(self.lexicon.neutral[form])
        book, below = self.lexicon.book[form], self.below
        if self.plain:
            return ", ".join([book[emotion].before[0] for emotion in self.emotions])
        said = []
        for name, level in self.emotions:
            words = book[name, level]
            if level == MODERATE and not below(_BARE):
                said.append(words.bare[below(len(words.bare))])
            else:
                said.append(self._graded(words))
        return ", ".join(said)

    def _graded(self, words: Wordings) -> str:
        """Return a word with an intensity before it, one that does not stand in the caption yet."""
        options, count = words.before, len(words.bare)
        drawn = self.below(len(options))
        degree = words.bit << drawn // count
        if self._used & degree:
            drawn = self._with_another(drawn, words)
            degree = words.bit << drawn // count
        self._used |= degree
        return options[drawn]

    def _with_another(self, drawn: int, words: Wordings) -> int:
        """Return the place of the same word with an intensity that is not used; if there is none, its own."""
        size, count = len(words.before), len(words.bare)
        places = (at % size for at in range(drawn + count, drawn + size, count))
        return next((at for at in places if not self._used & words.bit << at // count), drawn)

    def bursts(self) -> list[str]:
        """Return a phrase for each burst, with its article."""
        if self.plain:
            return [self.lexicon.plain_bursts[name] for name in self.said.bursts]
        return [self._choose(self.lexicon.bursts[name]) for name in self.said.bursts]

    def trait(self, key: str) -> str:
        """Return a phrase for a trait, without an article."""
        value = self.said.traits.get(key)
        if value is None:
            return ""
        phrases = self.lexicon.traits.get((key, value))
        return self._choose(phrases) if phrases else self.lexicon.accent.format(value)

    def voice(self) -> str:
        """Return age and gender before "voice", such as "elderly female voice"."""
        return " ".join(filter(None, (self.trait("age"), self.trait("gender"), "voice")))

    def speaker(self) -> str:
        """Return age and gender of a person, such as "elderly woman" or "young male speaker"."""
        age, gender = self.trait("age"), self.said.traits.get("gender", "")
        person = _PERSON.get(gender)
        if person and self.said.traits.get("age") != "child" and not self.below(2):
            self._person = person
            return f"{age} {person}" if age else person
        said = self.lexicon.traits["gender", gender][0] if gender else ""
        self._person = _SPEAKER
        return " ".join(filter(None, (age, said, _SPEAKER)))

    def speaks(self) -> str:
        """Return what the last named person does; a speaker does not speak."""
        verbs = self.lexicon.speaks
        return self._choose(verbs[1:] if self._person == _SPEAKER else verbs)

    def accent_timbre(self) -> str:
        """Return accent and timbre with their articles."""
        timbre = self.trait("timbre")
        return joined(
            [self.a(said) for said in (self.trait("accent"), timbre and f"{timbre} timbre") if said]
        )

    def manner(self, of: str = "speaker") -> str:
        """Return style and pace, such as "in a casual style and at a slow pace", of a speaker or of words."""
        style, pace = self.said.traits.get("style"), self.trait("pace")
        said = []
        if style:
            phrases = self.lexicon.traits["style", style] if self.plain else self.lexicon.manners[style, of]
            said.append(self._choose(phrases))
        return joined([*said, f"at {self.a(pace)} pace"] if pace else said)

    def qualities(self) -> list[str]:
        """Return an adjective for each voice attribute but those of the recording."""
        poles = self.lexicon.attributes
        return [self._choose(poles[pole]) for pole in self.said.attributes if pole[0] not in _RECORDING]

    def recording(self) -> list[str]:
        """Return what is said of the recording, with articles where English has them."""
        poles = self.lexicon.attributes
        return [self._choose(poles[pole]) for pole in self.said.attributes if pole[0] in _RECORDING]

    def a(self, phrase: str) -> str:
        """Return a phrase with its indefinite article; nothing for nothing."""
        return with_article(phrase, self.lexicon.sounds) if phrase else ""

    def _choose(self, phrases: Sequence[str]) -> str:
        return phrases[self.below(len(phrases))]


def _first(count: int) -> int:
    return 0


def _bits(*places: str) -> int:
    return sum(BIT[place] for place in places)


_ALWAYS = _bits(
    "nouns", "adjectives", "noun_tags", "adjective_tags", "first_noun", "a_voice", "the_voice",
    "a_speaker", "the_speaker", "speaks"
)  # fmt: skip
_KNOWN = _bits("known_voice", "known_speaker")
_WITH = {
    "bursts": _bits("bursts", "burst_tags"),
    "accent": _bits("accent_timbre", "accent_tags"),
    "timbre": _bits("accent_timbre", "accent_tags"),
    "manner": _bits("manner", "manner_tags"),
    "speaker": _bits("speaker_tags"),
    "qualities": _bits("qualities", "quality_tags"),
    "recording": _bits("recording", "recording_tags"),
}
_OF_TRAIT = {
    "accent": _WITH["accent"] | _KNOWN, "timbre": _WITH["timbre"] | _KNOWN, "style": _WITH["manner"],
    "pace": _WITH["manner"], "age": _WITH["speaker"] | _KNOWN, "gender": _WITH["speaker"] | _KNOWN,
}  # fmt: skip


def _filled(said: Said) -> int:
    """Return the bits of the places that this profile has something for."""
    bits = _ALWAYS
    if len(said.emotions) > 1:
        bits |= BIT["other_nouns"]
    if said.bursts:
        bits |= _WITH["bursts"]
    for key in said.traits:
        bits |= _OF_TRAIT[key]
    for name, _ in said.attributes:
        bits |= _WITH["recording" if name in _RECORDING else "qualities"]
    return bits


_TAGS = ("speaker_tags", "accent_tags", "quality_tags", "manner_tags", "burst_tags", "recording_tags")
_PLACES: Mapping[str, Callable[[Filling], str]] = MappingProxyType(
    {
        "nouns": lambda fill: fill.prose(fill.emotions, "noun"),
        "adjectives": lambda fill: fill.prose(fill.emotions, "adjective"),
        "first_noun": lambda fill: fill.prose(fill.emotions[:1], "noun"),
        "other_nouns": lambda fill: fill.prose(fill.emotions[1:], "noun") if fill.emotions[1:] else "",
        "noun_tags": lambda fill: fill.tags("noun"),
        "adjective_tags": lambda fill: fill.tags("adjective"),
        "a_voice": lambda fill: fill.a(fill.voice()),
        "known_voice": lambda fill: fill.a(fill.voice()),
        "the_voice": lambda fill: f"the {fill.voice()}",
        "a_speaker": lambda fill: fill.a(fill.speaker()),
        "known_speaker": lambda fill: fill.a(fill.speaker()),
        "the_speaker": lambda fill: f"the {fill.speaker()}",
        "speaks": Filling.speaks,
        "speaker_tags": lambda fill: ", ".join(filter(None, (fill.trait("age"), fill.trait("gender")))),
        "bursts": lambda fill: joined(fill.bursts()),
        "burst_tags": lambda fill: ", ".join(fill.bursts()),
        "accent_timbre": Filling.accent_timbre,
        "accent_tags": lambda fill: ", ".join(
            filter(None, (fill.trait("accent"), (timbre := fill.trait("timbre")) and f"{timbre} timbre"))
        ),
        "manner": Filling.manner,
        "delivery": lambda fill: fill.manner("words"),
        "manner_tags": lambda fill: ", ".join(
            filter(None, (fill.trait("style"), (pace := fill.trait("pace")) and f"{pace} pace"))
        ),
        "qualities": lambda fill: joined(fill.qualities()),
        "quality_tags": lambda fill: ", ".join(fill.qualities()),
        "recording": lambda fill: joined(fill.recording()),
        "recording_tags": lambda fill: ", ".join(fill.recording()),
        "all_tags": lambda fill: ", ".join(filter(None, map(fill.place, _TAGS))) or "voice",
    }
)
