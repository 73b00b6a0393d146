"""Regression heads: perceptrons that compute one score from the hidden states of an encoder.

The architecture is that of Empathic Insight-Voice and -Face (model cards of laion on Hugging Face): linear
layers down to one output, with ReLU and dropout between them. `Head` is one of them as an `nn.Sequential`.
`HeadStack` computes many heads of one shape together: 40 small ones take little longer than one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, relu

DROPOUT = 0.1
"""Dropout rate that the published heads were trained with."""


@dataclass(frozen=True, slots=True)
class Head:
    """A regression head, with the name of the emotion or attribute that it scores.

    The weights of the first layer, up to 100 million, may be in half precision; all others are float32.

    Example:
        >>> import torch
        >>> layers = [(torch.ones(2, 3), torch.zeros(2)), (torch.ones(1, 2), torch.ones(1))]
        >>> head = Head.of_layers("Awe", layers)
        >>> head.network
        Sequential(
          (0): Linear(in_features=3, out_features=2, bias=True)
          (1): ReLU()
          (2): Dropout(p=0.1, inplace=False)
          (3): Linear(in_features=2, out_features=1, bias=True)
        )
        >>> head(torch.tensor([[1.0, 2.0, 3.0]]))
        tensor([13.])
    """

    name: str
    network: nn.Sequential

    @classmethod
    def of_layers(cls, name: str, layers: Sequence[tuple[Tensor, Tensor]]) -> "Head":
        """Build a head from the weights (outputs, inputs) and biases (outputs,) of its linear layers.

        The tensors are not copied, so weights that are mapped from a file are not read into memory.
        """
        modules: list[nn.Module] = []
        for weight, bias in layers:
            layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
            layer.weight = nn.Parameter(weight, requires_grad=False)
            layer.bias = nn.Parameter(bias, requires_grad=False)
            modules += [layer, nn.ReLU(), nn.Dropout(DROPOUT)]
        return cls(name, nn.Sequential(*modules[:-2]).eval())

    @property
    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Weights and biases of the linear layers."""
        linear_layers = (layer for layer in self.network if isinstance(layer, nn.Linear))
        return [(layer.weight.detach(), layer.bias.detach()) for layer in linear_layers]

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self.layers[0][0].shape[1]

    def __call__(self, inputs: Tensor) -> Tensor:
        """Compute float32 scores (batch,) of inputs (batch, inputs) in the dtype of the first weights."""
        first, *rest = self.network
        weight, bias = first.get_parameter("weight"), first.get_parameter("bias")
        hidden = linear(inputs, weight).float() + bias  # only the product is in half precision
        for module in rest:
            hidden = module(hidden)
        return hidden.squeeze(1)

    def to(self, device: torch.device, dtype: torch.dtype) -> "Head":
        """Return the head on another device, with the weights of its first layer converted to `dtype`."""
        (weight, bias), *rest = self.layers
        if (weight.device, weight.dtype) == (device, dtype):
            return self
        moved = [(weight.to(device, dtype), bias.to(device))]
        moved += [(weight.to(device), bias.to(device)) for weight, bias in rest]
        return Head.of_layers(self.name, moved)


class HeadStack(nn.Module):
    """Several heads of the same shape as one module: inputs (batch, inputs) → scores (heads, batch).

    Its parameters are the weights (heads, outputs, inputs) of each layer, then the biases (heads, outputs).
    """

    def __init__(self, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(weights), nn.ParameterList(biases)

    @classmethod
    def of_heads(cls, heads: Sequence[Head]) -> "HeadStack":
        """Stack copies of the weights of heads, in the given order."""
        layers = list(zip(*(head.layers for head in heads), strict=True))
        weights = [torch.stack([weight.float() for weight, _ in layer]) for layer in layers]
        return cls(weights, [torch.stack([bias for _, bias in layer]) for layer in layers])

    def forward(self, inputs: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
        """Return the scores (heads, batch) of inputs (batch, inputs).

        Args:
            inputs: inputs that all heads take.
            masks: dropout masks, (batch, outputs) each: factors for the activations of each layer except the
                first and the last; empty for no dropout.
        """
        first, *hidden, last = zip(self.weights, self.biases, strict=True)
        weight, bias = first
        projected = linear(
            inputs, weight.flatten(0, 1), bias.flatten()
        )  # one product for all heads is twice as fast
        active = relu(projected.view(-1, *bias.shape).transpose(0, 1))
        for number, (weight, bias) in enumerate(hidden):
            active = relu(torch.baddbmm(bias.unsqueeze(1), active, weight.transpose(1, 2)))
            if masks:
                active = active * masks[number]
        weight, bias = last
        # Head by head, because the rounding of one product would depend on the number of heads.
        heads = zip(active.unbind(), weight.unbind(), bias.unbind(), strict=True)
        return torch.stack([linear(*head).squeeze(1) for head in heads])
