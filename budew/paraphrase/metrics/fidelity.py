"""How well captions express their profiles: the profile of each clip against the parse of its captions.

A profile is taken as a caption can express it (`budew.captions.expressible`: rounded to levels). Each caption
gives Spearman's ρ over the 40 emotions. Levels are compared where the profile or the caption has an emotion:
with the 37 or so that neither has, every caption would be nearly right. Intervals are percentile bootstrap
intervals over clips, whose captions are kept together. 0.3 ms a caption on one core.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from budew.captions import expressible, parse
from budew.correlation import Estimate, FloatArray, spearman, summarize
from budew.errors import InputError
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS, LEVELS

RATES = ("spearman", "exact", "within_one", "recall", "precision")
RESAMPLES = 1000
_STEP = LEVELS[1] - LEVELS[0]
_AT_A_TIME = 1_000_000
"""Resamples × clips held at once: about 8 MB."""
_Fraction = tuple[FloatArray, FloatArray]
"""Numerators and denominators."""


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
    spearman: Estimate
    exact: Estimate
    within_one: Estimate
    recall: Estimate
    precision: Estimate
    by_emotion: tuple[EmotionFidelity, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; undefined metrics are None."""
        return {
            "clips": self.clips,
            "captions": self.captions,
            "without_emotion": self.without_emotion,
            **{rate: getattr(self, rate).to_dict() for rate in RATES},
            "by_emotion": [asdict(row) for row in self.by_emotion],
        }


def fidelity(
    clips: Sequence[Sequence[tuple[VoiceProfile, str]]],
    *,
    weights: Sequence[Sequence[float]] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Fidelity:
    """Compare captions with the profiles that they should express.

    Args:
        clips: for each, pairs of the profile to express (intensities in [0, 1]) and the caption.
        weights: how much each caption counts, positive; 1 where left out.
        resamples, seed: of the bootstrap over clips.

    Raises:
        InputError: there are no captions, or not as many weights as captions.
    """
    clip = np.array([number for number, pairs in enumerate(clips) for _ in pairs], dtype=np.intp)
    if not len(clip):
        raise InputError("there are no captions to compare with profiles: give at least one")
    target, said = _levels([pair for pairs in clips for pair in pairs])
    weight = np.array([weight for row in weights for weight in row]) if weights else np.ones(len(clip))
    if len(weight) != len(clip):
        raise InputError(f"{len(weight)} weights for {len(clip)} captions: give one for each")
    cells = {name: array * weight[:, None] for name, array in _cells(target, said).items()}
    rho = _correlations(target, said)
    defined = np.isfinite(rho)
    total = {name: array.sum(axis=1) for name, array in cells.items()}
    fractions: dict[str, _Fraction] = {
        "exact": (total["exact"], total["either"]),
        "within_one": (total["within_one"], total["either"]),
        "recall": (total["kept"], total["wanted"]),
        "precision": (total["kept"], total["said"]),
        "spearman": (np.nan_to_num(rho) * weight, defined * weight),
    }
    estimates = _estimates(fractions, clip, resamples=resamples, seed=seed)
    return Fidelity(
        clips=len(np.unique(clip)),
        captions=len(clip),
        without_emotion=int((~defined).sum()),
        **estimates,
        by_emotion=tuple(_by_emotion({name: array.sum(axis=0) for name, array in cells.items()})),
    )


def _levels(pairs: Sequence[tuple[VoiceProfile, str]]) -> tuple[FloatArray, FloatArray]:
    """Return the levels of the profile and of the parse of each caption; (captions, 40) both."""
    target = [expressible(profile).vector() for profile, _ in pairs]
    said = [parse(text).vector() for _, text in pairs]
    return np.stack(target).astype(np.float64), np.stack(said).astype(np.float64)


def _correlations(target: FloatArray, said: FloatArray) -> FloatArray:
    """Return Spearman's ρ of each row; NaN where the profile has no emotion. Equal rows are computed once."""
    rows, back = np.unique(np.hstack([target, said]), axis=0, return_inverse=True)
    once, half = np.ones((1, target.shape[1])), target.shape[1]
    found = np.array([spearman(row[:half], row[half:], once)[0] for row in rows])
    result: FloatArray = found[back.reshape(-1)]
    return result


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


def _estimates(
    fractions: Mapping[str, _Fraction],
    clip: np.ndarray[tuple[int], np.dtype[np.intp]],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Estimate]:
    """Return each fraction of sums with its interval; clips are drawn with all their captions."""
    _, number = np.unique(clip, return_inverse=True)
    sums = {name: tuple(np.bincount(number, part) for part in parts) for name, parts in fractions.items()}
    sampled: dict[str, list[FloatArray]] = {name: [] for name in fractions}
    for counts in _draws(number.max() + 1, resamples, seed):
        for name, (above, below) in sums.items():
            sampled[name].append(_divided(counts @ above, counts @ below))
    return {
        name: summarize(
            float(_divided(np.array([above.sum()]), np.array([below.sum()]))[0]),
            np.concatenate(sampled[name]),
        )
        for name, (above, below) in sums.items()
    }


def _draws(clips: int, resamples: int, seed: int) -> Iterator[FloatArray]:
    """Give how often each clip is drawn, (some resamples, clips) at a time."""
    random, size = np.random.default_rng(seed), max(1, _AT_A_TIME // clips)
    for start in range(0, resamples, size):
        rows = min(size, resamples - start)
        yield random.multinomial(clips, np.full(clips, 1 / clips), size=rows).astype(np.float64)


def _divided(above: FloatArray, below: FloatArray) -> FloatArray:
    result = np.full(len(above), np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


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
