"""Synthetic speech with a loud cue, its encoder states, and heads of random weights as they are published."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from budew.annotation.head_annotator import AnnotateByHeads
from budew.corpora import Clip, write_shard
from budew.heads.encoder_states import LabeledStates, encode_corpus, load_encoder
from budew.profile import VoiceProfile
from budew.synthesis.clip_plan import plan_clip
from budew.synthesis.espeak import Espeak
from budew.synthesis.speech_signal import synthesize_clip
from tests.annotation.sounds import clip_of

CLIPS = 80
EXCITED = ("loudness", "rate", "pitch_level", "dynamics")


class FullMLP(nn.Module):
    """The published architecture, written down independently of the code under test."""

    def __init__(self, inputs: int, projection: int = 8, hidden: tuple[int, ...] = (8, 6, 4)) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.proj = nn.Linear(inputs, projection)
        layers: list[nn.Module] = [nn.ReLU(), nn.Dropout(0.0)]
        for size in hidden:
            layers += [nn.Linear(projection, size), nn.ReLU(), nn.Dropout(0.1)]
            projection = size
        self.mlp = nn.Sequential(*layers, nn.Linear(projection, 1))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.mlp(self.proj(self.flatten(inputs)))


def published(inputs: int, *, seed: int, **sizes) -> FullMLP:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return FullMLP(inputs, **sizes).eval()


def save_published(model: FullMLP, path: Path, *, compiled: bool = False) -> Path:
    prefix = "_orig_mod." if compiled else ""
    torch.save({prefix + key: value for key, value in model.state_dict().items()}, path)
    return path


def annotated(heads: Path, *clips: Clip) -> list[Clip]:
    """Clips with the scores of heads; none may fail."""
    return list(AnnotateByHeads(heads, device="cpu").run(iter(clips), pytest.fail))


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic speech whose arousal and anger are how loud, fast, high and lively it was planned."""
    shard = tmp_path_factory.mktemp("corpus") / "train.tar"
    with Espeak() as espeak:
        write_shard(shard, [planned(number, espeak) for number in range(CLIPS)])
    return shard


def planned(number: int, espeak: Espeak) -> Clip:
    plan = plan_clip(number, seed=11, split="train")
    cue = float(np.clip(np.mean([plan.settings[name] for name in EXCITED]), -1, 1))
    profile = VoiceProfile({"Anger": max(cue, 0.0)}, (), {"Arousal": 2 + 2 * cue})
    return clip_of(synthesize_clip(plan, espeak), plan.id, profile=profile, speaker=plan.voice.speaker)


@pytest.fixture(scope="session")
def pooled(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> LabeledStates:
    return encode_corpus(corpus, load_encoder(device="cpu"), tmp_path_factory.mktemp("pooled") / "states")


@pytest.fixture(scope="session")
def flattened(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> LabeledStates:
    file = tmp_path_factory.mktemp("flattened") / "states"
    return encode_corpus(corpus, load_encoder(device="cpu"), file, layout="flattened")
