"""Sounds that differ from each other, as samples and as files."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from transformers import WhisperProcessor

from budew.captions.caption_prompt import PARTS, STYLES, prompt_of
from budew.inference import Captioner
from budew.model.build import Features, Size, build_tokenizer, build_whisper

RATE = 16_000


def sound(seed: int, seconds: float, rate: int = RATE) -> np.ndarray:
    """A buzzing glide of its own pitch in some noise, float32 (n,)."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    pitch = rng.uniform(90, 300) * (1 + 0.3 * np.sin(2 * np.pi * rng.uniform(0.3, 2) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 6))
    return (0.1 * voice + 0.01 * rng.normal(size=len(time))).astype(np.float32)


@pytest.fixture(scope="session")
def make_sound():
    """`make_sound(seed, seconds, rate=16000)` gives samples."""
    return sound


@pytest.fixture(scope="session")
def captioner(whisper_folder: Path) -> Captioner:
    """A captioner with 2 s windows that writes nonsense, the same each time."""
    return Captioner.from_pretrained(whisper_folder, device="cpu", dtype="float32")


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with eight good files, by name: several formats, rates, channels, lengths."""
    folder = tmp_path_factory.mktemp("sounds")
    (folder / "deeper").mkdir()
    files = {
        "a.wav": (1.0, 16_000, 1),
        "b.flac": (5.1, 44_100, 2),
        "c.mp3": (2.5, 16_000, 1),
        "d.ogg": (0.4, 48_000, 1),
        "e_192k.wav": (3.0, 192_000, 2),
        "f_8k.wav": (7.0, 8_000, 1),
        "g.wav": (2.0, 16_000, 1),
        "deeper/h.wav": (4.2, 22_050, 1),
    }
    for seed, (name, (seconds, rate, channels)) in enumerate(files.items()):
        samples = np.stack([sound(seed + 10 * channel, seconds, rate) for channel in range(channels)], axis=1)
        soundfile.write(folder / name, samples, rate)
    return folder


@pytest.fixture(scope="session")
def prompted_folder(tmp_path_factory):
    """A model of random weights that says it follows prompts, and never ends a caption."""
    size = Size(width=32, encoder_layers=1, decoder_layers=1, heads=2, longest_caption=40)
    features = Features(window_seconds=2, mel_bins=16, fourier=512)
    prompts = [prompt_of(style, parts) for style in STYLES for parts in PARTS]
    tokenizer = build_tokenizer([*prompts, "A calm voice, deeply sad."], vocabulary=320)
    model = build_whisper(size, features, tokenizer, seed=1)
    chance = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "embed_positions" not in name:
                weight.normal_(0, 0.6, generator=chance)
    model.generation_config.trained_with_prompts = True
    model.generation_config.suppress_tokens = list(range(len(tokenizer) - 9, len(tokenizer)))  # all special
    path: Path = tmp_path_factory.mktemp("prompted")
    model.save_pretrained(path)
    WhisperProcessor(features.extractor(), tokenizer).save_pretrained(path)
    return path
