"""EmoNet-Face HQ: do models agree with experts as experts agree with each other? (arXiv:2505.20033)

2,500 images, 40 emotions, four of eight experts each, ratings 0–7. The published analysis
(statistics/analysis-hq.ipynb in LAION-AI/emonet-face):

- Cohen's kappa with quadratic weights for each emotion and each pair of raters with two images in common. A
  rater's kappa for an emotion is the mean over the human partners; its mean, median and SD are over emotions.
- A rater could be an annotator if a two-sided Mann-Whitney test finds no difference (p > 0.05) between the
  rater's kappas with people and the kappas of people with each other; a person is compared with the pairs of
  other people.
- Krippendorff's alpha of the people for interval scales, with 1,000 resamples of the images.
- Spearman's ρ of each model with the median of the people, mean over the emotions. Intervals of means over
  emotions resample the emotions.

A later study (saveli/emonet-readout) has results of two other estimators, which are computed here as well:
kappa over the ratings of all pairs of people together, and the kappa of models after `matched_ratings`. Both
are compared over the five emotions whose published alpha is 0.3 or more, whatever the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from budew.errors import CorpusError
from budew.evaluation.benchmarks.face_agreement import (
    SETTINGS,
    ByEmotion,
    alphas,
    box,
    by_emotion,
    compare,
    matched_ratings,
    mean,
    numbers_or_none,
    pairwise_kappas,
    people_by_turn,
    rating_counts,
    score_group,
    spearman_with_median,
    whole_ratings,
)
from budew.evaluation.benchmarks.face_table import (
    GROUPS,
    HUMAN,
    PREDICTIONS,
    FaceTable,
    read_demographics,
    read_face_table,
    with_predictions,
)
from budew.evaluation.predictors import FilePredictor
from budew.faces.face_labels import Demographics
from budew.io.resources import packaged_table
from budew.statistics.agreement import pooled_kappa
from budew.statistics.arrays import FloatArray, nanmean
from budew.statistics.resampling import ConfidenceInterval, mean_interval, plain_fields
from budew.taxonomy import EMOTIONS

AXES = ("ethnicity", "gender", "age")
SIGNIFICANT = 0.05
RELIABLE = 0.3
"""Krippendorff's alpha from which on people rate an emotion reliably enough (saveli/emonet-readout)."""


@cache
def reliable_emotions() -> tuple[str, ...]:
    """Return the emotions with a published alpha of at least `RELIABLE`; published kappas are over these."""
    published = packaged_table(__package__, "emonet_face_hq")["agreement"]["by_emotion"]
    return tuple(name for name in EMOTIONS if published[name]["alpha"] >= RELIABLE)


@dataclass(frozen=True, slots=True)
class RaterResult:
    """Agreement of one rater with people.

    Attributes:
        name: name of the rater.
        group: one of `GROUPS`.
        images: number of images that the rater rated.
        outside: number of ratings outside 0 to 7 after truncation, which kappa leaves out.
        kappa: mean kappa over the emotions, with an interval from resampling them.
        sd, median: standard deviation and median of kappa over the emotions.
        by_emotion: emotion → mean kappa over the human partners; None where undefined.
        difference, p: difference between the rater's kappas with people and the kappas of people with each
            other, and its p-value, see `Comparison`.
        could_be_annotator: whether the difference is not significant.
        spearman, spearman_by_emotion: models only: ρ with the median of the people, mean over emotions and by
            emotion. Undefined (None) where model or people never vary, which the mean leaves out.
        matched_kappa: models only: kappa after `matched_ratings` over all pairs of model and person together,
            mean over `reliable_emotions`. An upper bound, because matching uses the reference.
    """

    name: str
    group: str
    images: int
    outside: int
    kappa: ConfidenceInterval
    sd: float | None
    median: float | None
    by_emotion: ByEmotion
    difference: ConfidenceInterval
    p: float | None
    could_be_annotator: bool
    spearman: ConfidenceInterval | None = None
    spearman_by_emotion: ByEmotion | None = None
    matched_kappa: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; the metrics of models are left out for people."""
        of_models = ("spearman", "spearman_by_emotion", "matched_kappa")
        return plain_fields(self, *(of_models if self.group == HUMAN else ()))


@dataclass(frozen=True, slots=True)
class HqResult:
    """Analysis of a table of ratings.

    Attributes:
        model: name of the predictions among the raters; None without predictions.
        predicted: per cent of the images with a prediction; None without predictions.
        counts: number of `rows`, `images`, `people`, `models`, and of `repeated` rows and `filled` ratings,
            see `FaceTable.counts`.
        raters: one entry per rater, sorted by mean kappa, the highest first.
        pairs: `raters`: names; `kappa`: (raters, raters), kappa of each pair, mean over the emotions.
        groups: group → statistics of the kappas of its raters and emotions, as a box plot shows them, see
            `box`.
        group_spearman: group of models → Spearman's ρ with the median of the people, mean over its models and
            then over the emotions, with an interval from resampling the emotions.
        demographics: scores of `model`, the predictions or the model with the highest kappa, by what prompts
            ask for: each of `AXES` → value → `GroupScore`. None without them or without a model.
        group_comparisons: for each pair of groups, their names `first` and `second`, and the fields of
            `Comparison`.
        alpha: Krippendorff's alpha of the people: `mean` and `by_emotion`.
        pooled_kappa: kappa over all pairs of people together: `mean`, `by_emotion`, and `mean_of_reliable`,
            over the emotions in `reliable`.
        ratings: emotion → how often people gave each rating from 0 to 7.
    """

    model: str | None
    predicted: ConfidenceInterval | None
    counts: Mapping[str, int]
    raters: tuple[RaterResult, ...]
    pairs: Mapping[str, Any]
    groups: Mapping[str, Mapping[str, float | int]]
    group_spearman: Mapping[str, ConfidenceInterval]
    demographics: Mapping[str, Any] | None
    group_comparisons: tuple[Mapping[str, Any], ...]
    alpha: Mapping[str, Any]
    pooled_kappa: Mapping[str, Any]
    ratings: Mapping[str, tuple[int, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, with the published results."""
        published = packaged_table(__package__, "emonet_face_hq")
        return {"benchmark": "emonet-face-hq", **plain_fields(self), "published": published}


def score_emonet_face_hq(
    data: str | Path, predictor: FilePredictor | None = None, *, demographics: Path | None = None
) -> HqResult:
    """Analyse a table of EmoNet-Face HQ with the method of the paper.

    22 raters, 2,500 images and 40 emotions take 3 s on one core, with demographics a minute.

    Args:
        data: ratings by people and models, a row for each rating or each image, see `read_face_table`.
        predictor: predictions whose ids are names of images, scored as one more model; optional.
        demographics: table of the images with their prompts or demographics, see `read_demographics`; None:
            those in the rows of `data`, if it has them.

    Raises:
        CorpusError: the table cannot be read, or no image is rated by two people.
        InputError: no prediction is for an image of the table, or the file is named as one of the raters.
        MissingExtraError: scipy is not installed.

    Example:
        >>> answers = {"ann": (5, 0, 2), "ben": (4, 1, 2), "Some VLM ZS": (0, 5, 2)}
        >>> rows = [
        ...     f"{image}.png,{rater},{rater != 'Some VLM ZS'},{{'Joy|Elation': {ratings[image]}}}"
        ...     for rater, ratings in answers.items() for image in range(3)
        ... ]
        >>> _ = Path("hq.csv").write_text("\\n".join(["image,annotator,human,annotations", *rows]))
        >>> found = score_emonet_face_hq("hq.csv")
        >>> {rater.name: round(rater.by_emotion["Elation"], 2) for rater in found.raters}
        {'Some VLM ZS': -0.91, 'ann': 0.88, 'ben': 0.88}
    """
    table = read_face_table(data)
    if np.isfinite(table.rows[table.people]).sum(axis=0).max() < 2:
        raise CorpusError(f"{data} has no image that two people rated, so nothing to compare: add ratings")
    if predictor is not None:
        table = with_predictions(table, predictor)
    people, size = table.people, len(table.images)
    whole = whole_ratings(table.ratings)
    kappas = pairwise_kappas(whole)
    raters = [_rater(place, table, whole, kappas) for place in range(len(table.raters))]
    predicted = ConfidenceInterval(100 * raters[-1].images / size, None, None)
    groups = _group_values(raters)
    alpha, pooled = alphas(table.ratings[people]), by_emotion(pooled_kappa(people_by_turn(table)))
    return HqResult(
        model=None if predictor is None else raters[-1].name,
        predicted=None if predictor is None else predicted,
        counts={**table.counts, "images": size, "people": len(people), "models": len(raters) - len(people)},
        raters=tuple(sorted(raters, key=_best_first)),
        pairs={"raters": table.raters, "kappa": [numbers_or_none(row) for row in nanmean(kappas)]},
        groups={name: box(values) for name, values in groups.items()},
        group_spearman=_group_spearman(raters),
        demographics=_by_demographics(table, raters, demographics),
        group_comparisons=tuple(
            {"first": first, "second": second, **plain_fields(compare(groups[first], groups[second]))}
            for first, second in combinations(groups, 2)
        ),
        alpha={"mean": mean(one.value for one in alpha.values()), "by_emotion": alpha},
        pooled_kappa={
            "mean": mean(pooled.values()),
            "mean_of_reliable": mean(pooled[name] for name in reliable_emotions()),
            "reliable": reliable_emotions(),
            "by_emotion": pooled,
        },
        ratings=rating_counts(whole[people]),
    )


def _rater(place: int, table: FaceTable, whole: FloatArray, kappas: FloatArray) -> RaterResult:
    partners = [one for one in table.people if one != place]
    of_people = np.array([kappas[pair] for pair in combinations(partners, 2)])
    own = nanmean(kappas[partners, place], axis=0)
    defined = own[np.isfinite(own)]
    rated = np.isfinite(table.ratings[place])
    compared = compare(kappas[partners, place], of_people)
    return RaterResult(
        name=table.raters[place],
        group=table.groups[place],
        images=int(rated.any(axis=1).sum()),
        outside=int((rated & ~np.isfinite(whole[place])).sum()),
        kappa=mean_interval(own, SETTINGS),
        sd=float(defined.std(ddof=1)) if len(defined) > 1 else None,
        median=float(np.median(defined)) if len(defined) else None,
        by_emotion=by_emotion(own),
        difference=compared.difference,
        p=compared.p,
        could_be_annotator=compared.p is not None and compared.p > SIGNIFICANT,
        **({} if place in table.people else _model_metrics(table, table.ratings[place])),
    )


def _median(table: FaceTable) -> FloatArray:
    """Return the median rating of the people, (images, 40), NaN where nobody rated."""
    ratings = table.ratings[table.people]
    rated = np.isfinite(ratings).any(axis=0)
    median = np.full(rated.shape, np.nan)
    median[rated] = np.nanmedian(ratings[:, rated], axis=0)
    return median


def _by_demographics(table: FaceTable, raters: list[RaterResult], path: Path | None) -> dict[str, Any] | None:
    """Return the field `demographics` of `HqResult`, with those of a table or else of the ratings' rows."""
    of_image = table.demographics if path is None else read_demographics(path, table.images)
    models = [one for one in raters if one.group != HUMAN]
    own = [one for one in models if one.group == PREDICTIONS] or sorted(models, key=_best_first)
    if not own or not of_image:
        return None
    people, median = [of_image.get(image, Demographics()) for image in table.images], _median(table)
    scores, found = table.ratings[table.raters.index(own[0].name)], dict[str, Any](model=own[0].name)
    for axis in AXES:
        values = np.array([str(getattr(person, axis) or "unknown") for person in people])
        chosen = {str(value): values == value for value in sorted(set(values))}
        found[axis] = {value: score_group(scores[its], median[its]) for value, its in chosen.items()}
    return found


def _model_metrics(table: FaceTable, scores: FloatArray) -> dict[str, Any]:
    """Return the metrics of `RaterResult` that only models have; scores are (images, 40)."""
    median = _median(table)
    (found,) = spearman_with_median(scores, median, np.ones((1, len(scores))))
    reliable = [EMOTIONS.index(name) for name in reliable_emotions()]
    average, matched = nanmean(table.ratings[table.people], axis=0), np.full(scores.shape, np.nan)
    for place in reliable:
        matched[:, place] = matched_ratings(scores[:, place], average[:, place])
    return {
        "spearman": mean_interval(found, SETTINGS),
        "spearman_by_emotion": by_emotion(found),
        "matched_kappa": mean(numbers_or_none(pooled_kappa(matched[None], people_by_turn(table))[reliable])),
    }


def _best_first(rater: RaterResult) -> tuple[float, str]:
    return (np.inf if rater.kappa.value is None else -rater.kappa.value, rater.name)


def _group_spearman(raters: list[RaterResult]) -> dict[str, ConfidenceInterval]:
    """Return the field `group_spearman` of `HqResult`, groups in the order of the paper."""
    found = {}
    for name in GROUPS:
        by_model = [one.spearman_by_emotion for one in raters if one.group == name]
        rhos = np.array([list(one.values()) for one in by_model if one is not None], dtype=np.float64)
        if len(rhos):
            found[name] = mean_interval(nanmean(rhos, axis=0), SETTINGS)
    return found


def _group_values(raters: list[RaterResult]) -> dict[str, FloatArray]:
    """Return kappas of all raters and emotions of each group, groups in the order of the paper."""
    values: dict[str, list[float]] = {name: [] for name in GROUPS}
    for rater in sorted(raters, key=lambda one: one.name):
        values[rater.group] += [kappa for kappa in rater.by_emotion.values() if kappa is not None]
    return {name: np.array(kappas) for name, kappas in values.items() if kappas}
