"""EmoNet-Face HQ: do models agree with experts as experts agree with each other? (arXiv:2505.20033)

2,500 images, 40 emotions, four of eight experts each, ratings 0–7. The published analysis
(statistics/analysis-hq.ipynb in LAION-AI/emonet-face):

- Cohen's kappa with quadratic weights for each emotion and pair of raters who share two images. A rater's
  kappa of an emotion is the mean over the human partners; its mean, median and SD are over the emotions.
- A rater could be an annotator where a two-sided Mann-Whitney test finds no difference (p > 0.05) between
  its kappas with people and those of people with each other; of a person, those of the pairs without it.
- Krippendorff's alpha of the people, for intervals, over 1,000 resamples of the images.
- Spearman's ρ of each model with the median of the people, mean over the emotions. Intervals of means over
  emotions resample the emotions.

A later study (saveli/emonet-readout) has two estimators of its own, which its figures are compared with:
kappa over the ratings of all pairs of people together, and the kappa of models after `matched_ratings`. Both
are compared over the five emotions whose published alpha is 0.3 or more, whatever the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from budew.evaluation.benchmarks.face_agreement import (
    ByEmotion,
    Comparison,
    alphas,
    box,
    by_emotion,
    compare,
    matched_ratings,
    mean,
    mean_over_emotions,
    nanmean,
    numbers_or_none,
    pairwise_kappas,
    people_by_turn,
    rating_counts,
    spearman_with_median,
    whole_ratings,
)
from budew.evaluation.benchmarks.face_table import GROUPS, FaceTable, with_predictions
from budew.evaluation.predictions import Prediction
from budew.io.resources import packaged_table
from budew.statistics.arrays import FloatArray
from budew.statistics.kappa import pooled_kappa
from budew.statistics.resampling import ConfidenceInterval, plain_data
from budew.taxonomy import EMOTIONS

SIGNIFICANT = 0.05
RELIABLE = 0.3
"""Krippendorff's alpha of an emotion that people rate reliably enough (saveli/emonet-readout)."""


@cache
def reliable_emotions() -> tuple[str, ...]:
    """Return the emotions with a published alpha of at least `RELIABLE`, which published kappas are over."""
    published = packaged_table(__package__, "emonet_face_hq")["agreement"]["by_emotion"]
    return tuple(name for name in EMOTIONS if published[name]["alpha"] >= RELIABLE)


@dataclass(frozen=True, slots=True)
class ModelScores:
    """What only models have.

    Attributes:
        spearman: ρ with the median of the people, mean over emotions.
        by_emotion: None where the model or the people never vary; left out of the mean.
        matched_kappa: after `matched_ratings`, over all pairs with people together, mean over the emotions of
            `reliable_emotions`. An upper bound: it uses the reference.
    """

    spearman: ConfidenceInterval
    by_emotion: ByEmotion
    matched_kappa: float | None


@dataclass(frozen=True, slots=True)
class RaterResult:
    """Agreement of one rater with people.

    Attributes:
        group: one of `GROUPS`.
        images: that the rater rated.
        outside: ratings that truncate to no whole number from 0 to 7, left out of kappa.
        kappa: mean over the emotions, with an interval from resampling them.
        sd, median: over the emotions.
        by_emotion: mean over the human partners; None where undefined.
        against_people: its kappas with people against those of people with each other.
        model: None for people.
    """

    name: str
    group: str
    images: int
    outside: int
    kappa: ConfidenceInterval
    sd: float | None
    median: float | None
    by_emotion: ByEmotion
    against_people: Comparison
    model: ModelScores | None

    @property
    def could_be_annotator(self) -> bool:
        """Whether its kappas do not differ significantly from those of people with each other."""
        return self.against_people.p is not None and self.against_people.p > SIGNIFICANT

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        made: dict[str, Any] = {
            "name": self.name,
            "group": self.group,
            "images": self.images,
            "outside": self.outside,
            "kappa": self.kappa.to_dict(),
            "sd": self.sd,
            "median": self.median,
            "by_emotion": dict(self.by_emotion),
            **self.against_people.to_dict(),
            "could_be_annotator": self.could_be_annotator,
        }
        if self.model is not None:
            made["spearman"] = self.model.spearman.to_dict()
            made["spearman_by_emotion"] = dict(self.model.by_emotion)
            made["matched_kappa"] = self.model.matched_kappa
        return made


@dataclass(frozen=True, slots=True)
class HqResult:
    """The analysis of a table.

    Attributes:
        model: name of the predictions among the raters; None without.
        predicted: per cent of the images with a prediction; None without.
        counts: of the table: rows, images, people, models, and what was averaged or filled.
        raters: best mean kappa first.
        pair_names: raters in the order of `pairs`.
        pairs: (raters, raters), kappa of each pair, mean over emotions.
        groups: kappas (of raters and emotions) of each group, as a box plot shows them.
        group_comparisons: first group, second group, comparison.
        alpha: Krippendorff's alpha of the people by emotion.
        pooled: kappa over all pairs of people together, by emotion.
        ratings: how often people gave each rating 0–7, by emotion.
    """

    model: str | None
    predicted: ConfidenceInterval | None
    counts: Mapping[str, int]
    raters: tuple[RaterResult, ...]
    pair_names: tuple[str, ...]
    pairs: FloatArray
    groups: Mapping[str, Mapping[str, float | int]]
    group_comparisons: tuple[tuple[str, str, Comparison], ...]
    alpha: Mapping[str, ConfidenceInterval]
    pooled: ByEmotion
    ratings: Mapping[str, tuple[int, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "benchmark": "emonet-face-hq",
            "model": self.model,
            "predicted": None if self.predicted is None else self.predicted.to_dict(),
            "counts": dict(self.counts),
            "raters": [rater.to_dict() for rater in self.raters],
            "pairs": {"raters": list(self.pair_names), "kappa": [numbers_or_none(row) for row in self.pairs]},
            "groups": {name: dict(group) for name, group in self.groups.items()},
            "group_comparisons": [
                {"first": first, "second": second, **one.to_dict()}
                for first, second, one in self.group_comparisons
            ],
            "alpha": {
                "mean": mean(one.value for one in self.alpha.values()),
                "by_emotion": plain_data(self.alpha),
            },
            "pooled_kappa": {
                "mean": mean(self.pooled.values()),
                "mean_of_reliable": mean(self.pooled[name] for name in reliable_emotions()),
                "reliable": list(reliable_emotions()),
                "by_emotion": dict(self.pooled),
            },
            "ratings": {name: list(counts) for name, counts in self.ratings.items()},
            "published": packaged_table(__package__, "emonet_face_hq"),
        }


def score_emonet_face_hq(
    table: FaceTable, predictions: Mapping[str, Prediction] | None = None, *, name: str = "predictions"
) -> HqResult:
    """Analyse a table of EmoNet-Face HQ as published.

    22 raters, 2,500 images and 40 emotions take 3 s on one core.

    Args:
        table: ratings of people and models.
        predictions: by image, scored as one more model; see `with_predictions`.
        name: of that model.

    Raises:
        InputError: predictions cannot be joined to the images.
        MissingExtraError: scipy is not installed.
    """
    if predictions is not None:
        table = with_predictions(table, predictions, name)
    people, size = table.people, len(table.images)
    whole = whole_ratings(table.ratings)
    kappas = pairwise_kappas(whole)
    scored = _ModelScorer.of(table)
    raters = [_rater(place, table, whole, kappas, scored) for place in range(len(table.raters))]
    groups = _group_values(raters)
    return HqResult(
        model=None if predictions is None else name,
        predicted=None
        if predictions is None
        else ConfidenceInterval(100 * raters[-1].images / size, None, None),
        counts={**table.counts, "images": size, "people": len(people), "models": len(raters) - len(people)},
        raters=tuple(sorted(raters, key=_best_first)),
        pair_names=table.raters,
        pairs=nanmean(kappas),
        groups={name: box(values) for name, values in groups.items()},
        group_comparisons=tuple(
            (first, second, compare(groups[first], groups[second]))
            for first, second in combinations(groups, 2)
        ),
        alpha=alphas(table.ratings[people]),
        pooled=by_emotion(pooled_kappa(whole_ratings(people_by_turn(table)))),
        ratings=rating_counts(whole[people]),
    )


@dataclass(frozen=True, slots=True)
class _ModelScorer:
    median: FloatArray
    average: FloatArray
    by_turn: FloatArray
    reliable: list[int]

    @classmethod
    def of(cls, table: FaceTable) -> "_ModelScorer":
        ratings = table.ratings[table.people]
        rated = np.isfinite(ratings).any(axis=0)
        median = np.full(rated.shape, np.nan)
        median[rated] = np.nanmedian(ratings[:, rated], axis=0)
        reliable = [EMOTIONS.index(name) for name in reliable_emotions()]
        return cls(median, nanmean(ratings, axis=0), whole_ratings(people_by_turn(table)), reliable)

    def score(self, scores: FloatArray) -> ModelScores:
        """Score the ratings of a model, (images, 40)."""
        found = spearman_with_median(scores, self.median)
        matched = np.full(scores.shape, np.nan)
        for place in self.reliable:
            matched[:, place] = matched_ratings(scores[:, place], self.average[:, place])
        kappa = pooled_kappa(matched[None], self.by_turn)[self.reliable]
        return ModelScores(mean_over_emotions(found), by_emotion(found), mean(numbers_or_none(kappa)))


def _rater(
    place: int,
    table: FaceTable,
    whole: FloatArray,
    kappas: FloatArray,
    scorer: _ModelScorer,
) -> RaterResult:
    partners = [one for one in table.people if one != place]
    human_pairs = [kappas[pair] for pair in combinations(partners, 2)]
    own = nanmean(kappas[partners, place], axis=0)
    defined = own[np.isfinite(own)]
    rated = np.isfinite(table.ratings[place])
    return RaterResult(
        name=table.raters[place],
        group=table.groups[place],
        images=int(rated.any(axis=1).sum()),
        outside=int((rated & ~np.isfinite(whole[place])).sum()),
        kappa=mean_over_emotions(own),
        sd=float(defined.std(ddof=1)) if len(defined) > 1 else None,
        median=float(np.median(defined)) if len(defined) else None,
        by_emotion=by_emotion(own),
        against_people=compare(kappas[partners, place], np.array(human_pairs)),
        model=None if place in table.people else scorer.score(table.ratings[place]),
    )


def _best_first(rater: RaterResult) -> tuple[float, str]:
    return (np.inf if rater.kappa.value is None else -rater.kappa.value, rater.name)


def _group_values(raters: list[RaterResult]) -> dict[str, FloatArray]:
    """Kappas of all raters and emotions of each group, groups of the paper first."""
    values = {
        name: np.array(
            [
                kappa
                for rater in sorted(raters, key=lambda one: one.name)
                if rater.group == name
                for kappa in rater.by_emotion.values()
                if kappa is not None
            ]
        )
        for name in GROUPS
    }
    return {name: found for name, found in values.items() if len(found)}
