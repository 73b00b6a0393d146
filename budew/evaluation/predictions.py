"""Predictions made elsewhere: JSON Lines with a clip's `id` and its `caption` or `emotions`."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budew.captions import parse
from budew.errors import InputError
from budew.evaluation.results import Pair
from budew.profile import VoiceProfile
from budew.taxonomy.scales import INTENSITY, SCALES, Scale, to_intensity

LONGEST_LINE = 1_000_000
"""Characters; a longer line is not the prediction of one clip."""
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was predicted for one clip, and the caption it was read from, if any."""

    profile: VoiceProfile
    caption: str | None = None


def read_predictions(path: Path, *, scale: str = INTENSITY.name) -> dict[str, Prediction]:
    """Read predictions, clip id → prediction.

    Args:
        path: JSON Lines. Each object has `id` (a string) and `caption` (English text, parsed here),
            `emotions` (name → number, 0 where left out), or both: then the numbers count. Other keys are
            ignored.
        scale: rating scale of the numbers: "intensity", or one of `budew.taxonomy.scales.SCALES`.

    Raises:
        InputError: a line is not such an object, or an id comes twice (names the file and the line);
            there is no such scale.
    """
    chosen = _scale(scale)
    predictions: dict[str, Prediction] = {}
    for where, record in _records(path):
        clip_id = record.get("id")
        if not isinstance(clip_id, str):
            raise InputError(f"{where} has no id: every prediction needs the id of its clip, as a string")
        if clip_id in predictions:
            raise InputError(f"{where} predicts clip {clip_id!r} a second time: keep one prediction a clip")
        try:
            predictions[clip_id] = _prediction(record, chosen)
        except (TypeError, ValueError) as error:
            raise InputError(f"{where}, clip {clip_id!r}: {error}") from error
    return predictions


def write_predictions(path: Path, pairs: Iterable[Pair]) -> None:
    """Write captions and predicted intensities as `read_predictions` takes them, one line a clip."""
    with path.open("w", encoding="utf-8") as out:
        for pair in pairs:
            record: dict[str, Any] = {"id": pair.id}
            if pair.caption is not None:
                record["caption"] = pair.caption
            record["emotions"] = dict(pair.predicted.emotions)
            out.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def check_ids(predicted: Iterable[str], clips: Iterable[str], *, corpus: str) -> None:
    """Make sure that predictions and clips have the same ids.

    Raises:
        InputError: names some that only one side has.
    """
    predicted, clips = set(predicted), set(clips)
    if missing := clips - predicted:
        raise InputError(f"the predictions lack {_some(missing)} of {corpus}: predict every clip")
    if unknown := predicted - clips:
        raise InputError(
            f"the predictions name {_some(unknown)} unknown to {corpus}: use the corpus's own ids"
        )


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE), ""), start=1):
                if line.strip():
                    yield f"{path} line {number}", _record(line, f"{path} line {number}")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: give JSON Lines with one prediction a line") from error


def _record(line: str, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not a JSON object ({error}): give one prediction a line") from error
    if not isinstance(record, dict):
        raise InputError(f"{where} is not a JSON object: give one prediction a line")
    return record


def _prediction(record: Mapping[str, Any], scale: Scale) -> Prediction:
    caption, emotions = record.get("caption"), record.get("emotions")
    if not isinstance(caption, str | None) or not isinstance(emotions, dict | None):
        raise InputError("`caption` must be text, and `emotions` an object from name to number")
    if caption is None and emotions is None:
        raise InputError("a prediction needs `caption` (text) or `emotions` (name to number)")
    parsed = VoiceProfile() if caption is None else parse(caption).profile
    if emotions is None:
        return Prediction(parsed, caption)
    intensities = {name: _intensity(name, value, scale) for name, value in emotions.items()}
    return Prediction(VoiceProfile(intensities, parsed.bursts, parsed.traits), caption)


def _intensity(name: str, value: float, scale: Scale) -> float:
    try:
        return to_intensity(value, scale)
    except InputError as error:
        raise InputError(f"{name!r}: {error}") from error


def _scale(name: str) -> Scale:
    known = {INTENSITY.name: INTENSITY, **SCALES}
    if name not in known:
        raise InputError(f"there is no rating scale {name!r}: use one of {', '.join(known)}")
    return known[name]


def _some(ids: set[str]) -> str:
    names = ", ".join(repr(clip_id) for clip_id in sorted(ids)[:_LISTED])
    return f"{len(ids)} clips ({names}{', …' if len(ids) > _LISTED else ''})"
