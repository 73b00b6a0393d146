"""A corpus of synthetic emotional speech as WebDataset shards, the same bytes from the same seed.

About 50 clips a second on one core, workers side by side. It is a job like any other: a second run makes only
what is missing, and neither the number of workers nor their order changes a byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.errors import InputError, JobError, require
from budew.jobs import OnFailed, Plan
from budew.jobs.plan import OnProgress
from budew.synthesis.clip_audio import Samples, as_flac, synthesize_clip
from budew.synthesis.clip_plan import SAMPLING_RATE, SPLITS, ClipPlan, Split, clip_id, plan_clip
from budew.synthesis.espeak import Espeak
from budew.version import __version__


@dataclass(frozen=True, slots=True)
class Synthesis:
    """A job that makes the sound of planned clips: those of (seed, split)."""

    seed: int
    split: Split
    name: str = "synthesize"

    @property
    def prefix(self) -> str:
        """Return the prefix of shard names."""
        return self.split

    def settings(self) -> dict[str, Any]:
        """Return the settings that determine a clip."""
        return {"seed": self.seed, "split": self.split, "version": __version__}

    def id_of(self, number: int) -> str:
        """Return the id of clip `number`."""
        return clip_id(number, seed=self.seed, split=self.split)

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Synthesize the clips that have no audio yet."""
        with Espeak() as espeak:
            for clip in clips:
                if clip.audio:
                    yield clip
                    continue
                plan = plan_clip(clip.metadata["number"], seed=self.seed, split=self.split)
                yield _clip(plan, synthesize_clip(plan, espeak))


def synthesize_corpus(
    out: str | Path,
    *,
    clips: int,
    seed: int,
    split: Split = "train",
    clips_per_shard: int = 500,
    workers: int | None = None,
    progress: OnProgress | None = None,
) -> list[Path]:
    """Write the shards of the corpus (seed, split) into the folder `out` and return their paths.

    Args:
        out: folder; shards that are there already are kept, so a stopped run continues, and a longer corpus
            with a shorter one.
        clips: how many.
        seed: decides everything together with the split and the number of a clip.
        split: "train", "validation" or "test"; their voices are disjoint.
        clips_per_shard, workers, progress: see `budew.jobs.Plan`; they change no clip.

    Raises:
        InputError: there is no such split, or a number is out of range.
        JobError: `out` holds another corpus, or espeak-ng fails.
        MissingExtraError: espeakng-loader is not installed.

    Example:
        >>> [path.name for path in synthesize_corpus("speech", clips=2, seed=1, workers=1)]
        ['train-00000.tar']
    """
    require("espeakng_loader", extra="train", purpose="budew corpus synthesize")
    if split not in SPLITS:
        raise InputError(f"the split {split!r} is not one of {', '.join(SPLITS)}")
    plan = Plan(Synthesis(seed, split), range(clips), out, clips_per_shard=clips_per_shard)
    done = plan.run(workers=workers, progress=progress)
    if done.given_up:
        raise JobError(f"{done.out}: processes died repeatedly: start again, with fewer workers")
    return sorted(done.out.glob(f"{split}-*.tar"))


def _clip(plan: ClipPlan, samples: Samples) -> Clip:
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
