"""The clips of a corpus that a run uses: those that fit in the window and from which a target can be made."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from transformers import WhisperFeatureExtractor

from budew.audio.samples import decode
from budew.errors import CorpusError
from budew.training.clip_index import KINDS, PROFILE, ClipIndex, ClipRecord
from budew.training.data_settings import TrainingCorpus
from budew.training.recipe import Recipe

LEARNED = {"checked": ("paraphrase", "original"), "any": ("paraphrase", "original", "render", "model")}
"""Kinds of captions that are learned as they are, by `data.captions`."""
_FLAGS = {name: sum(KINDS[kind] for kind in kinds) for name, kinds in LEARNED.items()}
_NO_TARGET = {"paraphrase": "no caption to learn", "template": "no profile", "scalars": "no profile"}
"""Why no target can be made of a clip, by kind of target."""
SHORTEST_SECONDS = 0.1
_TOLERANCE = 0.01
"""Seconds by which a clip may be longer than the window: encoders pad."""


class CachedStates(NamedTuple):
    """A file of encoder states, their width, and how many copies of each clip are in it."""

    file: Path
    width: int
    copies: int


@dataclass(frozen=True, eq=False, slots=True)
class TrainingClips:
    """The clips of a corpus that a run uses.

    Attributes:
        corpus: its entry in the recipe.
        index: of the used clips alone; a clip that is split occurs once for each part.
        starts: (clips,), where in the recording each one starts, in seconds.
        window: most seconds of a recording that one clip has.
        left_out: number of clips that are not used, by reason.
        cut: number of clips of which only the beginning is used.
        clip_weights: (clips,), how often each comes, in proportion to the others; None for equally often.
        spectrograms: file of `cache_spectrograms`.
        states: file of `cache_states`.
    """

    corpus: TrainingCorpus
    index: ClipIndex
    starts: npt.NDArray[np.float32]
    window: float
    left_out: Counter[str]
    cut: int = 0
    clip_weights: npt.NDArray[np.float64] | None = None
    spectrograms: Path | None = None
    states: CachedStates | None = None

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def seconds(self) -> npt.NDArray[np.float32]:
        """Return the length of the recording of each clip, (clips,)."""
        lengths: npt.NDArray[np.float32] = self.index.rows["seconds"]
        return lengths

    @property
    def used_seconds(self) -> npt.NDArray[np.float64]:
        """Return the length of the part of its recording that each clip is, (clips,)."""
        used: npt.NDArray[np.float64] = np.minimum(self.seconds.astype(np.float64) - self.starts, self.window)
        return used

    @property
    def has_profiles(self) -> bool:
        """Whether captions can be rendered from any of the clips."""
        return bool((self.index.rows["flags"] & PROFILE).any())

    def record(self, place: int) -> ClipRecord:
        """Return the annotation of a clip."""
        return self.index.record(place)

    def samples(self, place: int, extractor: WhisperFeatureExtractor) -> npt.NDArray[np.float32]:
        """Return the audio of a clip (n,), at most a window.

        Raises:
            AudioError: the clip cannot be decoded.
        """
        rate, name = extractor.sampling_rate, f"clip {self.record(place).id!r}"
        whole = decode(self.index.audio(place), sampling_rate=rate, name=name).usable
        start = round(float(self.starts[place]) * rate)
        return whole[start : start + extractor.n_samples]

    def weighted(self, weights: dict[str, float]) -> "TrainingClips":
        """Return the clips that have a weight above 0, by their ids."""
        by_place = np.array([weights.get(self.record(place).id, 0.0) for place in range(len(self))])
        used = by_place > 0
        left_out = self.left_out + Counter({"they have no weight": int((~used).sum())})
        index = replace(self.index, rows=self.index.rows[used])
        return replace(
            self, index=index, starts=self.starts[used], clip_weights=by_place[used], left_out=left_out
        )


def select_clips(index: ClipIndex, corpus: TrainingCorpus, recipe: Recipe, *, window: float) -> TrainingClips:
    """Return the clips from which a target can be made and that fit in the window (seconds).

    Raises:
        CorpusError: no clip is left.
    """
    longer, kind = recipe.data.longer, recipe.target.kind
    flags, seconds = index.rows["flags"], index.rows["seconds"].astype(np.float64)
    has_text = (flags & _FLAGS[recipe.data.captions]) > 0
    has_profile = (flags & PROFILE) > 0
    has_target = {"paraphrase": has_text, "template": has_profile, "scalars": has_profile}.get(
        kind, has_text | has_profile
    )
    short, long = seconds < SHORTEST_SECONDS, seconds > window + _TOLERANCE
    left_out = Counter(index.left_out)
    left_out[_NO_TARGET.get(kind, "no profile and no caption to learn")] = int((~has_target).sum())
    left_out[f"shorter than {SHORTEST_SECONDS} s"] = int((has_target & short).sum())
    used = has_target & ~short
    if longer == "skip":
        left_out[f"longer than {window:g} s"] = int((used & long).sum())
        used = used & ~long
    numbers = np.flatnonzero(used)
    starts = np.zeros(len(numbers), dtype=np.float32)
    if longer == "split":
        parts = np.ceil(np.maximum(seconds[numbers] - _TOLERANCE, SHORTEST_SECONDS) / window).astype(np.int64)
        numbers = np.repeat(numbers, parts)
        first_parts = np.cumsum(parts) - parts
        starts = ((np.arange(len(numbers)) - np.repeat(first_parts, parts)) * window).astype(np.float32)
    if not len(numbers):
        unchecked = kind == "paraphrase" and ((flags & _FLAGS["any"]) > 0).any()
        hint = "use data.captions=any for captions by templates and models, or " if unchecked else ""
        reasons = "; ".join(f"{count:,}: {reason}" for reason, count in left_out.items() if count)
        raise CorpusError(
            f"no clip of {corpus.corpus} is left for target.kind={kind}, "
            f"data.captions={recipe.data.captions} ({reasons}): {hint}change these, or the corpus"
        )
    cut = int((used & long).sum()) if longer == "cut" else 0
    return TrainingClips(corpus, replace(index, rows=index.rows[numbers]), starts, window, +left_out, cut)
