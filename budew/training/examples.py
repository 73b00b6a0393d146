"""Examples of a run, streamed: a clip is looked up, decoded and turned into features when its turn comes.

Nothing is copied, and memory does not grow with the corpus: 30 s are a megabyte as features and a tenth of it
as MP3. All that is random in an example comes from a generator seeded by (seed, epoch, clip id), so a run has
the same examples with any number of workers, and after a stop.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset
from transformers import WhisperProcessor

from budew.audio.samples import decode
from budew.errors import AudioError, BudewWarning, CorpusError
from budew.randomness import generator
from budew.training.clip_index import ORIGINAL, RATED, RENDERED, REWRITTEN, ClipIndex, Notes
from budew.training.clip_order import ClipOrder
from budew.training.data import target_tokens
from budew.training.targets import Target, TargetSettings, draw_target

Longer = Literal["skip", "split", "cut", "error"]
Written = Literal["checked", "any"]
"""Captions that are learned as they are: those that passed the gate or came with the corpus, or rendered ones
as well.
"""
_FLAGS = {"checked": REWRITTEN | ORIGINAL, "any": REWRITTEN | ORIGINAL | RENDERED}
_KINDS = {"checked": ("paraphrase", "original"), "any": ("paraphrase", "original", "render")}
_TRIES = 20
"""Clips one after the other that cannot be decoded, before a run gives up."""
SHORTEST = 0.1
"""Seconds. Less is no speech."""
_PLUS = 0.01
"""Seconds by which a clip may be longer than the window: encoders pad."""


@dataclass(frozen=True, eq=False, slots=True)
class Selection:
    """The clips of a corpus that a run uses.

    Attributes:
        index: of the corpus.
        numbers: (examples,), of the clips, ascending.
        starts: (examples,), where in the clip the example begins, seconds.
        left_out: clips by the reason why they are not used.
        cut: clips of which only the beginning is used.
    """

    index: ClipIndex
    numbers: npt.NDArray[np.int64]
    starts: npt.NDArray[np.float32]
    left_out: Counter[str]
    cut: int = 0


def select(
    index: ClipIndex,
    *,
    target: TargetSettings,
    window: float,
    longer: Longer = "skip",
    written: Written = "checked",
) -> Selection:
    """Return the clips that there is something to learn of and that fit in the window.

    Args:
        index: of the corpus.
        target: what is learned of a clip.
        window: seconds.
        longer: of clips longer than it: left out; split into windows, each with the captions of the whole;
            cut to their beginning; or an error.
        written: captions that are learned as they are.

    Raises:
        CorpusError: a clip is longer than the window, where that is an error; or no clip is left.
    """
    flags, seconds = index.rows["flags"], index.rows["seconds"].astype(np.float64)
    has_text = (flags & _FLAGS[written]) > 0
    has_profile = (flags & RATED) > 0
    known = {"paraphrase": has_text, "template": has_profile, "scalars": has_profile}.get(
        target.kind, has_text | has_profile
    )
    short, long = seconds < SHORTEST, seconds > window + _PLUS
    left_out = Counter(index.left_out)
    left_out["nothing is known of them to learn"] = int((~known).sum())
    left_out[f"shorter than {SHORTEST} s"] = int((known & short).sum())
    used = known & ~short
    if longer == "error" and (used & long).any():
        named = index.notes(int(np.flatnonzero(used & long)[0])).id
        raise CorpusError(
            f"{(used & long).sum():,} clips are longer than {window:g} s, {named!r} first: set data.longer "
            "to skip, split or cut, or model.window_seconds"
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
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in left_out.items() if count)
        raise CorpusError(f"no clip of the corpus is left to train on: {reasons}")
    cut = int((used & long).sum()) if longer == "cut" else 0
    return Selection(index, numbers, starts, +left_out, cut)


class Examples(Dataset[dict[str, Any]]):
    """The examples of a run by number: `input_features` (mel bins, frames), `length` in frames that are not
    padding, `tokens` of prompt, prefix, caption and end, and how many of these come before the caption.

    Args:
        corpora: what is used of each corpus.
        order: of the run.
        processor: of the model.
        target: what is learned of a clip.
        seed: of everything that is random in an example.
        written: captions that are learned as they are.
        longest: tokens of the decoder.
    """

    def __init__(
        self,
        corpora: Sequence[Selection],
        order: ClipOrder,
        processor: WhisperProcessor,
        *,
        target: TargetSettings,
        seed: int,
        written: Written = "checked",
        longest: int = 448,
    ) -> None:
        self.corpora, self.order, self.processor = corpora, order, processor
        self.target, self.seed, self.written, self.longest = target, seed, written, longest

    def __len__(self) -> int:
        return self.order.examples

    def __getitem__(self, index: int) -> dict[str, Any]:
        corpus, place, epoch = self.order[index]
        used = self.corpora[corpus]
        for at in range(place, place + _TRIES):
            at %= len(used.numbers)
            notes = used.index.notes(int(used.numbers[at]))
            try:
                samples = self._samples(used, at, notes)
            except (AudioError, CorpusError) as error:
                warnings.warn(BudewWarning(f"the next clip is taken instead: {error}"), stacklevel=2)
                continue
            return self._example(samples, notes, epoch)
        raise CorpusError(f"{_TRIES} clips in a row cannot be decoded, {notes.id!r} last: check the corpus")

    def _samples(self, used: Selection, at: int, notes: Notes) -> npt.NDArray[np.float32]:
        extractor = self.processor.feature_extractor
        audio = used.index.audio(int(used.numbers[at]))
        whole = decode(audio, sampling_rate=extractor.sampling_rate, name=f"clip {notes.id!r}").samples
        start = round(float(used.starts[at]) * extractor.sampling_rate)
        return whole[start : start + extractor.n_samples]

    def _example(self, samples: npt.NDArray[np.float32], notes: Notes, epoch: int) -> dict[str, Any]:
        extractor, rng = self.processor.feature_extractor, generator(self.seed, epoch, notes.id)
        written = tuple(text for kind in _KINDS[self.written] for text in notes.captions.get(kind, ()))
        tokens, prefix = tokens_of(
            draw_target(notes.profile, written, self.target, rng), self.processor, self.longest
        )
        made = extractor(samples, sampling_rate=extractor.sampling_rate, return_tensors="np")
        return {
            "input_features": torch.from_numpy(made.input_features[0]),
            "length": -(-len(samples) // extractor.hop_length),
            "tokens": tokens,
            "prefix": prefix,
        }


def tokens_of(target: Target, processor: WhisperProcessor, longest: int) -> tuple[list[int], int]:
    """Return prompt, prefix, caption and end as tokens, and how many of them come before the caption.

    A caption too long for the decoder is cut before its end.
    """
    tokenizer = processor.tokenizer
    prompt = [int(id) for id in tokenizer.get_prompt_ids(target.prompt)] if target.prompt else []
    ids = target_tokens(target.text, tokenizer, longest - len(prompt))
    return [*prompt, *ids], len(prompt) + len(tokenizer.prefix_tokens)
