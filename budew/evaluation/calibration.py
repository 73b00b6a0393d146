"""Calibration: one monotone curve from predicted intensity to human rating.

Raters and captions use the scale differently: raters may well perceive an emotion that a caption leaves out.
Isotonic regression (Barlow et al. 1972) finds the non-decreasing curve with the smallest squared error; here
one curve serves all emotions, as most have too few ratings for a separate one. It improves RMSE; MAE may grow
if predictions take few values, as those of single captions do. The order of predictions is kept, but close
values may become equal.

A curve holds for one model and decoding: the mean over 16 sampled captions takes other values than one
caption. It is fitted on a share of the rated clips, chosen by a hash of their ids. The file lists them, and a
benchmark leaves them out of scoring. The same ratings calibrate the probability that an emotion is present
(`budew.heads.presence`); its reliability is measured on clips of other people. Where every clip is rated for
one emotion, as in EmoNet-Voice Bench, the curves hold for emotions that raters were asked for, not for all
40.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from budew.corpora.clip import Clip
from budew.corpora.sources import Progress, counted, read
from budew.corpora.text_files import read_json_object
from budew.errors import InputError, require
from budew.evaluation.benchmarks.emonet_voice_data import on_hub
from budew.evaluation.pairs import Pair, Skipped
from budew.evaluation.prediction_files import audio_name
from budew.evaluation.predictors import Decoding, ModelPredictor, Predictor, predicted
from budew.heads.presence import PresenceCurves, fit_presence, reliability
from budew.io.files import write_json
from budew.io.settings import Settings, validated
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.statistics.arrays import FloatArray
from budew.version import __version__

SHARE = 0.2
FEWEST = 20
"""Fewest ratings that a curve is fitted to."""


class Calibration(Settings):
    """A fitted curve, what it was fitted to, and the model and decoding it holds for: `calibration.json`."""

    made_by: str = "budew benchmark calibrate"
    version: str = __version__
    thresholds: tuple[float, ...] = Field(description="predicted intensities, increasing")
    values: tuple[float, ...] = Field(description="calibrated intensities at the thresholds, non-decreasing")
    model: str | None = Field(description="identity of the checkpoint; None for a file of predictions")
    decoding: Decoding | None = Field(description="decoding of the model; None for a file of predictions")
    data: str = Field(description="path or address of the rated clips")
    share: float = Field(description="share of the rated clips used for fitting")
    seed: int = Field(description="seed that chooses these clips")
    ratings: int = Field(description="number of rated emotions used for fitting")
    clips: frozenset[str] = Field(
        strict=False, description="ids of the clips used for fitting; benchmarks must not score them"
    )

    speakers: tuple[str, ...] = Field(default=(), description="speakers of these clips, if known")
    presence: PresenceCurves | None = Field(
        default=None, description="curves from predicted intensity to the probability of presence"
    )

    @model_validator(mode="after")
    def _check(self) -> "Calibration":
        curve = np.array([self.thresholds, self.values]) if len(self.thresholds) == len(self.values) else None
        if curve is None or not curve.size or (curve < 0).any() or (curve > 1).any():
            raise ValueError("thresholds and values must be equally many intensities in [0, 1]")
        if (np.diff(curve[0]) <= 0).any() or (np.diff(curve[1]) < 0).any():
            raise ValueError("thresholds must increase and values must not decrease")
        return self

    def apply(self, intensities: npt.ArrayLike) -> FloatArray:
        """Calibrate intensities of any shape, interpolating linearly between thresholds; NaN stays NaN."""
        return np.asarray(np.interp(np.asarray(intensities, dtype=np.float64), self.thresholds, self.values))

    def applied_to(self, profile: VoiceProfile) -> VoiceProfile:
        """Return the profile with its rated emotions calibrated; bursts and traits are unchanged."""
        rated = profile.rated
        values = self.apply([profile.emotions.get(name, 0.0) for name in rated]).tolist()
        return VoiceProfile(
            dict(zip(rated, values, strict=True)), profile.bursts, profile.traits, rated=rated
        )

    def summary(self) -> dict[str, Any]:
        """Return the fields as plain data: without the curve, and `clips` is the number of clips."""
        unlisted = {"thresholds", "values", "clips", "speakers", "presence"}
        return self.model_dump(mode="json", exclude=unlisted) | {"clips": len(self.clips)}

    def check(self, model: str | None, decoding: Decoding | None) -> None:
        """Check that the curve was fitted to predictions of this model and decoding (both None for a file).

        Raises:
            InputError: it was fitted to predictions of another model or decoding.
        """
        if (model, decoding) != (self.model, self.decoding):
            raise InputError(
                f"the calibration holds for {_described(self.model, self.decoding)}, not for predictions "
                f"of {_described(model, decoding)}: fit one for those with budew benchmark calibrate"
            )


def fit_calibration(
    pairs: Sequence[Pair],
    *,
    data: str,
    model: str | None = None,
    decoding: Decoding | None = None,
    share: float = SHARE,
    seed: int = 0,
) -> Calibration:
    """Fit the curve to the rated emotions of some of the clips. The order of the pairs has no effect.

    Args:
        pairs: rated clips and their predictions. Only emotions that are rated and predicted are used.
        data, model, decoding: recorded in the result, see `Calibration`.
        share: share of the clips to fit to, in (0, 1]; the others are for scoring.
        seed: seed that chooses the clips.

    Raises:
        InputError: the share is out of range, or there are fewer than `FEWEST` ratings to fit to.
        MissingExtraError: scikit-learn is not installed.
    """
    if not 0 < share <= 1:
        raise InputError(f"share is {share}: give a share of the clips above 0 and at most 1")
    chosen = [pair for pair in pairs if is_for_fitting(pair.id, share=share, seed=seed)]
    reference, predicted = rated_intensities(chosen)
    if len(reference) < FEWEST:
        raise InputError(
            f"{data}: {len(reference)} ratings have a prediction of their clip and emotion, too few to fit a "
            f"calibration to: give {FEWEST} or more, or a larger share"
        )
    regression = require("sklearn.isotonic", extra="evaluate", purpose="calibration").IsotonicRegression
    fitted = regression(y_min=0.0, y_max=1.0).fit(predicted, reference)  # sorts them first
    return Calibration(
        thresholds=tuple(fitted.X_thresholds_.tolist()),
        values=tuple(fitted.y_thresholds_.tolist()),
        model=model,
        decoding=decoding,
        data=data,
        share=share,
        seed=seed,
        ratings=len(reference),
        clips=frozenset(pair.id for pair in chosen),
    )


def calibrate(
    data: str | Path,
    predictor: Predictor | None = None,
    *,
    share: float = SHARE,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Calibration, list[Skipped]]:
    """Fit a calibration to a share of the rated clips; return it and the clips that have no prediction.

    Args:
        data: whatever `budew.read` reads, or `OWNER/NAME` on the hub; clips without a rated emotion are
            ignored.
        predictor: a captioner or a file of predictions; default: the checkpoint in the package.
        share: share of the rated clips to fit to, in (0, 1].
        seed: seed that chooses these clips.
        progress: called after each clip.

    Raises:
        InputError: the share is out of range, or there are fewer than `FEWEST` ratings to fit to.
        CheckpointError: the model cannot be loaded.
        MissingExtraError: scikit-learn is not installed.

    Example:
        >>> import json
        >>> from budew.corpora import Clip, write_shard
        >>> from budew.evaluation import FilePredictor
        >>> clips, lines = [], []
        >>> for number in range(40):
        ...     profile = VoiceProfile({"Awe": number / 40}, rated=["Awe"])
        ...     clips.append(Clip(f"{number:02d}", b"RIFF", "wav", profile=profile))
        ...     lines.append(json.dumps({"id": clips[-1].id, "Awe": number / 80}))
        >>> _ = write_shard(Path("rated.tar"), clips)
        >>> _ = Path("scores.jsonl").write_text("\\n".join(lines))
        >>> calibration, _ = calibrate("rated.tar", FilePredictor("scores.jsonl"), share=1)
        >>> calibration.apply(0.25).round(2).tolist()
        0.5
    """
    predictor = predictor or ModelPredictor()
    skipped: list[Skipped] = []
    rated = _rated(data, skipped)
    chosen = (clip for clip in rated if is_for_fitting(clip.id, share=share, seed=seed))
    pairs, ratings = _paired(chosen, predictor, skipped, progress)
    model, decoding = predictor.model, predictor.decoding
    fitted = fit_calibration(pairs, data=str(data), model=model, decoding=decoding, share=share, seed=seed)
    if len({present for *_, present in ratings}) == 2:
        names, evidence, present = zip(*ratings, strict=True)
        speakers = tuple(sorted({pair.speaker for pair in pairs if pair.speaker is not None}))
        curves = fit_presence(names, np.array(evidence), np.array(present))
        fitted = fitted.model_copy(update={"presence": curves, "speakers": speakers})
    return fitted, skipped


def measure_presence(
    data: str | Path, predictor: Predictor, calibration: Calibration, *, progress: Progress | None = None
) -> tuple[dict[str, Any], list[Skipped]]:
    """Measure how reliable the probability of presence is before and after calibration, on other speakers.

    Args:
        data: rated clips, such as `calibrate` takes.
        predictor: predictor that the calibration was fitted to.
        calibration: result of `calibrate`.
        progress: called after each clip.

    Returns:
        A dictionary with the numbers of `clips` and `ratings`, and with the results `before` and `after` as
        `budew.heads.presence.reliability` returns them; and the clips that have no prediction.

    Raises:
        InputError: the calibration has no curves of presence or was fitted to a clip or speaker of `data`, or
            no rated emotion has a prediction.
    """
    skipped: list[Skipped] = []
    nothing = f"{data}: nothing to measure: give clips with present and absent emotions to both"
    if calibration.presence is None:
        raise InputError(nothing)
    pairs, ratings = _paired(_rated(data, skipped, calibration), predictor, skipped, progress)
    if not ratings:
        raise InputError(nothing)
    after = [calibration.presence.applied_to({name: value})[name] for name, value, _ in ratings]
    present = np.array([one for *_, one in ratings])
    before = np.array([value for _, value, _ in ratings])
    found = {"before": reliability(before, present), "after": reliability(np.array(after), present)}
    return {"clips": len(pairs), "ratings": len(ratings), **found}, skipped


def _rated(data: str | Path, skipped: list[Skipped], fitted: Calibration | None = None) -> Iterator[Clip]:
    """Read the clips with rated emotions, with the names of their files as ids.

    Raises:
        InputError: `fitted` was fitted to a clip or speaker of the data.
    """
    for clip in read(on_hub(data), on_bad=lambda error: skipped.append(Skipped(str(data), str(error)))):
        if clip.profile is not None and clip.profile.rated:
            name = audio_name(clip)
            if fitted is not None and (name in fitted.clips or clip.speaker in fitted.speakers):
                fault = f"the calibration was fitted to {name} or its speaker: give other people"
                raise InputError(f"{data}: {fault}")
            yield replace(clip, id=name)


def _paired(
    clips: Iterable[Clip], predictor: Predictor, skipped: list[Skipped], progress: Progress | None
) -> tuple[list[Pair], list[tuple[str, float, bool]]]:
    """Return pairs of profiles; and emotion, evidence of presence, and presence for each of their ratings."""
    pairs: list[Pair] = []
    ratings: list[tuple[str, float, bool]] = []
    for clip, found in counted(predicted(clips, lambda clip: clip, predictor, skipped), progress):
        if found is not None and clip.profile is not None:
            label, expected = clip.profile, found.expected
            pairs.append(Pair(clip.id, label, expected, found.caption, speaker=clip.speaker))
            shares = expected.emotions if found.shares is None else found.shares
            named = (name for name in label.rated if name in expected.rated)
            ratings += [(name, shares.get(name, 0.0), label.emotions.get(name, 0) > 0) for name in named]
        elif not predictor.reads_audio:
            skipped.append(Skipped(clip.id, "there is no prediction for it"))
    return pairs, ratings


def is_for_fitting(id: str, *, share: float, seed: int) -> bool:
    """Return whether a clip is one to fit to: a random choice that depends only on seed and id."""
    return generator("calibration", seed, ascii(id)).random() < share


def rated_intensities(pairs: Sequence[Pair]) -> tuple[FloatArray, FloatArray]:
    """Return reference and predicted intensities of all emotions with both, each of shape (ratings,)."""
    both = [
        (pair.reference.emotions.get(name, 0.0), pair.predicted.emotions.get(name, 0.0))
        for pair in pairs
        for name in pair.reference.rated
        if name in pair.predicted.rated
    ]
    reference, predicted = np.array(both, dtype=np.float64).reshape(-1, 2).T
    return reference, predicted


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration as JSON; equal calibrations give the same bytes."""
    contents = calibration.model_dump(mode="json") | {"clips": sorted(calibration.clips)}
    write_json(path, contents)


def read_calibration(path: Path) -> Calibration:
    """Read a file that `write_calibration` wrote.

    Raises:
        SettingsError, CorpusError: the file is not a calibration; the error names the invalid field.
    """
    return validated(Calibration, read_json_object(path), name=str(path))


def _described(model: str | None, decoding: Decoding | None) -> str:
    return (
        "a file of predictions"
        if model is None or decoding is None
        else f"checkpoint {model} ({decoding.name})"
    )
