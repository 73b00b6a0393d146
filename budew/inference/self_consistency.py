"""Self-consistency: several sampled captions of each window, and the profile that they agree on.

One caption settles for one or two emotions where the model hesitates between four. The mean over sampled
captions keeps the hesitation, as finer scores than five levels. How much that is worth depends on the model:
a lot to an unsure one, little to one that is sure (docs/journal.md).

Sampling adds Gumbel noise to the logits, whose greatest is a draw from the model's distribution (Gumbel
1954). Each window and sample has its own generator, seeded by the audio itself, so neither the batch nor the
order matters. The encoder runs once for all samples.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import LogitsProcessor, LogitsProcessorList
from transformers.modeling_outputs import BaseModelOutput

from budew.captions.parse import parse
from budew.model.checkpoint import Checkpoint
from budew.model.generate import features_of, generate, generation_settings, texts_of
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

MAX_SAMPLES = 256
MIN_INTENSITY = 0.2
"""Mean intensity over the samples that counts; measured, see docs/journal.md."""


def sample_captions(
    checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]], *, num_samples: int, seed: int = 0
) -> list[tuple[str, ...]]:
    """Return `num_samples` captions for each window, in order.

    Args:
        checkpoint: the model.
        windows: mono samples (n,) each, at `checkpoint.sampling_rate`, at most `window_seconds` long.
        num_samples: captions to sample for each, at most `MAX_SAMPLES`; 0 samples none.
        seed: another one gives other captions.
    """
    if not num_samples:
        return [() for _ in windows]
    noise = GumbelNoise([_seed(window, seed, number) for window in windows for number in range(num_samples)])
    with torch.inference_mode():
        states = checkpoint.model.get_encoder()(features_of(checkpoint, windows)).last_hidden_state
    tokens = generate(
        checkpoint,
        generation_settings(checkpoint, num_beams=1),
        encoder_outputs=BaseModelOutput(last_hidden_state=states.repeat_interleave(num_samples, dim=0)),
        logits_processor=LogitsProcessorList([noise]),
    )
    texts = texts_of(checkpoint, tokens)
    return [tuple(texts[start : start + num_samples]) for start in range(0, len(texts), num_samples)]


def consensus(captions: Sequence[str]) -> VoiceProfile:
    """Return the mean of each emotion over the captions, and the bursts and traits of most of them.

    An emotion whose mean is under `MIN_INTENSITY` is left out: some sample mentions almost anything.
    """
    profiles = [parse(caption).profile for caption in captions]
    means = np.mean([profile.vector() for profile in profiles], axis=0)
    bursts = Counter(burst for profile in profiles for burst in profile.bursts)
    traits = Counter(trait for profile in profiles for trait in profile.traits.items())
    most = len(profiles) / 2
    return VoiceProfile(
        {name: float(mean) for name, mean in zip(EMOTIONS, means, strict=True) if mean >= MIN_INTENSITY},
        [burst for burst, count in bursts.items() if count > most],
        {name: value for (name, value), count in traits.items() if count > most},
    )


class GumbelNoise(LogitsProcessor):  # type: ignore[misc]  # transformers is taken as untyped
    """Turns greedy search into sampling, row by row from its own generator."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._generators = [np.random.default_rng(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return logits (rows, tokens) with noise."""
        noise = np.stack([generator.gumbel(size=scores.shape[-1]) for generator in self._generators])
        return scores.float() + torch.from_numpy(noise).to(scores.device, torch.float32)


def _seed(window: NDArray[np.float32], seed: int, number: int) -> int:
    digest = hashlib.sha256(np.ascontiguousarray(window).tobytes() + f"/{seed}/{number}".encode())
    return int.from_bytes(digest.digest()[:8])
