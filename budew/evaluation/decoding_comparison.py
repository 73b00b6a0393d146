"""Scores of several decodings of one model on the same clips, raw and calibrated, and their cost.

One caption names one or two emotions; the mean over K sampled captions is an expected intensity, with finer
values. Which is better depends on the model, so it is measured: on clips that calibration was not fitted to,
with the metrics of EmoNet-Voice Bench (one pair for each rated emotion, on 0–10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from budew.evaluation.calibration import FEWEST, SHARE, fit_calibration, is_for_fitting, rated_intensities
from budew.evaluation.emotion_metrics import REPORT_MAXIMUM
from budew.evaluation.pairs import Pair, Skipped
from budew.evaluation.predictors import Decoding
from budew.statistics.pair_metrics import pair_intervals
from budew.statistics.resampling import ConfidenceInterval, Resampling, plain_data

GREEDY = Decoding()
COMPARED = (GREEDY, Decoding(num_beams=4), *(Decoding(num_samples=number) for number in (4, 16, 64)))


@dataclass(frozen=True, slots=True)
class DecodingScores:
    """Metrics of one decoding, and the seconds of encoder and decoder per clip.

    `raw` has the metrics of the predictions as they are, `calibrated` those after calibration; None if there
    are too few ratings to fit a calibration to.
    """

    decoding: Decoding
    raw: Mapping[str, ConfidenceInterval]
    calibrated: Mapping[str, ConfidenceInterval] | None
    seconds: float


@dataclass(frozen=True, slots=True)
class DecodingComparison:
    """Scores of several decodings.

    Attributes:
        model, data: their names.
        rows: one per decoding.
        fitted, scored: number of clips that calibrations are fitted to, and of the others, which are scored.
        share: share of the clips used for fitting; `settings.seed` chooses them.
        skipped: clips that were not captioned.
        settings: settings of the intervals.
    """

    model: str
    data: str
    rows: tuple[DecodingScores, ...]
    fitted: int
    scored: int
    share: float
    skipped: tuple[Skipped, ...]
    settings: Resampling

    def to_dict(self) -> dict[str, Any]:
        """Return plain data. `relative_time` is relative to greedy search; None if that is not compared."""
        greedy = next((row.seconds for row in self.rows if row.decoding == GREEDY), None)
        return {
            "model": self.model,
            "data": self.data,
            "fitted_clips": self.fitted,
            "scored_clips": self.scored,
            "share": self.share,
            "seed": self.settings.seed,
            "resamples": self.settings.resamples,
            "skipped": plain_data(self.skipped),
            "decodings": [
                {
                    "name": row.decoding.name,
                    **row.decoding.model_dump(),
                    "seconds_per_clip": row.seconds,
                    "relative_time": row.seconds / greedy if greedy else None,
                    "raw": plain_data(row.raw),
                    "calibrated": plain_data(row.calibrated),
                }
                for row in self.rows
            ],
        }


def compare_decodings(
    pairs: Mapping[Decoding, Sequence[Pair]],
    seconds: Mapping[Decoding, float],
    *,
    model: str,
    data: str,
    skipped: Sequence[Skipped] = (),
    share: float = SHARE,
    settings: Resampling | None = None,
) -> DecodingComparison:
    """Score every decoding on the clips that are not used for fitting its calibration.

    Args:
        pairs: references and predictions by decoding, for the same clips.
        seconds: seconds of encoder and decoder for all clips, by decoding.
        model, data: names of the model and of the clips.
        skipped: clips that were not captioned.
        share: share of the clips with a rated emotion that calibrations are fitted to.
        settings: number of bootstrap resamples, and the seed, which also chooses these clips; default:
            `Resampling()`.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    settings = settings or Resampling()
    clips = next(iter(pairs.values()))
    rated = [pair.id for pair in clips if pair.reference.rated]
    fitted = sum(is_for_fitting(id, share=share, seed=settings.seed) for id in rated)
    rows = [
        _scores(decoding, found, seconds[decoding] / max(1, len(clips)), data, share, settings)
        for decoding, found in pairs.items()
    ]
    return DecodingComparison(
        model=model,
        data=data,
        rows=tuple(rows),
        fitted=fitted,
        scored=len(rated) - fitted,
        share=share,
        skipped=tuple(skipped),
        settings=settings,
    )


def _scores(
    decoding: Decoding, pairs: Sequence[Pair], seconds: float, data: str, share: float, settings: Resampling
) -> DecodingScores:
    fitting: list[Pair] = []
    scored: list[Pair] = []
    for pair in pairs:
        (fitting if is_for_fitting(pair.id, share=share, seed=settings.seed) else scored).append(pair)
    reference, predicted = rated_intensities(scored)
    labels, calibrated = reference * REPORT_MAXIMUM, None
    if len(rated_intensities(fitting)[0]) >= FEWEST:
        curve = fit_calibration(fitting, data=data, share=share, seed=settings.seed)
        calibrated = pair_intervals(labels, curve.apply(predicted) * REPORT_MAXIMUM, settings)
    raw = pair_intervals(labels, predicted * REPORT_MAXIMUM, settings)
    return DecodingScores(decoding, raw, calibrated, seconds)
