"""Clips as training examples: a spectrogram, masked a little, and a caption, worded anew each time the
clip comes round.

The whole run is one sequence of examples (`batch_order`), and everything random in an example is drawn from a
generator seeded by (seed, round, clip id). So a run that is stopped and resumed sees what an undisturbed one
would have seen, whatever the number of workers.
"""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from budew.captions import render
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.taxonomy import BURSTS
from budew.training.augmentation import mask
from budew.training.batch_order import BatchOrder
from budew.training.features import FeatureSet
from budew.training.recipe import Recipe

IGNORED = -100
STEP = 16
"""Frames. Cut batches are a multiple of it long, so that there are few shapes to compute."""


class CaptionDataset(Dataset[dict[str, Any]]):
    """Examples of a run: `input_features` (mel bins, frames) and how many of these count (`length`), `tokens`
    (prefix, caption, end), `heard` (123,), `cues` (13,).

    Args:
        corpus: the clips.
        tokenizer: of the model.
        recipe: what the captions are and what is masked.
        length: examples in all; the corpus comes round as often as it takes. None: once, in order and
            unmasked, for validation.
    """

    def __init__(self, corpus: FeatureSet, tokenizer: Any, recipe: Recipe, *, length: int | None) -> None:
        self.corpus = corpus
        self.tokenizer = tokenizer
        self.recipe = recipe
        self.length = length
        batch, short = recipe.batch_size, recipe.short_windows
        self.order = BatchOrder(corpus.lengths, length or 0, batch, short, recipe.seed)

    def __len__(self) -> int:
        return len(self.corpus.ids) if self.length is None else self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} examples, no number {index}")
        turn, clip, whole = (0, index, True) if self.length is None else self.order.draw(index)
        rng = generator(self.recipe.seed, turn, self.corpus.ids[clip])
        features, shift = self.corpus.features[clip].astype(np.float32), 0
        if self.length is not None:
            features, shift = mask(features, self.recipe.masks, rng)
        frames = features.shape[1]
        return {
            "input_features": torch.from_numpy(features),
            "length": frames if whole else min(frames, int(self.corpus.lengths[clip]) + shift),
            "tokens": self._tokens(caption_of(self.corpus, clip, self.recipe, rng)),
            "heard": torch.from_numpy(heard(self.corpus.profiles[clip])),
            "cues": torch.from_numpy(self.corpus.cues[clip]),
        }

    def _tokens(self, caption: str) -> list[int]:
        """Return the ids of a caption between Whisper's prefix and end; one that is too long is cut before
        the end.
        """
        # A caption of the wild that holds "<|endoftext|>" shall write it, not end.
        ids: list[int] = self.tokenizer(caption, split_special_tokens=True).input_ids
        longest = self.recipe.longest_caption
        return ids if len(ids) <= longest else [*ids[: longest - 1], self.tokenizer.eos_token_id]


def caption_of(corpus: FeatureSet, clip: int, recipe: Recipe, rng: random.Random) -> str:
    """Return what a model shall write of a clip, this time."""
    if recipe.captions == "corpus":
        return rng.choice(corpus.captions[clip])
    frame = rng.choice(recipe.frames) if recipe.frames else None
    return render(corpus.profiles[clip], seed=rng.getrandbits(32), frame=frame, wording=recipe.wording)


def heard(profile: VoiceProfile) -> npt.NDArray[np.float32]:
    """Return what the heads are asked (123,): 40 emotions, NaN where unknown, 82 bursts, 1 where the voice is
    female.
    """
    bursts = np.array([name in profile.bursts for name in BURSTS], dtype=np.float32)
    gender = np.array([profile.traits.get("gender") == "female"], dtype=np.float32)
    return np.concatenate([profile.vector(), bursts, gender])


def collate(examples: Sequence[dict[str, Any]], *, prefix: int, padding: int) -> dict[str, torch.Tensor]:
    """Return a batch: `input_features`, `decoder_input_ids`, `labels`, `heard` and `cues`, clips first. It
    is as long as the longest of its examples.

    Args:
        examples: of a `CaptionDataset`.
        prefix: tokens that generation is given; no loss is had on them.
        padding: token that fills shorter captions; no loss is had on it.
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
        "heard": torch.stack([example["heard"] for example in examples]),
        "cues": torch.stack([example["cues"] for example in examples]),
    }
