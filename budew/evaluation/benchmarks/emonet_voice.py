"""EmoNet-Voice Bench (arXiv:2506.09827): predictions for the one emotion that each clip was rated for.

The label of a clip is the mean of its raters' answers, 0, 1 and 2 times 5; the prediction is the intensity of
the same emotion times 10. The other 39 are unrated: they take no part. A clip without a prediction (a
refusal, or a caption from which nothing was parsed) is left out as in the paper, and counts as 0 in
`as_zero`.

12,600 clips with all intervals take 10 s on one core (benchmarks/evaluation.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import compress
from pathlib import Path
from typing import Any
from warnings import warn

import numpy as np

from budew.corpora.sources import Progress, counted, read
from budew.errors import BudewWarning, InputError, OnBad
from budew.evaluation.benchmarks.emonet_voice_data import (
    POINTS,
    RatedClip,
    category_order,
    on_hub,
    read_rated_clips,
)
from budew.evaluation.benchmarks.emonet_voice_scores import (
    EmoNetVoiceScores,
    Group,
    group_metrics,
    numbers_of,
    plain,
    score_clips,
    share_of,
)
from budew.evaluation.calibration import Calibration, read_calibration
from budew.evaluation.decoding import Decoding, decode_clips, decoding_of
from budew.evaluation.decoding_comparison import DecodingComparison, compare_decodings
from budew.evaluation.metrics import REPORT_MAXIMUM
from budew.evaluation.pairs import Skipped
from budew.evaluation.predictions import NamedClips, Prediction, key_of, read_predictions
from budew.io.resources import packaged_table
from budew.statistics.agreement import Agreement, agreement, rating_matrix
from budew.statistics.arrays import FloatArray
from budew.statistics.resampling import ConfidenceInterval, Resampling
from budew.taxonomy import ATTRIBUTES
from budew.taxonomy.scales import INTENSITY, from_intensity, to_intensity


@dataclass(frozen=True, slots=True)
class EmoNetVoice:
    """Results of a model on EmoNet-Voice Bench.

    Attributes:
        model, data: names.
        scores: clips without a prediction left out, as in the paper.
        as_zero: the same with 0 as their prediction.
        refused, unparsed: in per cent of the clips of the 40 emotions: without a prediction of the rated
            emotion, and with a caption in which no emotion, vocal burst or trait was found.
        missing: numbers of clips behind these, those of `refused` without any prediction, and predictions
            that belong to no clip.
        skipped: clips whose audio could not be captioned: no prediction.
        attributes: Authenticity and Arousal: metrics as `overall` of `scores`, and `refused` in per cent.
        reliability: "all" and each category → agreement of the raters, on 0–10.
        human: agreement over the 40 emotions; its `leave_one_out` is the human ceiling.
        numbers: of clips by category, raters, language and so on.
        settings: of intervals and baselines.
        decoding: of a model.
        calibration: what was applied; `left_out` is the number of clips that it was fitted to.
        comparison: of the decodings of a model.
    """

    model: str
    data: str
    scores: EmoNetVoiceScores
    as_zero: EmoNetVoiceScores
    refused: ConfidenceInterval
    unparsed: ConfidenceInterval
    missing: Mapping[str, int]
    skipped: tuple[Skipped, ...]
    attributes: Mapping[str, Group]
    reliability: Mapping[str, Agreement]
    human: Agreement
    numbers: Mapping[str, Any]
    settings: Resampling
    decoding: Decoding | None = None
    calibration: Mapping[str, Any] | None = None
    comparison: DecodingComparison | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; the keys of `scores` stand at the top."""
        return {
            "benchmark": "emonet-voice",
            "model": self.model,
            "data": self.data,
            **self.scores.to_dict(),
            "refused": self.refused.to_dict(),
            "unparsed": self.unparsed.to_dict(),
            "missing": dict(self.missing),
            "skipped": [asdict(clip) for clip in self.skipped],
            "as_zero": self.as_zero.to_dict(),
            "attributes": plain(self.attributes),
            "reliability": {name: one.to_dict() for name, one in self.reliability.items()},
            "human_ceiling": {"n": self.human.ratings, **plain(self.human.leave_one_out)},
            "numbers": dict(self.numbers),
            "settings": asdict(self.settings),
            **self._of_model(),
            **self._published(),
        }

    def _of_model(self) -> dict[str, Any]:
        parts = {
            "decoding": self.decoding and {"name": self.decoding.name, **self.decoding.model_dump()},
            "calibration": self.calibration and dict(self.calibration),
            "comparison": self.comparison and self.comparison.to_dict(),
        }
        return {name: part for name, part in parts.items() if part}

    def _published(self) -> dict[str, Any]:
        table = packaged_table(__package__, "emonet_voice")
        own = {name: self.scores.overall[name].value for name in ("pearson", "spearman", "mae", "rmse")}
        row = {"model": self.model, **own, "refused": self.refused.value, "source": self.data, "own": True}
        rows = [row, *table["leaderboard"]]
        order = sorted(rows, key=lambda one: -2.0 if one["pearson"] is None else one["pearson"], reverse=True)
        return {
            "leaderboard": order,
            "published_by_emotion": table["by_emotion"],
            "published_reliability": table["reliability"],
        }


def emonet_voice(
    data: str | Path,
    *,
    model: str | Path | None = None,
    predictions: str | Path | None = None,
    scale: str = INTENSITY.name,
    num_beams: int | None = None,
    num_samples: int = 0,
    calibration: Path | None = None,
    compared: Sequence[Decoding] = (),
    device: str | None = None,
    batch_size: int = 16,
    settings: Resampling | None = None,
    progress: Progress | None = None,
) -> EmoNetVoice:
    """Score a model on EmoNet-Voice Bench.

    Args:
        data: see `read_rated_clips`.
        model: folder or hub id of a checkpoint; the embedded one where left out.
        predictions: to score instead of a model, see `read_predictions`; ids are names of audio files, with
            or without suffix and folder, or those of `budew.read`.
        scale: of the scores in `predictions`.
        num_beams, num_samples: of the model, see `decoding_of`.
        calibration: file of `budew.evaluation.calibration` for these predictions; the clips that it was
            fitted to are left out.
        compared: decodings of the model to score besides, such as `COMPARED`.
        device: such as "cpu" or "cuda"; the fastest available where left out.
        batch_size: windows captioned at once.
        settings: bootstrap resamples, permutations and seed.
        progress: called after each captioned clip.

    Raises:
        CorpusError: the data cannot be read; names the row.
        InputError: no prediction is for a clip of the data, the predictions cannot be read, the calibration
            is of another model or decoding, or options of a model are given with predictions.
        ResamplingError: the file is no calibration.
        CheckpointError: the model cannot be loaded.
    """
    if predictions is not None and (model is not None or num_beams or num_samples or compared):
        raise InputError("a model and its decoding cannot be given with predictions: score one at a time")
    clips, skipped = read_rated_clips(data), list[Skipped]()
    fitted = None if calibration is None else read_calibration(calibration)
    score = partial(
        score_predictions, clips, data=str(data), settings=settings, skipped=skipped, calibration=fitted
    )
    if predictions is not None:
        if fitted is not None:
            fitted.check(None, None)
        return score(read_predictions(predictions, scale=scale), model=Path(predictions).name)
    from budew.model.checkpoint import identity, load_checkpoint  # torch takes seconds

    checkpoint = load_checkpoint(model, device=device)
    decoding = decoding_of(checkpoint, num_beams, num_samples)
    if fitted is not None:
        fitted.check(identity(model), decoding)
    audio = counted(read(on_hub(data), on_bad=_skip_in(skipped, str(data))), progress)
    decoded = decode_clips(
        audio, checkpoint, tuple(dict.fromkeys((*compared, decoding))), batch_size=batch_size
    )
    skipped += decoded.skipped
    result = score(decoded.predictions[decoding], model=checkpoint.name)
    comparison = compare_decodings(decoded, data=str(data), settings=settings) if compared else None
    return replace(result, decoding=decoding, comparison=comparison)


def score_predictions(
    clips: Sequence[RatedClip],
    predictions: Mapping[str, Prediction],
    *,
    model: str,
    data: str,
    skipped: Sequence[Skipped] = (),
    settings: Resampling | None = None,
    calibration: Calibration | None = None,
) -> EmoNetVoice:
    """Score predictions for clips; the arguments and errors are those of `emonet_voice`."""
    settings = settings or Resampling()
    clips = sorted(clips, key=lambda clip: clip.id)
    predictions = NamedClips(predictions)  # indexes the names once
    keys = [_key_of(clip, predictions) for clip in clips]
    unused = len(predictions.keys() - set(keys))
    if calibration is not None:
        kept = [not calibration.used((clip.id, *clip.names)) for clip in clips]
        left_out = len(clips) - sum(kept)
        clips, keys = list(compress(clips, kept)), list(compress(keys, kept))
        if not left_out:
            warn(
                f"none of the {len(calibration.clips):,} clips that the calibration was fitted to is in "
                f"{data}: if it was fitted to the same audio under other names, the metrics are too good",
                BudewWarning,
                stacklevel=2,
            )
    found = [None if key is None else predictions[key] for key in keys]
    if not any(found):
        raise InputError(
            f"no prediction is for a clip of {data}, such as {clips[0].id!r}: name predictions by audio file"
        )
    values = np.array([_value(one, clip.category) for one, clip in zip(found, clips, strict=True)])
    rated = np.array([clip.category not in ATTRIBUTES for clip in clips], dtype=bool)
    refused = rated & np.isnan(values)
    unparsed = rated & ~refused & np.array([_is_unparsed(one) for one in found], dtype=bool)
    emotions, predicted = list(compress(clips, rated)), np.where(unparsed, np.nan, values)[rated]
    if calibration is not None:
        predicted = calibration.apply(predicted / REPORT_MAXIMUM) * REPORT_MAXIMUM
    scores = score_clips(emotions, predicted, settings)
    complete = not np.isnan(predicted).any()
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
        as_zero=scores if complete else score_clips(emotions, np.nan_to_num(predicted), settings),
        refused=share_of(counts["refused"], len(emotions), settings),
        unparsed=share_of(counts["unparsed"], len(emotions), settings),
        missing=counts,
        skipped=tuple(skipped),
        attributes=_attributes(clips, values, settings),
        reliability=_reliability(clips, settings),
        human=_agreement(emotions, settings),
        numbers=numbers_of(clips),
        settings=settings,
        calibration=None if calibration is None else calibration.summary() | {"left_out": left_out},
    )


def _key_of(clip: RatedClip, predictions: Mapping[str, Prediction]) -> str | None:
    return next((key for id in (clip.id, *clip.names) if (key := key_of(predictions, id)) is not None), None)


def _skip_in(skipped: list[Skipped], data: str) -> OnBad:
    """Return what adds the error of a clip that cannot be read to `skipped`."""
    return lambda error: skipped.append(Skipped(data, str(error)))


def _value(prediction: Prediction | None, category: str) -> float:
    """Return what is predicted for the category, on 0–10; NaN where nothing is."""
    if prediction is None:
        return np.nan
    profile = prediction.profile
    if category in ATTRIBUTES:
        value = profile.traits.get(category)
        intensity = to_intensity(value, ATTRIBUTES[category].scale) if isinstance(value, float) else np.nan
    else:
        intensity = profile.emotions.get(category, 0.0) if category in profile.rated else np.nan
    return intensity * from_intensity(1.0, "report")


def _is_unparsed(prediction: Prediction | None) -> bool:
    if prediction is None or prediction.caption is None:
        return False
    profile = prediction.profile
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
