"""Which clips of a corpus a run uses: those that fit in the window and of which something can be learned."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from transformers import WhisperFeatureExtractor

from budew.audio.samples import decode
from budew.errors import CorpusError
from budew.training.clip_index import KINDS, RATED, ClipIndex
from budew.training.recipe import Recipe

LEARNED = {"checked": ("paraphrase", "original"), "any": ("paraphrase", "original", "render", "model")}
"""Kinds of captions that are learned as they are, by `data.captions`."""
_FLAGS = {name: sum(KINDS[kind] for kind in kinds) for name, kinds in LEARNED.items()}
_NOTHING = {"paraphrase": "no caption to learn", "template": "no profile", "scalars": "no profile"}
"""Why there is nothing to learn of a clip."""
SHORTEST = 0.1
"""Seconds. Less is no speech."""
_PLUS = 0.01
"""Seconds by which a clip may be longer than the window: encoders pad."""


class CachedStates(NamedTuple):
    """A file of `budew.training.state_cache`, the width of its states, and how many copies each clip has."""

    file: Path
    width: int
    copies: int


@dataclass(frozen=True, eq=False, slots=True)
class Selection:
    """The clips of a corpus that a run uses.

    Attributes:
        index: of the corpus.
        numbers: (examples,), of the clips, ascending.
        starts: (examples,), where in the clip the example begins, seconds.
        left_out: clips by the reason why they are not used.
        cut: clips of which only the beginning is used.
        weights: (examples,), how often each comes, in proportion to the others; None for all alike.
        copies: of each clip of which states are cached.
        pieces: seconds of the shortest piece that a copy may be; None for whole clips.
        spectrograms: file of `cache_features`.
        states: file of `cache_states`.
    """

    index: ClipIndex
    numbers: npt.NDArray[np.int64]
    starts: npt.NDArray[np.float32]
    left_out: Counter[str]
    cut: int = 0
    weights: npt.NDArray[np.float64] | None = None
    copies: int = 1
    pieces: float | None = None
    spectrograms: Path | None = None
    states: CachedStates | None = None

    @property
    def rows(self) -> npt.NDArray[np.void]:
        """Return the rows of the index, (examples,)."""
        return self.index.rows[self.numbers]

    @property
    def has_profiles(self) -> bool:
        """Whether captions can be rendered of any of the clips."""
        return bool((self.index.rows["flags"][self.numbers] & RATED).any())

    def samples(self, place: int, extractor: WhisperFeatureExtractor) -> npt.NDArray[np.float32]:
        """Return the audio of an example (n,), at most a window.

        Raises:
            AudioError: the clip cannot be decoded.
        """
        number, rate = int(self.numbers[place]), extractor.sampling_rate
        name = f"clip {self.index.notes(number).id!r}"
        whole = decode(self.index.audio(number), sampling_rate=rate, name=name).usable
        start = round(float(self.starts[place]) * rate)
        return whole[start : start + extractor.n_samples]


def select(index: ClipIndex, recipe: Recipe, *, window: float, name: str = "the corpus") -> Selection:
    """Return the clips that there is something to learn of and that fit in the window.

    Args:
        index: of the corpus.
        recipe: what is learned of a clip, and what becomes of longer ones.
        window: seconds.
        name: of the corpus, for errors.

    Raises:
        CorpusError: a clip is longer than the window, where that is an error; or no clip is left.
    """
    longer = recipe.data.longer
    flags, seconds = index.rows["flags"], index.rows["seconds"].astype(np.float64)
    has_text = (flags & _FLAGS[recipe.data.captions]) > 0
    has_profile = (flags & RATED) > 0
    known = {"paraphrase": has_text, "template": has_profile, "scalars": has_profile}.get(
        recipe.target.kind, has_text | has_profile
    )
    short, long = seconds < SHORTEST, seconds > window + _PLUS
    left_out = Counter(index.left_out)
    left_out[_NOTHING.get(recipe.target.kind, "no profile and no caption to learn")] = int((~known).sum())
    left_out[f"shorter than {SHORTEST} s"] = int((known & short).sum())
    used = known & ~short
    if longer == "error" and (used & long).any():
        named = index.notes(int(np.flatnonzero(used & long)[0])).id
        raise CorpusError(
            f"{(used & long).sum():,} clips of {name} are longer than {window:g} s, {named!r} first: set "
            "data.longer to skip, split or cut, or model.window_seconds"
        )
    if longer == "skip":
        left_out[f"longer than {window:g} s"] = int((used & long).sum())
        used = used & ~long
    numbers = np.flatnonzero(used)
    starts = np.zeros(len(numbers), dtype=np.float32)
    if longer == "split":
        pieces = np.ceil(np.maximum(seconds[numbers] - _PLUS, SHORTEST) / window).astype(np.int64)
        numbers = np.repeat(numbers, pieces)
        first = np.cumsum(pieces) - pieces
        starts = ((np.arange(len(numbers)) - np.repeat(first, pieces)) * window).astype(np.float32)
    if not len(numbers):
        unchecked = recipe.target.kind == "paraphrase" and ((flags & _FLAGS["any"]) > 0).any()
        hint = "use data.captions=any for captions by templates and models, or " if unchecked else ""
        reasons = "; ".join(f"{count:,}: {reason}" for reason, count in left_out.items() if count)
        raise CorpusError(
            f"no clip of {name} is left for target.kind={recipe.target.kind}, "
            f"data.captions={recipe.data.captions} ({reasons}): {hint}change these, or the corpus"
        )
    cut = int((used & long).sum()) if longer == "cut" else 0
    return Selection(index, numbers, starts, +left_out, cut)
