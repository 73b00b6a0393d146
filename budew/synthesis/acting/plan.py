"""What is to be acted: clip after clip of voices × emotions × intensities × languages × accents × challenges.

Clip i is a function of the plan and i, so that a plan has no length: any beginning of it is balanced, and a
longer corpus begins with the clips of a shorter one. How evenly levels are dealt is told in `deal`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.synthesis.acting.deal import dealt, dealt_from_deck
from budew.synthesis.acting.instructions import instruct
from budew.synthesis.acting.tables import challenges, languages

FITTING, NEUTRAL = "fitting", "neutral"
TEXTS = (FITTING, NEUTRAL)
"""Kinds of lines: written for the emotion, or chosen without regard to it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One clip to be acted.

    Attributes:
        number: its place in the plan.
        id: of the clip, made of seed and number.
        seed: of the plan.
        emotion, intensity: what is acted; the intensity is a level in (0, 1].
        voice: name of who speaks.
        language, accent: code of the language, and an accent of it.
        challenge: name of the acting challenge.
        kind: of the line, one of `TEXTS`.
        text: what is said.
        instructions: what a speech model is told.
    """

    number: int
    id: str
    seed: int
    emotion: str
    intensity: float
    voice: str
    language: str
    accent: str
    challenge: str
    kind: str
    text: str
    instructions: str

    def profile(self, *, bursts: tuple[str, ...] = (), gender: str | None = None) -> VoiceProfile:
        """Return what is to be heard: what is planned, with what only the backend knows."""
        challenge, accent = challenges()[self.challenge], languages()[self.language].accent(self.accent)
        traits = {
            "gender": gender,
            "accent": None if accent.unmarked else accent.name,
            "style": challenge.style,
        }
        known = {name: value for name, value in traits.items() if value is not None}
        return VoiceProfile({self.emotion: self.intensity}, (*challenge.bursts, *bursts), known)


@dataclass(frozen=True, slots=True)
class ActingPlan:
    """The levels of each axis, and the seed. `make_plan` makes one of names as people write them.

    Attributes:
        seed: decides what meets what.
        emotions: canonical names.
        intensities: levels in (0, 1].
        voices: names that the backend knows.
        accents: code of a language to the accents in which it is spoken.
        challenges: names of `challenges.yaml`.
        texts: kinds of lines, of `TEXTS`.
    """

    seed: int
    emotions: tuple[str, ...]
    intensities: tuple[float, ...]
    voices: tuple[str, ...]
    accents: Mapping[str, tuple[str, ...]]
    challenges: tuple[str, ...]
    texts: tuple[str, ...]

    def item(self, number: int) -> Item:
        """Return clip `number` of the plan, from 0."""
        turn, place = divmod(number, len(self.emotions))
        emotion = self.emotions[self._from_deck("emotion", place, len(self.emotions))]
        language = tuple(self.accents)[self._dealt("language", number, len(self.accents))]
        accents = self.accents[language]
        again = turn // len(self.accents)  # how often the emotion came in this language before
        accent = accents[self._dealt(f"accent {language}", again * len(self.emotions) + place, len(accents))]
        intensity = self.intensities[self._dealt("intensity", number, len(self.intensities))]
        challenge = self.challenges[self._dealt("challenge", number, len(self.challenges))]
        kind = self.texts[self._dealt("text", number, len(self.texts))]
        name = self.id_of(number)
        return Item(
            number=number,
            id=name,
            seed=self.seed,
            emotion=emotion,
            intensity=intensity,
            voice=self.voices[self._dealt("voice", number, len(self.voices))],
            language=language,
            accent=accent,
            challenge=challenge,
            kind=kind,
            text=self._line(name, emotion, language, kind, again),
            instructions=instruct(
                emotion, intensity, language=language, accent=accent, challenge=challenge, of=name
            ),
        )

    def id_of(self, number: int) -> str:
        """Return the id of clip `number`."""
        return f"act-{self.seed}-{number:07d}"

    def to_dict(self) -> dict[str, object]:
        """Return all that decides the clips, as JSON values."""
        return {
            "seed": self.seed,
            "emotions": list(self.emotions),
            "intensities": list(self.intensities),
            "voices": list(self.voices),
            "accents": {language: list(accents) for language, accents in self.accents.items()},
            "challenges": list(self.challenges),
            "texts": list(self.texts),
        }

    def _dealt(self, axis: str, number: int, size: int) -> int:
        return dealt(number, size=size, rounds=len(self.emotions), seed=self.seed, axis=axis)

    def _from_deck(self, axis: str, number: int, size: int) -> int:
        return dealt_from_deck(number, size=size, seed=self.seed, axis=axis)

    def _line(self, name: str, emotion: str, language: str, kind: str, again: int) -> str:
        told = languages()[language]
        lines = told.lines[emotion] if kind == FITTING else told.neutral
        line = lines[self._from_deck(f"line {language} {kind} {emotion}", again, len(lines))]
        if "{" not in line:
            return line
        rng = generator(self.seed, name, "slots")
        return line.format(**{slot: rng.choice(words) for slot, words in told.slots.items()})
