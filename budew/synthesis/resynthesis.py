"""Emotional speech from neutral recordings of people: the vocal cues of `correlates.yaml` on real voices.

The vocoder WORLD (Morise et al. 2016) divides speech into pitch, spectral envelope and noise. Pitch level,
pitch range, contour, rate and formants are changed between analysis and synthesis. The other cues (such as
breathiness and tremor) are added by `speech_signal.color`, as to espeak-ng's speech. Words, accent and voice
stay those of the speaker. About 4 clips a second on one core.

Labels are the emotions that were requested, as for all synthetic speech. The voices, microphones and rooms
are real, so that a model does not learn to recognize emotional speech by its microphone (docs/journal.md).
"""

import random
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from budew.audio.samples import decode
from budew.corpora.clip import Clip
from budew.errors import CorpusError, InputError, require
from budew.jobs.job import OnFailed
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.synthesis.clip_plan import SAMPLING_RATE, cues, draw_emotions, express
from budew.synthesis.speech_signal import RECORDING_GAIN, Signal, as_flac, color, record
from budew.taxonomy import EMOTIONS
from budew.version import __version__

LOWEST_PITCH, HIGHEST_PITCH = 55.0, 700.0  # Hz, to which changed pitch is clipped
PITCH_SHARE = 0.7  # factor on the changes of pitch level of `cues.yaml`, as recorded speech already varies
CONTOUR_SHARE = 0.5  # factor on the rise or fall of `cues.yaml`
CONTOUR_STARTS = 0.65  # share of the clip after which the rise or fall begins
FLATTEST = 0.15  # least factor on the pitch range of a recording
HABIT = 0.06  # largest relative shift of the formants, which varies the voices between clips
LEAST_VOICED = 20  # frames of 5 ms; pieces with fewer voiced ones contain no speech
_CANDIDATES = 12  # random places at which a piece may begin; the quietest is used


@dataclass(frozen=True, slots=True)
class Resynthesize:
    """A `budew.jobs.Job` that makes emotional clips from neutral recordings, by changing their vocal cues.

    Attributes:
        seed: random seed; emotions, piece and cues depend on it, the id of the clip and the number of the
            copy.
        per_clip: number of copies made from each clip, each from a random piece with random emotions.
        emotions: names of the emotions to draw from; () for all 40.
        shortest, longest: range from which the length of a piece is drawn, in seconds before the rate is
            changed.
        name: name of the job.
    """

    seed: int = 0
    per_clip: int = 4
    emotions: tuple[str, ...] = ()
    shortest: float = 2.0
    longest: float = 5.0
    name: str = "resynthesize"

    def __post_init__(self) -> None:
        if self.per_clip < 1 or not 0.5 <= self.shortest <= self.longest:
            raise InputError("per_clip must be at least 1, shortest at least 0.5 s, and longest not below it")

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the resulting clips, as JSON values."""
        return {**asdict(self), "version": __version__}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield `per_clip` new clips for each clip; call `failed` for clips that cannot be changed."""
        for clip in clips:
            try:
                samples = decode(clip.audio, sampling_rate=SAMPLING_RATE, name=clip.id).usable
                made = [
                    self._made(clip, samples.astype(np.float64), number) for number in range(self.per_clip)
                ]
            except Exception as error:  # noqa: BLE001  # a failing clip must not end the job
                failed(clip.id, error)
                continue
            yield from made

    def _made(self, clip: Clip, samples: Signal, number: int) -> Clip:
        id = f"{clip.id}-r{number:02d}"
        rng = generator(self.seed, id, "resynthesis")
        emotions = draw_emotions(rng, self.emotions or EMOTIONS)
        settings, _ = express(emotions, rng)
        spoken = cut(samples, rng.uniform(self.shortest, self.longest), rng)
        voice = change_prosody(spoken, settings, formants=1 + rng.uniform(-HABIT, HABIT), name=clip.id)
        colored = color(voice / np.sqrt(np.mean(voice**2)), settings, rng=rng)
        gain, floor, noise = rng.gauss(0, RECORDING_GAIN), rng.uniform(-75, -50), rng.getrandbits(64)
        traits = clip.profile.traits if clip.profile else {}
        sound = record(colored, gain, floor, noise)
        return Clip(
            id=id,
            audio=as_flac(sound),
            format="flac",
            sampling_rate=SAMPLING_RATE,
            duration=round(len(sound) / SAMPLING_RATE, 4),
            language=clip.language,
            speaker=clip.speaker,
            profile=VoiceProfile(emotions, traits=traits),
            source=f"budew {__version__} resynthesis of {clip.source or clip.id}",
            license=clip.license,
            metadata={"synthesis": {"recording": clip.id, "cues": settings}},
        )


def cut(samples: Signal, seconds: float, rng: random.Random) -> Signal:
    """Return a random piece (n,) of `seconds` that begins at a quiet place; a shorter recording as it is.

    `samples` (m,) are at `SAMPLING_RATE`.
    """
    length = round(seconds * SAMPLING_RATE)
    if len(samples) <= length:
        return samples
    window = SAMPLING_RATE // 10
    loudness = np.convolve(samples**2, np.full(window, 1 / window), "same")
    start = min((rng.randrange(len(samples) - length) for _ in range(_CANDIDATES)), key=loudness.__getitem__)
    return samples[start : start + length]


def change_prosody(samples: Signal, settings: Mapping[str, float], *, formants: float, name: str) -> Signal:
    """Change pitch level, pitch range, contour, rate and smile of speech (n,); return samples (m,).

    `settings` are those that `express` returns. `formants` is a factor on the formant frequencies, in
    addition to that of the cue `smile`; `name` is the id of the clip, for errors.

    Raises:
        CorpusError: the clip has too little voiced speech.
        MissingExtraError: pyworld is not installed.
    """
    with warnings.catch_warnings():  # pyworld uses a deprecated function of setuptools
        warnings.simplefilter("ignore")
        world = require("pyworld", extra="train", purpose="budew corpus resynthesize")
    strengths = cues()
    pitch, times = world.dio(samples, SAMPLING_RATE, f0_floor=60.0, f0_ceil=500.0)
    pitch = world.stonemask(samples, pitch, times, SAMPLING_RATE)
    voiced = pitch > 0
    if voiced.sum() < LEAST_VOICED:
        raise CorpusError(f"clip {name!r} has no voiced speech to change: leave it out")
    envelope = world.cheaptrick(samples, pitch, times, SAMPLING_RATE)
    noise = world.d4c(samples, pitch, times, SAMPLING_RATE)
    rate = strengths["rate"].at(settings["rate"])
    smile = strengths["smile"].at(settings["smile"])
    taken = np.arange(0, len(pitch), rate).astype(int)
    made: Signal = world.synthesize(
        np.ascontiguousarray(_new_pitch(pitch, voiced, settings)[taken]),
        np.ascontiguousarray(_stretched(envelope, formants * smile)[taken]),
        np.ascontiguousarray(noise[taken]),
        SAMPLING_RATE,
    )
    return made


def _new_pitch(pitch: Signal, voiced: Any, settings: Mapping[str, float]) -> Signal:
    """Return the changed pitch of each frame in Hz; 0 for unvoiced frames."""
    strengths = cues()
    octaves = np.log2(pitch[voiced])
    middle = np.median(octaves)
    spread = max(FLATTEST, 1 + settings["pitch_range"])
    lift = PITCH_SHARE * strengths["pitch_level"].at(settings["pitch_level"]) / 12
    end = CONTOUR_SHARE * strengths["contour"].at(settings["contour"], neutral=0.0) / 12
    place = np.linspace(0, 1, len(pitch))[voiced]
    turn = end * np.clip((place - CONTOUR_STARTS) / (1 - CONTOUR_STARTS), 0, None)
    changed = np.zeros_like(pitch)
    octaves = middle + (octaves - middle) * spread + lift + turn
    changed[voiced] = np.clip(2**octaves, LOWEST_PITCH, HIGHEST_PITCH)
    return changed


def _stretched(envelope: Signal, factor: float) -> Signal:
    """Return spectral envelopes (frames, bins) whose frequencies are multiplied by `factor`."""
    bins = np.arange(envelope.shape[1]) / factor
    below = np.clip(bins.astype(int), 0, envelope.shape[1] - 2)
    share = np.clip(bins - below, 0, 1)
    return np.asarray(envelope[:, below] * (1 - share) + envelope[:, below + 1] * share)
