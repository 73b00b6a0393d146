"""Select the clips of a corpus that a run uses: they fit in the window and a target can be made from them."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from transformers import WhisperFeatureExtractor

from budew.audio.samples import decode
from budew.curation.overlap import KnownClips
from budew.errors import CorpusError
from budew.training.clip_index import DENYING, KINDS, LABELLED, PROFILE, ClipIndex, ClipRecord
from budew.training.data_settings import TrainingCorpus
from budew.training.recipe import Recipe

LEARNED = {"checked": ("paraphrase", "original"), "any": ("paraphrase", "original", "render", "model")}
"""Value of `data.captions` → kinds of captions that are used as targets."""
_FLAGS = {name: sum(KINDS[kind] for kind in kinds) for name, kinds in LEARNED.items()}
_NO_TARGET = {"paraphrase": "no caption to learn", "mixed": "no profile and no caption to learn"}
"""Kind of target → reason why a clip without profile is left out if no target can be made from it."""
SHORTEST_SECONDS = 0.1
"""Clips shorter than this many seconds are left out."""
_TOLERANCE = 0.1
"""A clip may be this many seconds longer than the window, because audio encoders pad."""


class CachedStates(NamedTuple):
    """Cached encoder states of a corpus: their file, their width, and the number of copies of each clip."""

    file: Path
    width: int
    copies: int


@dataclass(frozen=True, eq=False, slots=True)
class TrainingClips:
    """The clips of a corpus that a run uses.

    Attributes:
        corpus: settings of the corpus in the recipe.
        index: index of the used clips; a clip that is split into parts has a row for each part.
        starts: seconds from the beginning of the audio to the start of each clip, (clips,); 0 unless split.
        window: longest part of the audio, in seconds, that is used of a clip.
        left_out: reason → number of clips that are not used.
        cut: number of clips of which only the beginning is used.
        clip_weights: sampling weight of each clip, (clips,); None: all clips are drawn equally often.
        spectrograms: file from `cache_spectrograms`; None if they are not cached.
        states: encoder states from `cache_states`; None if they are not cached.
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
    def used_seconds(self) -> npt.NDArray[np.float64]:
        """Return the length of the used part of each clip in seconds, (clips,)."""
        recordings = self.index.rows["seconds"].astype(np.float64)
        used: npt.NDArray[np.float64] = np.minimum(recordings - self.starts, self.window)
        return used

    def used_seconds_of(self, place: int) -> float:
        """Return the length of the used part of the clip at this place in seconds."""
        return min(float(self.index.rows["seconds"][place]) - float(self.starts[place]), self.window)

    def with_denials(self, share: float) -> "TrainingClips":
        """Return the clips with weights by which at most this share of the examples only denies emotions.

        A corpus without other clips is returned unchanged.
        """
        denying = (self.index.rows["flags"] & DENYING) > 0
        weights = np.ones(len(self)) if self.clip_weights is None else self.clip_weights
        denials, others = weights[denying].sum(), weights[~denying].sum()
        if not others or denials <= share * (denials + others):
            return self
        factor = others * share / (1 - share) / denials
        return replace(self, clip_weights=np.where(denying, weights * factor, weights))

    @property
    def has_profiles(self) -> bool:
        """Whether some clips have a profile from which captions can be rendered."""
        return bool((self.index.rows["flags"] & PROFILE).any())

    def record(self, place: int) -> ClipRecord:
        """Return the annotation of the clip with number `place`."""
        return self.index.record(place)

    def samples(self, place: int, extractor: WhisperFeatureExtractor) -> npt.NDArray[np.float32]:
        """Decode the clip with number `place`: samples (n,) at the rate of the extractor, at most a window.

        Raises:
            AudioError: the clip cannot be decoded.
        """
        rate, name = extractor.sampling_rate, f"clip {self.record(place).id!r}"
        whole = decode(self.index.audio(place), sampling_rate=rate, name=name).usable
        start = round(float(self.starts[place]) * rate)
        return whole[start : start + extractor.n_samples]

    @property
    def known(self) -> KnownClips:
        """Fingerprints of the clips."""
        rows = self.index.rows
        sketches = rows["codes"] if "codes" in (rows.dtype.names or ()) else ()
        return KnownClips(rows["names"], rows["content"], sketches)

    def weighted(self, weights: dict[str, float]) -> "TrainingClips":
        """Return only the clips with a weight above 0; `weights` are by clip id, and 0 for other clips."""
        by_place = np.array([weights.get(self.record(place).id, 0.0) for place in range(len(self))])
        used = by_place > 0
        left_out = self.left_out + Counter({"they have no weight": int((~used).sum())})
        index = replace(self.index, rows=self.index.rows[used])
        return replace(
            self, index=index, starts=self.starts[used], clip_weights=by_place[used], left_out=left_out
        )


def select_clips(index: ClipIndex, corpus: TrainingCorpus, recipe: Recipe, *, window: float) -> TrainingClips:
    """Select the clips that fit in the window and from which a target can be made.

    Args:
        index: index of the corpus.
        corpus: settings of the corpus in the recipe.
        recipe: recipe of the run; `data.longer` decides what happens to longer clips.
        window: longest clip, in seconds.

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
    left_out.update(_without_target(flags[~has_target], kind))
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


def _without_target(flags: npt.NDArray[np.uint8], kind: str) -> Counter[str]:
    """Return the reasons why no target of a kind can be made from clips with these flags, with counts."""
    reasons: Counter[str] = Counter()
    for flag, count in zip(*np.unique(flags, return_counts=True), strict=True):
        reason = _NO_TARGET.get(kind, "no profile")
        if kind in _NO_TARGET and flag & _FLAGS["any"]:
            reason = "only captions of templates or models"
        elif kind != "paraphrase" and flag & LABELLED:
            reason = "a profile without rated emotion, burst or trait"
        reasons[reason] += int(count)
    return reasons
