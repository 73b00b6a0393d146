"""A regression head in the layout of Empathic Insight-Voice: hidden states of a Whisper encoder → one score.

The layout is that of the code published with laion/Empathic-Insight-Voice-Small, -Large and -Plus on Hugging
Face (model cards) and in LAION-AI/emotion-annotations: `proj`, a linear layer, and `mlp`, a sequence of
ReLU, dropout and linear layers by turns, so that its weights are `mlp.2`, `mlp.5`, `mlp.8`... down to one
output. Two inputs occur:

- flattened: all hidden states in a row, 1500 × 768 → 64 (Small) or 128 (Large): 295 MB a head, or 590;
- pooled: mean, minimum, maximum and standard deviation (of a sample, n - 1) over time, 4 × 768 = 3072 → 64.

Dropout does nothing here. All sizes are taken from the weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import linear, relu

from budew.errors import CheckpointError

POOLS = 4
LARGEST_INPUT = 2**24
"""Positions × width; the published heads take 1.2 million, on the largest Whisper it would be 1.9."""
LARGEST_LAYER = 2**13
MOST_LAYERS = 16
COMPILED = "_orig_mod."
"""What torch.compile puts before the names of weights."""
STEP, FIRST = 3, 2
"""Of the numbers of the linear layers in `mlp`."""


@dataclass(frozen=True, slots=True)
class Head:
    """One head. `layers` are weight (outputs, inputs) and bias (outputs,), the first of them `proj`."""

    name: str
    layers: tuple[tuple[Tensor, Tensor], ...]

    @property
    def inputs(self) -> int:
        """Return how many numbers it takes."""
        return self.layers[0][0].shape[1]

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return scores (batch,), float32, of inputs (batch, inputs) of the type of the first weights."""
        (projection, bias), *rest = self.layers
        hidden = linear(inputs, projection).float() + bias
        for weight, bias in rest:
            hidden = linear(relu(hidden), weight, bias)
        return hidden.squeeze(1)

    def on(self, device: torch.device, dtype: torch.dtype) -> "Head":
        """Return the head on a device, with the large first weights in `dtype`; all else is float32."""
        (projection, bias), *rest = self.layers
        small = tuple((weight.to(device), offset.to(device)) for weight, offset in rest)
        return Head(self.name, ((projection.to(device, dtype), bias.to(device)), *small))


def pool(states: Tensor) -> Tensor:
    """Return mean, minimum, maximum and standard deviation over time.

    Args:
        states: (batch, time, width).

    Returns:
        (batch, 4 * width), float32.
    """
    states = states.float()
    return torch.cat([states.mean(1), states.amin(1), states.amax(1), states.std(1)], dim=1)


def is_pooled(head: Head, *, positions: int, width: int) -> bool:
    """Return whether a head takes the pooled states of an encoder, or else the flattened ones.

    Raises:
        CheckpointError: neither fits.
    """
    if head.inputs == POOLS * width:
        return True
    if head.inputs == positions * width:
        return False
    raise CheckpointError(
        f"{head.name}: takes {head.inputs:,} numbers; this encoder gives {positions:,} × {width:,} flattened "
        f"or {POOLS} × {width:,} pooled: name the encoder that the head was made for"
    )


def head_of(name: str, weights: Mapping[str, object]) -> Head:
    """Make a head of a state dict.

    Args:
        name: of what it scores, for errors.
        weights: tensors by the names of the layout, with or without `_orig_mod.`; they are not copied unless
            they have to become float32.

    Raises:
        CheckpointError: a key too many or too few, shapes that do not fit or are too large, NaN or infinity.
    """
    tensors = {str(key).replace(COMPILED, "", 1): value for key, value in weights.items()}
    count = min(len(tensors) // 2, MOST_LAYERS + 1)
    parts = ["proj", *(f"mlp.{FIRST + STEP * number}" for number in range(count - 1))]
    odd = {f"{part}.{kind}" for part in parts for kind in ("weight", "bias")} ^ set(tensors)
    if odd or count < 2 or len(tensors) < len(weights):
        shown = ", ".join(sorted(odd))[:60] or f"{len(weights)} weights"
        raise CheckpointError(f"{name}: has not the weights of a head ({shown}): fetch it again")
    layers = tuple(_layer(name, part, tensors) for part in parts)
    sizes = [weight.shape for weight, _ in layers]
    if any(before[0] != after[1] for before, after in pairwise(sizes)) or sizes[-1][0] != 1:
        chain = " → ".join(str(size[0]) for size in sizes)
        raise CheckpointError(f"{name}: its layers ({chain}) do not fit each other down to 1: fetch it again")
    return Head(name, layers)


def _layer(name: str, part: str, tensors: Mapping[str, object]) -> tuple[Tensor, Tensor]:
    weight, bias = tensors[f"{part}.weight"], tensors[f"{part}.bias"]
    most = LARGEST_INPUT if part == "proj" else LARGEST_LAYER
    if not (
        isinstance(weight, Tensor)
        and isinstance(bias, Tensor)
        and _is_plain(weight, dimensions=2)
        and _is_plain(bias, dimensions=1)
        and weight.shape[0] == bias.shape[0] <= LARGEST_LAYER
        and 1 <= weight.shape[1] <= most
    ):
        raise CheckpointError(f"{name}: {part} is not a linear layer of a head: fetch it again")
    if not weight.sum(dtype=torch.float32).isfinite() or not bias.sum(dtype=torch.float32).isfinite():
        raise CheckpointError(f"{name}: not all of {part} are numbers: fetch it again")
    keep = weight.dtype in (torch.float16, torch.float32) and part == "proj"
    return weight.detach() if keep else weight.detach().float(), bias.detach().float()


def _is_plain(tensor: Tensor, *, dimensions: int) -> bool:
    """Return whether a tensor has as many numbers in memory as its shape says."""
    stored = tensor.is_contiguous() and tensor.layout == torch.strided and tensor.device.type != "meta"
    return stored and tensor.is_floating_point() and tensor.dim() == dimensions
