"""Types of arrays, and a division whose result is NaN where the divisor is 0."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def divide(total: FloatArray, count: FloatArray) -> FloatArray:
    """Divide two arrays of the same shape elementwise: total / count; NaN where `count` is not above 0."""
    result = np.full(total.shape, np.nan)
    np.divide(total, count, out=result, where=count > 0)
    return result


def nanmean(values: FloatArray, axis: int = -1) -> FloatArray:
    """Mean of the finite values along an axis; NaN without finite values."""
    defined = np.isfinite(values)
    return divide(np.where(defined, values, 0.0).sum(axis=axis), defined.sum(axis=axis))
