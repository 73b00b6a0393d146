"""Pairs of reference and predicted profiles, and their `Evaluation`: metrics with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import compress, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from budew.correlation import Estimate, FloatArray, summarize
from budew.errors import InputError
from budew.evaluation.metrics import (
    METRICS,
    Scores,
    bootstrap,
    permutation_baseline,
    score_emotions,
    strongest,
)
from budew.profile import VoiceProfile, intensity_matrix
from budew.taxonomy import EMOTIONS


@dataclass(frozen=True, slots=True)
class Pair:
    """One clip: its reference profile and the predicted one.

    Attributes:
        id: of the clip.
        reference, predicted: the profiles that are compared.
        caption: the predicted caption, where the prediction came as one.
        audio: encoded bytes or a path, for the few clips that a report plays.
    """

    id: str
    reference: VoiceProfile
    predicted: VoiceProfile
    caption: str | None = None
    audio: bytes | Path | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A clip left out of the metrics, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EmotionScore:
    """The metrics of one emotion.

    Attributes:
        emotion: its name.
        rated: number of clips in which it is rated.
        refused: number of these in which it is not predicted; everything else is over the others.
        support, predicted_support: number of clips that have it, and for which it was predicted.
        estimates: metric → value and interval.
        confused_with: the other emotion most often predicted as strongest where this one is the strongest,
            and its share of those clips.
    """

    emotion: str
    rated: int
    refused: int
    support: int
    predicted_support: int
    estimates: Mapping[str, Estimate]
    confused_with: tuple[str, float] | None


@dataclass(frozen=True, slots=True)
class Settings:
    """Number of bootstrap resamples and of permutations, and their seed."""

    resamples: int = 1000
    permutations: int = 100
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics over a corpus.

    Attributes:
        model, corpus: names.
        pairs: ordered by clip id.
        skipped: clips left out.
        emotions: one entry an emotion.
        mean, baseline: each metric averaged over the emotions, and "top1": of the predictions, and of the
            same predictions permuted over the clips.
        undefined: emotions whose reference is constant or nowhere rated (no correlation).
        unvaried: emotions whose reference varies and whose prediction does not (correlation 0).
        confusion: (41, 41), in clips with all emotions rated: strongest reference emotion by strongest
            predicted one, the last of each being none.
        settings: of intervals and baseline.
    """

    model: str
    corpus: str
    pairs: tuple[Pair, ...]
    skipped: tuple[Skipped, ...]
    emotions: tuple[EmotionScore, ...]
    mean: Mapping[str, Estimate]
    baseline: Mapping[str, Estimate]
    undefined: tuple[str, ...]
    unvaried: tuple[str, ...]
    confusion: FloatArray
    settings: Settings

    @property
    def unparsed(self) -> int:
        """Number of captions from which nothing was parsed: no emotion, no vocal burst, no trait."""
        predicted = [pair.predicted for pair in self.pairs if pair.caption is not None]
        return sum(not (profile.emotions or profile.bursts or profile.traits) for profile in predicted)

    @property
    def partly_rated(self) -> int:
        """Number of clips in which only some emotions are rated."""
        return sum(not pair.reference.fully_rated for pair in self.pairs)

    @property
    def refused(self) -> float:
        """Per cent of the rated emotions of all clips that are not predicted; metrics are over the others."""
        return 100 * sum(row.refused for row in self.emotions) / sum(row.rated for row in self.emotions)

    @property
    def emotionless(self) -> int:
        """Number of predictions without any emotion for clips that have one."""
        answered = [pair for pair in self.pairs if pair.predicted.rated]
        return sum(bool(pair.reference.emotions) and not pair.predicted.emotions for pair in answered)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the pairs, ready for JSON; undefined metrics are None."""
        return {
            "model": self.model,
            "corpus": self.corpus,
            "clips": len(self.pairs),
            "partly_rated": self.partly_rated,
            "refused": self.refused,
            "skipped": [asdict(clip) for clip in self.skipped],
            "unparsed": self.unparsed,
            "emotionless": self.emotionless,
            "mean": {metric: asdict(estimate) for metric, estimate in self.mean.items()},
            "baseline": {metric: asdict(estimate) for metric, estimate in self.baseline.items()},
            "undefined": list(self.undefined),
            "unvaried": list(self.unvaried),
            "settings": asdict(self.settings),
            "emotions": [
                {
                    "emotion": row.emotion,
                    "rated": row.rated,
                    "refused": row.refused,
                    "support": row.support,
                    "predicted_support": row.predicted_support,
                    **{metric: asdict(estimate) for metric, estimate in row.estimates.items()},
                    "confused_with": row.confused_with
                    and {"emotion": row.confused_with[0], "share": row.confused_with[1]},
                }
                for row in self.emotions
            ],
        }


def evaluate(
    pairs: Sequence[Pair],
    *,
    model: str = "predictions",
    corpus: str = "clips",
    skipped: Sequence[Skipped] = (),
    settings: Settings | None = None,
) -> Evaluation:
    """Compare predicted with reference profiles over the emotions that the reference rates.

    An emotion that the prediction does not rate is refused: left out there, and counted. The result depends
    on the pairs and the settings, not on the order of the pairs.

    Args:
        pairs: one a clip, each id once.
        model, corpus: names to report.
        skipped: clips that were left out, to report.
        settings: bootstrap resamples, permutations and seed; the defaults of `Settings` where left out.

    Raises:
        InputError: there are no pairs, two with the same id, or one without any rated emotion.
    """
    settings = settings or Settings()
    ordered = tuple(sorted(pairs, key=lambda pair: pair.id))
    _check(ordered, corpus, skipped)
    reference = intensity_matrix(pair.reference for pair in ordered)
    predicted = intensity_matrix(pair.predicted for pair in ordered)
    point = score_emotions(reference, predicted)
    sampled = bootstrap(reference, predicted, resamples=settings.resamples, seed=settings.seed)
    baseline = permutation_baseline(
        reference, predicted, permutations=settings.permutations, seed=settings.seed
    )
    paired = ~np.isnan(reference + predicted)
    whole = paired.all(axis=1)
    confusion = strongest(reference[whole]).T @ strongest(predicted[whole])
    constant, unvaried = _constant(reference, paired), _constant(predicted, paired)
    return Evaluation(
        model=model,
        corpus=corpus,
        pairs=ordered,
        skipped=tuple(skipped),
        emotions=_by_emotion(reference, predicted, point, sampled, confusion),
        mean={name: summarize(float(value[0]), sampled.mean[name]) for name, value in point.mean.items()},
        baseline={name: summarize(float(values.mean()), values) for name, values in baseline.mean.items()},
        undefined=tuple(compress(EMOTIONS, constant)),
        unvaried=tuple(compress(EMOTIONS, ~constant & unvaried)),
        confusion=confusion,
        settings=settings,
    )


def _by_emotion(
    reference: FloatArray, predicted: FloatArray, point: Scores, sampled: Scores, confusion: FloatArray
) -> tuple[EmotionScore, ...]:
    rated, paired = ~np.isnan(reference), ~np.isnan(reference + predicted)
    return tuple(
        EmotionScore(
            emotion=name,
            rated=int(rated[:, column].sum()),
            refused=int((rated & ~paired)[:, column].sum()),
            support=int((reference[paired[:, column], column] > 0).sum()),
            predicted_support=int((predicted[paired[:, column], column] > 0).sum()),
            estimates={
                metric: summarize(
                    float(point.by_emotion[metric][0, column]), sampled.by_emotion[metric][:, column]
                )
                for metric in METRICS
            },
            confused_with=_confused_with(confusion, column),
        )
        for column, name in enumerate(EMOTIONS)
    )


def _constant(values: FloatArray, rated: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return for each emotion whether all its values in rated clips are equal; shape (emotions,)."""
    low, high = np.where(rated, values, np.inf).min(axis=0), np.where(rated, values, -np.inf).max(axis=0)
    constant: npt.NDArray[np.bool_] = low >= high
    return constant


def _confused_with(confusion: FloatArray, row: int) -> tuple[str, float] | None:
    """Return the wrong emotion most often predicted for clips of this one, and its share, if any."""
    wrong = confusion[row, :-1].copy()
    wrong[row] = 0
    if not wrong.any():
        return None
    return EMOTIONS[int(wrong.argmax())], float(wrong.max() / confusion[row].sum())


def _check(ordered: Sequence[Pair], corpus: str, skipped: Sequence[Skipped]) -> None:
    if not ordered:
        why = f"; all {len(skipped)} were skipped, the first because {skipped[0].reason}" if skipped else ""
        raise InputError(f"{corpus} has no clips to evaluate{why}: give a corpus whose clips have profiles")
    for before, after in pairwise(ordered):
        if before.id == after.id:
            raise InputError(f"{corpus} has two clips with the id {before.id!r}: give every clip its own id")
    for pair in ordered:
        if not pair.reference.rated:
            raise InputError(f"clip {pair.id!r} of {corpus} has no rated emotion: leave it out")
