"""Metrics of EmoNet-Voice Bench: labels and predictions of the 40 emotions on 0–10, one pair per clip.

A clip without a prediction is left out here, as in the paper; `emonet_voice` also reports the metrics with 0
for it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Literal

import numpy as np

from budew.evaluation.benchmarks.emonet_voice_data import CLASSES, POINTS, RatedClip, category_order
from budew.evaluation.calibration import Calibration
from budew.evaluation.emotion_metrics import REPORT_MAXIMUM
from budew.evaluation.prediction_files import Prediction
from budew.statistics.arrays import FloatArray
from budew.statistics.pair_metrics import PAIR_METRICS, pair_intervals, permuted_pairs
from budew.statistics.resampling import (
    UNDEFINED,
    ConfidenceInterval,
    Resampling,
    category_intervals,
    plain_fields,
)
from budew.taxonomy import ATTRIBUTES, EMOTION_TABLE
from budew.taxonomy.rating_scales import from_intensity, to_intensity

UNKNOWN = "unknown"
AROUSAL_GROUPS: Mapping[str, str] = {
    "low": "low",
    "medium-low": "low",
    "medium": "medium",
    "medium-high": "high",
    "high": "high",
}
"""Arousal of an emotion in the taxonomy → group of arousal in reports."""
Group = Mapping[str, Any]
"""`n`, the number of pairs, and each of `PAIR_METRICS` → value with interval."""
PredictedClip = tuple[RatedClip, Prediction | None]
ClipSet = Literal["all", "exact"]
"""All clips, or those that are `RatedClip.unanimous`."""


@dataclass(frozen=True, slots=True)
class EmoNetVoiceScores:
    """Metrics over the pairs that have a prediction.

    Attributes:
        overall: metrics of all pairs, with intervals from resampling clips.
        voice_intervals: the same metrics with intervals from resampling voices; None if a voice is unknown,
            or all are the same. With only 11 voices, these intervals are somewhat too narrow.
        permuted: metrics of the predictions permuted over the clips: mean and 95 % range.
        by_emotion, by_language, by_voice, by_arousal: name of the group → metrics of its clips.
        classes: metrics of three classes: the prediction, rounded to 0, 5 or 10 (2.5 and 7.5 up), against the
            majority of the raters. `n`; `accuracy`; `macro_f1` over the classes (0 for one that neither
            occurs nor is predicted); `confusion`, number of clips by majority (row) and prediction (column);
            `baseline`, the same if the most frequent `class` is always predicted.
    """

    overall: Group
    voice_intervals: Group | None
    permuted: Mapping[str, ConfidenceInterval]
    by_emotion: Mapping[str, Group]
    by_language: Mapping[str, Group]
    by_voice: Mapping[str, Group]
    by_arousal: Mapping[str, Group]
    classes: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; the metrics of `overall` are top-level keys."""
        overall = {name: self.overall[name].to_dict() for name in PAIR_METRICS}
        n = self.overall["n"]
        return {**overall, "n": ConfidenceInterval(n, n, n).to_dict(), **plain_fields(self, "overall")}


@dataclass(frozen=True, slots=True)
class ClipSetResult:
    """Results over a set of clips.

    Attributes:
        scores: metrics over the clips with a prediction, as in the paper.
        refused, unparsed: per cent of the clips rated for one of the 40 emotions: those without a prediction
            of this emotion, and those with a caption in which no emotion, vocal burst or trait was found.
        missing: number of clips that are `refused`, `unparsed`, and `without_prediction` of anything; number
            of `unused_predictions`, which belong to no clip of the data.
        as_zero: metrics over all clips of the set, with 0 as the prediction where there is none.
        attributes: "Authenticity" and "Arousal" → metrics as in `scores.overall`, and `refused` in per cent.
    """

    scores: EmoNetVoiceScores
    refused: ConfidenceInterval
    unparsed: ConfidenceInterval
    missing: Mapping[str, int]
    as_zero: EmoNetVoiceScores
    attributes: Mapping[str, Group]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; the keys of `scores` are at the top level."""
        return {**self.scores.to_dict(), **plain_fields(self, "scores")}


def score_set(
    pairs: Sequence[PredictedClip], settings: Resampling, calibration: Calibration | None, unused: int
) -> ClipSetResult:
    """Score the predictions for a set of clips; the arguments are those of `score_predictions`."""
    clips, found = [clip for clip, _ in pairs], [one for _, one in pairs]
    values = np.array([_value(one, clip.category) for clip, one in pairs], dtype=np.float64)
    rated = np.array([clip.category not in ATTRIBUTES for clip in clips], dtype=bool)
    refused = rated & np.isnan(values)
    unparsed = rated & ~refused & np.array([_is_unparsed(one) for one in found], dtype=bool)
    emotions, predicted_values = list(compress(clips, rated)), np.where(unparsed, np.nan, values)[rated]
    if calibration is not None:
        predicted_values = calibration.apply(predicted_values / REPORT_MAXIMUM) * REPORT_MAXIMUM
    scores = score_clips(emotions, predicted_values, settings)
    complete = not np.isnan(predicted_values).any()
    counts = {
        "refused": int(refused.sum()),
        "unparsed": int(unparsed.sum()),
        "without_prediction": int(sum(one is None for one in compress(found, rated))),
        "unused_predictions": unused,
    }
    return ClipSetResult(
        scores=scores,
        refused=share_of(counts["refused"], len(emotions), settings),
        unparsed=share_of(counts["unparsed"], len(emotions), settings),
        missing=counts,
        as_zero=scores if complete else score_clips(emotions, np.nan_to_num(predicted_values), settings),
        attributes=_attributes(clips, values, settings),
    )


def _value(prediction: Prediction | None, category: str) -> float:
    """Return the prediction for the category, on 0–10, NaN without one."""
    if prediction is None:
        return np.nan
    profile = prediction.expected
    if category in ATTRIBUTES:
        value = profile.traits.get(category)
        intensity = to_intensity(value, ATTRIBUTES[category].scale) if isinstance(value, float) else np.nan
    else:
        intensity = profile.emotions.get(category, 0.0) if category in profile.rated else np.nan
    return intensity * from_intensity(1.0, "report")


def _is_unparsed(prediction: Prediction | None) -> bool:
    if prediction is None or prediction.caption is None:
        return False
    profile = prediction.expected
    return not (profile.emotions or profile.bursts or profile.traits)


def _attributes(clips: Sequence[RatedClip], values: FloatArray, settings: Resampling) -> dict[str, Group]:
    found: dict[str, Group] = {}
    for name in category_order({clip.category for clip in clips} & ATTRIBUTES.keys()):
        of_it = np.array([clip.category == name for clip in clips], dtype=bool)
        labels, predicted = np.array([clip.label for clip in compress(clips, of_it)]), values[of_it]
        kept = ~np.isnan(predicted)
        refused = share_of(int((~kept).sum()), len(labels), settings)
        found[name] = {**group_metrics(labels[kept], predicted[kept], settings), "refused": refused}
    return found


def score_clips(clips: Sequence[RatedClip], predicted: FloatArray, settings: Resampling) -> EmoNetVoiceScores:
    """Compute the metrics of predictions for rated clips.

    Args:
        clips: clips that are rated for an emotion.
        predicted: (clips,), predictions on 0–10; NaN for a clip without one.
        settings: number of resamples and permutations, and seed.
    """
    kept = ~np.isnan(predicted)
    clips, predicted = list(compress(clips, kept)), predicted[kept]
    labels = np.array([clip.label for clip in clips], dtype=np.float64)

    def metrics(chosen: FloatArray | slice, **more: Any) -> Group:
        return group_metrics(labels[chosen], predicted[chosen], settings, **more)

    def grouped(key: Callable[[RatedClip], str], order: Sequence[str] | None = None) -> dict[str, Group]:
        keys = np.array([key(clip) for clip in clips], dtype=object)
        return {name: metrics(keys == name) for name in order or sorted(set(keys))}

    voices = [clip.voice for clip in clips]
    several = len(set(voices)) > 1 and None not in voices
    everything = slice(None)
    return EmoNetVoiceScores(
        overall=metrics(everything),
        voice_intervals=metrics(everything, clusters=voices) if several else None,
        permuted=permuted_pairs(labels, predicted, settings),
        by_emotion=grouped(lambda clip: clip.category, category_order({clip.category for clip in clips})),
        by_language=grouped(lambda clip: clip.language or UNKNOWN),
        by_voice=grouped(lambda clip: clip.voice or UNKNOWN),
        by_arousal=grouped(arousal_group, [*dict.fromkeys(AROUSAL_GROUPS.values())]),
        classes=class_metrics(np.array([clip.majority for clip in clips], dtype=int), predicted, settings),
    )


def group_metrics(
    labels: FloatArray, predicted: FloatArray, settings: Resampling, clusters: Sequence[str] | None = None
) -> Group:
    """Return `n` and the metrics of some pairs; intervals resample pairs, or `clusters` if given."""
    return {"n": len(labels), **pair_intervals(labels, predicted, settings, clusters=clusters)}


def class_metrics(majority: Any, predicted: FloatArray, settings: Resampling) -> dict[str, Any]:
    """Compare predictions, rounded to the classes 0, 1 and 2, with the majority of the raters.

    Args:
        majority: (clips,), most frequent answer of the raters of each clip: 0, 1 or 2.
        predicted: (clips,), predictions on 0–10.
        settings: number of resamples, and seed.

    Returns:
        The mapping `classes` of `EmoNetVoiceScores`.
    """
    classes = len(CLASSES)
    rounded = np.floor(predicted / POINTS + 0.5).astype(int)
    cells = np.bincount(majority * classes + rounded, minlength=classes**2).astype(np.float64)
    most_frequent = int(cells.reshape(classes, classes).sum(axis=1).argmax())
    always = np.bincount(majority * classes + most_frequent, minlength=classes**2).astype(np.float64)
    found = {"n": len(majority), **_class_intervals(cells, settings)}
    found["confusion"] = cells.reshape(classes, classes).astype(int).tolist()
    found["baseline"] = {"class": most_frequent, **_class_intervals(always, settings)}
    return found


def _class_intervals(cells: FloatArray, settings: Resampling) -> dict[str, ConfidenceInterval]:
    """Return accuracy and macro-F1 of a confusion matrix, (classes²,); intervals resample clips."""
    if not cells.any():
        return dict.fromkeys(("accuracy", "macro_f1"), UNDEFINED)
    found = category_intervals(cells, _accuracy_and_f1, settings)
    return {name: interval for name, (interval,) in found.items()}


def _accuracy_and_f1(cells: FloatArray) -> dict[str, FloatArray]:
    """Return the metrics of confusion matrices, (rows, classes²)."""
    matrices = cells.reshape(len(cells), len(CLASSES), len(CLASSES))
    right = np.diagonal(matrices, axis1=1, axis2=2)
    of_class = matrices.sum(axis=1) + matrices.sum(
        axis=2
    )  # 2 × true positives + false positives + false negatives
    f1 = np.divide(2 * right, of_class, out=np.zeros_like(of_class), where=of_class > 0)
    return {"accuracy": right.sum(axis=1) / cells.sum(axis=1), "macro_f1": f1.mean(axis=1)}


def arousal_group(clip: RatedClip) -> str:
    """Return low, medium or high: the arousal of the emotion that the clip was rated for."""
    return AROUSAL_GROUPS[EMOTION_TABLE[clip.category].arousal]


def share_of(count: int, clips: int, settings: Resampling) -> ConfidenceInterval:
    """Return `count` in per cent of `clips`, with an interval from resampling clips."""
    if not clips:
        return UNDEFINED
    counts = np.array([count, clips - count], dtype=np.float64)
    found = category_intervals(counts, lambda drawn: {"share": 100 * drawn[:, 0] / clips}, settings)
    return found["share"][0]


def numbers_of(clips: Sequence[RatedClip]) -> dict[str, Any]:
    """Count the clips and ratings, to compare the counts with those of the paper.

    Returns:
        `clips`, `ratings` and `unanimous` (clips): numbers; `same_answers`: number of raters → clips to which
        all of them gave the same answer; `agreeing`: largest number of raters with the same answer → clips;
        `categories`, `raters_per_clip`, `majority`
        (answer), `languages` and `voices`: value → number of clips; `ratings_of_rater`: rater → number of
        ratings.
    """
    raters = Counter(rater for clip in clips for rater in clip.answers)
    return {
        "clips": len(clips),
        "categories": {
            name: sum(clip.category == name for clip in clips)
            for name in category_order({clip.category for clip in clips})
        },
        "raters_per_clip": _counted(Counter(str(len(clip.answers)) for clip in clips)),
        "ratings_of_rater": _counted(raters),
        "ratings": raters.total(),
        "majority": _counted(Counter(str(clip.majority) for clip in clips)),
        "unanimous": sum(clip.unanimous for clip in clips),
        "same_answers": _counted(
            Counter(str(len(clip.answers)) for clip in clips if len(set(clip.answers.values())) == 1)
        ),
        "agreeing": _counted(Counter(str(max(Counter(clip.answers.values()).values())) for clip in clips)),
        "languages": _counted(Counter(clip.language or UNKNOWN for clip in clips)),
        "voices": _counted(Counter(clip.voice or UNKNOWN for clip in clips)),
    }


def _counted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
