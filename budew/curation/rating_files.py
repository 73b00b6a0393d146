"""Tables of what people say, as a stream of `Rating`: no audio needed. The table is known by its columns.

| table | known by | an answer |
|---|---|---|
| EmoNet-Face Binary | a row for each statement (`path,annotator,value,emotion`) | present 1, absent 0 |
| EmoNet-Face HQ | `annotations` or `label`: many emotions by each expert | 0–7 |
| EmoNet-Voice Bench | `label`: one emotion, by each expert | 0, 1, 2 |
| Emolia votes | `queried_emotion` and `rating`, or counted votes | strongly 1, weakly ½, not present 0 |
| any other | columns for item, rater, emotion and value | words, or numbers on the scale that is given |

Columns may go by the names in `budew/corpora/labels/forms.yaml`. Rows whose `human` is false are answers of
models: they are left out.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from budew.audio.formats import is_audio_name
from budew.corpora.delimited import delimited_rows
from budew.corpora.errors import check_file
from budew.corpora.labels.answers import answers_in
from budew.corpora.labels.forms import form
from budew.corpora.labels.scores import intensities, number_in, scale_named
from budew.corpora.ratings import Rating, named
from budew.corpora.sidecar import json_object, numbered_lines
from budew.errors import CorpusError, OnBad, report

FACE_SCALE = "emonet-face"
VOICE_SCALE = "emonet-voice"
FEWEST_OF_FACE = 10
"""Answers in a row of EmoNet-Face HQ, at least: it asks for 40 emotions, EmoNet-Voice for one."""
_BATCH = 1_000
_IMAGES = (".png", ".jpg", ".jpeg", ".webp")
_FALSE = ("false", "0", "no")

Row = Mapping[str, Any]


class Kind(StrEnum):
    """How a row holds ratings."""

    statement = "one statement a row"
    votes = "counted votes"
    face = "EmoNet-Face HQ, 0 to 7"
    voice = "EmoNet-Voice Bench, 0 to 2"
    model = "answers of a model"


def read_ratings(
    path: str | Path, *, scale: str | None = None, on_bad: OnBad | None = None
) -> Iterator[Rating]:
    """Read the ratings of a `.csv`, `.tsv`, `.jsonl` or `.parquet`, in their order.

    Items are called as their file, without folder and suffix of audio or image; rows of a parquet file as its
    clips are.

    Args:
        path: the table.
        scale: of numbers, such as "0-7", where the table is of no kind that is known.
        on_bad: called with the error of each bad row, and the reading goes on; without it the error is
            raised.

    Raises:
        CorpusError: it is no table of ratings, or names the row and what is wrong with it.
    """
    path = Path(path)
    check_file(path)
    for where, default, row in _rows(path, on_bad):
        try:
            yield from list(_ratings(row, default, scale))
        except CorpusError as error:
            report(CorpusError(f"{path}: {where}: {error}"), on_bad)


def _rows(path: Path, on_bad: OnBad | None) -> Iterator[tuple[str, str, Row]]:
    """Give the rows without audio and images: what errors call each, the default name of its item, itself."""
    name = path.name.lower()
    if name.endswith((".csv", ".tsv")):
        for number, fields in delimited_rows(path, on_bad=on_bad):
            yield f"line {number}", f"line-{number}", fields
    elif name.endswith((".jsonl", ".ndjson")):
        yield from _lines(path, on_bad)
    elif name.endswith((".parquet", ".arrow")):
        from budew.corpora.parquet import label_columns, numbered_rows  # pyarrow takes half a second

        for id, row in numbered_rows(path, columns=label_columns(path), batch=_BATCH, on_bad=on_bad):
            yield f"row {int(id.rpartition('-')[2])}", id, row
    else:
        raise CorpusError(f"{path}: ratings are read from .csv, .tsv, .jsonl and .parquet: convert it")


def _lines(path: Path, on_bad: OnBad | None) -> Iterator[tuple[str, str, Row]]:
    try:
        with path.open("rb") as file:
            for number, line in numbered_lines(file, str(path), on_bad=on_bad):
                where = f"{path}: line {number}"
                try:
                    row = json_object(line, where)
                except CorpusError as error:
                    report(error, on_bad)
                    continue
                yield f"line {number}", f"line-{number}", row
    except OSError as error:
        raise CorpusError(
            f"{path}: cannot be read ({error.strerror}): check the path and its permissions"
        ) from error


def kind_of(row: Row) -> Kind:
    """Return how a row of a table holds ratings, known by its columns.

    Raises:
        CorpusError: it holds none.
    """
    names = form("ratings")
    answers = _column(row, "answers")
    if str(row.get(names["human"], "")).strip().lower() in _FALSE:
        return Kind.model
    if _column(row, "emotion") and _column(row, "value"):
        return Kind.statement
    if _column(row, "emotion") and all(vote in row for vote in names["votes"]):
        return Kind.votes
    if answers:
        text = str(row[answers])
        return Kind.face if text.count(":") > FEWEST_OF_FACE or "|" in text else Kind.voice
    raise CorpusError("it holds no rating: a row needs item, rater, emotion and value, or all answers")


def _ratings(row: Row, default: str, scale: str | None) -> Iterator[Rating]:
    kind = kind_of(row)
    if kind is Kind.statement:
        return _statement(row, default, scale)
    if kind is Kind.votes:
        return _counted(row, default)
    if kind is Kind.model:
        return iter(())
    return _answered(row, default, scale or (FACE_SCALE if kind is Kind.face else VOICE_SCALE))


def _column(row: Row, part: str) -> str | None:
    return next((name for name in form("ratings")[part] if row.get(name) is not None), None)


def _statement(row: Row, default: str, scale: str | None) -> Iterator[Rating]:
    """One statement of one rater."""
    rater, emotion = row.get(_column(row, "rater") or ""), row[_column(row, "emotion") or ""]
    said = row[_column(row, "value") or ""]
    if rater is None:
        raise CorpusError("it does not say who rates: add a rater")
    name = named(str(emotion))
    yield Rating(_item(row, default), str(rater), name, _intensity(said, name, scale))


def _intensity(said: Any, name: str, scale: str | None) -> float:
    word = form("ratings")["words"].get(str(said).strip().casefold()) if scale is None else None
    if word is not None:
        return float(word)
    number = number_in(said)
    if number is None:
        raise CorpusError(f"{str(said)[:60]!r} is no answer: use true, false, strongly_present or a number")
    if scale is None:
        raise CorpusError("it does not say on which scale the values are: give it, as in scale='0-7'")
    return intensities({name: number}, scale_named(scale), overshoot=0.0)[name]


def _counted(row: Row, default: str) -> Iterator[Rating]:
    """Votes that are counted: who gave which is not known, so the raters are numbered."""
    name, item, rater = named(str(row[_column(row, "emotion") or ""])), _item(row, default), 0
    for column, worth in form("ratings")["votes"].items():
        count = number_in(row[column])
        if count is None or not 0 <= count <= _BATCH or count % 1:
            raise CorpusError(f"{column} is {str(row[column])[:60]!r}: give a number of votes")
        for _ in range(int(count)):
            rater += 1
            yield Rating(item, f"vote-{rater}", name, worth)


def _answered(row: Row, default: str, scale: str) -> Iterator[Rating]:
    """All answers of all raters, or of one whose name is in another column."""
    rater = row.get(_column(row, "rater") or "")
    answers = answers_in(row[_column(row, "answers") or ""], rater=None if rater is None else str(rater))
    item, on = _item(row, default), scale_named(scale)
    for who, name, number in answers:
        yield Rating(item, who, name, intensities({name: number}, on, overshoot=0.0)[name])


def _item(row: Row, default: str) -> str:
    column = _column(row, "item")
    written = row[column] if column else None
    if isinstance(written, Mapping):
        written = None  # the path of a file in a struct is no id: a clip of a table is called by its row
    if written is None or not str(written).strip():
        return default
    file = PurePosixPath(str(written))
    return file.stem if is_audio_name(file) or file.suffix.lower() in _IMAGES else str(written)
