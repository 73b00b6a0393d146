"""A corpus of sounds that differ from each other, and a recipe small enough to follow in a second."""

import json
import logging
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
import soundfile
from transformers import TrainerState

from budew import EMOTIONS, Clip, VoiceProfile, render
from budew.corpora import Caption, write_shard
from budew.training.recipe import Recipe, load_recipe
from budew.training.run import train
from budew.training.trainer import TrainingLog
from tests.cli.conftest import budew  # noqa: F401  # a fixture
from tests.inference.conftest import RATE, sound

ROOT = Path(__file__).parents[2]
SMALL = """
name: tiny
data: {captions: any, allow_overlap: true}
target: {kind: paraphrase}
model:
  method: scratch
  scratch:
    features: {window_seconds: 2, mel_bins: 16, fourier: 512}
    size: {width: 32, encoder_layers: 1, decoder_layers: 1, heads: 2, vocabulary: 400, longest_caption: 48}
optimizer: {max_steps: 6, batch_size: 4, warmup: 0.2, precision: fp32}
evaluation: {every_steps: 3, clips: 4}
"""


def profile_of(number: int) -> VoiceProfile:
    """A profile, another for each number."""
    emotions = {EMOTIONS[number % 40]: 0.75, EMOTIONS[(3 * number + 1) % 40]: 0.25}
    gender = "female" if number % 2 else "male"
    return VoiceProfile(emotions, ["Nervous Giggle"] if number % 3 == 0 else [], {"gender": gender})


def clip_of(number: int, *, seconds: float | None = None, **changes: object) -> Clip:
    """A clip of a sound, of 0.8 to 1.6 s unless given, with two captions."""
    file = BytesIO()
    seconds = seconds or 0.8 + 0.1 * (7 * number % 9)
    soundfile.write(file, sound(number, seconds), RATE, format="FLAC")
    profile = profile_of(number)
    captions = tuple(Caption(render(profile, seed=seed), {"by": "render", "seed": seed}) for seed in (1, 2))
    cues = {"synthesis": {"cues": {"rate": number / 12, "loudness": -number / 12}}}
    known = {"profile": profile, "captions": captions, "metadata": cues if number % 2 else {}} | changes
    return Clip(f"clip{number:02d}", file.getvalue(), "flac", **known)


def run_card(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the Python of a model card beside the folder and a recording of 3 s, as its reader would."""
    soundfile.write(checkpoint.parent / "clip.wav", sound(1, 3), RATE)
    monkeypatch.chdir(checkpoint.parent)
    code = (checkpoint / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    exec(code, {})


def weights(out: Path) -> bytes:
    return (out / "checkpoint" / "model.safetensors").read_bytes()


def history_of(out: Path) -> list[dict[str, float]]:
    file = out / "checkpoint" / "training.json"
    return json.loads(file.read_text(), parse_constant=pytest.fail)["history"]


def losses_of(out: Path) -> dict[int, float]:
    return {entry["step"]: entry["loss"] for entry in history_of(out) if "loss" in entry}


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    """What training reports is in `caplog`."""
    caplog.set_level(logging.INFO, "budew.training")


@pytest.fixture
def train_until(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`train_until(step, recipe, out)`: a run that is stopped in a step."""

    class StoppedError(Exception):
        pass

    def run(step: int, recipe: Recipe, out: Path) -> None:
        def stop(self: object, args: object, state: TrainerState, *_: object, **__: object) -> None:
            if state.global_step == step:
                raise StoppedError

        with monkeypatch.context() as patched:
            patched.setattr(TrainingLog, "on_step_end", stop)
            with pytest.raises(StoppedError):
                train(recipe, out=out)

    return run


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., Clip]:
    """`make_clip(number, seconds=…, **fields)`: a clip of a sound."""
    return clip_of


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twelve clips in four shards."""
    folder = tmp_path_factory.mktemp("corpus")
    for shard in range(4):
        write_shard(folder / f"{shard}.tar", [clip_of(3 * shard + place) for place in range(3)])
    return folder


@pytest.fixture(scope="session")
def make_recipe(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Recipe]:
    """`make_recipe("optimizer.max_steps=7")`: a recipe of a second over the corpus, with changes."""
    file = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    file.write_text(SMALL)
    own = [f"data.train={corpus}", f"data.validation={corpus}"]
    return lambda *changes: load_recipe(file, [*own, *changes])
