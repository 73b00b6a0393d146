"""EmoNet-Voice Bench (arXiv:2506.09827): predictions for the one emotion that each clip was rated for.

The label of a clip is the mean of its raters' answers (0, 1 or 2) times 5; the prediction is the intensity of
the same emotion times 10. The other 39 emotions are unrated and are ignored. A clip without a prediction (a
refusal, or a caption from which nothing was parsed) is left out as in the paper, and counts as 0 in
`as_zero`.

12,600 clips with all intervals take 10 s on one core (benchmarks/evaluation.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress, tee
from operator import attrgetter
from pathlib import Path
from typing import Any
from warnings import warn

import numpy as np

from budew.corpora.sources import Progress, counted
from budew.errors import BudewWarning, InputError
from budew.evaluation.benchmarks.emonet_voice_data import POINTS, RatedClip, category_order, read_rated_clips
from budew.evaluation.benchmarks.emonet_voice_scores import (
    EmoNetVoiceScores,
    Group,
    group_metrics,
    numbers_of,
    score_clips,
    share_of,
)
from budew.evaluation.calibration import Calibration, read_calibration
from budew.evaluation.decoding_comparison import DecodingComparison, compare_decodings
from budew.evaluation.emotion_metrics import REPORT_MAXIMUM
from budew.evaluation.pairs import Pair, Skipped
from budew.evaluation.prediction_files import Prediction
from budew.evaluation.predictors import Decoding, FilePredictor, ModelPredictor, Predictor, predicted
from budew.io.resources import packaged_table
from budew.statistics.agreement import Agreement, agreement, rating_matrix
from budew.statistics.arrays import FloatArray
from budew.statistics.pair_metrics import PAIR_METRICS
from budew.statistics.resampling import ConfidenceInterval, Resampling, mean_interval, plain_fields
from budew.taxonomy import ATTRIBUTES
from budew.taxonomy.rating_scales import from_intensity, to_intensity

PredictedClip = tuple[RatedClip, Prediction | None]


@dataclass(frozen=True, slots=True)
class EmoNetVoice:
    """Results of a model on EmoNet-Voice Bench.

    Attributes:
        model, data: their names.
        scores: metrics over the clips with a prediction, as in the paper.
        refused, unparsed: per cent of the clips rated for one of the 40 emotions: those without a prediction
            of this emotion, and those with a caption in which no emotion, vocal burst or trait was found.
        missing: number of clips that are `refused`, `unparsed`, and `without_prediction` of anything; number
            of `unused_predictions`, which belong to no clip.
        skipped: clips without a prediction because their audio could not be captioned.
        as_zero: metrics over all clips, with 0 as the prediction where there is none.
        attributes: "Authenticity" and "Arousal" → metrics as in `scores.overall`, and `refused` in per cent.
        reliability: "all" and each category → agreement of the raters, on 0–10.
        human_ceiling: agreement of each rater with the mean of the other raters on the 40 emotions, see
            `Agreement.leave_one_out`; `n`: number of ratings.
        numbers: number of clips by category, rater, language and so on, see `numbers_of`.
        settings: settings of the intervals and baselines.
        decoding: decoding of the model; None for a file of predictions.
        calibration: summary of the calibration that was applied, with the number of clips that were
            `left_out` because it was fitted to them; None without.
        comparison: scores of several decodings of the model, if they were compared.
        others: results of further predictions, of which `leaderboard` and `mean_spearman` have a row each.
    """

    model: str
    data: str
    scores: EmoNetVoiceScores
    refused: ConfidenceInterval
    unparsed: ConfidenceInterval
    missing: Mapping[str, int]
    skipped: tuple[Skipped, ...]
    as_zero: EmoNetVoiceScores
    attributes: Mapping[str, Group]
    reliability: Mapping[str, Agreement]
    human_ceiling: Mapping[str, Any]
    numbers: Mapping[str, Any]
    settings: Resampling
    decoding: Decoding | None = None
    calibration: Mapping[str, Any] | None = None
    comparison: DecodingComparison | None = None
    others: "tuple[EmoNetVoice, ...]" = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data with the published results; the keys of `scores` are at the top level."""
        table = packaged_table(__package__, "emonet_voice")
        rows = [self._row() | {"own": True}, *(one._row() for one in self.others), *table["leaderboard"]]
        rhos = ((one.model, one.scores.by_emotion) for one in (self, *self.others))
        by_emotion = [
            {"model": model, "spearman": {name: found["spearman"].value for name, found in groups.items()}}
            for model, groups in rhos
        ]
        names = {"benchmark": "emonet-voice", "model": self.model, "data": self.data}
        absent = [part for part in ("decoding", "calibration", "comparison") if not getattr(self, part)]
        found = plain_fields(self, "model", "data", "scores", "others", *absent)
        if self.decoding is not None:
            found["decoding"] = {"name": self.decoding.name, **self.decoding.model_dump()}
        return {
            **names,
            **self.scores.to_dict(),
            **found,
            "leaderboard": sorted(rows, key=_by_correlation, reverse=True),
            "mean_spearman": [self._mean_spearman(one) for one in (*by_emotion, *table["by_emotion"])],
            "published_by_emotion": table["by_emotion"],
            "published_reliability": table["reliability"],
        }

    def _row(self) -> dict[str, Any]:
        values = {name: self.scores.overall[name].value for name in PAIR_METRICS}
        named = {"model": self.model, "source": self.data, "date": None}
        return {**named, **values, "refused": self.refused.value}

    def _mean_spearman(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the mean ρ over the emotions of a model; the interval resamples the emotions."""
        rhos = np.array(list(row["spearman"].values()), dtype=np.float64)
        mean = mean_interval(rhos, self.settings).to_dict()
        return {**row, "spearman": mean, "emotions": int(np.isfinite(rhos).sum())}


def _by_correlation(row: Mapping[str, Any]) -> float:
    return -2.0 if row["pearson"] is None else float(row["pearson"])


def score_emonet_voice(
    data: str | Path,
    predictor: Predictor | None = None,
    *,
    calibration: Path | None = None,
    compared: Sequence[Decoding] = (),
    min_raters: int = 2,
    others: Sequence[FilePredictor] = (),
    settings: Resampling | None = None,
    progress: Progress | None = None,
) -> EmoNetVoice:
    """Score a model on EmoNet-Voice Bench.

    Args:
        data: rated clips, see `read_rated_clips`.
        predictor: a captioner, or a file of predictions whose ids are names of audio files, with or without
            suffix and folder, or the clip ids of `budew.read`; default: the checkpoint in the package.
        calibration: file of a calibration, which is applied to the predictions; the clips that it was fitted
            to are left out.
        compared: further decodings of the captioner to score and compare, such as
            `decoding_comparison.COMPARED`.
        min_raters: least number of raters of the clips in `scores.unanimous`.
        others: further files of predictions, scored for comparison and without calibration.
        settings: number of bootstrap resamples and permutations, and seed; default: `Resampling()`.
        progress: called after each clip.

    Raises:
        CorpusError: the data cannot be read; the error names the clip.
        InputError: no prediction is for a clip of the data, the calibration is of another model or decoding,
            or decodings of a file are to be compared.
        SettingsError: the file is not a calibration.
        CheckpointError: the model cannot be loaded.

    Example:
        >>> import json
        >>> from budew.corpora import Clip, write_shard
        >>> lines, clips = [], []
        >>> for name, answer in {"calm": 0, "cross": 1, "furious": 2}.items():
        ...     ratings = [{"rater": "human-1", "emotion": "Anger", "value": answer / 2}]
        ...     clips.append(Clip(name, b"RIFF", "wav", metadata={"ratings": ratings}))
        ...     lines.append(json.dumps({"id": name, "Anger": answer / 4}))
        >>> _ = write_shard(Path("bench.tar"), clips)
        >>> _ = Path("scores.jsonl").write_text("\\n".join(lines))
        >>> found = score_emonet_voice("bench.tar", FilePredictor("scores.jsonl"))
        >>> found.scores.overall["pearson"].value, found.scores.overall["mae"].value
        (1.0, 2.5)
    """
    predictor = predictor or ModelPredictor()
    fitted = None if calibration is None else read_calibration(calibration)
    if fitted is not None:
        fitted.check(predictor.model, predictor.decoding)
    skipped: list[Skipped] = []
    rated = read_rated_clips(
        data,
        audio=predictor.reads_audio,
        min_raters=min_raters,
        on_bad=lambda error: skipped.append(Skipped(str(data), str(error))),
    )
    comparison = None
    if compared:
        found, comparison = _compared(counted(rated, progress), predictor, compared, skipped, data, settings)
    else:
        both = counted(predicted(rated, attrgetter("clip"), predictor, skipped), progress)
        found = [(clip.without_audio(), prediction) for clip, prediction in both]
    result = score_predictions(
        found,
        model=predictor.name,
        data=str(data),
        unused=predictor.unused if isinstance(predictor, FilePredictor) else 0,
        skipped=skipped,
        settings=settings,
        calibration=fitted,
    )
    used = frozenset[str]() if fitted is None else fitted.clips
    clips = [clip for clip, _ in found if used.isdisjoint((clip.id, clip.clip.id))]
    more = []
    for other in others:
        both = zip(clips, other.predict((clip.clip for clip in clips), []), strict=True)
        more.append(score_predictions(both, model=other.name, data=str(data), settings=settings))
    return replace(result, decoding=predictor.decoding, comparison=comparison, others=tuple(more))


def _compared(
    rated: Iterable[RatedClip],
    predictor: Predictor,
    compared: Sequence[Decoding],
    skipped: list[Skipped],
    data: str | Path,
    settings: Resampling | None,
) -> tuple[list[PredictedClip], DecodingComparison]:
    """Predict clips with several decodings; return predictions of the predictor's one, and all scores."""
    if not isinstance(predictor, ModelPredictor):
        raise InputError("decodings of a model can be compared, not those of a file of predictions")
    decodings = tuple(dict.fromkeys((*compared, predictor.decoding)))
    predictor.warm_up()
    own = decodings.index(predictor.decoding)
    found: list[PredictedClip] = []
    pairs: dict[Decoding, list[Pair]] = {decoding: [] for decoding in decodings}
    items, audio = tee(rated)
    made = predictor.predict_decodings((clip.clip for clip in audio), decodings, skipped)
    for clip, predictions in zip(items, made, strict=True):
        found.append((clip.without_audio(), None if predictions is None else predictions[own]))
        if predictions is not None and clip.clip.profile is not None:
            for decoding, one in zip(decodings, predictions, strict=True):
                pairs[decoding].append(Pair(clip.id, clip.clip.profile, one.expected))
    seconds = {decoding: predictor.seconds(decoding) for decoding in decodings}
    return found, compare_decodings(
        pairs, seconds, model=predictor.name, data=str(data), skipped=skipped, settings=settings
    )


def score_predictions(
    predicted: Iterable[PredictedClip],
    *,
    model: str,
    data: str,
    unused: int = 0,
    skipped: Sequence[Skipped] = (),
    settings: Resampling | None = None,
    calibration: Calibration | None = None,
) -> EmoNetVoice:
    """Score predictions for clips of EmoNet-Voice Bench.

    Args:
        predicted: rated clips in any order, each with its prediction, or None without one.
        model, data: their names.
        unused: number of predictions that belong to no clip.
        skipped: clips whose audio could not be captioned.
        settings: number of bootstrap resamples and permutations, and seed; default: `Resampling()`.
        calibration: applied to the predictions; the clips that it was fitted to are left out.

    Raises:
        InputError: no clip has a prediction.
    """
    settings = settings or Resampling()
    every = sorted(predicted, key=lambda one: one[0].id)
    used = frozenset[str]() if calibration is None else calibration.clips
    kept = [(clip, one) for clip, one in every if used.isdisjoint((clip.id, clip.clip.id))]
    left_out = len(every) - len(kept)
    if calibration is not None and not left_out:
        warn(
            f"none of the {len(used):,} clips that the calibration was fitted to is in "
            f"{data}: if it was fitted to the same audio under other names, the metrics are too good",
            BudewWarning,
            stacklevel=2,
        )
    clips, found = [clip for clip, _ in kept], [one for _, one in kept]
    if not any(found):
        raise InputError(
            f"no prediction of {model} is for a clip of {data}, such as {every[0][0].id!r}: use the names of "
            "the audio files as ids"
        )
    values = np.array([_value(one, clip.category) for clip, one in kept])
    rated = np.array([clip.category not in ATTRIBUTES for clip in clips], dtype=bool)
    refused = rated & np.isnan(values)
    unparsed = rated & ~refused & np.array([_is_unparsed(one) for one in found], dtype=bool)
    emotions, predicted_values = list(compress(clips, rated)), np.where(unparsed, np.nan, values)[rated]
    if calibration is not None:
        predicted_values = calibration.apply(predicted_values / REPORT_MAXIMUM) * REPORT_MAXIMUM
    scores = score_clips(emotions, predicted_values, settings)
    complete = not np.isnan(predicted_values).any()
    human = _agreement(emotions, settings)
    counts = {
        "refused": int(refused.sum()),
        "unparsed": int(unparsed.sum()),
        "without_prediction": int(sum(one is None for one in compress(found, rated))),
        "unused_predictions": unused,
    }
    return EmoNetVoice(
        model=model if calibration is None else f"{model}, calibrated",
        data=data,
        scores=scores,
        as_zero=scores if complete else score_clips(emotions, np.nan_to_num(predicted_values), settings),
        refused=share_of(counts["refused"], len(emotions), settings),
        unparsed=share_of(counts["unparsed"], len(emotions), settings),
        missing=counts,
        skipped=tuple(skipped),
        attributes=_attributes(clips, values, settings),
        reliability=_reliability(clips, settings),
        human_ceiling={"n": human.ratings, **human.leave_one_out},
        numbers=numbers_of(clips),
        settings=settings,
        calibration=None if calibration is None else calibration.summary() | {"left_out": left_out},
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


def _reliability(clips: Sequence[RatedClip], settings: Resampling) -> dict[str, Agreement]:
    of_category = {
        name: _agreement([clip for clip in clips if clip.category == name], settings)
        for name in category_order({clip.category for clip in clips})
    }
    return {"all": _agreement(clips, settings), **of_category}


def _agreement(clips: Sequence[RatedClip], settings: Resampling) -> Agreement:
    said = [(clip.id, rater, answer * POINTS) for clip in clips for rater, answer in clip.answers.items()]
    units, raters, values = zip(*said, strict=True) if said else ((), (), ())
    matrix = rating_matrix(units, raters, np.array(values, dtype=np.float64))
    return agreement(matrix, settings)
