"""A head computes the scores of the published architecture, alone, in half precision and in a stack."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.heads.head_files import head_of_weights
from budew.heads.networks import HeadStack

from .conftest import published


def inputs_of(size: int, *, batch: int = 4, seed: int = 1) -> torch.Tensor:
    return torch.randn(batch, size, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=25, deadline=None)
@given(
    inputs=st.integers(1, 64),
    projection=st.integers(1, 16),
    hidden=st.lists(st.integers(1, 16), max_size=5),
    prefix=st.sampled_from(["", "_orig_mod."]),
    seed=st.integers(0, 99),
)
def test_a_head_of_any_size_gives_the_scores_of_the_published_code(inputs, projection, hidden, prefix, seed):
    model = published(inputs, seed=seed, projection=projection, hidden=tuple(hidden))
    head = head_of_weights("x", {prefix + key: value for key, value in model.state_dict().items()})
    given_inputs = inputs_of(inputs, seed=seed)
    with torch.inference_mode():
        assert torch.allclose(head(given_inputs), model(given_inputs).squeeze(1), atol=1e-5)


def test_half_precision_gives_nearly_the_same_scores():
    head = head_of_weights("Awe", published(1600, seed=2).state_dict())
    half = head.to(torch.device("cpu"), torch.float16)
    assert half.layers[0][0].dtype == torch.float16
    assert {part.dtype for layer in half.layers[1:] for part in layer} == {torch.float32}
    assert torch.allclose(half(inputs_of(1600).half()), head(inputs_of(1600)), atol=0.01)
    assert half.to(torch.device("cpu"), torch.float16) is half


def test_a_stack_scores_as_its_heads_do_one_by_one():
    heads = [head_of_weights(f"h{seed}", published(21, seed=seed).state_dict()) for seed in range(3)]
    with torch.inference_mode():
        scores = HeadStack.of_heads(heads)(inputs_of(21))
    assert scores.shape == (3, 4)
    for head, row in zip(heads, scores, strict=True):
        assert torch.allclose(head(inputs_of(21)), row, atol=1e-5)


@pytest.mark.parametrize("layer", [0, 1])
def test_masks_scale_the_activations_of_the_hidden_layers(layer):
    stack = HeadStack.of_heads([head_of_weights("x", published(21, seed=1, hidden=(8, 6)).state_dict())])
    masks = [torch.ones(4, 8), torch.ones(4, 6)]
    with torch.inference_mode():
        plain = stack(inputs_of(21))
        assert torch.equal(stack(inputs_of(21), masks), plain)
        masks[layer] = torch.zeros_like(masks[layer])
        assert not torch.allclose(stack(inputs_of(21), masks), plain, atol=1e-4)
