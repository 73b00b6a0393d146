"""Time of a training step with attention computed step by step ("eager") and by a fused kernel ("sdpa").

    python benchmarks/attention.py [RECIPE]

The model is that of the recipe; the batch is noise, half a window long. On CPUs the backward pass of the
fused kernel is slower, on accelerators faster.
"""

import sys
import time

import torch

from budew.io.resources import data_folder
from budew.model.adapt import short_window
from budew.model.build import build_tokenizer, build_whisper
from budew.training.devices import accelerated, precision_for
from budew.training.recipe import Recipe, load_recipe
from budew.training.training_model import CUES, LOGIT_COUNT, WhisperWithHeads, caption_loss

CAPTION = 26
"""Length of the captions, in tokens."""


def seconds_a_step(recipe: Recipe, attention: str, *, steps: int = 20) -> float:
    """Return the median time of a step: forward, backward, update."""
    scratch = recipe.model.scratch
    tokenizer = build_tokenizer(["a sad voice"], vocabulary=scratch.size.vocabulary)
    model = build_whisper(scratch.size, scratch.features, tokenizer, seed=1, kind=WhisperWithHeads).train()
    model.set_attn_implementation(attention)
    device = torch.accelerator.current_accelerator() if accelerated() else torch.device("cpu")
    assert device is not None  # `accelerated` means that there is an accelerator
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    clips, frames = recipe.optimizer.batch_size, scratch.features.frames // 2
    tokens = torch.randint(0, len(tokenizer), (clips, CAPTION), device=device)
    batch = {
        "input_features": torch.randn(clips, scratch.features.mel_bins, frames, device=device),
        "decoder_input_ids": tokens,
        "heads": torch.rand(clips, LOGIT_COUNT + len(CUES), device=device),
    }
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        with torch.autocast(
            device.type, dtype=torch.bfloat16, enabled=precision_for(recipe.optimizer.precision) == "bf16"
        ):
            with short_window(model.model.encoder, frames):
                output = model(**batch)
            loss = caption_loss(output, tokens, clips_per_step=clips, heads_weight=1.0)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        loss.item()  # waits for the device
        times.append(time.perf_counter() - start)
    return sorted(times)[steps // 2]


def main() -> None:
    path = sys.argv[1] if len(sys.argv) > 1 else data_folder("recipes") / "tiny-synthetic.yaml"
    recipe = load_recipe(path)
    fused = seconds_a_step(recipe, "sdpa")
    for attention, seconds in (("sdpa", fused), ("eager", seconds_a_step(recipe, "eager"))):
        print(f"{attention:6} {1000 * seconds:7.0f} ms a step   {seconds / fused:5.2f} × sdpa")


if __name__ == "__main__":
    main()
