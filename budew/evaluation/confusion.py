"""What is taken for what: the strongest true emotion of each clip against the strongest predicted one.

Captions speak in five levels, so ties are common. A clip's unit of weight is split evenly over its tied
strongest emotions, on either side; no order of the emotions decides.
"""

from collections.abc import Sequence

import numpy as np

from budew.correlation import FloatArray


def strongest(intensities: FloatArray) -> FloatArray:
    """Share each clip's weight over its strongest emotions.

    Args:
        intensities: (clips, emotions) in [0, 1].

    Returns:
        (clips, emotions + 1), rows summing to one; the last column is "none at all".
    """
    top = intensities.max(axis=1, keepdims=True)
    tied = (intensities == top) & (top > 0)
    rows = np.concatenate([tied, top <= 0], axis=1).astype(float)
    shares: FloatArray = rows / rows.sum(axis=1, keepdims=True)
    return shares


def confusion_matrix(truth: FloatArray, predicted: FloatArray) -> FloatArray:
    """Count clips by strongest true emotion (row) and strongest predicted one (column).

    Returns:
        (emotions + 1, emotions + 1), the last of each being "none at all".
    """
    matrix: FloatArray = strongest(truth).T @ strongest(predicted)
    return matrix


def top1_credit(truth: FloatArray, predicted: FloatArray) -> FloatArray:
    """Chance that the strongest predicted emotion is a strongest true one, ties broken at random.

    Returns:
        (clips,) in [0, 1]; NaN for clips whose truth names no emotion.
    """
    right = strongest(truth)[:, :-1] > 0
    credit = (strongest(predicted)[:, :-1] * right).sum(axis=1)
    result: FloatArray = np.where(right.any(axis=1), credit, np.nan)
    return result


def merge_groups(matrix: FloatArray, groups: Sequence[str]) -> tuple[tuple[str, ...], FloatArray]:
    """Add up rows and columns of a confusion matrix that share a group.

    Args:
        matrix: (emotions + 1, emotions + 1); the last row and column are "none".
        groups: group of each emotion, in the matrix's order.

    Returns:
        the groups in order of first appearance, and (groups + 1, groups + 1).
    """
    names = tuple(dict.fromkeys(groups))
    member = np.zeros((len(matrix), len(names) + 1))
    for emotion, group in enumerate(groups):
        member[emotion, names.index(group)] = 1
    member[-1, -1] = 1
    merged: FloatArray = member.T @ matrix @ member
    return names, merged
