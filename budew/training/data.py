"""Clips as training examples: a spectrogram, masked, and a caption, with another wording each time.

The whole run is one sequence of examples, and everything random in an example is drawn from a generator
seeded by (seed, epoch, clip id). So a run that is stopped and resumed has the examples of an undisturbed one,
whatever the number of workers.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from budew.captions import render
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.training.recipe import DataSettings, Recipe

IGNORED = -100
MASK_FRAMES, MASK_BINS, SHIFT = 20, 12, 20
"""The longest mask in time, the widest in frequency, and by how many frames a clip starts later at most."""
STEP = 16
"""Frames. Cut batches are a multiple of it long, so that there are few shapes to compute."""
CHUNK = 32
"""Batches that are sorted together: enough for batches of like lengths, few enough to stay random."""
WHOLE_SHARE = 0.1
"""Share of the batches that keep the whole window while batches are cut."""


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """A corpus as spectrograms.

    Attributes:
        ids: of the clips.
        profiles: of the clips.
        captions: of each clip, if any.
        features: (clips, mel bins, frames), float16, memory-mapped.
        lengths: (clips,), frames of each with sound; behind them is silence.
        heads: (clips, targets), labels of the heads on the encoder, NaN where unknown.
        cut: number of clips longer than the window.
        skipped: number of clips of which nothing is known, or that are withheld, so that they have no part in
            training.
        reopen: opens the same set in another process, which gets the names of its files instead of gigabytes.
    """

    ids: tuple[str, ...]
    profiles: tuple[VoiceProfile, ...]
    captions: tuple[tuple[str, ...], ...]
    features: npt.NDArray[np.float16]
    lengths: npt.NDArray[np.int64]
    heads: npt.NDArray[np.float32]
    cut: int
    skipped: int
    reopen: tuple[Callable[..., "FeatureSet"], tuple[Path, Path, tuple[int, int]]]

    @property
    def unlabeled(self) -> int:
        """Number of clips of which no emotion is rated."""
        return sum(not profile.rated for profile in self.profiles)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reopen


class CaptionDataset(Dataset[dict[str, Any]]):
    """Examples of a run: `input_features` (mel bins, frames) and how many of these count (`length`), `tokens`
    (prefix, caption, end), `heads` (targets,).

    Args:
        corpus: the clips.
        tokenizer: of the model.
        recipe: captions, masks, order.
        length: examples in all; the corpus is repeated as often as it takes. None: once, in order and
            unmasked, for validation.
    """

    def __init__(self, corpus: FeatureSet, tokenizer: Any, recipe: Recipe, *, length: int | None) -> None:
        self.corpus = corpus
        self.tokenizer = tokenizer
        self.recipe = recipe
        self.length = length
        batch, short = recipe.optimizer.batch_size, recipe.data.short_windows
        self.order = BatchOrder(corpus.lengths, length or 0, batch, short, recipe.seed)

    def __len__(self) -> int:
        return len(self.corpus.ids) if self.length is None else self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} examples, no number {index}")
        corpus, recipe = self.corpus, self.recipe
        epoch, clip, whole = (0, index, True) if self.length is None else self.order.draw(index)
        rng = generator(recipe.seed, epoch, corpus.ids[clip])
        features, shift = corpus.features[clip].astype(np.float32), 0
        if self.length is not None:
            features, shift = mask(features, rng, time=recipe.data.time_masks, bands=recipe.data.band_masks)
        frames = features.shape[1]
        caption = target_caption(corpus.profiles[clip], corpus.captions[clip], recipe.data, rng)
        return {
            "input_features": torch.from_numpy(features),
            "length": frames if whole else min(frames, int(corpus.lengths[clip]) + shift),
            "tokens": target_tokens(caption, self.tokenizer, recipe.model.size.longest_caption),
            "heads": torch.from_numpy(corpus.heads[clip]),
        }


def collate(examples: Sequence[dict[str, Any]], *, prefix: int, padding: int) -> dict[str, torch.Tensor]:
    """Return a batch: `input_features`, `decoder_input_ids`, `labels` and `heads`, clips first. It is as long
    as the longest of its examples.

    Args:
        examples: of a `CaptionDataset`.
        prefix: tokens that generation is given; they are masked in the loss.
        padding: token that fills shorter captions; masked in the loss.
    """
    longest = max(len(example["tokens"]) for example in examples)
    tokens = torch.full((len(examples), longest), padding, dtype=torch.long)
    lengths = torch.tensor([len(example["tokens"]) for example in examples])
    for row, example in enumerate(examples):
        tokens[row, : len(example["tokens"])] = torch.tensor(example["tokens"])
    labels = tokens[:, 1:].clone()
    places = torch.arange(1, longest)
    labels[(places >= lengths[:, None]) | (places < prefix)] = IGNORED
    frames = -(-max(example["length"] for example in examples) // STEP) * STEP
    return {
        "input_features": torch.stack([example["input_features"][:, :frames] for example in examples]),
        "decoder_input_ids": tokens[:, :-1],
        "labels": labels,
        "heads": torch.stack([example["heads"] for example in examples]),
    }


def target_caption(
    profile: VoiceProfile, captions: Sequence[str], settings: DataSettings, rng: random.Random
) -> str:
    """Return the caption that a clip is trained on this time: rendered from its profile, or drawn from the
    captions of the corpus; another `rng` gives another one.
    """
    if settings.captions == "corpus":
        return rng.choice(captions)
    frame = rng.choice(settings.frames) if settings.frames else None
    return render(profile, seed=rng.getrandbits(32), frame=frame, wording=settings.wording)


def target_tokens(caption: str, tokenizer: Any, longest: int) -> list[int]:
    """Return the ids of a caption between Whisper's prefix and end, cut to `longest` before the end."""
    # "<|endoftext|>" in a caption of a corpus is text, not an end.
    ids: list[int] = tokenizer(caption, split_special_tokens=True).input_ids
    return ids if len(ids) <= longest else [*ids[: longest - 1], tokenizer.eos_token_id]


def mask(
    features: npt.NDArray[np.float32], rng: random.Random, *, time: int, bands: int
) -> tuple[npt.NDArray[np.float32], int]:
    """Return features (mel bins, frames) that start a little later, with parts masked, and by how many frames
    they start later. After SpecAugment (Park et al. 2019).

    Args:
        features: a spectrogram; it is not changed.
        rng: decides all.
        time: number of masked stretches of time.
        bands: number of masked frequency bands.
    """
    bins, frames = features.shape
    shift = rng.randint(0, min(SHIFT, frames // 4))
    silence = float(features.min())
    masked = np.full_like(features, silence)
    masked[:, shift:] = features[:, : frames - shift]
    for _ in range(time):
        start, length = rng.randrange(frames), rng.randint(0, MASK_FRAMES)
        masked[:, start : start + length] = silence
    for _ in range(bands):
        start, length = rng.randrange(bins), rng.randint(0, MASK_BINS)
        masked[start : start + length] = silence
    return masked, shift


@dataclass(frozen=True, eq=False, slots=True)
class BatchOrder:
    """Which clip is the n-th example of a run: epochs of the corpus, shuffled, clips of like length together.

    Most clips are shorter than the window, and silence costs as much as speech. So the shuffled sequence is
    taken in chunks of 32 batches; within a chunk the clips are sorted by length and cut into batches, whose
    order is shuffled again. A batch is then no longer than its longest clip. One in ten keeps the whole
    window, and so do all towards the end of the run, because the finished model is given whole windows.

    Attributes:
        lengths: (clips,), frames of each clip.
        examples: in the run.
        batch_size: examples of a batch.
        short_windows: share of the run in which batches are cut to their longest clip.
        seed: of every shuffle.
    """

    lengths: npt.NDArray[np.int64]
    examples: int
    batch_size: int
    short_windows: float
    seed: int

    def draw(self, index: int) -> tuple[int, int, bool]:
        """Return the epoch (from 0) and the clip of an example, and whether it keeps the whole window."""
        chunk, place = divmod(index, CHUNK * self.batch_size)
        epoch, at = divmod(int(_chunk(self, chunk)[place]), len(self.lengths))
        late = index >= self.short_windows * self.examples
        batch = generator(self.seed, index // self.batch_size, "window")
        whole = late or batch.random() < WHOLE_SHARE
        return epoch, int(_epoch(len(self.lengths), self.seed, epoch)[at]), whole


@lru_cache(maxsize=4)
def _chunk(order: BatchOrder, chunk: int) -> npt.NDArray[np.int64]:
    """Return the places in the shuffled sequence that the examples of a chunk take."""
    start, clips = chunk * CHUNK * order.batch_size, len(order.lengths)
    places = np.arange(start, min(start + CHUNK * order.batch_size, order.examples))
    lengths = [order.lengths[_epoch(clips, order.seed, place // clips)[place % clips]] for place in places]
    by_length = places[np.argsort(lengths, kind="stable")]
    batches = [by_length[at : at + order.batch_size] for at in range(0, len(places), order.batch_size)]
    shuffled = np.random.default_rng([order.seed, chunk, 1]).permutation(len(batches))
    return np.concatenate([batches[number] for number in shuffled])


@lru_cache(maxsize=4)
def _epoch(clips: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(clips)
