"""Metrics of one call equal scipy and numpy over the rated pairs, whatever form profiles have."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from budew import parse, render
from budew.errors import InputError
from budew.evaluation import score
from budew.profile import VoiceProfile

intensity = st.one_of(st.just(math.nan), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1, width=32))
vectors = st.lists(
    st.tuples(*[intensity] * 3).map(lambda some: [*some, *[math.nan] * 37]), min_size=1, max_size=8
)


@given(vectors, vectors)
def test_every_metric_is_that_of_scipy_over_the_pairs_that_both_rate(
    references: list[Any], predictions: list[Any]
) -> None:
    n = min(len(references), len(predictions))
    references, predictions = references[:n], predictions[:n]
    found = score(predictions, references)
    y, x = 10 * np.array(references).ravel(), 10 * np.array(predictions).ravel()
    paired = ~np.isnan(x) & ~np.isnan(y)
    asked = (~np.isnan(y)).sum()
    assert found["n"] == paired.sum()
    assert found["refused"] == (pytest.approx(100 - 100 * paired.sum() / asked, abs=1e-9) if asked else None)
    x, y = x[paired], y[paired]
    if not len(x):
        assert found["mae"] is found["rmse"] is found["pearson"] is None
        return
    assert found["mae"] == pytest.approx(np.abs(x - y).mean(), abs=1e-9)
    assert found["rmse"] == pytest.approx(np.sqrt(np.square(x - y).mean()), abs=1e-9)
    if np.ptp(y) == 0:
        assert found["spearman"] is None
    elif np.ptp(x) == 0:
        assert found["spearman"] == found["pearson"] == 0
    else:
        assert found["spearman"] == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
        if min(np.std(x), np.std(y)) > 1e-3:
            assert found["pearson"] == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)


def test_profiles_mappings_vectors_and_captions_are_the_same() -> None:
    profiles = [VoiceProfile({"Fear": 0.75}), VoiceProfile({"Anger": 0.5, "Pride": 1}), VoiceProfile()]
    mappings = [dict(profile.emotions) for profile in profiles]
    references = [
        {"Fear": 0.5, "Hope/Optimism": 0.25, "Pride": None},
        VoiceProfile({"Anger": 1}, rated=["Anger", "Pride"]),
        {"Anger": 0},
    ]
    expected = score(profiles, references)
    assert expected["n"] == 5
    captions = [render(profile) for profile in profiles]
    assert [parse(caption).profile.emotions for caption in captions] == mappings
    vectors = np.stack([profile.vector() for profile in profiles])
    assert score(captions, references) == score(vectors, references) == expected
    named = [{"hope": 0}, *mappings[1:]]
    assert score([{**named[0], **mappings[0]}, *named[1:]], references) == expected


def test_refusals_are_counted_and_left_out() -> None:
    references = [{"Fear": 1}, {"Fear": 0.5}, {"Anger": 0}, {"Anger": 1}]
    found = score([None, " ", {"Anger": None, "Fear": 1}, {"Anger": 0.9}], references)
    assert (found["n"], found["refused"], found["mae"]) == (1, 75.0, pytest.approx(1))
    assert score([], [])["refused"] is None


@pytest.mark.parametrize(
    ("predictions", "references", "named"),
    [
        ([{"Fear": 1}], [], "1 predictions"),
        ([{"Fear": 1}, {"Fear": 2}], [{"Fear": 1}] * 2, "prediction 2"),
        ([{"Fear": 1}], [{"Feer": 1}], "reference 1"),
        ([[0.5] * 39], [{"Fear": 1}], "prediction 1"),
        ([{"Feer": None}], [{"Fear": 1}], "Fear"),
    ],
)
def test_what_cannot_be_scored_is_named(predictions: list[Any], references: list[Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        score(predictions, references)


def test_results_of_the_package_and_tensors_are_scored_as_their_profiles() -> None:
    torch = pytest.importorskip("torch")
    profile = VoiceProfile({"Anger": 1.0, "Fear": 0.25})
    parsed = parse(render(profile))
    vector = torch.from_numpy(profile.vector()).to(torch.bfloat16).requires_grad_()
    expected = score([profile], [profile])
    for same in (parsed, dict(profile.emotions), vector, render(profile)):
        assert score([same], [profile]) == expected
    with pytest.raises(InputError):
        score("A very angry voice.", [profile])
