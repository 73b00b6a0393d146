"""A head computes what the published architecture computes, and nothing else passes for one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.annotation.head_layout import LARGEST_LAYER, head_of, is_pooled, pool
from budew.errors import CheckpointError

from .sounds import published

POSITIONS, WIDTH = 50, 32


def states(batch: int = 3) -> torch.Tensor:
    return torch.randn(batch, POSITIONS, WIDTH, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("prefix", ["", "_orig_mod."])
@pytest.mark.parametrize("pooled", [False, True])
def test_a_head_gives_the_scores_of_the_published_code(prefix, pooled):
    heard = states()
    parts = [heard.mean(dim=1), heard.min(dim=1).values, heard.max(dim=1).values, heard.std(dim=1)]
    inputs, ours = (torch.cat(parts, dim=1), pool(heard)) if pooled else (heard, heard.flatten(1))
    model = published(ours.shape[1], seed=2)
    head = head_of("Awe", {prefix + key: value for key, value in model.state_dict().items()})
    with torch.inference_mode():
        assert torch.allclose(head(ours), model(inputs).squeeze(1), atol=1e-5)
    assert is_pooled(head, positions=POSITIONS, width=WIDTH) == pooled
    with pytest.raises(CheckpointError, match=r"numbers.*51 × 33 flattened.*4 × 33 pooled"):
        is_pooled(head, positions=POSITIONS + 1, width=WIDTH + 1)


@settings(max_examples=25, deadline=None)
@given(
    inputs=st.integers(1, 64),
    projection=st.integers(1, 16),
    hidden=st.lists(st.integers(1, 16), max_size=5),
    seed=st.integers(0, 99),
)
def test_any_widths_and_depth_are_taken_from_the_weights(inputs, projection, hidden, seed):
    model = published(inputs, seed=seed, projection=projection, hidden=tuple(hidden))
    heard = torch.randn(4, inputs, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        assert torch.allclose(head_of("x", model.state_dict())(heard), model(heard).squeeze(1), atol=1e-5)


def test_half_precision_gives_nearly_the_same_scores():
    model = published(POSITIONS * WIDTH, seed=2)
    head = head_of("Awe", model.state_dict())
    half = head.on(torch.device("cpu"), torch.float16)
    flat = states().flatten(1)
    assert half.layers[0][0].dtype == torch.float16
    assert torch.allclose(half(flat.half()), head(flat), atol=0.01)


def spoilt(**changes):
    weights = dict(published(128, seed=1).state_dict())
    for key, value in changes.items():
        name = key.replace("__", ".")
        weights.pop(name, None) if value is None else weights.__setitem__(name, value)
    return weights


@pytest.mark.parametrize(
    ("weights", "fault"),
    [
        (spoilt(proj__bias=None), "not the weights .*proj.bias"),
        (spoilt(mlp__5__weight=None), "not the weights"),
        (spoilt(mlp__3__weight=torch.zeros(2, 2)), "not the weights"),
        (spoilt(extra=torch.zeros(2)), "not the weights .*extra"),
        (spoilt(_orig_mod__proj__bias=torch.zeros(8)), "not the weights"),
        ({}, "not the weights"),
        ({f"mlp.{number}.weight": torch.zeros(1, 1) for number in range(2, 90)}, "not the weights"),
        (spoilt(proj__weight=torch.zeros(8, 128, dtype=torch.int64)), "proj is not a linear layer"),
        (spoilt(proj__weight="weights"), "not a linear layer"),
        (spoilt(proj__weight=torch.zeros(8)), "not a linear layer"),
        (spoilt(proj__weight=torch.zeros(8, 1).expand(8, 2**23)), "not a linear layer"),
        (spoilt(proj__weight=torch.zeros(7, 128)), "not a linear layer"),
        (spoilt(mlp__2__weight=torch.zeros(8, LARGEST_LAYER + 1)), "not a linear layer"),
        (spoilt(mlp__5__weight=torch.zeros(6, 9)), "do not fit"),
        (spoilt(mlp__11__weight=torch.zeros(2, 4), mlp__11__bias=torch.zeros(2)), "do not fit"),
        (spoilt(mlp__8__bias=torch.tensor([1.0, float("nan"), 0, 0])), "not all of mlp.8 are numbers"),
        (spoilt(proj__weight=torch.full((8, 128), float("inf"))), "not all of proj are numbers"),
    ],
)
def test_what_is_no_head_is_refused_with_its_name_and_fault(weights, fault):
    with pytest.raises(CheckpointError, match=f"Awe: .*{fault}"):
        head_of("Awe", weights)
