"""Several captions of one window, each drawn by chance as the model weighs its words: a panel of listeners.

A caption settles for one or two emotions where the model hesitates between four. What a panel says, averaged,
keeps the hesitation, as finer scores than five levels. How much that is worth depends on the model: a lot to
an unsure one, little to one that is sure (docs/journal.md).

Chance is Gumbel noise on the logits, whose greatest is a draw from the model's distribution (Gumbel
1954), made by a generator for each window and listener: seeded by the sound itself, so neither the
batch nor the order matters. The encoder runs once for the whole panel.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import LogitsProcessor, LogitsProcessorList
from transformers.modeling_outputs import BaseModelOutput

from budew.captions import parse
from budew.model.checkpoint import Checkpoint
from budew.model.generate import features_of, generation_settings, settled
from budew.profile import VoiceProfile
from budew.quiet import quiet_transformers
from budew.taxonomy import EMOTIONS

MOST_LISTENERS = 256
FAINTEST = 0.2
"""Mean intensity over the panel that counts; measured, see docs/journal.md."""


class ListenersError(ValueError):
    """A panel that cannot be asked."""


def sample_captions(
    checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]], *, listeners: int, seed: int = 0
) -> list[tuple[str, ...]]:
    """Return `listeners` captions for each window, in order.

    Args:
        checkpoint: the model.
        windows: mono samples (n,) each, at `checkpoint.sampling_rate`, at most `window_seconds` long.
        listeners: captions to draw for each; none at all for 0.
        seed: another one gives another panel.

    Raises:
        ListenersError: not a number from 0 to `MOST_LISTENERS`.
    """
    if not checked_listeners(listeners):
        return [() for _ in windows]
    model = checkpoint.model
    settings = generation_settings(checkpoint, beams=1)
    noise = GumbelNoise([_seed(window, seed, number) for window in windows for number in range(listeners)])
    with torch.inference_mode(), quiet_transformers(), settled(model, settings):
        states = model.get_encoder()(features_of(checkpoint, windows)).last_hidden_state
        tokens = model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states.repeat_interleave(listeners, dim=0)),
            logits_processor=LogitsProcessorList([noise]),
            force_unique_generate_call=True,
        )
    texts = checkpoint.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
    return [tuple(texts[start : start + listeners]) for start in range(0, len(texts), listeners)]


def checked_listeners(listeners: int) -> int:
    """Return the number of listeners.

    Raises:
        ListenersError: not a number from 0 to `MOST_LISTENERS`.
    """
    if isinstance(listeners, bool) or not isinstance(listeners, int) or not 0 <= listeners <= MOST_LISTENERS:
        raise ListenersError(f"a panel of {listeners!r} listeners cannot be asked: use 0 to {MOST_LISTENERS}")
    return listeners


def agreed(captions: Sequence[str]) -> VoiceProfile:
    """Return what a panel agrees on: the mean of each emotion, and the bursts and traits that most of
    them hear.

    An emotion whose mean is under `FAINTEST` is left out: somebody is bound to say something.
    """
    profiles = [parse(caption).profile for caption in captions]
    means = np.mean([profile.vector() for profile in profiles], axis=0)
    bursts = Counter(burst for profile in profiles for burst in profile.bursts)
    traits = Counter(trait for profile in profiles for trait in profile.traits.items())
    most = len(profiles) / 2
    return VoiceProfile(
        {name: float(mean) for name, mean in zip(EMOTIONS, means, strict=True) if mean >= FAINTEST},
        [burst for burst, count in bursts.items() if count > most],
        {name: value for (name, value), count in traits.items() if count > most},
    )


class GumbelNoise(LogitsProcessor):  # type: ignore[misc]  # transformers is taken as untyped
    """Turns the search for the likeliest token into a draw, row by row from its own generator."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._generators = [np.random.default_rng(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return logits (rows, tokens) with noise."""
        noise = np.stack([generator.gumbel(size=scores.shape[-1]) for generator in self._generators])
        return scores.float() + torch.from_numpy(noise).to(scores.device, torch.float32)


def _seed(window: NDArray[np.float32], seed: int, number: int) -> int:
    digest = hashlib.sha256(np.ascontiguousarray(window).tobytes() + f"/{seed}/{number}".encode())
    return int.from_bytes(digest.digest()[:8])
