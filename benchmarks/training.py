"""Time of a fine-tuning step: this package with windows of 8 s, compared with the recipe of transformers.

    python benchmarks/training.py [--size openai/whisper-tiny] [--batch 16] [--steps 12] [--sides stock ours]
    python benchmarks/training.py --size openai/whisper-base --sides ours part "part, cached"

"stock" does the same as `run_speech_recognition_seq2seq.py` of transformers and its README: windows of 30 s,
features computed before training, `Seq2SeqTrainer`, AdamW 1e-5, with and without gradient checkpointing, half
precision on a GPU. "ours" uses the recipes for Whisper of this package, with windows of 8 s; with "whole
windows" batches are not cut to their longest clip. "part" is the model of budew-base, with 3 and 2 layers and
the vocabulary of the captions; "cached" trains on cached encoder states, with or without a layer of the
encoder, and computing the states is timed separately. Model (random weights), batch and clips (synthetic
speech of 1-8 s) are the same for all. Each side runs in a separate process; memory is its peak minus that of
the libraries.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import (
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
    WhisperForConditionalGeneration,
    WhisperProcessor,
)

from budew.audio.samples import decode
from budew.captions import render
from budew.corpora import Caption, read, write_shard
from budew.jobs import run
from budew.model.build import (
    SAMPLING_RATE,
    Features,
    Size,
    build_tokenizer,
    generation_config,
    whisper_config,
)
from budew.profile import VoiceProfile
from budew.synthesis import Synthesis
from budew.taxonomy import EMOTIONS
from budew.training.devices import accelerated
from budew.training.initial_model import load_base, whisper_sizes
from budew.training.preparation import prepare_corpora, prepare_states
from budew.training.recipe import Recipe
from budew.training.run import train

SIDES = (
    *("stock", "stock, checkpointing", "ours", "ours, float32", "ours, whole windows", "ours, LoRA"),
    *("part", "part, frozen", "part, cached", "part, cached, layer"),
)
CLIPS = 256
UNTIMED = 2
"""Number of first steps that are not timed, since memory is allocated in them."""


class Clock(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Callback that records the time at the end of each step."""

    ends: list[float]

    def __init__(self) -> None:
        self.ends = []

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        """Record the time."""
        if accelerated():
            torch.accelerator.synchronize()
        self.ends.append(time.perf_counter())


def write_base(name: str, folder: Path) -> None:
    """Save a Whisper of a published size with random weights, and a processor."""
    size = whisper_sizes()["sizes"][name]
    profiles = (VoiceProfile({name: 0.5}, ("Breathy Giggle",)) for name in EMOTIONS)
    tokenizer = build_tokenizer([render(profile) for profile in profiles], vocabulary=1000)
    features = Features(window_seconds=30, mel_bins=size["num_mel_bins"], hop=160, fourier=400)
    shape = Size(
        width=size["d_model"],
        encoder_layers=size["encoder_layers"],
        decoder_layers=size["decoder_layers"],
        heads=size["heads"],
        longest_caption=448,
        dropout=0.0,
    )
    config = whisper_config(shape, features, tokenizer)
    config.vocab_size = size["vocab_size"]
    torch.manual_seed(0)
    model: Any = WhisperForConditionalGeneration(config)
    model.generation_config = generation_config(tokenizer, longest_caption=448, num_beams=1)
    model.save_pretrained(folder)
    WhisperProcessor(features.extractor(), tokenizer).save_pretrained(folder)


def stock(base: Path, corpus: Path, batch: int, steps: int, *, checkpointing: bool) -> list[float]:
    """Train like the example of transformers; return the time at the end of each step."""
    processor = WhisperProcessor.from_pretrained(base)
    examples = []
    for clip in read(corpus):
        samples = decode(clip.audio).samples
        made = processor.feature_extractor(samples, sampling_rate=SAMPLING_RATE)
        labels = processor.tokenizer(clip.captions[0].text).input_ids
        examples.append({"input_features": made.input_features[0], "labels": labels})

    def collate(some: list[dict[str, Any]]) -> Any:
        features = [{"input_features": example["input_features"]} for example in some]
        made = processor.feature_extractor.pad(features, return_tensors="pt")
        padded = processor.tokenizer.pad([{"input_ids": row["labels"]} for row in some], return_tensors="pt")
        labels = padded["input_ids"].masked_fill(padded.attention_mask.ne(1), -100)
        return {"input_features": made.input_features, "labels": labels[:, 1:]}

    model: Any = WhisperForConditionalGeneration.from_pretrained(base, dtype=torch.float32)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        arguments = Seq2SeqTrainingArguments(
            output_dir=folder,
            max_steps=steps,
            per_device_train_batch_size=batch,
            learning_rate=1e-5,
            warmup_steps=500,
            activation_checkpointing=checkpointing,
            fp16=torch.cuda.is_available(),
            use_cpu=not accelerated(),
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
        )
        trainer = Seq2SeqTrainer(
            model=model, args=arguments, train_dataset=examples * 8, data_collator=collate, callbacks=[clock]
        )
        trainer.train()
    return clock.ends


def recipe_of(base: Path, corpus: Path, batch: int, steps: int, side: str) -> Recipe:
    """Return the recipe of a side that is trained by this package."""
    kind = side.split(", ", maxsplit=1)[-1]
    model: dict[str, Any] = {"base": str(base), "window_seconds": 8}
    model["method"] = "lora" if kind == "LoRA" else "full"
    if side.startswith("part"):
        model |= {"encoder_layers": 3, "decoder_layers": 2, "vocabulary": "captions"}
        if kind != "part":
            model |= {"method": "encoder-frozen", "trained_encoder_layers": int(kind.endswith("layer"))}
    return Recipe.model_validate(
        {
            "name": "benchmark",
            "model": model,
            "data": {
                "train": str(corpus),
                "validation": str(corpus),
                "captions": "any",
                "short_windows": 0 if kind == "whole windows" else 0.8,
                "cache_states": kind.startswith("cached"),
            },
            "target": {"kind": "paraphrase"},
            "optimizer": {
                "max_steps": steps,
                "batch_size": batch,
                "precision": "fp32" if kind == "float32" else "auto",
            },
            "evaluation": {"every_steps": 10_000, "clips": 1, "keep": "last"},
            "report_to": (),
        }
    )


def ours(recipe: Recipe) -> tuple[list[float], float]:
    """Train by this package on windows of 8 s; return when each step ended, and the seconds for states."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if recipe.data.cache_states:
            model, processor = load_base(recipe)
            corpora = prepare_corpora(recipe, folder, "train", processor.feature_extractor)
            start = time.perf_counter()
            prepare_states(recipe, folder, corpora, model, processor.feature_extractor)
            computed = time.perf_counter() - start
        train(recipe, out=folder, callbacks=[clock])
    return clock.ends, computed if recipe.data.cache_states else 0.0


def measured(side: str, base: Path, corpus: Path, batch: int, steps: int) -> dict[str, float]:
    """Return the mean time of a step, the peak of memory in this process, and the seconds for states."""
    before, computed = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, 0.0
    if side.startswith("stock"):
        ends = stock(base, corpus, batch, steps, checkpointing=side.endswith("checkpointing"))
    else:
        ends, computed = ours(recipe_of(base, corpus, batch, steps, side))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    if torch.cuda.is_available():
        peak = torch.cuda.max_memory_allocated()
    seconds = (ends[-1] - ends[UNTIMED - 1]) / (steps - UNTIMED)
    return {"seconds": seconds, "peak": float(peak), "computed": computed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", default="openai/whisper-tiny", choices=whisper_sizes()["sizes"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument(
        "--sides", nargs="+", choices=SIDES, default=SIDES, help="sides to compare; the first is the baseline"
    )
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        folder = given.folder
        print(json.dumps(measured(given.side, folder / "base", folder / "speech", given.batch, given.steps)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_base(given.size, folder / "base")
        write_clips(folder / "speech")
        rows = {side: _in_process(side, folder, given.batch, given.steps) for side in given.sides}
    first = rows[given.sides[0]]
    print(f"{'':22}{'s a step':>9}{'clips/s':>9}{'× first':>9}{'peak, GB':>10}{'of first':>10}")
    for side, row in rows.items():
        seconds, peak = row["seconds"], row["peak"]
        print(
            f"{side:22}{seconds:9.2f}{given.batch / seconds:9.1f}{first['seconds'] / seconds:9.1f}"
            f"{peak / 1e9:10.2f}{peak / first['peak']:10.2f}"
        )
        if row["computed"]:
            print(f"{'  states, once':22}{'':9}{CLIPS / row['computed']:9.1f}")


def write_clips(folder: Path) -> None:
    """Synthesize speech and give each clip a caption."""
    made = folder.with_name("made")
    run(Synthesis(1, "train"), range(CLIPS), made)
    folder.mkdir()
    clips = (
        replace(
            clip, captions=(Caption(render(clip.profile or VoiceProfile()), {"by": "render", "seed": 0}),)
        )
        for clip in read(made)
    )
    write_shard(folder / "0.tar", clips)


def _in_process(side: str, folder: Path, batch: int, steps: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--side", side, "--folder", str(folder)]
    more = ["--batch", str(batch), "--steps", str(steps)]
    ran = subprocess.run([*command, *more], capture_output=True, text=True)
    if ran.returncode:
        sys.exit(ran.stderr)
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
