"""Confidence intervals by bootstrap, and permutation baselines, of any metric.

A resample is a vector of multiplicities: how often each unit (a clip, a speaker, an image) was drawn.
Functions that compute metrics take many such vectors at once, (resamples, units), and need no loop over
resamples: all metrics of 1,000 resamples of 400 clips × 40 emotions take 1.3 s on one core
(benchmarks/evaluation.py).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from budew.statistics.arrays import FloatArray, IntArray

CONFIDENCE = 0.95
_NUMBERS_AT_ONCE = 4_000_000
"""Numbers in one array, about 32 MB."""

Metrics = Mapping[str, FloatArray]
"""Name of a metric to its values: (resamples,), or (resamples, columns) with, say, a column per emotion."""
Draw = Callable[[np.random.Generator, int, int], FloatArray]
"""Function of a generator, the number of resamples and the number of units; returns (resamples, units)."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """Settings: number of bootstrap resamples, number of permutations, and the random seed of both."""

    resamples: int = 1000
    permutations: int = 100
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """A metric with its 95 % interval.

    Attributes:
        value: the metric on all units; None if it is undefined.
        low, high: bounds of the interval; None if they are undefined, for example with one cluster.
    """

    value: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return `value`, `low` and `high` as plain data for JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


UNDEFINED = ConfidenceInterval(None, None, None)
Intervals = dict[str, list[ConfidenceInterval]]
"""Name of a metric to its intervals: one for each column that the metric returns, else a single one."""


def plain_data(value: Any) -> Any:
    """Convert results to plain data for JSON: dataclasses and objects with `to_dict`, also nested ones.

    Example:
        >>> plain_data({"mae": ConfidenceInterval(1.0, 0.5, 2.0)})
        {'mae': {'value': 1.0, 'low': 0.5, 'high': 2.0}}
    """
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if is_dataclass(value):
        return plain_fields(value)
    if isinstance(value, Mapping):
        return {str(key): plain_data(inner) for key, inner in value.items()}
    return [plain_data(inner) for inner in value] if isinstance(value, list | tuple) else value


def plain_fields(value: Any, *left_out: str) -> dict[str, Any]:
    """Return the fields of a dataclass as plain data for JSON, without the fields named in `left_out`.

    Example:
        >>> plain_fields(Resampling(seed=3), "permutations")
        {'resamples': 1000, 'seed': 3}
    """
    names = (field.name for field in fields(value) if field.name not in left_out)
    return {name: plain_data(getattr(value, name)) for name in names}


def percentile_interval(value: float, sampled: FloatArray) -> ConfidenceInterval:
    """Make the 95 % percentile interval of a metric from its values in resamples.

    Args:
        value: the metric on all units.
        sampled: the metric in each resample, (resamples,); values that are not finite are ignored.

    Example:
        >>> percentile_interval(0.5, np.array([0.25, 0.25, 0.75, 0.75, np.nan]))
        ConfidenceInterval(value=0.5, low=0.25, high=0.75)
    """
    defined = sampled[np.isfinite(sampled)]
    if not np.isfinite(value) or not len(defined):
        return UNDEFINED
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return ConfidenceInterval(float(value), float(low), float(high))


def multinomial_draws(generator: np.random.Generator, resamples: int, units: int) -> FloatArray:
    """Draw multiplicities of units, (resamples, units), each row from a multinomial distribution."""
    return generator.multinomial(units, np.full(units, 1 / units), size=resamples).astype(np.float64)


def index_draws(generator: np.random.Generator, resamples: int, units: int) -> FloatArray:
    """Draw multiplicities of units, (resamples, units), by drawing and counting single units.

    The distribution equals that of `multinomial_draws`, but the random numbers differ. Published intervals of
    pooled pairs and of raters were computed with this function.
    """
    drawn = generator.integers(units, size=(resamples, units)) + units * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * units)
    return counts.reshape(resamples, units).astype(np.float64)


def bootstrap(
    metrics: Callable[[FloatArray], Metrics],
    units: int,
    settings: Resampling,
    *,
    draw: Draw = multinomial_draws,
    width: int | None = None,
) -> dict[str, FloatArray]:
    """Compute metrics of bootstrap resamples: units are drawn with replacement.

    Args:
        metrics: function of multiplicities (resamples, units) that returns the metrics of each resample.
        units: number of units, at least one. To draw whole clusters, such as speakers, give the number of
            clusters, and let `metrics` look up the multiplicity of each clip's cluster.
        settings: number of resamples, and seed.
        draw: function that draws the multiplicities.
        width: numbers that `metrics` keeps in memory for one resample; None: the number of units. Resamples
            are computed in chunks of 4 million such numbers.

    Returns:
        Name of each metric to its values, (resamples,) or (resamples, columns).

    Example:
        >>> lengths = np.array([1.0, 2.0, 6.0])
        >>> sampled = bootstrap(lambda n: {"mean": n @ lengths / n.sum(axis=1)}, 3, Resampling(resamples=4))
        >>> sampled["mean"].shape
        (4,)
    """
    generator = np.random.default_rng(settings.seed)
    size = max(1, _NUMBERS_AT_ONCE // (width or units))
    starts = range(0, settings.resamples, size)
    return _joined(metrics(draw(generator, min(size, settings.resamples - start), units)) for start in starts)


def bootstrap_intervals(
    metrics: Callable[[FloatArray], Metrics],
    units: int,
    settings: Resampling,
    *,
    draw: Draw = multinomial_draws,
    width: int | None = None,
) -> Intervals:
    """Compute metrics with 95 % bootstrap intervals.

    Takes the arguments of `bootstrap`, except that `units` may be 0: the intervals are then undefined (None).

    Example:
        >>> lengths = np.array([1.0, 2.0, 6.0])
        >>> found = bootstrap_intervals(lambda n: {"mean": n @ lengths / n.sum(axis=1)}, 3, Resampling())
        >>> found["mean"]
        [ConfidenceInterval(value=3.0, low=1.0, high=6.0)]
    """
    point = metrics(np.ones((1, units)))
    sampled = bootstrap(metrics, units, settings, draw=draw, width=width) if units else point
    return _intervals(point, sampled)


def cluster_intervals(
    sums: FloatArray, metrics: Callable[[FloatArray], Metrics], settings: Resampling
) -> Intervals:
    """Compute metrics from one sum per cluster, such as a speaker, and 95 % intervals by drawing clusters.

    Args:
        sums: sums over the clips of each cluster, (clusters, …). With one cluster the bounds are None.
        metrics: function of sums over all drawn clusters, (resamples, …), that returns the metrics.
        settings: number of resamples, and seed.

    Example:
        >>> sums = np.array([[10.0, 5.0], [30.0, 15.0]])  # clips of two speakers, and right ones
        >>> cluster_intervals(sums, lambda drawn: {"accuracy": drawn[:, 1] / drawn[:, 0]}, Resampling())
        {'accuracy': [ConfidenceInterval(value=0.5, low=0.5, high=0.5)]}
    """
    clusters, shape = len(sums), sums.shape[1:]
    point = metrics(sums.sum(axis=0, keepdims=True))
    if clusters == 1:
        return {
            name: [
                ConfidenceInterval(value if np.isfinite(value) else None, None, None)
                for value in _columns(values)[:, 0].tolist()
            ]
            for name, values in point.items()
        }
    flat = sums.reshape(clusters, -1)
    drawn = bootstrap(lambda counts: {"sums": counts @ flat}, clusters, settings)["sums"]
    return _intervals(point, metrics(drawn.reshape(-1, *shape)))


def category_intervals(
    counts: FloatArray, metrics: Callable[[FloatArray], Metrics], settings: Resampling
) -> Intervals:
    """Compute metrics of counts, with 95 % intervals that resample the counted items.

    Args:
        counts: number of items in each category, (categories,), such as the cells of a confusion matrix; the
            sum is above 0.
        metrics: function of counts (resamples, categories) that returns the metrics.
        settings: number of resamples, and seed.

    Example:
        >>> right_and_wrong = np.array([30.0, 70.0])
        >>> category_intervals(right_and_wrong, lambda drawn: {"share": drawn[:, 0] / 100}, Resampling())
        {'share': [ConfidenceInterval(value=0.3, low=0.21, high=0.39)]}
    """
    total = int(counts.sum())
    drawn = np.random.default_rng(settings.seed).multinomial(total, counts / total, size=settings.resamples)
    return _intervals(metrics(counts[None]), metrics(drawn.astype(np.float64)))


def resampled_means(values: FloatArray, settings: Resampling, generator: np.random.Generator) -> FloatArray:
    """Return the mean of each bootstrap resample of the values (n,): (resamples,)."""
    means: FloatArray = generator.choice(values, (settings.resamples, len(values))).mean(axis=1)
    return means


def mean_interval(values: FloatArray, settings: Resampling) -> ConfidenceInterval:
    """Return the mean of values (n,), NaN left out, with an interval; undefined with fewer than two values.

    Example:
        >>> mean_interval(np.array([0.25, np.nan, 0.75]), Resampling())
        ConfidenceInterval(value=0.5, low=0.25, high=0.75)
    """
    defined = values[np.isfinite(values)]
    if len(defined) < 2:
        return UNDEFINED
    means = resampled_means(defined, settings, np.random.default_rng(settings.seed))
    return percentile_interval(defined.mean(), means)


def permutation_baseline(
    metrics: Callable[[IntArray], Metrics], size: int, settings: Resampling
) -> Intervals:
    """Score predictions that are randomly assigned to clips: the result of guessing with their frequencies.

    Args:
        metrics: function of a permutation (size,) of the predictions that returns metrics, (1,) or (1,
            columns).
        size: number of predictions.
        settings: number of permutations, and seed.

    Returns:
        Name of each metric to a list with, for each column, the mean over the permutations and the 2.5 and
        97.5 % quantiles.

    Example:
        >>> labels = np.arange(100) % 2
        >>> found = permutation_baseline(
        ...     lambda order: {"accuracy": np.array([np.mean(labels == labels[order])])}, 100, Resampling()
        ... )
        >>> round(found["accuracy"][0].value, 1)
        0.5
    """
    generator = np.random.default_rng(settings.seed)
    orders = (generator.permutation(size) for _ in range(settings.permutations))
    found = {name: _columns(values) for name, values in _joined(map(metrics, orders)).items()}
    return {
        name: [percentile_interval(float(column.mean()), column) for column in columns]
        for name, columns in found.items()
    }


def _joined(parts: Iterator[Metrics]) -> dict[str, FloatArray]:
    """Concatenate the metrics of chunks of the resamples."""
    found = list(parts)
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _intervals(point: Metrics, sampled: Metrics) -> Intervals:
    return {
        name: [
            percentile_interval(float(value[0]), column)
            for value, column in zip(_columns(values), _columns(sampled[name]), strict=True)
        ]
        for name, values in point.items()
    }


def _columns(values: FloatArray) -> FloatArray:
    """Return values (resamples,) or (resamples, columns) as (columns, resamples)."""
    return np.atleast_2d(values.T)
