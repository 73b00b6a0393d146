"""Self-consistency: several sampled captions of each window, and the profile that they agree on.

A single caption mentions one or two emotions even if the model is unsure between four. The mean over sampled
captions expresses this uncertainty, in finer scores than five levels. It helps models that are unsure a lot,
others little (docs/journal.md).

Sampling adds Gumbel noise to the logits; the largest noisy logit is a draw from the model's distribution
(Gumbel 1954). Each window and sample has its own generator, seeded with a hash of the audio. So the result
does not depend on batch or order, and the first 4 of 64 samples are the same as 4 samples.
"""

import hashlib
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
"""Most captions sampled at once; each needs a copy of the encoder states of its window in memory."""
MIN_INTENSITY = 0.2
"""Least mean intensity of an emotion in the consensus; chosen by experiment, see docs/journal.md."""


def sample_captions(
    checkpoint: Checkpoint,
    encoded: EncoderStates,
    *,
    num_samples: int,
    prompt: str = "",
    stopping_criteria: StoppingCriteriaList | None = None,
) -> list[tuple[str, ...]]:
    """Sample captions of windows; return a tuple of `num_samples` texts for each window.

    Args:
        checkpoint: the model.
        encoded: encoder states of the windows, from `budew.model.generate.encode`.
        num_samples: number of captions per window, at least 0.
        prompt: text before the caption, see `budew.captions.caption_prompt`; "" for no prompt.
        stopping_criteria: additional criteria that end a text, such as those of
            `budew.inference.repetition.repetition_stop`; None for no other criteria.
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


def presence_shares(profiles: Sequence[VoiceProfile]) -> dict[str, float]:
    """Return for each of the 40 emotions the share of parsed captions in which it is present."""
    shares = (intensity_matrix(profiles) > 0).mean(axis=0)
    return dict(zip(EMOTIONS, shares.tolist(), strict=True))


def consensus(expected: VoiceProfile) -> VoiceProfile:
    """Remove emotions below `MIN_INTENSITY`, which few samples mention, from a result of `expectation`."""
    kept = {name: value for name, value in expected.emotions.items() if value >= MIN_INTENSITY}
    return VoiceProfile(kept, expected.bursts, expected.traits)


class GumbelNoise(LogitsProcessor):  # type: ignore[misc]  # transformers is taken as untyped
    """Logits processor that turns greedy search into sampling, with one random generator per row."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._generators = [np.random.default_rng(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Add Gumbel noise to the logits, (rows, tokens)."""
        noise = np.stack([generator.gumbel(size=scores.shape[-1]) for generator in self._generators])
        return scores.float() + torch.from_numpy(noise).to(scores.device, torch.float32)


def _seed(window: NDArray[np.float32], number: int) -> int:
    digest = hashlib.sha256(np.ascontiguousarray(window).tobytes() + f"/0/{number}".encode())
    return int.from_bytes(digest.digest()[:8])
