"""How well captions express their profiles: the profile of each clip against the parse of its captions.

A profile is taken as a caption can express it (`budew.captions.expressible`: rounded to levels). Each caption
gives Spearman's ρ over the 40 emotions. Levels are compared where the profile or the caption has an emotion:
with the 37 or so that neither has, every caption would be nearly right. Intervals are percentile bootstrap
intervals over clips, whose captions are kept together. 0.3 ms a caption on one core.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    """One emotion. A rate is None where there is nothing to divide by.

    Attributes:
        emotion: its name.
        wanted: sum of the weights of the captions whose profile has it.
        said: the same of the captions that express it.
        recall: share of the wanted ones that express it.
        precision: share of those that express it whose profile has it.
        exact: share of those with both that express it at its level.
        within_one: the same, at most one level off.
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
    """How well captions express their profiles.

    Attributes:
        clips, captions: how many were compared.
        without_emotion: captions whose profile has no emotion at a level: no ρ, left out of that mean.
        spearman: mean over captions of ρ between profile and parse over the 40 emotions. A caption in which
            no emotion is found counts as 0.
        exact: of the emotions that the profile or the caption has, the share with the same level.
        within_one: the same, in both and at most one level off.
        recall: share of the emotions of the profiles that are expressed.
        precision: share of the emotions expressed that are in the profiles.
        by_emotion: in the order of `EMOTIONS`.
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
        clips: for each, pairs of the profile to express (intensities in [0, 1]) and the caption.
        weights: how much each caption counts, positive; 1 where left out.
        settings: resamples of the clips, and seed; the defaults of `Resampling` where left out.

    Raises:
        InputError: there are no captions.
    """
    number = np.array([number for number, pairs in enumerate(clips) for _ in pairs], dtype=np.intp)
    if not len(number):
        raise InputError("there are no captions to compare with profiles: give at least one")
    target, said = _levels([pair for pairs in clips for pair in pairs])
    weight = np.ones(len(number))
    if weights is not None:
        rows = zip(clips, weights, strict=True)
        weight = np.array([one for pairs, row in rows for _, one in zip(pairs, row, strict=True)])
    cells = {name: array * weight[:, None] for name, array in _cells(target, said).items()}
    once = np.ones((1, len(EMOTIONS)))
    rho = np.array([spearman(*pair, once)[0] for pair in zip(target, said, strict=True)])
    defined = np.isfinite(rho)
    total = {name: array.sum(axis=1) for name, array in cells.items()}
    fractions = {
        "exact": (total["exact"], total["either"]),
        "within_one": (total["within_one"], total["either"]),
        "recall": (total["kept"], total["wanted"]),
        "precision": (total["kept"], total["said"]),
        "spearman": (np.nan_to_num(rho) * weight, defined * weight),
    }
    return Fidelity(
        clips=len(np.unique(number)),
        captions=len(number),
        without_emotion=int((~defined).sum()),
        **_intervals(fractions, number, settings or Resampling()),
        by_emotion=tuple(_by_emotion({name: array.sum(axis=0) for name, array in cells.items()})),
    )


def _levels(pairs: Sequence[tuple[VoiceProfile, str]]) -> tuple[FloatArray, FloatArray]:
    """Return the levels of the profile and of the parse of each caption; (captions, 40) both."""
    target = intensity_matrix(expressible(profile) for profile, _ in pairs)
    return target, intensity_matrix(parse(text).profile for _, text in pairs)


def _cells(target: FloatArray, said: FloatArray) -> Mapping[str, FloatArray]:
    """Return which conditions hold for each caption and emotion, as 0 and 1; (captions, 40) each."""
    wanted, expressed = target > 0, said > 0
    kept, off = wanted & expressed, np.abs(target - said)
    found = {
        "wanted": wanted,
        "said": expressed,
        "either": wanted | expressed,
        "kept": kept,
        "exact": kept & (off == 0),
        "within_one": kept & (off <= _STEP),
    }
    return {name: array.astype(np.float64) for name, array in found.items()}


def _intervals(
    fractions: Mapping[str, tuple[FloatArray, FloatArray]],
    number: npt.NDArray[np.intp],
    settings: Resampling,
) -> dict[str, ConfidenceInterval]:
    """Return each fraction of two sums with its interval.

    Args:
        fractions: numerators and denominators, (captions,) each.
        number: of the clip of each caption, (captions,); clips are drawn with all their captions.
        settings: resamples and seed.
    """
    _, clip = np.unique(number, return_inverse=True)
    above, below = (
        np.stack([np.bincount(clip, pair[part]) for pair in fractions.values()], axis=1) for part in (0, 1)
    )
    found = bootstrap_intervals(
        lambda counts: {"fractions": divide(counts @ above, counts @ below)}, len(above), settings
    )
    return dict(zip(fractions, found["fractions"], strict=True))


def _by_emotion(total: Mapping[str, FloatArray]) -> Iterator[EmotionFidelity]:
    for at, name in enumerate(EMOTIONS):
        wanted, said, kept, exact, within_one = (
            float(total[what][at]) for what in ("wanted", "said", "kept", "exact", "within_one")
        )
        yield EmotionFidelity(
            emotion=name,
            wanted=wanted,
            said=said,
            recall=kept / wanted if wanted else None,
            precision=kept / said if said else None,
            exact=exact / kept if kept else None,
            within_one=within_one / kept if kept else None,
        )
