"""A Whisper in the published layout of `openai/whisper-tiny` is fine-tuned, stopped, resumed and opened.

Its weights are random, as none can be downloaded, so it learns what it writes from 500 synthetic clips alone.
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from peft import PeftModel
from safetensors.torch import load_file
from transformers import WhisperForConditionalGeneration, pipeline

from budew.audio.samples import decode
from budew.corpora import read
from budew.inference.captioner import Captioner
from budew.model.adapt import set_prefix, set_window
from budew.model.build import PREFIX
from budew.model.checkpoint import load_checkpoint
from budew.synthesis import synthesize_corpus
from budew.training.run import train
from budew.training.run_folder import RunFolder
from tests.model.published_layout import write_published_tiny
from tests.training.conftest import ROOT, losses_of

pytestmark = pytest.mark.long
RATE, WINDOW = 16_000, 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A base, and speech to learn from."""
    folder = tmp_path_factory.mktemp("fine-tuning")
    write_published_tiny(folder / "whisper-tiny")
    synthesize_corpus(folder / "train", clips=500, seed=3, split="train")
    synthesize_corpus(folder / "validation", clips=60, seed=3, split="validation")
    return folder


@pytest.fixture(scope="module")
def write_recipe(folder):
    """`write_recipe("lora", base=…, steps=…, optimizer={…})`: the file of a recipe."""

    def write(
        method: str,
        *,
        base: Path,
        frame: str = "expresses",
        steps: int,
        every: int,
        **optimizer: object,
    ) -> Path:
        recipe = {
            "model": {"base": str(base), "method": method, "window_seconds": WINDOW},
            "data": {
                "train": str(folder / "train"),
                "validation": str(folder / "validation"),
                "cache": str(folder / "cache"),
                "workers": 2,
            },
            "target": {"kind": "template", "wording": "plain", "frames": [frame]},
            "optimizer": {"max_steps": steps, **optimizer},
            "evaluation": {"every_steps": every, "clips": 32, "keep": "last"},
        }
        path = folder / f"{method}-{steps}.yaml"
        path.write_text(yaml.safe_dump(recipe))
        return path

    return write


@pytest.fixture(scope="module")
def full(write_recipe, folder) -> Path:
    """The run that trains all weights."""
    recipe = write_recipe(
        "full", base=folder / "whisper-tiny", steps=150, every=50, batch_size=16, learning_rate=5e-4
    )
    train(recipe, out=folder / "full")
    return folder / "full"


@pytest.fixture(scope="module")
def lora(write_recipe, full, folder) -> Path:
    """The run that trains adapters, on what the other has learned, to word captions in another way."""
    recipe = write_recipe(
        "lora", base=full / "checkpoint", frame="speaks_with", steps=60, every=30, batch_size=16
    )
    train(recipe, out=folder / "lora")
    return folder / "lora"


@pytest.fixture(scope="module")
def sounds(folder) -> list[np.ndarray]:
    return [decode(clip.audio).samples for clip in read(folder / "validation")]


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_fine_tuned_whisper_writes_captions_only(method, sounds, request):
    run = request.getfixturevalue(method)
    losses = list(losses_of(run).values())
    print(f"{method}: loss {losses[0]:.3f} to {losses[-1]:.3f} in {max(losses_of(run))} steps")
    assert losses[-1] < (0.3 if method == "full" else 0.6) * losses[0]
    captioner = Captioner.from_pretrained(run / "checkpoint", device="cpu")
    for captioned in captioner(sounds[:20], sampling_rate=RATE):
        assert captioned.profile.emotions or captioned.profile.traits
        assert "<|" not in captioned.caption
        assert not captioned.warnings  # nothing had to be removed


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_checkpoint_opens_in_stock_libraries(method, sounds, request, tmp_path):
    checkpoint = request.getfixturevalue(method) / "checkpoint"
    ours = Captioner.from_pretrained(checkpoint, device="cpu", dtype="float32")
    stock = pipeline("automatic-speech-recognition", model=str(checkpoint), device="cpu")
    recording = np.concatenate(sounds)
    short, long = recording[: 5 * RATE], recording[: 40 * RATE]
    windows = np.split(long, len(long) // (WINDOW * RATE))
    captions = [one["text"].strip() for one in stock([short, *windows])]
    assert captions[:1] == [ours(short, sampling_rate=RATE).caption]
    assert captions[1:] == [ours(window, sampling_rate=RATE).caption for window in windows]

    ctranslate2 = pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed")
    converter = ctranslate2.converters.TransformersConverter(str(checkpoint))
    converted = ctranslate2.models.Whisper(converter.convert(str(tmp_path / "converted")), device="cpu")
    extracted = stock.feature_extractor([short, *windows], sampling_rate=RATE, return_tensors="np")
    prefix = stock.tokenizer.convert_tokens_to_ids(list(PREFIX))
    written = converted.generate(
        ctranslate2.StorageView.from_array(extracted.input_features), [prefix] * 6, beam_size=1
    )
    texts = stock.tokenizer.batch_decode([one.sequences_ids[0] for one in written], skip_special_tokens=True)
    assert [text.strip() for text in texts] == captions


def test_the_adapter_opens_in_peft_and_by_itself(lora, full, sounds):
    merged = load_checkpoint(lora / "checkpoint", device="cpu").model
    found = load_checkpoint(lora / "adapter", device="cpu")
    base = WhisperForConditionalGeneration.from_pretrained(full / "checkpoint", dtype=torch.float32)
    set_prefix(base, set_window(base, found.processor, WINDOW).tokenizer)
    adapted = PeftModel.from_pretrained(base, lora / "adapter").eval()
    given = {
        "input_features": found.processor.feature_extractor(
            sounds[:4], sampling_rate=RATE, return_tensors="pt"
        ).input_features,
        "decoder_input_ids": torch.randint(0, 50_000, (4, 9), generator=torch.Generator().manual_seed(1)),
    }
    with torch.inference_mode():
        expected = adapted(**given).logits
        difference = (found.model(**given).logits - expected).abs().max().item()
        halved = (merged(**given).logits - expected).abs().max().item()
    print(f"largest difference of logits: {difference:.1e} merged on loading, {halved:.1e} saved in float16")
    assert difference < 1e-5 * expected.abs().max().item()
    names = ("adapter", "checkpoint")
    both = [Captioner.from_pretrained(lora / name, device="cpu", dtype="float32") for name in names]
    texts = [[captioned.caption for captioned in one(sounds[:8], sampling_rate=RATE)] for one in both]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_run_killed_at_any_step_ends_as_an_undisturbed_one(method, write_recipe, folder, tmp_path):
    recipe = write_recipe(method, base=folder / "whisper-tiny", steps=40, every=20, batch_size=4)
    step = random.SystemRandom().randrange(21, 40)
    print(f"{method}: killed after step {step}")
    command = (sys.executable, "-m", "budew", "train", recipe, "--out")
    _kill_after(step, (*command, tmp_path / "killed"))
    assert not (tmp_path / "killed" / "checkpoint").exists()
    for name in ("killed", "undisturbed"):
        subprocess.run((*command, tmp_path / name), cwd=ROOT, check=True, capture_output=True)
    last = [RunFolder(tmp_path / name).last_checkpoint() for name in ("killed", "undisturbed")]
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        states = [torch.load(path / name, weights_only=False) for path in last]
        assert _flat(states[0]) == _flat(states[1])
    weights = "adapter_model.safetensors" if method == "lora" else "model.safetensors"
    one, other = (load_file(path / weights) for path in last)
    assert all(torch.equal(one[name], other[name]) for name in one.keys() | other.keys())
    assert losses_of(tmp_path / "killed") == losses_of(tmp_path / "undisturbed")


def _kill_after(step: int, command: tuple[object, ...]) -> None:
    """Run a command and its workers until a step is done, and end them with SIGKILL."""
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        for line in run.stderr:
            if line.startswith("step ") and "loss" in line and int(line.split("/")[0].split()[1]) >= step:
                os.killpg(run.pid, signal.SIGKILL)
                break
    assert run.returncode == -signal.SIGKILL


def _flat(state: object) -> list[object]:
    """Return what a state holds, in order; tensors as bytes."""
    if isinstance(state, dict):
        return [part for item in state.items() for part in (str(item[0]), *_flat(item[1]))]
    if isinstance(state, list | tuple):
        return [part for item in state for part in _flat(item)]
    if isinstance(state, torch.Tensor):
        return [state.contiguous().view(torch.uint8).numpy().tobytes()] if state.dim() else [state.item()]
    return [state.tobytes() if isinstance(state, np.ndarray) else state]
