"""Spectrograms of a corpus, computed once and read from a memory-mapped file ever after.

A window of 8 s takes 100 kB in half precision (128 bands, 400 frames) and about 4 ms to compute: with
some ten epochs the cache saves more than it costs, and processes share its pages. It is found again by
a hash of the settings and of the corpus: names, sizes and times of its files.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from budew.model.build import Features
from budew.profile import VoiceProfile
from budew.training.corpus_files import fingerprint
from budew.training.spectrograms import CorpusMismatchError, compute

__all__ = ["CorpusMismatchError", "FeatureSet", "load_features"]


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """A corpus as a model hears it.

    Attributes:
        ids: of the clips.
        profiles: what is heard in each.
        captions: what was written of each, if anything.
        features: (clips, mel bins, frames), float16, memory-mapped.
        lengths: (clips,), frames of each that hold sound; behind them is silence.
        cues: (clips, cues), how far each vocal cue was moved where the speech is synthetic, 1 is as far as it
            goes; NaN where nobody knows.
        cut: how many clips are longer than the window, and so heard in part.
    """

    ids: tuple[str, ...]
    profiles: tuple[VoiceProfile, ...]
    captions: tuple[tuple[str, ...], ...]
    features: npt.NDArray[np.float16]
    lengths: npt.NDArray[np.int64]
    cues: npt.NDArray[np.float32]
    cut: int

    @property
    def unjudged(self) -> int:
        """How many clips there are whose emotions are unknown."""
        return sum(not profile.emotions_known for profile in self.profiles)

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as two file names, where a pickled memory map would go as gigabytes."""
        values = Path(str(self.features.filename))  # type: ignore[attr-defined]  # of numpy.memmap
        return _open, (values, values.with_suffix(".json"), self.features.shape[1:])


def load_features(
    corpus: str | Path,
    *,
    settings: Features,
    cache: Path,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> FeatureSet:
    """Return the features of a corpus whose clips have profiles, from the folder `cache` if they are there.

    Args:
        corpus: anything that `budew.read` takes.
        settings: what is computed.
        cache: folder, made if need be; a changed corpus or other settings get files of their own in it.
        workers: processes, for a folder of several shards; as many as are worth their start when None.
            Changes nothing but the time.
        progress: called with the number of clips that are done.

    Raises:
        CorpusMismatchError: no clips, or a clip without a profile.
        CorpusError: the corpus cannot be read, or a clip of it cannot be decoded.
    """
    made_of = json.dumps([fingerprint(corpus), asdict(settings)])
    values = cache / f"{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.f16"
    index, shape = values.with_suffix(".json"), (settings.mel_bins, settings.frames)
    if not index.exists():  # it is written last
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = values.with_suffix(".unfinished")
        entries = compute(corpus, settings, unfinished, workers=workers, progress=progress)
        unfinished.replace(values)
        unfinished.write_text(json.dumps(entries), encoding="utf-8")
        unfinished.replace(index)
    return _open(values, index, shape)


def _open(values: Path, index: Path, shape: tuple[int, int]) -> FeatureSet:
    entries = json.loads(index.read_text(encoding="utf-8"))
    return FeatureSet(
        ids=tuple(entry["id"] for entry in entries),
        profiles=tuple(VoiceProfile.from_dict(entry["profile"]) for entry in entries),
        captions=tuple(tuple(entry["captions"]) for entry in entries),
        features=np.memmap(values, dtype=np.float16, mode="r", shape=(len(entries), *shape)),
        lengths=np.array([entry["frames"] for entry in entries]),
        cues=np.array([entry["cues"] for entry in entries], dtype=np.float32),
        cut=sum(entry["cut"] for entry in entries),
    )
