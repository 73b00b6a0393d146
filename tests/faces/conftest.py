"""Faces drawn by a few parameters, an image encoder of random weights, and heads as they are published."""

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import nn
from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

from budew.corpora import Clip
from tests.chat.conftest import quick_retries, start  # noqa: F401

WIDTH = 32


def drawn(
    mouth: float = 0.0,
    brows: float = 0.0,
    eyes: float = 0.5,
    *,
    size: int = 64,
    shade: int = 200,
    grain: int = 0,
):
    """A face: mouth up (1) or down (-1), brows raised (1) or not, eyes open (1) or shut (0)."""
    image = Image.new("RGB", (size, size), (shade // 2, shade // 2, shade // 2))
    draw, unit = ImageDraw.Draw(image), size / 64
    draw.ellipse([8 * unit, 4 * unit, 56 * unit, 60 * unit], fill=(shade, shade - 20, shade - 40))
    for left in (18, 38):
        draw.line(
            [left * unit, (20 - 4 * brows) * unit, (left + 8) * unit, (20 - 4 * brows) * unit],
            fill=0,
            width=2,
        )
        half = 1 + 3 * eyes
        draw.ellipse(
            [left * unit, (28 - half) * unit, (left + 8) * unit, (28 + half) * unit], fill=(255, 255, 255)
        )
    points = [
        ((20 + x) * unit, (46 + 6 * mouth * (1 - ((x - 12) / 12) ** 2) - 3 * mouth) * unit) for x in range(25)
    ]
    draw.line(points, fill=(120, 0, 0), width=3)
    if grain:
        noise = np.random.default_rng(grain).integers(0, 12, (size, size, 3))
        image = Image.fromarray((np.asarray(image) // 2 * 2 + noise).clip(0, 255).astype(np.uint8))
    return image


def encoded(image: Image.Image, format: str = "PNG", **options) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def face(id: str, image: Image.Image | None = None, **metadata) -> Clip:
    return Clip(id, encoded(image or drawn()), "png", metadata=metadata)


@pytest.fixture(scope="session")
def siglip(tmp_path_factory) -> Path:
    """A tiny SigLIP2 with random weights: both halves, as on the hub."""
    folder = tmp_path_factory.mktemp("siglip")
    torch.manual_seed(0)
    layers = {"hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = {**layers, "vocab_size": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    vision = {**layers, "image_size": 32, "patch_size": 8}
    SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
    SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


class PublishedHead(nn.Module):
    """A head as the published weights have it: `layers.0`, `layers.3`…"""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for before, after in pairwise(sizes):
            parts += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(0.1)]
        self.layers = nn.Sequential(*parts[:-2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).squeeze(1)


def save_heads(folder: Path, names: list[str], *sizes: int) -> dict[str, PublishedHead]:
    folder.mkdir(parents=True, exist_ok=True)
    heads = {}
    for number, name in enumerate(names):
        torch.manual_seed(number)
        heads[name] = PublishedHead(*sizes).eval()
        torch.save(heads[name].state_dict(), folder / f"model_{name}_best.pth")
    return heads


def write_neutral(folder: Path, names: list[str]) -> dict[str, float]:
    means = {name: float(value) for name, value in zip(names, np.linspace(0, 1, len(names)), strict=True)}
    text = json.dumps({f"model_{name}_best": {"mean": mean, "std": 1.0} for name, mean in means.items()})
    (folder / "neutral_stats.json").write_text(text)
    return means


@pytest.fixture
def serve(start) -> Iterator[Callable]:  # noqa: F811
    return start
