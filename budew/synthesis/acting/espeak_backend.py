"""Acting without a server: espeak-ng with the vocal cues of the emotion, changed by the challenge.

A substitute for a speech server, free and offline, that gives the same bytes every time: nearly 40 clips a
second on one core. Use it to test a plan; a model trained on it learns vocal cues, not acting. Each challenge
changes the strength of the emotion in parts of the line, adds cues, or inserts vocal bursts
(`challenges.yaml`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

from budew.errors import InputError, require
from budew.jobs import OnFailed
from budew.randomness import generator
from budew.synthesis.acting.acting_data import challenges, languages
from budew.synthesis.acting.speech_backend import PlannedClip, SpokenClip
from budew.synthesis.clip_plan import SAMPLING_RATE, ClipPlan, Voice, cues, express, synthesis_table, voice_of
from budew.synthesis.espeak import Espeak
from budew.synthesis.speech_signal import as_flac, synthesize_parts

LONGEST = 30.0
"""Most seconds of a clip. The longest line takes about 15 s when every cue slows it down."""
_AT_A_MARK = 1.5  # words by which a cut may move to follow a punctuation mark
_STANDING_ALONE = re.compile(r"\s+(?=[!?;:])")  # French has spaces before marks, which would count as words


@dataclass(frozen=True, slots=True)
class EspeakBackend:
    """Speech backend that uses espeak-ng, without a server.

    Voices are named VARIANT-NUMBER, such as `f1-03`: a variant of espeak-ng (listed in
    `budew/synthesis/voices.yaml`) and one of the 24 speakers derived from it.
    """

    name: str = "espeak-ng"
    wording: str = "line"
    license: ClassVar[str | None] = "CC0-1.0"
    computes: ClassVar[bool] = True
    instructed: ClassVar[bool] = False

    def voices(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return the voices with these names; for None, twelve voices of the training split."""
        chosen = tuple(synthesis_table("acting/voices")["espeak"] if names is None else names)
        return tuple(f"{variant}-{person:02d}" for variant, person, _ in map(_person, chosen))

    def accents(self, language: str) -> tuple[str, ...]:
        """Return the accents that espeak-ng has for a language code."""
        return tuple(name for name, voice in languages()[language].accents.items() if voice)

    def settings(self) -> dict[str, Any]:
        """Return the name of the backend, its only setting; the job records the version of the package."""
        return {"backend": self.name}

    def speak(
        self, clips: Iterable[PlannedClip], failed: OnFailed
    ) -> Iterator[tuple[PlannedClip, SpokenClip]]:
        """Yield each clip with its speech, in order; call `failed` for clips that cannot be spoken."""
        require("espeakng_loader", extra="train", purpose="budew corpus act --backend espeak")
        with Espeak() as espeak:
            for clip in clips:
                parts, bursts = parts_of(clip)
                voice = parts[0].voice
                try:
                    samples = synthesize_parts(parts, espeak, longest=LONGEST)
                except InputError as error:
                    failed(clip.id, error)
                    continue
                seconds, details = round(len(samples) / SAMPLING_RATE, 4), {"espeak_voice": voice.name}
                audio = as_flac(samples), "flac", SAMPLING_RATE, seconds
                yield clip, SpokenClip(*audio, bursts, voice.gender, details=details)


def parts_of(clip: PlannedClip) -> tuple[list[ClipPlan], tuple[str, ...]]:
    """Return plans for the parts of a clip, and the names of the vocal bursts of its emotion.

    The challenge divides the line into parts. The cues of the emotion are drawn once for the clip and scaled
    for each part. Bursts of the challenge occur at the places that it specifies, bursts of the emotion at the
    end.
    """
    challenge = challenges()[clip.challenge]
    settings, bursts = express({clip.emotion: clip.intensity}, generator(clip.seed, clip.id, "express"))
    words = split_line(clip.text, len(challenge.parts))
    voice, profile = _voice(clip), clip.profile(bursts=tuple(bursts))
    parts = []
    for number, (text, share) in enumerate(zip(words, challenge.parts, strict=False)):
        part = {cue: round(settings[cue] * share + challenge.cues.get(cue, 0.0), 4) for cue in cues()}
        name = f"{clip.id}/{number}" if number else clip.id
        parts.append(ClipPlan(name, clip.seed, profile, voice, text, part, (), ()))
    parts[0] = replace(parts[0], bursts_before=challenge.before, bursts_after=challenge.between)
    after = (name for name in bursts if name not in challenge.bursts)
    parts[-1] = replace(parts[-1], bursts_after=(*parts[-1].bursts_after, *after, *challenge.after))
    return parts, tuple(bursts)


def split_line(text: str, count: int) -> list[str]:
    """Split a line into at most `count` parts of similar length, after punctuation marks where possible."""
    words = _STANDING_ALONE.sub("", text).split()
    marks = [_AT_A_MARK * (word[-1] in ".,;:!?") for word in words]
    count = min(count, len(words))
    cuts = [0]
    for number in range(1, count):
        places = range(cuts[-1] + 1, len(words) - count + number + 1)
        off = {place: abs(place - number * len(words) / count) - marks[place - 1] for place in places}
        cuts.append(min(off, key=off.__getitem__))
    return [" ".join(words[start:end]) for start, end in pairwise([*cuts, len(words)])]


def _person(name: str) -> tuple[str, int, str]:
    """Return variant, number and gender of a voice; InputError if it does not exist."""
    variant, _, number = name.rpartition("-")
    voices = synthesis_table("voices")
    splits, persons = voices["variants"].values(), range(voices["speakers"])
    genders = {known: gender for split in splits for gender, names in split.items() for known in names}
    if variant in genders and number.isdecimal() and int(number) in persons:
        return variant, int(number), genders[variant]
    raise InputError(
        f"espeak-ng has no voice {name!r}: use VARIANT-NUMBER such as f1-03, with a number up to "
        f"{persons[-1]} and one of {', '.join(sorted(genders))}"
    )


def _voice(clip: PlannedClip) -> Voice:
    variant, person, gender = _person(clip.voice)
    accent = languages()[clip.language].accents[clip.accent]
    if accent is None:
        raise InputError(
            f"espeak-ng has no {clip.accent} accent: use a speech server, or leave the accent out"
        )
    return voice_of(variant, person, accent=accent, language=clip.language, gender=gender)
