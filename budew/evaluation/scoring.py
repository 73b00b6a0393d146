"""From pairs of reference and predicted profiles to an `Evaluation`."""

from collections.abc import Sequence
from itertools import compress, pairwise

import numpy as np

from budew.correlation import FloatArray, summarize
from budew.errors import InputError
from budew.evaluation.metrics import (
    METRICS,
    Scores,
    bootstrap,
    permutation_baseline,
    score,
    strongest,
)
from budew.evaluation.results import EmotionScore, Evaluation, Pair, Settings, Skipped
from budew.taxonomy import EMOTIONS


def evaluate(
    pairs: Sequence[Pair],
    *,
    model: str = "predictions",
    corpus: str = "clips",
    skipped: Sequence[Skipped] = (),
    settings: Settings | None = None,
) -> Evaluation:
    """Compare predicted with reference profiles over the 40 emotions.

    The result depends on the pairs and the settings, not on the order of the pairs.

    Args:
        pairs: one a clip, each id once.
        model, corpus: names to report.
        skipped: clips that were left out, to report.
        settings: bootstrap resamples, permutations and seed; the defaults of `Settings` where left out.

    Raises:
        InputError: there are no pairs, two with the same id, or one of unknown emotions.
    """
    settings = settings or Settings()
    ordered = tuple(sorted(pairs, key=lambda pair: pair.id))
    _check(ordered, corpus, skipped)
    reference = np.stack([pair.reference.vector() for pair in ordered]).astype(np.float64)
    predicted = np.stack([pair.predicted.vector() for pair in ordered]).astype(np.float64)
    point = score(reference, predicted)
    sampled = bootstrap(reference, predicted, resamples=settings.resamples, seed=settings.seed)
    baseline = permutation_baseline(
        reference, predicted, permutations=settings.permutations, seed=settings.seed
    )
    confusion = strongest(reference).T @ strongest(predicted)
    constant = np.ptp(reference, axis=0) == 0
    return Evaluation(
        model=model,
        corpus=corpus,
        pairs=ordered,
        skipped=tuple(skipped),
        emotions=_by_emotion(reference, predicted, point, sampled, confusion),
        mean={name: summarize(float(value[0]), sampled.mean[name]) for name, value in point.mean.items()},
        baseline={name: summarize(float(values.mean()), values) for name, values in baseline.mean.items()},
        undefined=tuple(compress(EMOTIONS, constant)),
        unvaried=tuple(compress(EMOTIONS, ~constant & (np.ptp(predicted, axis=0) == 0))),
        confusion=confusion,
        settings=settings,
    )


def _by_emotion(
    reference: FloatArray, predicted: FloatArray, point: Scores, sampled: Scores, confusion: FloatArray
) -> tuple[EmotionScore, ...]:
    return tuple(
        EmotionScore(
            emotion=name,
            support=int((reference[:, column] > 0).sum()),
            predicted_support=int((predicted[:, column] > 0).sum()),
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
        if not (pair.reference.emotions_known and pair.predicted.emotions_known):
            raise InputError(f"the emotions of clip {pair.id!r} of {corpus} are unknown: leave it out")
