"""A corpus of synthetic emotional speech as WebDataset shards, the same bytes from the same seed.

About 50 clips a second on one core; workers run in parallel. A second run of the job makes only the missing
clips, and neither the number of workers nor their order changes a byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from budew.corpora.clip import Clip
from budew.errors import InputError
from budew.jobs import OnFailed
from budew.synthesis.clip_plan import SAMPLING_RATE, SPLITS, Split, clip_id, plan_clip
from budew.synthesis.espeak import Espeak
from budew.synthesis.speech_signal import as_flac, synthesize_clip
from budew.version import __version__


@dataclass(frozen=True, slots=True)
class Synthesis:
    """A job that synthesizes clips of emotional speech; its input is the numbers of the clips.

    Attributes:
        seed: random seed of the corpus.
        split: "train", "validation" or "test". No voice occurs in two splits.
        name: name of the job.

    Example:
        >>> from budew.jobs import run
        >>> run(Synthesis(seed=1, split="test"), range(2), "speech", workers=0).clips
        2
    """

    seed: int
    split: Split
    name: str = "synthesize"

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise InputError(f"the split {self.split!r} is not one of {', '.join(SPLITS)}")

    @property
    def prefix(self) -> str:
        """Prefix of the names of output shards: the split."""
        return self.split

    def settings(self) -> dict[str, Any]:
        """Return the settings that determine the clips, as JSON values."""
        return {"seed": self.seed, "split": self.split, "version": __version__}

    def id_of(self, number: int) -> str:
        """Return the id of the clip with this number."""
        return clip_id(number, seed=self.seed, split=self.split)

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield the clips in order; those without audio are synthesized from their `metadata["number"]`."""
        with Espeak() as espeak:
            for clip in clips:
                yield clip if clip.audio else self._made(clip.metadata["number"], espeak)

    def _made(self, number: int, espeak: Espeak) -> Clip:
        plan = plan_clip(number, seed=self.seed, split=self.split)
        samples = synthesize_clip(plan, espeak)
        return Clip(
            id=plan.id,
            audio=as_flac(samples),
            format="flac",
            sampling_rate=SAMPLING_RATE,
            duration=round(len(samples) / SAMPLING_RATE, 4),
            language=plan.voice.language,
            speaker=plan.voice.speaker,
            transcript=plan.text,
            profile=plan.profile,
            source=f"budew {__version__} synthetic speech, espeak-ng voice {plan.voice.name}",
            license="CC0-1.0",
            metadata={"synthesis": {"voice": plan.voice.name, "cues": dict(plan.settings)}},
        )
