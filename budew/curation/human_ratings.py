"""Tables of human ratings: their statements, without audio, and how far raters agree.

A table is known by its columns.

| table | known by | an answer |
|---|---|---|
| EmoNet-Face Binary | a row for each statement (`path,annotator,value,emotion`) | present 1, absent 0 |
| EmoNet-Face HQ | `annotations` or `label`: many emotions by each expert | 0–7 |
| EmoNet-Voice Bench | `label`: one emotion, by each expert | 0, 1, 2 |
| Emolia votes | `queried_emotion` and `rating`, or counted votes | strongly 1, weakly ½, not present 0 |
| any other | columns for item, rater, emotion and value | words, or numbers on the scale that is given |

Columns may go by the names in `budew/corpora/forms.yaml`. Rows whose `human` is false are answers of
models: they are left out.

Two measures of agreement. `agreement` is the share of pairs of raters, asked the same of the same item, who
gave the same answer; chance alone makes it large where most answers are alike. Krippendorff's alpha is
corrected for chance (interval metric: Krippendorff, Content Analysis, 2004): 1 is perfect, 0 is chance. Both
are None where nobody was asked the same as another.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from budew.audio.formats import is_audio_name
from budew.corpora.delimited import delimited_rows
from budew.corpora.known_names import form
from budew.corpora.labels.ratings import Rating, answers_in, named
from budew.corpora.labels.scores import intensities, number_in, scale_named
from budew.corpora.sidecar import check_file, file_lines, json_object
from budew.errors import CorpusError, OnBad, report
from budew.taxonomy import EMOTIONS

FACE_SCALE, VOICE_SCALE = "emonet-face", "emonet-voice"
FEWEST_OF_FACE = 10
"""Fewest answers in a row of EmoNet-Face HQ: it asks for 40 emotions, EmoNet-Voice for one."""
MOST_VOTES = 1_000
_BATCH = 1_000
_IMAGES = (".png", ".jpg", ".jpeg", ".webp")
_FALSE = ("false", "0", "no")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RatingCounts:
    """Counts of some ratings.

    Attributes:
        ratings: in all.
        items: that were rated.
        raters: who rated.
        present: ratings above 0.
        mean: of the ratings, as intensity.
        agreement: share of pairs of raters with the same answer.
        alpha: Krippendorff's, for intervals.
    """

    ratings: int
    items: int
    raters: int
    present: int
    mean: float
    agreement: float | None
    alpha: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, rounded to four decimals."""
        return {n: round(v, 4) if isinstance(v, float) else v for n, v in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class RatingStatistics:
    """Counts of all ratings, and of each emotion in the order of the taxonomy, attributes last."""

    all: RatingCounts
    emotions: dict[str, RatingCounts]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return self.all.to_dict() | {"emotions": {name: c.to_dict() for name, c in self.emotions.items()}}


def read_ratings(
    path: str | Path, *, scale: str | None = None, on_bad: OnBad | None = None
) -> Iterator[Rating]:
    """Read the ratings of a `.csv`, `.tsv`, `.jsonl` or `.parquet`, in their order.

    Items are called as their file, without folder and suffix of audio or image; rows of a parquet file as its
    clips are.

    Args:
        path: the table.
        scale: of numbers, such as "0-7", where the table is of no kind that is known.
        on_bad: called with the error of each bad row, and reading continues; without it the error is
            raised.

    Raises:
        CorpusError: it is no table of ratings, or names the row and what is wrong with it.
    """
    path = Path(path)
    check_file(path)
    for where, default, parse in _rows(path, on_bad):
        try:
            yield from list(_ratings(parse(), default, scale))
        except CorpusError as error:
            report(CorpusError(f"{path}: {where}: {error}"), on_bad)


def _rows(path: Path, on_bad: OnBad | None) -> Iterator[tuple[str, str, Callable[[], Row]]]:
    """Yield the rows without audio and images: place in the file, default id of the item, what parses it."""
    name = path.name.lower()
    if name.endswith((".csv", ".tsv")):
        for number, fields in delimited_rows(path, on_bad=on_bad):
            yield f"line {number}", f"line-{number}", partial(dict, fields)
    elif name.endswith((".jsonl", ".ndjson")):
        for number, line in file_lines(path, on_bad=on_bad):
            yield f"line {number}", f"line-{number}", partial(json_object, line, "")
    elif name.endswith((".parquet", ".arrow")):
        from budew.corpora.parquet import label_columns, numbered_rows  # pyarrow takes half a second

        for id, row in numbered_rows(path, columns=label_columns(path), batch=_BATCH, on_bad=on_bad):
            yield f"row {int(id.rpartition('-')[2])}", id, partial(dict, row)
    else:
        raise CorpusError(f"{path}: ratings are read from .csv, .tsv, .jsonl and .parquet: convert it")


def _ratings(row: Row, default: str, scale: str | None) -> Iterator[Rating]:
    """Yield the ratings in a row, whose kind is known by its columns."""
    item, emotion, value = _item(row, default), _get(row, "emotion"), _get(row, "value")
    if str(row.get(form("ratings")["human"], "")).strip().lower() in _FALSE:
        return
    if emotion and value is not None:
        rater, name = _get(row, "rater"), named(str(emotion))
        if rater is None:
            raise CorpusError("the rater is missing: add a column with it")
        yield Rating(item, str(rater), name, _intensity(value, name, scale))
    elif emotion and all(column in row for column in form("ratings")["votes"]):
        yield from _counted(row, item, named(str(emotion)))
    elif (answers := _get(row, "answers")) is not None:
        is_face = str(answers).count(":") > FEWEST_OF_FACE or "|" in str(answers)
        on, rater = scale_named(scale or (FACE_SCALE if is_face else VOICE_SCALE)), _get(row, "rater")
        for who, name, number in answers_in(answers, rater=None if rater is None else str(rater)):
            yield Rating(item, who, name, intensities({name: number}, on, overshoot=0.0)[name])
    else:
        raise CorpusError("it contains no rating: a row needs item, rater, emotion and value, or all answers")


def _get(row: Row, part: str) -> Any:
    return next((row[name] for name in form("ratings")[part] if row.get(name) is not None), None)


def _intensity(value: Any, name: str, scale: str | None) -> float:
    word = form("ratings")["words"].get(str(value).strip().casefold()) if scale is None else None
    if word is not None:
        return float(word)
    number = number_in(value)
    if number is None:
        raise CorpusError(
            f"{str(value)[:60]!r} is not an answer: use true, false, strongly_present or a number"
        )
    if scale is None:
        raise CorpusError("the scale of the values is unknown: give it, as in scale='0-7'")
    return intensities({name: number}, scale_named(scale), overshoot=0.0)[name]


def _counted(row: Row, item: str, name: str) -> Iterator[Rating]:
    """Yield counted votes one by one: who gave which is not known, so the raters are numbered."""
    rater = 0
    for column, worth in form("ratings")["votes"].items():
        count = number_in(row[column])
        if count is None or not 0 <= count <= MOST_VOTES or count % 1:
            raise CorpusError(f"{column} is {str(row[column])[:60]!r}: give a number of votes")
        for _ in range(int(count)):
            rater += 1
            yield Rating(item, f"vote-{rater}", name, worth)


def _item(row: Row, default: str) -> str:
    written = _get(row, "item")
    if isinstance(written, Mapping) or written is None or not str(written).strip():
        return default  # a struct of audio or image is no id: a clip of a table is named by its row
    file = PurePosixPath(str(written))
    return file.stem if is_audio_name(file) or file.suffix.lower() in _IMAGES else str(written)


def rating_statistics(ratings: Iterable[Rating]) -> RatingStatistics:
    """Count ratings. Memory holds one small counter for each item and emotion."""
    answers: dict[str, dict[str, Counter[float]]] = {}
    raters: dict[str, set[str]] = {}
    for rating in ratings:
        answers.setdefault(rating.emotion, {}).setdefault(rating.item, Counter())[rating.value] += 1
        raters.setdefault(rating.emotion, set()).add(rating.rater)
    names = [name for name in (*EMOTIONS, *sorted(answers.keys() - set(EMOTIONS))) if name in answers]
    everything = [held for name in names for held in answers[name].values()]
    total = _counts(everything, len(set().union(*answers.values())), len(set().union(*raters.values())))
    single = {name: _counts(answers[name].values(), len(answers[name]), len(raters[name])) for name in names}
    return RatingStatistics(total, single)


def _counts(questions: Collection[Counter[float]], items: int, raters: int) -> RatingCounts:
    values = _pooled(questions)
    pairs = sum(question.total() * (question.total() - 1) for question in questions)
    same = sum(times * (times - 1) for question in questions for times in question.values())
    return RatingCounts(
        ratings=values.total(),
        items=items,
        raters=raters,
        present=sum(times for value, times in values.items() if value > 0),
        mean=sum(value * times for value, times in values.items()) / max(1, values.total()),
        agreement=same / pairs if pairs else None,
        alpha=_alpha([question for question in questions if question.total() > 1]),
    )


def _alpha(questions: Collection[Counter[float]]) -> float | None:
    """Return 1 - variance of the answers to the same question / variance of all answers."""
    values = _pooled(questions)
    if len(values) < 2:
        return 1.0 if values else None  # all say the same
    within = sum(question.total() * _variance(question) for question in questions) / values.total()
    return 1.0 - within / _variance(values)


def _pooled(questions: Iterable[Counter[float]]) -> Counter[float]:
    values: Counter[float] = Counter()
    for question in questions:
        values.update(question)
    return values


def _variance(values: Counter[float]) -> float:
    """Return the unbiased variance of two or more values."""
    mean = sum(value * times for value, times in values.items()) / values.total()
    return sum((value - mean) ** 2 * times for value, times in values.items()) / (values.total() - 1)
