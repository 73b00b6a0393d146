"""Predictions made elsewhere, by any captioner or any model that gives scores, and tables of raw scores.

12,600 lines of 40 scores are read in about 3 s, captions at about 10,000 a second (one core).
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from glob import has_magic
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np

from budew.captions.parse import parse
from budew.corpora.clip import Clip
from budew.corpora.folders import list_files
from budew.corpora.labels.scores import HEADS_OVERSHOOT, HEADS_SCALE, OVERSHOOT, intensities
from budew.corpora.media import AUDIO, IMAGE, Media
from budew.corpora.sources import read
from budew.curation.rating_tables import FACE_SCALE
from budew.errors import CorpusError, InputError
from budew.evaluation.pairs import Pair
from budew.evaluation.prediction_rows import RATED_ATTRIBUTES, PredictionRow, read_rows
from budew.faces.face_labels import newest_ratings
from budew.io.addresses import is_address
from budew.profile import VoiceProfile
from budew.statistics.arrays import FloatArray
from budew.taxonomy import ATTRIBUTES, EMOTIONS
from budew.taxonomy.rating_scales import INTENSITY, SCALES, Scale, from_intensity, scale_named

Value = TypeVar("Value")
_CORPORA = (".tar", ".tar.gz", ".tgz", ".parquet", ".arrow")
_HEADS = "heads"
"""Where `budew.annotation.head_annotator` keeps the scores in the metadata, by canonical names."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction for one clip.

    Attributes:
        profile: predicted profile; `rated` has the emotions that were predicted, none for a refusal.
        caption: caption that was parsed, if any.
        means: mean intensity of each emotion over the sampled captions, however weak; None without samples.
        shares: share of the sampled captions that name each emotion; None without samples.
    """

    profile: VoiceProfile
    caption: str | None = None
    means: VoiceProfile | None = None
    shares: Mapping[str, float] | None = None

    @property
    def expected(self) -> VoiceProfile:
        """Profile to score: the means over sampled captions if there are any, else `profile`."""
        return self.means or self.profile


def read_predictions(
    source: str | Path, *, scale: str = INTENSITY.name, media: Media = AUDIO
) -> dict[str, Prediction]:
    """Read predictions as a mapping id → prediction; look one up with `by_id(predictions, id)`.

    A caption is parsed and predicts all 40 emotions. Scores predict the emotions that are named in at least
    one line of the source. If a line omits such an emotion, the emotion is 0 in this line; if its value is
    null (in CSV: an empty field), it is not predicted. If a line has a caption and scores, its scores are
    used, and emotions without a score are 0. An empty object of scores means that no emotion is present. A
    line with neither, or with null scores alone, is a refusal: it predicts no emotion.

    Args:
        source: JSON Lines, CSV or TSV, a folder of them, or a folder with a JSON file for each clip, whose
            name is the id (fields: see `budew.evaluation.prediction_rows`); or shards, parquet or a folder of
            these, whose clips have the predicted profiles. Of clips that `budew corpus annotate heads` wrote,
            only the scores of the heads are used, as other emotions of the profile may be labels.
        scale: scale of the scores: its ends, such as "0-4", or its name, see `scale_named`. Scores that
            exceed it by up to a tenth of its length (on `bud-e`, the scale of heads, by up to its length) are
            clipped. Profiles always have intensities in [0, 1].
        media: `IMAGE` for shards, parquet or a folder of these that `budew face annotate` wrote: the ratings
            of the model that annotated last are used, whatever `scale` is.

    Raises:
        InputError: the scale is unknown, no line has a known field, a score is off the scale, an id occurs
            twice, or a line cannot be read; the error names file and line.
        CorpusError: a corpus cannot be read.
    """
    chosen = scale_named(scale)
    if _is_corpus(source) and media == IMAGE:
        return NamedClips(_annotated(source))
    if _is_corpus(source):
        return NamedClips({clip.id: Prediction(_predicted(clip)) for clip in read(source)})
    rows = _distinct(read_rows(Path(source)))
    if rows and all(row.empty for row in rows):
        raise InputError(
            f"{source}: no line has a caption or scores under a known name, such as `caption` or Anger"
        )
    named = {name for row in rows for name in row.scores or () if name in EMOTIONS}
    return NamedClips({row.id: _prediction(row, named, chosen) for row in rows})


def audio_name(clip: Clip) -> str:
    """Return the name of a clip's audio file, without suffix; its id if it has no file name.

    Unlike the id, the name of the file stays the same when a table is rewritten in other shards or another
    order.
    """
    return PurePosixPath(str(clip.metadata.get("file_name") or "")).stem or clip.id


def by_id(predictions: Mapping[str, Value], id: str) -> Value | None:
    """Look up an id, ignoring suffixes of audio and images; return None if no key or several keys fit it.

    Folders must be equal only as far as both id and key have them: `a`, `a.wav` and `speech/a.wav` are the
    same; `read/a` and `speech/a` are not.

    Example:
        >>> by_id({"speech/a.wav": 0.5, "speech/b.wav": 1.0}, "a.flac")
        0.5
    """
    named = predictions if isinstance(predictions, NamedClips) else NamedClips(predictions)
    key = named.key_of(id)
    return None if key is None else named[key]


class NamedClips(dict[str, Value]):
    """A dictionary whose keys are file names, indexed once for `by_id`; it must not be changed afterwards."""

    @cached_property
    def _names(self) -> dict[str, list[tuple[tuple[str, ...], str]]]:
        """File name without suffix → path and key of each that has it."""
        found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for key in self:
            path = _path(key)
            found.setdefault(path[-1], []).append((path, key))
        return found

    def key_of(self, id: str) -> str | None:
        """Return the key that `by_id` uses for `id`; None if there is none."""
        if id in self:
            return id
        wanted = _path(id)
        fitting = {}
        for path, key in self._names.get(wanted[-1], ()):
            length = min(len(path), len(wanted))
            if path[-length:] == wanted[-length:]:
                fitting[key] = path
        same = [key for key, path in fitting.items() if path == wanted] or list(fitting)
        return same[0] if len(same) == 1 else None


def _path(id: str) -> tuple[str, ...]:
    """Return the folders and the name of a file, without a suffix of audio or images."""
    *folders, name = id.replace("\\", "/").split("/")
    stem = name.rpartition(".")[0]
    named = stem and (AUDIO.owns(name) or IMAGE.owns(name))
    return (*(folder for folder in folders if folder not in ("", ".")), stem if named else name)


def read_scores(path: Path) -> dict[str, FloatArray]:
    """Read a table of scores without converting them: no scale is assumed.

    Args:
        path: a table that `read_predictions` reads; or the published outputs of Empathic Insight-Face, which
            have an object for each head, of which `mean_subtracted` is read.

    Returns:
        Id (often a file name) → scores (40,) in the order of `EMOTIONS`, NaN where the table has no number.

    Raises:
        InputError: the table has no scores, an id occurs twice, or a line is invalid; the error names the
            line.

    Example:
        >>> _ = Path("scores.jsonl").write_text('{"image": "1.jpg", "Anger": -3.5}')
        >>> float(np.nanmax(read_scores(Path("scores.jsonl"))["1.jpg"]))
        -3.5
    """
    found = {}
    for row in _distinct(read_rows(Path(path), value="mean_subtracted")):
        scores = {name: number for name, number in (row.scores or {}).items() if number is not None}
        found[row.id] = np.array([scores.get(name, np.nan) for name in EMOTIONS])
    if np.isnan(list(found.values())).all():
        raise InputError(f"{path} has no scores: name each column, or field, as its emotion")
    return found


def _is_corpus(source: str | Path) -> bool:
    """Return whether a source is read as clips: shards, tables, an address, or a folder of such files."""
    path = Path(source)
    if is_address(source) or (has_magic(str(source)) and not path.exists()):
        return True
    files = list_files(path) if path.is_dir() else [path]
    return any(file.name.lower().endswith(_CORPORA) for file in files)


def _predicted(clip: Clip) -> VoiceProfile:
    """Return the profile of a clip; if heads scored the clip, a profile of their raw scores.

    The profile in such a clip lacks weak emotions, and its other values are labels.
    """
    profile, heads = clip.profile or VoiceProfile(None), clip.metadata.get(_HEADS)
    if not isinstance(heads, Mapping):
        return profile
    scores = {name: float(heads[name]) for name in EMOTIONS if name in heads}
    traits = {name: value for name, value in profile.traits.items() if name in heads}
    found = intensities(scores, scale_named(HEADS_SCALE), overshoot=HEADS_OVERSHOOT)
    return VoiceProfile(found, traits=traits, rated=found)


def _annotated(source: str | Path) -> Iterator[tuple[str, Prediction]]:
    """Yield id and ratings of the images that a vision-language model annotated."""
    for clip in read(source, media=IMAGE):
        if ratings := newest_ratings(clip):
            emotions = {name: value for name, value in ratings.items() if name in EMOTIONS}
            levels = intensities(emotions, SCALES[FACE_SCALE])
            yield clip.id, Prediction(VoiceProfile(levels, rated=levels))


def _distinct(rows: Iterable[PredictionRow]) -> list[PredictionRow]:
    found: dict[str, PredictionRow] = {}
    for row in rows:
        if (first := found.setdefault(row.id, row)) is not row:
            raise InputError(f"{row.where}: clip {row.id!r} occurs twice, first in {first.where}: keep one")
    return list(found.values())


def _prediction(row: PredictionRow, named: Collection[str], scale: Scale) -> Prediction:
    if row.profile is not None:
        return Prediction(row.profile, row.caption)
    parsed = parse(row.caption).profile if row.caption else None
    given = {name: number for name, number in (row.scores or {}).items() if number is not None}
    if row.scores is None or (row.scores and not (given or parsed)):
        return Prediction(parsed or VoiceProfile(None), row.caption)
    scale = INTENSITY if row.intensities else scale
    overshoot = HEADS_OVERSHOOT if scale.name == HEADS_SCALE else OVERSHOOT
    try:
        found = intensities(given, scale, overshoot=overshoot)
    except CorpusError as error:
        raise InputError(f"{row.where}: {error}") from error
    refused = row.scores.keys() - given.keys()
    traits = {
        name: from_intensity(found.pop(name), ATTRIBUTES[name].scale)
        for name in RATED_ATTRIBUTES
        if name in found
    }
    parsed = parsed or VoiceProfile(rated=named)
    rated = set(parsed.rated) - refused
    return Prediction(VoiceProfile(found, parsed.bursts, {**parsed.traits, **traits}, rated), row.caption)


def write_predictions(path: Path, pairs: Iterable[Pair]) -> None:
    """Write captions and predicted intensities, one line per clip, as `read_predictions` reads them."""
    with path.open("w", encoding="utf-8") as out:
        for pair in pairs:
            record: dict[str, Any] = {"id": pair.id}
            if pair.caption is not None:
                record["caption"] = pair.caption
            rated = {**dict.fromkeys(EMOTIONS), **dict.fromkeys(pair.predicted.rated, 0.0)}
            record["emotions"] = {**rated, **pair.predicted.emotions}
            out.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
