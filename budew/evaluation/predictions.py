"""Predictions made elsewhere: JSON Lines with a clip's `id` and its `caption` or `emotions`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from budew.captions.parse import parse
from budew.corpora.labels.scores import scale_named
from budew.errors import InputError
from budew.evaluation.results import Pair
from budew.profile import VoiceProfile
from budew.taxonomy.scales import INTENSITY, Scale, to_intensity

LONGEST_LINE = 1_000_000
"""Characters; a longer line is not the prediction of one clip."""


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
        scale: rating scale of the numbers: its ends, such as "0-4", or its name, see `scale_named`.

    Raises:
        InputError: a line is not such an object, or an id comes twice (names the file and the line).
        CorpusError: there is no such scale.
    """
    chosen = scale_named(scale)
    predictions: dict[str, Prediction] = {}
    for where, line in _lines(path):
        try:
            given = _Line.model_validate_json(line)
            if given.id in predictions:
                raise InputError(f"clip {given.id!r} occurs twice: keep one prediction per clip")
            predictions[given.id] = _prediction(given, chosen)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            field = ".".join(map(str, fault["loc"])) or "one prediction per line"
            raise InputError(f"{where}: {field}: {fault['msg']}") from error
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
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


class _Line(BaseModel):
    model_config = ConfigDict(strict=True)

    id: str
    caption: str | None = None
    emotions: dict[str, float] | None = None


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE), ""), start=1):
                if line.strip():
                    yield f"{path} line {number}", line
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: give JSON Lines with one prediction per line") from error


def _prediction(given: _Line, scale: Scale) -> Prediction:
    if given.caption is None and given.emotions is None:
        raise InputError("a prediction needs `caption` (text) or `emotions` (name to number)")
    parsed = VoiceProfile() if given.caption is None else parse(given.caption).profile
    if given.emotions is None:
        return Prediction(parsed, given.caption)
    intensities = {name: to_intensity(value, scale) for name, value in given.emotions.items()}
    return Prediction(VoiceProfile(intensities, parsed.bursts, parsed.traits), given.caption)
