"""Plans of synthetic clips: speaker, text, emotions, vocal cues, a function of (seed, split, number) alone.

One or two emotions are drawn (a few clips are neutral), their vocal correlates are added up in proportion to
intensity, and random variation is added, since no two speakers use a cue alike. The plan is also the upper
bound in the benchmarks: the sound contains no more about the emotions than the settings of the plan.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from budew.io.resources import packaged_table
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.taxonomy import EMOTIONS

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
SAMPLING_RATE = 16_000
"""Hz of all synthetic speech."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Values of a vocal cue at strength -1 (`low`), 0 (`neutral`) and +1 (`high`), as in `cues.yaml`."""

    low: float
    neutral: float
    high: float

    def at(self, strength: float, *, neutral: float | None = None) -> float:
        """Return the value of the cue at a strength, which is clipped to [-1.1, 1.1]."""
        strength = max(-1.1, min(1.1, strength))
        neutral = self.neutral if neutral is None else neutral
        end = self.high if strength > 0 else self.low
        return neutral + abs(strength) * (end - neutral)


@cache
def synthesis_table(name: str) -> Any:
    """Return the contents of the packaged data file `budew/synthesis/NAME.yaml`; cached."""
    return packaged_table(__package__, name)


@cache
def cues() -> dict[str, Cue]:
    """Return the vocal cues by name, in the order of `cues.yaml`."""
    rows = synthesis_table("cues")["cues"]
    return {name: Cue(row["low"], row["neutral"], row["high"]) for name, row in rows.items()}


@dataclass(frozen=True, slots=True)
class Voice:
    """A synthetic speaker: an espeak-ng voice with shifted formants and pitch.

    Attributes:
        name: language and variant as espeak-ng names them, such as "en-us+m3".
        speaker: unique name of the speaker.
        language: BCP 47 primary language, such as "en".
        gender: "female" or "male".
        vocal_tract: factor on the formant frequencies of the variant.
        pitch: semitones above the pitch of the variant; may be negative.
    """

    name: str
    speaker: str
    language: str
    gender: str
    vocal_tract: float
    pitch: float


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """Everything that determines the sound of one synthetic clip.

    Attributes:
        id, seed: id of the clip and seed of the corpus, from which random numbers are derived.
        profile: emotions, vocal bursts and gender of the clip.
        voice: speaker.
        text: spoken text.
        settings: strength of each vocal cue, about -1 to 1; 0 is neutral speech.
        bursts_before, bursts_after: names of the vocal bursts before and after the text.

    Example:
        >>> plan = plan_clip(7, seed=1, split="test")
        >>> sorted(plan.settings) == sorted(cues())
        True
    """

    id: str
    seed: int
    profile: VoiceProfile
    voice: Voice
    text: str
    settings: Mapping[str, float]
    bursts_before: tuple[str, ...]
    bursts_after: tuple[str, ...]


def plan_clip(number: int, *, seed: int, split: Split) -> ClipPlan:
    """Draw the plan of clip `number` of the corpus with this seed and split.

    Example:
        >>> plan = plan_clip(0, seed=1, split="train")
        >>> plan.id, plan == plan_clip(0, seed=1, split="train")
        ('train-1-0000000', True)
    """
    id = clip_id(number, seed=seed, split=split)
    rng = generator(seed, id, "plan")
    voice = _draw_voice(rng, split)
    emotions = draw_emotions(rng)
    settings, bursts = express(emotions, rng)
    text = rng.choice(synthesis_table("texts")[voice.language])
    rng.shuffle(bursts)
    cut = sum(rng.random() < 0.5 for _ in bursts)
    profile = VoiceProfile(emotions, bursts, {"gender": voice.gender})
    return ClipPlan(id, seed, profile, voice, text, settings, tuple(bursts[:cut]), tuple(bursts[cut:]))


def clip_id(number: int, *, seed: int, split: Split) -> str:
    """Return the id of clip `number` of a synthetic corpus: SPLIT-SEED-NUMBER."""
    return f"{split}-{seed}-{number:07d}"


def voice_of(variant: str, person: int, *, accent: str, language: str, gender: str) -> Voice:
    """Return a speaker, whose formants and pitch are derived from `variant` and `person`.

    `variant` is one of espeak-ng, such as "m3"; `person` counts its speakers; `accent` is a voice, such as
    "en-us".
    """
    body = generator(0, f"{variant}/{person}", "speaker")
    tract = 1 + body.uniform(-1, 1) * synthesis_table("voices")["vocal_tract"]
    pitch = body.uniform(-1, 1) * synthesis_table("voices")["habitual_pitch"]
    return Voice(f"{accent}+{variant}", f"{variant}-{person:02d}", language, gender, tract, pitch)


def _draw_voice(rng: random.Random, split: Split) -> Voice:
    voices = synthesis_table("voices")
    language = rng.choice(list(voices["languages"]))
    accent = rng.choice(voices["languages"][language])
    gender = rng.choice(["female", "male"])
    variant = rng.choice(voices["variants"][split][gender])
    person = rng.randrange(voices["speakers"])
    return voice_of(variant, person, accent=accent, language=language, gender=gender)


def draw_emotions(rng: random.Random, among: Sequence[str] = EMOTIONS) -> dict[str, float]:
    """Draw one or two emotions of `among`, by name with their intensities (0 to 1); sometimes none."""
    rules = synthesis_table("cues")
    if rng.random() < rules["neutral_share"]:
        return {}
    count = 2 if rng.random() < rules["two_emotions_share"] else 1
    names = rng.sample(among, min(count, len(among)))
    return {
        name: rng.choices(list(shares), list(shares.values()))[0]
        for name, shares in zip(names, rules["levels"], strict=False)
    }


def express(emotions: Mapping[str, float], rng: random.Random) -> tuple[dict[str, float], list[str]]:
    """Draw how a voice expresses emotions: the strength of each vocal cue, and names of vocal bursts.

    `emotions` are intensities (0 to 1) by name; the table `correlates.yaml` has the cues of each emotion.
    """
    rules = synthesis_table("cues")
    settings = dict.fromkeys(cues(), 0.0)
    bursts: list[str] = []
    for emotion, intensity in emotions.items():
        strength = intensity ** rules["compression"]
        row = synthesis_table("correlates")[emotion]
        for cue, size in row["cues"].items():
            settings[cue] += strength * size * rng.uniform(*rules["usage"])
        for name, chance in row["bursts"].items():
            if rng.random() < chance * strength and name not in bursts:
                bursts.append(name)
    settings = {cue: round(value + rng.gauss(0, rules["spread"]), 4) for cue, value in settings.items()}
    return settings, bursts[: rules["most_bursts"]]
