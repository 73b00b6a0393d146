"""Kappa equals scikit-learn's; ratings that are no level are left out as there."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from budew.evaluation.benchmarks.face_agreement import whole_ratings
from budew.statistics.kappa import pooled_kappa, weighted_kappa


def reference(a, b):
    """As the published code computes it: raises or warns where it is undefined."""
    shared = np.isfinite(a) & np.isfinite(b)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return cohen_kappa_score(
                a[shared].astype(int), b[shared].astype(int), weights="quadratic", labels=list(range(8))
            )
        except ValueError:
            return np.nan


def ratings(generator, emotions=300):
    """Two raters of 12 images: holes, scores off the scale, some who always say the same."""
    drawn = np.stack([generator.normal(level, 3, (12, emotions)) for level in (2, 3)])
    drawn[0, :, ::10], drawn[1, :, ::15] = 0, 0
    drawn[generator.random(drawn.shape) < generator.random(emotions)] = np.nan
    return drawn


def test_weighted_kappa_equals_that_of_scikit_learn():
    drawn = ratings(np.random.default_rng(0))
    found = weighted_kappa(*whole_ratings(drawn))
    enough = np.isfinite(whole_ratings(drawn)).all(axis=0).sum(axis=0) > 1
    expected = [
        reference(a, b) if ok else np.nan for a, b, ok in zip(*drawn.swapaxes(1, 2), enough, strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert 150 < np.isfinite(found).sum() < 300


def test_pooled_kappa_is_that_of_all_pairs_in_one_table():
    people = whole_ratings(np.random.default_rng(2).normal(3, 2, (3, 30, 1)))
    pairs = [(0, 1), (0, 2), (1, 2)]
    first, second = (np.concatenate([people[pair[side], :, 0] for pair in pairs]) for side in (0, 1))
    assert pooled_kappa(people)[0] == pytest.approx(reference(first, second), abs=1e-9)
    model = people[:1] + 1
    first, second = np.tile(model[0, :, 0], 3), people[:, :, 0].ravel()
    assert pooled_kappa(whole_ratings(model), people)[0] == pytest.approx(
        reference(whole_ratings(first), second), abs=1e-9
    )
