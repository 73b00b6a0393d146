"""Captions written while a model trains: a falling loss does not tell whether it hears anything.

At each evaluation some validation clips are captioned and parsed, and the mean Spearman correlation with
their profiles goes into the history of the run; three captions are shown beside the truth.
"""

from collections.abc import Sequence
from math import nan
from typing import Any

import numpy as np
import torch
from rich.progress import Progress
from transformers import TrainerCallback, WhisperProcessor

from budew.captions import parse
from budew.evaluation.metrics import score
from budew.profile import VoiceProfile
from budew.quiet import quiet_transformers
from budew.training.console import say
from budew.training.features import FeatureSet
from budew.training.recipe import Recipe

SHOWN = 3


class SampledCaptions(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Captions the first clips of a corpus at each evaluation and logs `validation_spearman`: NaN in
    Python, null in JSON, where the clips are all alike. Clips whose emotions are unknown do not count.
    """

    def __init__(
        self, validation: FeatureSet, processor: WhisperProcessor, recipe: Recipe, progress: Progress
    ) -> None:
        self.validation = validation
        self.processor = processor
        self.recipe = recipe
        self.progress = progress

    def on_evaluate(
        self, args: Any, state: Any, control: Any, model: Any, metrics: dict[str, float], **kwargs: Any
    ) -> None:
        """Write what the model now says, and how close it comes."""
        captions = self._captions(model)
        profiles = self.validation.profiles[: len(captions)]
        spearman, clips = agreement(profiles, captions)
        state.log_history.append({"step": state.global_step, "validation_spearman": spearman})
        lines = [
            f"step {state.global_step}/{state.max_steps}  validation loss {metrics['eval_loss']:.3f}  "
            f"mean Spearman {spearman:.3f} on {clips} clips"
        ]
        for caption, profile in list(zip(captions, profiles, strict=True))[:SHOWN]:
            truth = ", ".join(f"{name} {intensity:g}" for name, intensity in profile.emotions.items())
            silent = "neutral" if profile.emotions_known else "unknown"
            lines += [f"  {caption}", f"    (in truth: {truth or silent})"]
        say(self.progress, "\n".join(lines))

    def _captions(self, model: Any) -> list[str]:
        """Caption the first clips, greedily, and leave the model in the mode it was in."""
        count = min(self.recipe.evaluate_clips, len(self.validation.ids))
        captions: list[str] = []
        training = model.training
        model.eval()
        for start in range(0, count, self.recipe.batch_size):
            stop = min(start + self.recipe.batch_size, count)
            features = torch.from_numpy(self.validation.features[start:stop].astype(np.float32))
            with torch.inference_mode(), quiet_transformers():
                tokens = model.generate(features.to(model.device), num_beams=1, use_cache=True)
            captions += self.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        model.train(training)
        return captions


def agreement(profiles: Sequence[VoiceProfile], captions: Sequence[str]) -> tuple[float, int]:
    """Return the mean Spearman correlation of captions with what is true, NaN where there is none, and over
    how many clips it is: those whose emotions are known.
    """
    judged = [
        (profile, text) for profile, text in zip(profiles, captions, strict=True) if profile.emotions_known
    ]
    if not judged:
        return nan, 0
    meant = np.stack([profile.vector() for profile, _ in judged]).astype(np.float64)
    said = np.stack([parse(text).vector() for _, text in judged]).astype(np.float64)
    return float(score(meant, said).mean["spearman"][0]), len(judged)
