"""Captions written while a model trains: a falling loss does not tell whether it hears anything.

At each evaluation some validation clips are captioned and parsed, and the mean Spearman correlation with
their profiles goes into the history of the run; three captions are shown beside the truth.
"""

from typing import Any

import numpy as np
import torch
from rich.progress import Progress
from transformers import TrainerCallback, WhisperProcessor

from budew.captions import parse
from budew.evaluation.metrics import score
from budew.model.checkpoint import quiet_transformers
from budew.training.console import say
from budew.training.features import FeatureSet
from budew.training.recipe import Recipe

SHOWN = 3


class SampledCaptions(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Captions the first clips of a corpus at each evaluation and logs `validation_spearman`: NaN in
    Python, null in JSON, where the clips are all alike.
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
        said = np.stack([parse(caption).vector() for caption in captions]).astype(np.float64)
        meant = np.stack([profile.vector() for profile in profiles]).astype(np.float64)
        spearman = float(score(meant, said).mean["spearman"][0])
        state.log_history.append({"step": state.global_step, "validation_spearman": spearman})
        lines = [
            f"step {state.global_step}/{state.max_steps}  validation loss {metrics['eval_loss']:.3f}  "
            f"mean Spearman {spearman:.3f} on {len(captions)} clips"
        ]
        for caption, profile in list(zip(captions, profiles, strict=True))[:SHOWN]:
            truth = ", ".join(f"{name} {intensity:g}" for name, intensity in profile.emotions.items())
            lines += [f"  {caption}", f"    (in truth: {truth or 'neutral'})"]
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
