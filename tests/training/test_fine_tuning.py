"""A Whisper in the published layout of `openai/whisper-tiny` is fine-tuned, and then writes captions.

Its weights are random, as none can be downloaded, so it learns what it writes from 500 synthetic clips alone.
"""

from pathlib import Path

import numpy as np
import pytest
import yaml

from budew import jobs
from budew.audio.samples import decode
from budew.corpora import read
from budew.inference.captioner import Captioner
from budew.synthesis import Synthesis
from budew.training.run import train
from tests.model.published_layout import write_published_tiny
from tests.training.conftest import losses_of

pytestmark = pytest.mark.long
RATE, WINDOW = 16_000, 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A base, and speech to learn from."""
    folder = tmp_path_factory.mktemp("fine-tuning")
    write_published_tiny(folder / "whisper-tiny")
    jobs.run(Synthesis(3, "train"), range(500), folder / "train")
    jobs.run(Synthesis(3, "validation"), range(60), folder / "validation")
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
