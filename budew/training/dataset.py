"""Clips as training examples: a spectrogram, masked a little, and a caption, worded anew each time the
clip comes round.

The whole run is one sequence of examples, a permutation of the corpus after the other, and everything
random in an example is drawn from a generator seeded by (seed, round, clip id). So a run that is
stopped and resumed sees what an undisturbed one would have seen, whatever the number of workers.
"""

import hashlib
import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from budew.captions import render
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS
from budew.training.augmentation import mask
from budew.training.features import FeatureSet
from budew.training.recipe import Recipe

IGNORED = -100


class CaptionDataset(Dataset[dict[str, Any]]):
    """Examples of a run: `input_features` (mel bins, frames), `tokens` (prefix, caption, end), `heard`
    (123,).

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

    def __len__(self) -> int:
        return len(self.corpus.ids) if self.length is None else self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        turn, place = divmod(index, len(self.corpus.ids))
        clip = place if self.length is None else _order(len(self.corpus.ids), self.recipe.seed, turn)[place]
        rng = generator(self.recipe.seed, turn, self.corpus.ids[clip])
        features = self.corpus.features[clip].astype(np.float32)
        if self.length is not None:
            features = mask(features, self.recipe.masks, rng)
        return {
            "input_features": torch.from_numpy(features),
            "tokens": self._tokens(caption_of(self.corpus, clip, self.recipe, rng)),
            "heard": torch.from_numpy(heard(self.corpus.profiles[clip])),
        }

    def _tokens(self, caption: str) -> list[int]:
        """Return the ids of a caption between Whisper's prefix and end."""
        ids: list[int] = self.tokenizer(caption).input_ids
        longest = self.recipe.longest_caption
        return ids if len(ids) <= longest else [*ids[: longest - 1], self.tokenizer.eos_token_id]


def caption_of(corpus: FeatureSet, clip: int, recipe: Recipe, rng: random.Random) -> str:
    """Return what a model shall write of a clip, this time."""
    if recipe.captions == "corpus":
        return rng.choice(corpus.captions[clip])
    frame = rng.choice(recipe.frames) if recipe.frames else None
    return render(corpus.profiles[clip], seed=rng.getrandbits(32), frame=frame, wording=recipe.wording)


def generator(seed: int, turn: int, clip_id: str) -> random.Random:
    """Return a generator that depends on its arguments alone."""
    return random.Random(hashlib.sha256(f"{seed}/{turn}/{clip_id}".encode()).digest())  # noqa: S311


def heard(profile: VoiceProfile) -> npt.NDArray[np.float32]:
    """Return what the heads are asked (123,): 40 emotions, 82 bursts, 1 where the voice is female."""
    bursts = np.array([name in profile.bursts for name in BURSTS], dtype=np.float32)
    gender = np.array([profile.traits.get("gender") == "female"], dtype=np.float32)
    return np.concatenate([profile.vector(), bursts, gender])


def collate(examples: Sequence[dict[str, Any]], *, prefix: int, padding: int) -> dict[str, torch.Tensor]:
    """Return a batch, whose loss ignores `padding` and the `prefix` tokens that generation is given."""
    longest = max(len(example["tokens"]) for example in examples)
    tokens = torch.full((len(examples), longest), padding, dtype=torch.long)
    lengths = torch.tensor([len(example["tokens"]) for example in examples])
    for row, example in enumerate(examples):
        tokens[row, : len(example["tokens"])] = torch.tensor(example["tokens"])
    labels = tokens[:, 1:].clone()
    places = torch.arange(1, longest)
    labels[(places >= lengths[:, None]) | (places < prefix)] = IGNORED
    return {
        "input_features": torch.stack([example["input_features"] for example in examples]),
        "decoder_input_ids": tokens[:, :-1],
        "labels": labels,
        "heard": torch.stack([example["heard"] for example in examples]),
    }


@lru_cache(maxsize=2)
def _order(clips: int, seed: int, turn: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, turn]).permutation(clips)
