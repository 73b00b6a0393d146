"""Time of 40 heads for faces of the published size, compared with one pass of the image encoder.

    python benchmarks/faces.py [--batch 32] [--rounds 3]

The encoder has the size of google/siglip2-so400m-patch16-384; encoder and heads have random float32 weights.
Prints medians, and the ratio of all heads as one batched product to single heads and to the encoder.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from rich.console import Console
from rich.table import Table
from transformers import SiglipVisionConfig, SiglipVisionModel

from budew.faces.face_head_training import LARGE
from budew.heads.networks import Head
from budew.heads.stack_training import FittingOptions, initial_stack
from budew.taxonomy import EMOTIONS

WIDTH = 1152


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--batch", type=int, default=32, help="number of images in a batch")
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds; the median is printed")
    given = parser.parse_args()
    config = SiglipVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=4304,
        num_hidden_layers=27,
        num_attention_heads=16,
        image_size=384,
        patch_size=16,
    )
    encoder = SiglipVisionModel(config).eval()
    stack = initial_stack(EMOTIONS, WIDTH, FittingOptions(widths=LARGE)).eval()
    heads = [
        Head.of_layers(
            name,
            [(weight[place], bias[place]) for weight, bias in zip(stack.weights, stack.biases, strict=True)],
        )
        for place, name in enumerate(EMOTIONS)
    ]
    pixels, embeddings = torch.randn(given.batch, 3, 384, 384), torch.randn(given.batch, WIDTH)
    sides: dict[str, Callable[[], object]] = {
        "encoder": lambda: encoder(pixels),
        "40 heads, one product": lambda: stack(embeddings),
        "40 heads, one by one": lambda: [head(embeddings) for head in heads],
    }
    with torch.inference_mode():
        difference = (stack(embeddings) - torch.stack([head(embeddings) for head in heads])).abs().max()
        seconds = {name: median(_timed(work) for _ in range(given.rounds)) for name, work in sides.items()}
    table = Table(box=None)
    for column in (f"{given.batch} images", "s", "share of the encoder"):
        table.add_column(column, justify="right" if column != f"{given.batch} images" else "left")
    for name, took in seconds.items():
        table.add_row(name, f"{took:.3f}", f"{took / seconds['encoder']:.2%}")
    Console().print(table)
    print(f"largest difference between the two: {difference:.1e}")


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
