"""Words for espeak-ng: the cues that a speech synthesizer itself can follow (pitch, intonation, rate,
pauses), as SSML.

espeak-ng's pitch setting is exponential: measured on its voices, 25, 50, 75 and 99 give 0.81, 1, 1.29
and 1.68 times the voice's own fundamental frequency, that is about 0.16 semitones a unit. Pitch
accents, the contour of the last words and an uneven rate are written word by word, since espeak-ng
ignores SSML's own `contour`.
"""

from html import escape

import numpy as np

from budew.randomness import generator
from budew.synthesis.espeak import Utterance
from budew.synthesis.plan import Plan
from budew.synthesis.tables import cues

SEMITONES_PER_UNIT = 0.16
NEUTRAL_PITCH, NEUTRAL_RANGE, NEUTRAL_RATE = 50.0, 45.0, 170.0
NEUTRAL_ACCENT = 1.0  # semitones, standard deviation from word to word
NEUTRAL_PAUSE = 0.3  # seconds in an utterance
SHORTEST_PAUSE = 0.12  # seconds; less is not heard as one
CONTOUR_WORDS = 3


def utterance(plan: Plan, *, formants: float) -> Utterance:
    """Return what espeak-ng is asked to say.

    Args:
        plan: the clip.
        formants: factor by which the audio will be resampled afterwards; pitch and rate are set so that
            they come out as planned.
    """
    rng = generator(plan.seed, plan.id, "speech")
    words = plan.text.split()
    accents = _word_pitches(plan, [rng.gauss(0, 1) for _ in words])
    rates = _word_rates(plan, [rng.gauss(0, 1) for _ in words])
    breaks = _breaks(plan, len(words), rng.sample(range(1, len(words)), k=min(3, len(words) - 1)))
    level = _setting(plan, "pitch_level", neutral=0.0) + plan.voice.pitch - 12 * np.log2(formants)
    base = _clip(NEUTRAL_PITCH + level / SEMITONES_PER_UNIT)
    marked = "".join(
        _word(
            word,
            pitch=_clip(base + accent / SEMITONES_PER_UNIT),
            rate=rate,
            silence=breaks.get(position, 0.0),
        )
        for position, (word, accent, rate) in enumerate(zip(words, accents, rates, strict=True))
    )
    rate = NEUTRAL_RATE * _setting(plan, "rate", neutral=1.0) / formants
    return Utterance(
        ssml=f"<speak>{marked}</speak>",
        voice=plan.voice.name,
        rate=int(np.clip(rate, 80, 450)),
        pitch=round(base),
        range=round(_clip(NEUTRAL_RANGE * (1 + plan.settings["pitch_range"]))),
        seed=rng.randrange(1, 2**31),
    )


def _word(word: str, *, pitch: float, rate: float, silence: float) -> str:
    pause = f'<break time="{silence * 1000:.0f}ms"/>' if silence else ""
    return f'{pause}<prosody pitch="{pitch:.0f}" rate="{rate * 100:.0f}%">{escape(word)}</prosody> '


def _word_pitches(plan: Plan, noise: list[float]) -> list[float]:
    """Return the pitch of each word in semitones over the utterance's own."""
    spread = max(0.0, _setting(plan, "pitch_range", neutral=NEUTRAL_ACCENT))
    contour = _setting(plan, "contour", neutral=-0.7)
    pitches = [spread * value for value in noise]
    for step in range(min(CONTOUR_WORDS, len(pitches))):
        pitches[-1 - step] = pitches[-1 - step] * 0.5 + contour * (CONTOUR_WORDS - step) / CONTOUR_WORDS
    return pitches


def _word_rates(plan: Plan, noise: list[float]) -> list[float]:
    spread = _setting(plan, "irregularity", neutral=0.04)
    return [float(np.clip(np.exp(spread * value), 0.4, 2.2)) for value in noise]


def _breaks(plan: Plan, words: int, places: list[int]) -> dict[int, float]:
    """Return seconds of silence before each word that has some."""
    total = max(0.0, _setting(plan, "pauses", neutral=NEUTRAL_PAUSE))
    count = min(len(places), 1 + int(total / 0.5))
    each = total / count if count else 0.0
    return dict.fromkeys(places[:count], each) if each >= SHORTEST_PAUSE and words > 1 else {}


def _setting(plan: Plan, cue: str, *, neutral: float) -> float:
    return cues()[cue].at(plan.settings[cue], neutral=neutral)


def _clip(value: float) -> float:
    return float(np.clip(value, 0, 99))
