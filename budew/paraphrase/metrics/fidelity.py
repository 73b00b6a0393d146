"""Fidelity of captions: the profile of each clip compared with the parse of its captions.

Profiles are first reduced to what a caption can express (`budew.captions.expressible`: rounded to levels).
Spearman's ρ is computed for each caption over the 40 emotions. Levels are compared only for emotions that the
profile or the caption has: with the 37 or so that neither has, every caption would be nearly right. Intervals
are percentile bootstrap intervals over clips, so the captions of a clip are drawn together. 0.3 ms a caption
on one core.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from budew.captions import expressible, parse
from budew.errors import InputError
from budew.profile import VoiceProfile, intensity_matrix
from budew.statistics.arrays import FloatArray, divide
from budew.statistics.correlation import spearman
from budew.statistics.resampling import ConfidenceInterval, Resampling, bootstrap_intervals
from budew.taxonomy import EMOTIONS, LEVELS

_STEP = LEVELS[1] - LEVELS[0]


@dataclass(frozen=True, slots=True)
class EmotionFidelity:
    """How well captions express one emotion. Rates are None if the count that they are shares of is 0.

    Attributes:
        emotion: name of the emotion.
        wanted: captions whose profile has the emotion, as the sum of their weights.
        said: captions that express the emotion, as the sum of their weights.
        recall: share of the `wanted` captions that express the emotion.
        precision: share of the `said` captions whose profile has the emotion.
        exact: of the captions that are both wanted and said, the share with the same level.
        within_one: of the same captions, the share whose level differs by at most one.
    """

    emotion: str
    wanted: float
    said: float
    recall: float | None
    precision: float | None
    exact: float | None
    within_one: float | None


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How well captions express their profiles, with 95 % confidence intervals.

    Attributes:
        clips, captions: number of clips and captions that were compared.
        without_emotion: number of captions whose profile has no emotion; they are left out of `spearman`.
        spearman: Spearman's ρ between profile and parse over the 40 emotions, as mean over captions. A
            caption in which no emotion is found counts as 0.
        exact: share of emotions with the same level, among the emotions that profile or caption have.
        within_one: share of emotions that profile and caption have, with levels that differ by at most one,
            among the emotions that profile or caption have.
        recall: share of the emotions of the profiles that the captions express.
        precision: share of the emotions that the captions express that are in the profiles.
        by_emotion: the same rates for each emotion, in the order of `EMOTIONS`.
    """

    clips: int
    captions: int
    without_emotion: int
    spearman: ConfidenceInterval
    exact: ConfidenceInterval
    within_one: ConfidenceInterval
    recall: ConfidenceInterval
    precision: ConfidenceInterval
    by_emotion: tuple[EmotionFidelity, ...]


def fidelity(
    clips: Sequence[Sequence[tuple[VoiceProfile, str]]],
    *,
    weights: Sequence[Sequence[float]] | None = None,
    settings: Resampling | None = None,
) -> Fidelity:
    """Compare captions with the profiles that they should express.

    Args:
        clips: for each clip, pairs of a profile to express (intensities in [0, 1]) and a caption.
        weights: positive weight of each caption, in the same order as in `clips`; None for 1.
        settings: number of bootstrap resamples, and seed; None for the defaults of `Resampling`.

    Raises:
        InputError: there are no captions.

    Example:
        >>> sad = VoiceProfile({"Sadness": 0.75})
        >>> found = fidelity([[(sad, "Deep sadness.")], [(sad, "A hint of sadness.")]])
        >>> found.recall.value, found.exact.value
        (1.0, 0.5)
    """
    pairs = [pair for rows in clips for pair in rows]
    if not pairs:
        raise InputError("there are no captions to compare with profiles: give at least one")
    target = intensity_matrix(expressible(profile) for profile, _ in pairs)
    parsed = intensity_matrix(parse(text).profile for _, text in pairs)
    weight = np.ones(len(pairs))
    if weights is not None:
        both = zip(clips, weights, strict=True)
        weight = np.array([one for rows, row in both for _, one in zip(rows, row, strict=True)])
    holds = {name: array * weight[:, None] for name, array in _conditions(target, parsed).items()}
    once = np.ones((1, len(EMOTIONS)))
    rho = np.array([spearman(*levels, once)[0] for levels in zip(target, parsed, strict=True)])
    defined = np.isfinite(rho)
    by_caption = {name: array.sum(axis=1) for name, array in holds.items()}
    fractions = {
        "exact": (by_caption["exact"], by_caption["either"]),
        "within_one": (by_caption["within_one"], by_caption["either"]),
        "recall": (by_caption["kept"], by_caption["wanted"]),
        "precision": (by_caption["kept"], by_caption["said"]),
        "spearman": (np.nan_to_num(rho) * weight, defined * weight),
    }
    # sums over the captions of each clip, since clips are resampled
    clip = np.repeat(np.arange(len(clips)), [len(rows) for rows in clips])
    _, clip = np.unique(clip, return_inverse=True)
    above = np.stack([np.bincount(clip, numerator) for numerator, _ in fractions.values()], axis=1)
    below = np.stack([np.bincount(clip, denominator) for _, denominator in fractions.values()], axis=1)
    intervals = bootstrap_intervals(
        lambda counts: {"fractions": divide(counts @ above, counts @ below)},
        len(above),
        settings or Resampling(),
    )
    return Fidelity(
        clips=len(above),
        captions=len(pairs),
        without_emotion=int((~defined).sum()),
        **dict(zip(fractions, intervals["fractions"], strict=True)),
        by_emotion=_by_emotion({name: array.sum(axis=0) for name, array in holds.items()}),
    )


def _conditions(target: FloatArray, parsed: FloatArray) -> Mapping[str, FloatArray]:
    """Return which conditions hold for each caption and emotion, as arrays (captions, 40) of 0 and 1."""
    wanted, said = target > 0, parsed > 0
    kept, distance = wanted & said, np.abs(target - parsed)
    found = {
        "wanted": wanted,
        "said": said,
        "either": wanted | said,
        "kept": kept,
        "exact": kept & (distance == 0),
        "within_one": kept & (distance <= _STEP),
    }
    return {name: array.astype(np.float64) for name, array in found.items()}


def _by_emotion(total: Mapping[str, FloatArray]) -> tuple[EmotionFidelity, ...]:
    found = []
    for column, name in enumerate(EMOTIONS):
        at = {condition: float(totals[column]) for condition, totals in total.items()}
        found.append(
            EmotionFidelity(
                emotion=name,
                wanted=at["wanted"],
                said=at["said"],
                recall=at["kept"] / at["wanted"] if at["wanted"] else None,
                precision=at["kept"] / at["said"] if at["said"] else None,
                exact=at["exact"] / at["kept"] if at["kept"] else None,
                within_one=at["within_one"] / at["kept"] if at["kept"] else None,
            )
        )
    return tuple(found)
