"""Self-consistency: several sampled captions of each window, and the profile that they agree on.

One caption settles for one or two emotions where the model hesitates between four. The mean over sampled
captions keeps the hesitation, as finer scores than five levels. How much that is worth depends on the model:
a lot to an unsure one, little to one that is sure (docs/journal.md).

Sampling adds Gumbel noise to the logits, whose greatest is a draw from the model's distribution (Gumbel
1954). Each window and sample has its own generator, seeded by the audio itself, so neither the batch nor the
order matters, and the first 4 of 64 samples are the same as 4 samples.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteriaList

from budew.model.checkpoint import Checkpoint
from budew.model.generate import EncoderStates, generate, generation_settings, texts_of
from budew.profile import VoiceProfile, intensity_matrix
from budew.taxonomy import EMOTIONS

MAX_ROWS = 256
"""Captions sampled at once: each holds a copy of the encoder's states of its window."""
MIN_INTENSITY = 0.2
"""Mean intensity over the samples that counts; measured, see docs/journal.md."""


def sample_captions(
    checkpoint: Checkpoint,
    encoded: EncoderStates,
    *,
    num_samples: int,
    prompt: str = "",
    stopping_criteria: StoppingCriteriaList | None = None,
) -> list[tuple[str, ...]]:
    """Return `num_samples` captions for each window, in order.

    Args:
        checkpoint: the model.
        encoded: the windows, of `budew.model.generate.encode`.
        num_samples: captions to sample for each; 0 samples none.
        prompt: text before the caption, see `budew.captions.caption_prompt`.
        stopping_criteria: what else ends a text, such as `budew.inference.repetition.repetition_stop`.
    """
    windows = len(encoded.windows)
    at_once = max(1, MAX_ROWS // max(1, windows))
    texts: list[list[str]] = [[] for _ in range(windows)]
    for start in range(0, num_samples, at_once):
        numbers = range(start, min(start + at_once, num_samples))
        noise = GumbelNoise([_seed(window, number) for window in encoded.windows for number in numbers])
        tokens = generate(
            checkpoint,
            generation_settings(checkpoint, num_beams=1, prompt=prompt),
            encoder_outputs=encoded.outputs(len(numbers)),
            prompt=prompt,
            stopping_criteria=stopping_criteria,
            logits_processor=LogitsProcessorList([noise]),
        )
        sampled = iter(texts_of(checkpoint, tokens))
        for of_window in texts:
            of_window += islice(sampled, len(numbers))
    return [tuple(of_window) for of_window in texts]


def expectation(profiles: Sequence[VoiceProfile]) -> VoiceProfile:
    """Return the plain mean of each emotion over parsed captions, and the bursts and traits of most of them.

    A caption without emotions, or one that could not be parsed, counts as 0 for all.
    """
    means = intensity_matrix(profiles).mean(axis=0)
    bursts = Counter(burst for profile in profiles for burst in profile.bursts)
    traits = Counter(trait for profile in profiles for trait in profile.traits.items())
    most = len(profiles) / 2
    return VoiceProfile(
        dict(zip(EMOTIONS, means.tolist(), strict=True)),
        [burst for burst, count in bursts.items() if count > most],
        {name: value for (name, value), count in traits.items() if count > most},
    )


def consensus(expected: VoiceProfile) -> VoiceProfile:
    """Return an expectation without the emotions under `MIN_INTENSITY`: some sample mentions almost any."""
    kept = {name: value for name, value in expected.emotions.items() if value >= MIN_INTENSITY}
    return VoiceProfile(kept, expected.bursts, expected.traits)


class GumbelNoise(LogitsProcessor):  # type: ignore[misc]  # transformers is taken as untyped
    """Turns greedy search into sampling, row by row from its own generator."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._generators = [np.random.default_rng(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return logits (rows, tokens) with noise."""
        noise = np.stack([generator.gumbel(size=scores.shape[-1]) for generator in self._generators])
        return scores.float() + torch.from_numpy(noise).to(scores.device, torch.float32)


def _seed(window: NDArray[np.float32], number: int) -> int:
    digest = hashlib.sha256(np.ascontiguousarray(window).tobytes() + f"/0/{number}".encode())
    return int.from_bytes(digest.digest()[:8])
