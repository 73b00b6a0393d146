"""Agreement of raters equals what published implementations say of the drawn units."""

import warnings
from itertools import combinations

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score, mean_absolute_error, root_mean_squared_error

from budew.errors import InputError
from budew.evaluation.benchmarks.face_agreement import whole_ratings
from budew.statistics.agreement import (
    agreement,
    cronbach_alpha,
    exact_agreement,
    krippendorff_alpha,
    leave_one_out,
    pairwise_agreement,
    pooled_kappa,
    rating_matrix,
    weighted_kappa,
)
from budew.statistics.arrays import FloatArray
from budew.statistics.resampling import Resampling

ONCE = np.ones((1, 40))


def ratings(
    seed: int, *, raters: int = 4, units: int = 40, values: int = 3, holes: float = 0.4
) -> FloatArray:
    """Ratings that agree somewhat, some missing; units differ in how many there are."""
    generator = np.random.default_rng(seed)
    made = (generator.integers(values, size=units) + generator.integers(values, size=(raters, units))) / 2
    made[generator.random(made.shape) < holes] = np.nan
    return made


def resamples(units: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=5).astype(float)


def drawn(matrix: FloatArray, counts: FloatArray) -> FloatArray:
    return np.repeat(matrix, counts.astype(int), axis=1)


def test_krippendorffs_alpha_is_that_of_the_published_package_on_300_matrices_with_holes():
    for seed in range(300):
        matrix = ratings(
            seed, raters=2 + seed % 4, units=5 + seed % 7, values=2 + seed % 5, holes=seed % 6 / 10
        )
        value = krippendorff_alpha(matrix, ONCE[:, : matrix.shape[1]])[0]
        try:
            with np.errstate(invalid="ignore"):  # one value alone is paired
                expected = krippendorff.alpha(matrix, level_of_measurement="interval")
        except ValueError:  # one value, or none
            assert np.isnan(value)
        else:
            assert value == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_alpha_of_a_resample_is_that_of_the_drawn_units():
    matrix, counts = ratings(1), resamples(40)
    expected = [krippendorff.alpha(drawn(matrix, row), level_of_measurement="interval") for row in counts]
    assert krippendorff_alpha(matrix, counts) == pytest.approx(expected, abs=1e-9)


def test_cronbachs_alpha_is_the_textbook_one_without_holes():
    matrix = ratings(1, values=9, holes=0)
    for row in resamples(40):
        some, k = drawn(matrix, row), len(matrix)
        ratio = some.var(axis=1, ddof=1).sum() / some.sum(axis=0).var(ddof=1)
        assert cronbach_alpha(matrix, row[None])[0] == pytest.approx(k / (k - 1) * (1 - ratio))


@given(st.integers(0, 2**32))
def test_cronbachs_alpha_with_holes_pools_variances_and_covariances_by_degrees_of_freedom(seed):
    matrix, (row, *_) = ratings(seed, units=12), resamples(12, seed)
    several = drawn(matrix, row)
    several = several[:, (~np.isnan(several)).sum(axis=0) > 1]
    own = [one for one in (rater[~np.isnan(rater)] for rater in several) if len(one) > 1]
    pairs = [np.stack([a, b])[:, ~np.isnan(a + b)] for a, b in combinations(several, 2)]
    shared = [both for both in pairs if both.shape[1] > 1]
    value = cronbach_alpha(matrix, row[None])[0]
    v = np.average([one.var(ddof=1) for one in own], weights=[len(one) - 1 for one in own]) if own else 0
    if v < 1e-9 or not shared:
        assert np.isnan(value)
        return
    c = np.average([np.cov(both)[0, 1] for both in shared], weights=[both.shape[1] - 1 for both in shared])
    k = (~np.isnan(several)).sum(axis=0).mean()
    if v + (k - 1) * c > 1e-9:
        assert value == pytest.approx(k * c / (v + (k - 1) * c), rel=1e-9, abs=1e-9)


def test_cronbachs_alpha_measures_consistency_and_krippendorffs_agreement():
    matrix = np.stack([np.arange(9.0), np.arange(9.0) + 5])
    assert cronbach_alpha(matrix, ONCE[:, :9]) == pytest.approx(1)
    assert krippendorff_alpha(matrix, ONCE[:, :9])[0] < 0.5


@given(st.integers(0, 2**32))
def test_shares_of_equal_ratings_are_counted_unit_by_unit(seed):
    matrix = ratings(seed, values=2)
    row = resamples(40, seed)[:1]
    answers = [unit[~np.isnan(unit)] for unit in drawn(matrix, row[0]).T]
    exact = [len(set(unit)) == 1 for unit in answers if len(unit) > 1]
    pairs = [a == b for unit in answers for a, b in combinations(unit, 2)]
    assert exact_agreement(matrix, row)[0] == pytest.approx(np.mean(exact), abs=1e-9)
    assert pairwise_agreement(matrix, row)[0] == pytest.approx(np.mean(pairs), abs=1e-9)


def test_the_human_ceiling_is_each_rater_against_the_mean_of_the_others():
    matrix = ratings(3)
    for row in resamples(40):
        units = [unit[~np.isnan(unit)] for unit in drawn(matrix, row).T]
        pairs = [
            (own, np.delete(unit, place).mean())
            for unit in units
            if len(unit) > 1
            for place, own in enumerate(unit)
        ]
        own, others = np.array(pairs).T
        expected = {
            "pearson": stats.pearsonr(own, others).statistic,
            "spearman": stats.spearmanr(own, others.round(9)).statistic,
            "mae": mean_absolute_error(own, others),
            "rmse": root_mean_squared_error(own, others),
        }
        found = leave_one_out(matrix, row[None])
        assert {name: value[0] for name, value in found.items()} == pytest.approx(expected, abs=1e-9)


def test_intervals_contain_the_values_and_are_those_of_the_resampled_units():
    found = agreement(ratings(4, units=200), Resampling(400, seed=5))
    estimates = [
        found.krippendorff,
        found.cronbach,
        found.exact,
        found.pairwise,
        *found.leave_one_out.values(),
    ]
    assert all(one.low < one.value < one.high for one in estimates)
    assert found == agreement(ratings(4, units=200), Resampling(400, seed=5))


def test_units_rated_once_change_nothing_and_nothing_rated_twice_is_undefined():
    matrix = ratings(6)
    single = np.full((4, 10), np.nan)
    single[0] = 9.0
    assert agreement(np.hstack([matrix, single]), Resampling(20)) == agreement(matrix, Resampling(20))
    for statistic in (krippendorff_alpha, cronbach_alpha, exact_agreement, pairwise_agreement):
        assert statistic(np.hstack([matrix, single]), np.ones((1, 50))) == pytest.approx(
            statistic(matrix, ONCE)
        )
    nothing = agreement(single, Resampling(20)).to_dict()
    assert (nothing["units"], nothing["krippendorff"]["value"]) == (0, None)
    same = agreement(np.ones((2, 5)), Resampling(20))
    assert (same.exact.value, same.krippendorff.value, same.cronbach.value) == (1.0, None, None)


def test_a_matrix_does_not_depend_on_the_order_of_the_ratings():
    rows = [("b", "r1", 2.0), ("a", "r2", 1.0), ("b", "r2", 0.0)]
    expected = np.array([[np.nan, 2.0], [1.0, 0.0]])
    for given_rows in (rows, rows[::-1]):
        assert np.array_equal(rating_matrix(*zip(*given_rows, strict=True)), expected, equal_nan=True)
    with pytest.raises(InputError, match="'r1' rates 'b' twice"):
        rating_matrix(*zip(*rows, rows[0], strict=True))


def sklearn_kappa(a, b):
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


def two_raters(generator, emotions=300):
    """Two raters of 12 images: holes, scores off the scale, some who always say the same."""
    drawn = np.stack([generator.normal(level, 3, (12, emotions)) for level in (2, 3)])
    drawn[0, :, ::10], drawn[1, :, ::15] = 0, 0
    drawn[generator.random(drawn.shape) < generator.random(emotions)] = np.nan
    return drawn


def test_weighted_kappa_equals_that_of_scikit_learn():
    drawn = two_raters(np.random.default_rng(0))
    found = weighted_kappa(*whole_ratings(drawn))
    enough = np.isfinite(whole_ratings(drawn)).all(axis=0).sum(axis=0) > 1
    expected = [
        sklearn_kappa(a, b) if ok else np.nan for a, b, ok in zip(*drawn.swapaxes(1, 2), enough, strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert 150 < np.isfinite(found).sum() < 300


def test_pooled_kappa_is_that_of_all_pairs_in_one_table():
    people = whole_ratings(np.random.default_rng(2).normal(3, 2, (3, 30, 1)))
    pairs = [(0, 1), (0, 2), (1, 2)]
    first, second = (np.concatenate([people[pair[side], :, 0] for pair in pairs]) for side in (0, 1))
    assert pooled_kappa(people)[0] == pytest.approx(sklearn_kappa(first, second), abs=1e-9)
    model = people[:1] + 1
    first, second = np.tile(model[0, :, 0], 3), people[:, :, 0].ravel()
    assert pooled_kappa(whole_ratings(model), people)[0] == pytest.approx(
        sklearn_kappa(whole_ratings(first), second), abs=1e-9
    )
