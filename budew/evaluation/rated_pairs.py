"""Metrics of predictions against references in one call, for use in other libraries.

As in EmoNet-Voice Bench (arXiv:2506.09827), every emotion that the reference of a clip rates is one pair, all
pairs are pooled, and errors are on 0–10. `budew.evaluation.evaluate` scores each emotion, with intervals.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from budew.captions.parse import parse
from budew.errors import InputError
from budew.evaluation.emotion_metrics import REPORT_MAXIMUM
from budew.profile import VoiceProfile, intensity_matrix
from budew.statistics.arrays import FloatArray
from budew.statistics.pair_metrics import PAIR_METRICS, pair_metrics
from budew.taxonomy import EMOTIONS, emotion

Reference = VoiceProfile | Mapping[str, float | None] | ArrayLike
"""A profile, a mapping emotion → intensity, or 40 intensities in the order of `EMOTIONS` (NaN: unrated)."""
Predicted = Reference | str | None | Any
"""Any form of `Reference`, a caption, or an object with a `profile`, such as the results of `Captioner` and
`parse`. None or an empty caption is a refusal: nothing is predicted."""


def score(predictions: Sequence[Predicted], references: Sequence[Reference]) -> dict[str, float | int | None]:
    """Compute correlation and error of predictions, over the emotions that the references rate.

    Args:
        predictions: one per clip. A caption is parsed. Captions and mappings predict all emotions: an
            emotion that a mapping omits is predicted as 0, an emotion with the value None is not predicted.
        references: one per clip, in the same order. A mapping rates the emotions that it names, except those
            with the value None. Intensities are in [0, 1], see `budew.taxonomy.rating_scales.to_intensity`.

    Returns:
        `pearson` and `spearman` correlation, and the errors `mae` and `rmse` on 0–10, over all pairs; None
        where undefined. A correlation is undefined if all references are equal, and 0 if only the predictions
        are. `n`: number of pairs; `refused`: per cent of the rated emotions that were not predicted and form
        no pair.

    Raises:
        InputError: predictions and references differ in number, or one is invalid: the error names it.
    """
    if isinstance(predictions, str) or len(predictions) != len(references):
        raise InputError(
            f"there are {len(predictions)} predictions for {len(references)} references: give one a clip"
        )
    rated = _matrix(references, "reference", ())
    predicted = _matrix(predictions, "prediction", EMOTIONS)
    asked = ~np.isnan(rated)
    paired = asked & ~np.isnan(predicted)
    labels, values = rated[paired] * REPORT_MAXIMUM, predicted[paired] * REPORT_MAXIMUM
    found = pair_metrics(labels, values, np.ones((1, len(labels))))
    metrics = {name: _defined(found[name][0]) for name in PAIR_METRICS}
    refused = 100 * (1 - paired.sum() / asked.sum()) if asked.any() else None
    return {**metrics, "n": len(labels), "refused": None if refused is None else float(refused)}


def _matrix(given: Sequence[Predicted], what: str, named: Collection[str]) -> FloatArray:
    """Return intensities, float64 (clips, 40); NaN where unrated."""
    profiles = []
    for number, one in enumerate(given, start=1):
        try:
            profiles.append(_profile(one, named))
        except InputError as error:
            raise InputError(f"{what} {number}: {error}") from error
    return intensity_matrix(profiles)


def _profile(given: Predicted, named: Collection[str]) -> VoiceProfile:
    given = getattr(given, "profile", given)
    if given is not None and hasattr(given, "detach"):  # a tensor, of whatever type and device
        given = given.detach().float().cpu()
    if isinstance(given, VoiceProfile):
        return given
    if given is None or (isinstance(given, str) and not given.strip()):
        return VoiceProfile(None)
    if isinstance(given, str):
        return parse(given).profile
    if not isinstance(given, Mapping):
        return VoiceProfile.from_vector(given)
    known = {name: value for name, value in given.items() if value is not None}
    refused = {emotion(name) for name in given.keys() - known.keys()}
    return VoiceProfile(known, rated={*map(emotion, known), *named} - refused)


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
