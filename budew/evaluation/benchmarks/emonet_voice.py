"""EmoNet-Voice Bench (arXiv:2506.09827): predictions for the one emotion that each clip was rated for.

The label of a clip is the mean of its raters' answers (0, 1 or 2) times 5; the prediction is the intensity of
the same emotion times 10. The other 39 emotions are unrated and are ignored. A clip without a prediction (a
refusal, or a caption from which nothing was parsed) is left out as in the paper, and counts as 0 in
`as_zero`.

All clips are scored, and apart from them those on which raters agree exactly. 12,600 clips with all intervals
take 10 s on one core (benchmarks/evaluation.py), and the set with consensus in proportion.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import tee
from operator import attrgetter
from pathlib import Path
from typing import Any
from warnings import warn

import numpy as np

from budew.corpora.sources import Progress, counted
from budew.errors import BudewWarning, InputError
from budew.evaluation.benchmarks.emonet_voice_data import (
    FEWEST_RATERS,
    POINTS,
    RatedClip,
    category_order,
    read_rated_clips,
)
from budew.evaluation.benchmarks.emonet_voice_scores import (
    ClipSet,
    ClipSetResult,
    EmoNetVoiceScores,
    PredictedClip,
    numbers_of,
    score_set,
)
from budew.evaluation.calibration import Calibration, read_calibration
from budew.evaluation.decoding_comparison import DecodingComparison, compare_decodings
from budew.evaluation.pairs import Pair, Skipped
from budew.evaluation.predictors import Decoding, FilePredictor, ModelPredictor, Predictor, predicted
from budew.io.resources import packaged_table
from budew.statistics.agreement import Agreement, agreement, rating_matrix
from budew.statistics.pair_metrics import PAIR_METRICS
from budew.statistics.resampling import Resampling, mean_interval, plain_fields
from budew.taxonomy import ATTRIBUTES


@dataclass(frozen=True, slots=True)
class EmoNetVoice:
    """Results of a model on EmoNet-Voice Bench.

    Attributes:
        model, data: their names.
        sets: "all" and "exact" → results over all clips, and over those with exact consensus.
        consensus: the set whose results come first.
        min_raters: least number of raters of a clip of "exact".
        skipped: clips without a prediction because their audio could not be captioned.
        reliability: "all" and each category → agreement of the raters, on 0–10.
        human_ceiling: agreement of each rater with the mean of the other raters on the 40 emotions, see
            `Agreement.leave_one_out`; `n`: number of ratings.
        numbers: number of clips by category, rater, language and so on, see `numbers_of`.
        settings: settings of the intervals and baselines.
        decoding: decoding of the model; None for a file of predictions.
        calibration: summary of the calibration that was applied, with the number of clips that were
            `left_out` because it was fitted to them; None without.
        comparison: scores of several decodings of the model, if they were compared.
        trained_on: count of the clips that the model was trained on, see `TrainingOverlap.to_dict`.
        others: results of further predictions, of which `leaderboard` and `mean_spearman` have a row each.
    """

    model: str
    data: str
    sets: Mapping[ClipSet, ClipSetResult]
    consensus: ClipSet
    min_raters: int
    skipped: tuple[Skipped, ...]
    reliability: Mapping[str, Agreement]
    human_ceiling: Mapping[str, Any]
    numbers: Mapping[str, Any]
    settings: Resampling
    decoding: Decoding | None = None
    calibration: Mapping[str, Any] | None = None
    comparison: DecodingComparison | None = None
    trained_on: Mapping[str, Any] | None = None
    others: "tuple[EmoNetVoice, ...]" = ()

    @property
    def scores(self) -> EmoNetVoiceScores:
        """The metrics of the set that comes first."""
        return self.sets[self.consensus].scores

    def to_dict(self) -> dict[str, Any]:
        """Return plain data with the published results; the keys of the first set are at the top level."""
        table = packaged_table(__package__, "emonet_voice")
        own = [row | {"own": True} for row in self._rows()]
        rows = [*own, *(row for one in self.others for row in one._rows()), *table["leaderboard"]]
        rhos = ((one.model, one.scores.by_emotion) for one in (self, *self.others))
        by_emotion = [
            {"model": model, "spearman": {name: found["spearman"].value for name, found in groups.items()}}
            for model, groups in rhos
        ]
        names = {"benchmark": "emonet-voice", "model": self.model, "data": self.data}
        absent = [part for part in ("decoding", "calibration", "comparison") if not getattr(self, part)]
        found = plain_fields(self, "model", "data", "others", *absent)
        if self.decoding is not None:
            found["decoding"] = {"name": self.decoding.name, **self.decoding.model_dump()}
        return {
            **names,
            **self.sets[self.consensus].to_dict(),
            **found,
            "leaderboard": sorted(rows, key=_by_correlation, reverse=True),
            "mean_spearman": [self._mean_spearman(one) for one in (*by_emotion, *table["by_emotion"])],
            "published_by_emotion": table["by_emotion"],
            "published_reliability": table["reliability"],
        }

    def _rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row of the leaderboard for each set that has clips."""
        for name, found in self.sets.items():
            values = {metric: found.scores.overall[metric].value for metric in PAIR_METRICS}
            named = {"model": self.model, "set": name, "source": self.data, "date": None}
            if found.refused.value is not None:
                yield {**named, **values, "refused": found.refused.value}

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
    consensus: ClipSet = "all",
    min_raters: int = FEWEST_RATERS,
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
        consensus: set of clips whose results come first: "all", or "exact" for those on which all raters, at
            least `min_raters`, agree exactly.
        min_raters: least number of raters of a clip with exact consensus.
        others: further files of predictions, scored for comparison and without calibration.
        settings: number of bootstrap resamples and permutations, and seed; default: `Resampling()`.
        progress: called after each clip.

    Raises:
        CorpusError: the data cannot be read; the error names the clip.
        InputError: no prediction is for a clip of the data, the calibration is of another model or decoding,
            decodings of a file are to be compared, or `consensus` is "exact" and no clip has it.
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
        consensus=consensus,
    )
    used = frozenset[str]() if fitted is None else fitted.clips
    clips = [clip for clip, _ in found if used.isdisjoint((clip.id, clip.clip.id))]
    score = partial(score_predictions, data=str(data), settings=settings, consensus=consensus)
    more = []
    for other in others:
        both = zip(clips, other.predict((clip.clip for clip in clips), []), strict=True)
        more.append(score(both, model=other.name))
    found_in = predictor.trained_on.to_dict()
    return replace(
        result, decoding=predictor.decoding, comparison=comparison, trained_on=found_in, others=tuple(more)
    )


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
    for predictions, clip in zip(made, items, strict=True):  # as in `predicted`
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
    consensus: ClipSet = "all",
) -> EmoNetVoice:
    """Score predictions for clips of EmoNet-Voice Bench.

    Args:
        predicted: rated clips in any order, each with its prediction, or None without one.
        model, data: their names.
        unused: number of predictions that belong to no clip.
        skipped: clips whose audio could not be captioned.
        settings: number of bootstrap resamples and permutations, and seed; default: `Resampling()`.
        calibration: applied to the predictions; the clips that it was fitted to are left out.
        consensus: set of clips whose results come first, see `score_emonet_voice`.

    Raises:
        InputError: no clip has a prediction, or `consensus` is "exact" and no clip has it.
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
    if not any(one for _, one in kept):
        raise InputError(
            f"no prediction of {model} is for a clip of {data}, such as {every[0][0].id!r}: use the names of "
            "the audio files as ids"
        )
    agreed = [one for one in kept if one[0].unanimous]
    of_sets: dict[ClipSet, list[PredictedClip]] = {"all": kept, "exact": agreed}
    if consensus == "exact" and all(clip.category in ATTRIBUTES for clip, _ in agreed):
        raise InputError(
            f"on no clip of {data} do {every[0][0].min_raters} raters agree exactly: use --consensus all"
        )
    clips = [clip for clip, _ in kept]
    human = _agreement([clip for clip in clips if clip.category not in ATTRIBUTES], settings)
    return EmoNetVoice(
        model=model if calibration is None else f"{model}, calibrated",
        data=data,
        sets={name: score_set(pairs, settings, calibration, unused) for name, pairs in of_sets.items()},
        consensus=consensus,
        min_raters=every[0][0].min_raters,
        skipped=tuple(skipped),
        reliability=_reliability(clips, settings),
        human_ceiling={"n": human.ratings, **human.leave_one_out},
        numbers=numbers_of(clips),
        settings=settings,
        calibration=None if calibration is None else calibration.summary() | {"left_out": left_out},
    )


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
