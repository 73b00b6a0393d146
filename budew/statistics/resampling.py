"""Confidence intervals by bootstrap, and permutation baselines, of whatever metric.

A resample is a vector of multiplicities: how often each unit (a clip, a speaker, an image) was drawn. Metrics
take many such vectors at once, (resamples, units), so that no resample is gathered or looped over: all
metrics of 1,000 resamples of 400 clips × 40 emotions take 1.3 s on one core (benchmarks/evaluation.py).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from budew.statistics.arrays import FloatArray, IntArray

CONFIDENCE = 0.95
_NUMBERS_AT_ONCE = 4_000_000
"""About 32 MB an array."""

Metrics = Mapping[str, FloatArray]
"""Name → one number a resample, (resamples,), or several, such as one an emotion, (resamples, columns)."""
Draw = Callable[[np.random.Generator, int, int], FloatArray]
"""Makes (resamples, units) of a generator, the number of resamples and the number of units."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """Number of bootstrap resamples and of permutations, and their seed."""

    resamples: int = 1000
    permutations: int = 100
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """A metric with the bounds of its 95 % interval; all None where the metric is undefined."""

    value: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return the three numbers, ready for JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


UNDEFINED = ConfidenceInterval(None, None, None)


def plain_data(value: Any) -> Any:
    """Return results ready for JSON: dataclasses and whatever has `to_dict`, in mappings and sequences too.

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
    """Return the fields of a dataclass ready for JSON, without those that are left out.

    Example:
        >>> plain_fields(Resampling(seed=3), "permutations")
        {'resamples': 1000, 'seed': 3}
    """
    names = (field.name for field in fields(value) if field.name not in left_out)
    return {name: plain_data(getattr(value, name)) for name in names}


def percentile_interval(value: float, sampled: FloatArray) -> ConfidenceInterval:
    """Join a metric and its values in resamples, (resamples,); those that are not finite are left out.

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
    """Draw multiplicities of units, (resamples, units), each row from one multinomial distribution."""
    return generator.multinomial(units, np.full(units, 1 / units), size=resamples).astype(np.float64)


def index_draws(generator: np.random.Generator, resamples: int, units: int) -> FloatArray:
    """Draw units one by one and count them, (resamples, units).

    The distribution is that of `multinomial_draws`, the stream of random numbers is another: published
    intervals of pooled pairs and of raters depend on this one.
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
    """Compute metrics of samples of the units, drawn with replacement.

    Args:
        metrics: of multiplicities, (resamples, units).
        units: how many there are, at least one. To draw whole clusters, such as speakers, count these, and
            let `metrics` index its multiplicities with the number of each clip's cluster.
        settings: resamples and seed.
        draw: makes the multiplicities.
        width: how many numbers `metrics` holds for a resample; as many as units where left out. Resamples are
            computed in parts of 4 million such numbers.

    Returns:
        Each metric, (resamples,) or (resamples, columns).

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
) -> dict[str, list[ConfidenceInterval]]:
    """Compute metrics with 95 % intervals; the arguments are those of `bootstrap`, but `units` may be 0.

    Returns:
        Metric → the interval of each column; one for (resamples,).

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
) -> dict[str, list[ConfidenceInterval]]:
    """Compute metrics of sums, with 95 % intervals that resample clusters; no bounds where there is one.

    Args:
        sums: of each cluster, (clusters, …).
        metrics: of sums over drawn clusters, (resamples, …).
        settings: resamples and seed.

    Returns:
        Metric → the interval of each column; one for (resamples,).

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
) -> dict[str, list[ConfidenceInterval]]:
    """Compute metrics of how often each category occurs, with intervals that resample what was counted.

    Args:
        counts: (categories,), such as the cells of a confusion matrix; their sum is above 0.
        metrics: of (resamples, categories).
        settings: resamples and seed.

    Returns:
        Metric → the interval of each column; one for (resamples,).

    Example:
        >>> right_and_wrong = np.array([30.0, 70.0])
        >>> category_intervals(right_and_wrong, lambda drawn: {"share": drawn[:, 0] / 100}, Resampling())
        {'share': [ConfidenceInterval(value=0.3, low=0.21, high=0.39)]}
    """
    total = int(counts.sum())
    drawn = np.random.default_rng(settings.seed).multinomial(total, counts / total, size=settings.resamples)
    return _intervals(metrics(counts[None]), metrics(drawn.astype(np.float64)))


def resampled_means(values: FloatArray, settings: Resampling, generator: np.random.Generator) -> FloatArray:
    """Return means of samples of the values, (n,), drawn with replacement: (resamples,)."""
    means: FloatArray = generator.choice(values, (settings.resamples, len(values))).mean(axis=1)
    return means


def permutation_baseline(
    metrics: Callable[[IntArray], Metrics], size: int, settings: Resampling
) -> dict[str, list[ConfidenceInterval]]:
    """Score predictions that belong to other clips: what their frequencies alone achieve.

    Args:
        metrics: of an order, (size,), in which the predictions are assigned; each (1,) or (1, columns).
        size: number of predictions.
        settings: permutations and seed.

    Returns:
        Metric → mean over the permutations with their 2.5 and 97.5 % quantiles, of each column.

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
    """Join the metrics of parts of the resamples."""
    found = list(parts)
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _intervals(point: Metrics, sampled: Metrics) -> dict[str, list[ConfidenceInterval]]:
    return {
        name: [
            percentile_interval(float(value[0]), column)
            for value, column in zip(_columns(values), _columns(sampled[name]), strict=True)
        ]
        for name, values in point.items()
    }


def _columns(values: FloatArray) -> FloatArray:
    """Return (resamples,) or (resamples, columns) as (columns, resamples)."""
    return np.atleast_2d(values.T)
