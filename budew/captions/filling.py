"""Filling the places of a sentence frame: which words, in which order, with which intensity.

An emotion word goes without an intensity only where the rules of `scope` give it the right level all the
same: moderate when nothing governs it, or the level that the list carries ("strong anger and fear").
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Literal

from budew.captions.english import joined, with_article
from budew.captions.lexicon import Lexicon
from budew.captions.scope import MODERATE
from budew.profile import VoiceProfile

Wording = Literal["varied", "plain"]
"""Whether words are drawn among the synonyms, or the first of each taken."""

_PLAIN_SHARE = 0.5  # of the emotion words that may go without an intensity, how many do
_AFTER_SHARE = 0.15  # of the intensities in prose, how many stand behind their word


class Filling:
    """The words for one caption. Each place is drawn when it is asked for, in the order of the frame."""

    def __init__(
        self, profile: VoiceProfile, lexicon: Lexicon, random: Random, *, wording: Wording = "varied"
    ) -> None:
        self.plain = wording == "plain"
        self.profile = profile
        self.lexicon = lexicon
        self.random = random
        self.emotions = list(profile.emotions.items())
        self._bursts = list(profile.bursts)
        random.shuffle(self.emotions)
        random.shuffle(self._bursts)

    def place(self, name: str) -> str:
        """Return the text for a place, empty where the profile has nothing to put there."""
        return _PLACES[name](self)

    def prose(self, emotions: Sequence[tuple[str, float]], form: str) -> str:
        """Return emotions as a list that "and" closes, or what is said in their place when there are none."""
        if not emotions:
            return self._neutral(form)
        said = []
        carried: float | None = None
        for name, level in emotions:
            word = self._word(name, form)
            if self.plain:
                said.append(f"{self._intensity(level, form)} {word}")
            elif (MODERATE if carried is None else carried) == level and self.random.random() < _PLAIN_SHARE:
                said.append(word)
            elif self.random.random() < _AFTER_SHARE:
                said.append(f"{word} {self._choose(self.lexicon.intensities[level].after)}")
                carried = None
            else:
                said.append(f"{self._intensity(level, form)} {word}")
                carried = level
        return joined(said)

    def tags(self, form: str) -> str:
        """Return emotions as a list of commas, each with its own intensity; a bare word is moderate."""
        if not self.emotions:
            return self._neutral(form)
        said = []
        for name, level in self.emotions:
            word = self._word(name, form)
            bare = not self.plain and level == MODERATE and self.random.random() < _PLAIN_SHARE
            said.append(word if bare else f"{self._intensity(level, form)} {word}")
        return ", ".join(said)

    def bursts(self) -> list[str]:
        """Return a phrase for each burst, with its article."""
        return [self._choose(self.lexicon.bursts[name]) for name in self._bursts]

    def trait(self, key: str) -> str:
        """Return a phrase for a trait, without an article."""
        value = self.profile.traits.get(key)
        if value is None:
            return ""
        phrases = self.lexicon.traits.get((key, str(value)))
        return self._choose(phrases) if phrases else self.lexicon.accent.format(value)

    def speaker(self, head: str) -> str:
        """Return age, gender and `head`, such as "elderly female voice"."""
        return " ".join(filter(None, (self.trait("age"), self.trait("gender"), head)))

    def a(self, phrase: str) -> str:
        """Return a phrase with its indefinite article; nothing for nothing."""
        return with_article(phrase, self.lexicon) if phrase else ""

    def _choose(self, phrases: Sequence[str]) -> str:
        return phrases[0] if self.plain else self.random.choice(phrases)

    def _neutral(self, form: str) -> str:
        neutral = self.lexicon.neutral
        return self._choose(neutral.noun if form == "noun" else neutral.adjective)

    def _word(self, name: str, form: str) -> str:
        forms = self.lexicon.emotions[name]
        return self._choose(forms.noun if form == "noun" else forms.adjective)

    def _intensity(self, level: float, form: str) -> str:
        forms = self.lexicon.intensities[level]
        return self._choose(forms.noun if form == "noun" else forms.adjective)


_PLACES: Mapping[str, Callable[[Filling], str]] = MappingProxyType(
    {
        "nouns": lambda fill: fill.prose(fill.emotions, "noun"),
        "adjectives": lambda fill: fill.prose(fill.emotions, "adjective"),
        "first_noun": lambda fill: fill.prose(fill.emotions[:1], "noun"),
        "other_nouns": lambda fill: fill.prose(fill.emotions[1:], "noun") if fill.emotions[1:] else "",
        "noun_tags": lambda fill: fill.tags("noun"),
        "adjective_tags": lambda fill: fill.tags("adjective"),
        "a_voice": lambda fill: fill.a(fill.speaker("voice")),
        "the_voice": lambda fill: f"the {fill.speaker('voice')}",
        "a_speaker": lambda fill: fill.a(fill.speaker("speaker")),
        "the_speaker": lambda fill: f"the {fill.speaker('speaker')}",
        "speaker_tags": lambda fill: ", ".join(filter(None, (fill.trait("age"), fill.trait("gender")))),
        "bursts": lambda fill: joined(fill.bursts()),
        "burst_tags": lambda fill: ", ".join(fill.bursts()),
        "an_accent": lambda fill: fill.a(fill.trait("accent")),
        "accent_tag": lambda fill: fill.trait("accent"),
        "a_style": lambda fill: fill.a(fill.trait("style")),
        "style_tag": lambda fill: fill.trait("style"),
    }
)
