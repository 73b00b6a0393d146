"""Tables of human ratings, without audio: one `Rating` for each answer of a rater to an item and emotion.

The kind of table is recognized by its columns:

| table | recognized by | values of answers |
|---|---|---|
| EmoNet-Face Binary | a row for each statement (`path,annotator,value,emotion`) | present 1, absent 0 |
| EmoNet-Face HQ | `annotations` or `label`: many emotions by each expert | 0–7 |
| EmoNet-Voice Bench | `label`: one emotion, by each expert | 0, 1, 2 |
| Emolia votes | `queried_emotion` and `rating`, or counted votes | strongly 1, weakly ½, not present 0 |
| any other | columns for item, rater, emotion and value | words, or numbers on the `scale` argument |

Answers in words ("mildly present") are read in all of them. Columns may have any of the names in
`budew/corpora/forms.yaml`. A row may state its scale in `scale`, such as `0-1` for an emotion with two levels
(absent, present) among those with three. Rows with a false `human` are answers of models and are left out.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from budew.corpora.column_names import label_layout, number_in
from budew.corpora.csv_tables import delimited_rows
from budew.corpora.labels.ratings import Rating, answers_in, rated_name, share_in_words
from budew.corpora.labels.scores import declared_scale, intensities, scale_in
from budew.corpora.media import AUDIO, IMAGE
from budew.corpora.tables import file_name_columns, label_columns, numbered_rows
from budew.corpora.text_files import check_file, file_lines, json_object
from budew.errors import CorpusError, InputError, OnBad, report
from budew.taxonomy.rating_scales import scale_named

FACE_SCALE, VOICE_SCALE = "emonet-face", "emonet-voice"
FEWEST_OF_FACE = 10
"""A row with more answers than this is of EmoNet-Face HQ (40 emotions), otherwise of EmoNet-Voice (one)."""
MOST_VOTES = 1_000
"""Largest valid number of votes for one answer."""
_BATCH = 1_000  # rows of parquet that are read at a time
_FALSE = ("false", "0", "no")

Row = Mapping[str, Any]


def read_ratings(
    path: str | Path, *, scale: str | None = None, on_bad: OnBad | None = None
) -> Iterator[Rating]:
    """Read human ratings from a `.csv`, `.tsv`, `.jsonl`, `.parquet` or `.arrow` table, in the order of rows.

    The name of an item is that of its file, without folder and without a suffix of audio or images. If a row
    names no file: in parquet, the id that `budew.read` gives to the clip of this row; otherwise "line-N".

    Args:
        path: path of the table.
        scale: scale of numeric answers, such as "0-7"; needed unless the kind of table is recognized.
        on_bad: called with the error of each bad row, and reading continues; without it the error is
            raised.

    Raises:
        CorpusError: the file is not a table of ratings, or a row is bad; the message names the row.
        InputError: `scale` is unknown, or it is None and the table has numbers without a scale.

    Example:
        >>> _ = Path("ratings.csv").write_text("item,rater,emotion,value\\na.wav,r1,Awe,3\\n")
        >>> list(read_ratings("ratings.csv", scale="0-4"))
        [Rating(item='a', rater='r1', emotion='Awe', value=0.75)]
    """
    for where, default, parse in table_rows(path, on_bad):
        try:
            yield from list(_ratings(parse(), default, scale))
        except CorpusError as error:
            report(CorpusError(f"{path}: {where}: {error}"), on_bad)
        except InputError as error:
            raise InputError(f"{path}: {where}: {error}") from error


def table_rows(path: str | Path, on_bad: OnBad | None = None) -> Iterator[tuple[str, str, Callable[[], Row]]]:
    """Yield the rows of a table, without their audio and images.

    Yields:
        Place in the file, such as "line 3"; id of the item if the row has none; function that parses the row.
    """
    path = Path(path)
    check_file(path)
    name = path.name.lower()
    if name.endswith((".csv", ".tsv")):
        for number, fields in delimited_rows(path, on_bad=on_bad):
            yield f"line {number}", f"line-{number}", partial(dict, fields)
    elif name.endswith((".jsonl", ".ndjson")):
        for number, line in file_lines(path, on_bad=on_bad):
            yield f"line {number}", f"line-{number}", partial(json_object, line, "")
    elif name.endswith((".parquet", ".arrow")):
        columns = [*label_columns(path), *file_name_columns(path)]
        for id, row in numbered_rows(path, columns=columns, batch=_BATCH, on_bad=on_bad):
            yield f"row {int(id.rpartition('-')[2])}", id, partial(dict, row)
    else:
        raise CorpusError(
            f"{path}: ratings are read from .csv, .tsv, .jsonl and .parquet: convert the file to one of these"
        )


def _ratings(row: Row, default: str, scale: str | None) -> Iterator[Rating]:
    """Yield the ratings in a row; its columns decide how they are parsed."""
    item, emotion, value = item_name(row, default), field_of(row, "emotion"), value_of(row)
    if is_by_model(row):
        return
    if scale is None and (declared := scale_in(row)) is not None:
        scale = declared_scale(declared).name
    if emotion and value is not None:
        rater, name = field_of(row, "rater"), rated_name(str(emotion))
        if rater is None:
            raise CorpusError("the rater is missing: add a column with the name of the rater")
        yield Rating(item, str(rater), name, _intensity(value, name, scale))
    elif emotion and all(column in row for column in label_layout("ratings")["votes"]):
        yield from _counted(row, item, rated_name(str(emotion)))
    elif (answers := field_of(row, "answers")) is not None:
        is_face = str(answers).count(":") > FEWEST_OF_FACE or "|" in str(answers)
        on, rater = scale_named(scale or (FACE_SCALE if is_face else VOICE_SCALE)), field_of(row, "rater")
        for who, name, number in answers_in(answers, rater=None if rater is None else str(rater), scale=on):
            yield Rating(item, who, name, intensities({name: number}, on, overshoot=0.0)[name])
    else:
        raise CorpusError("the row has no rating: give item, rater, emotion and value, or all answers")


def is_by_model(row: Row) -> bool:
    """Return whether a row is the answer of a model: its column `human` is false."""
    return str(row.get(label_layout("ratings")["human"], "")).strip().lower() in _FALSE


def field_of(row: Row, part: str) -> Any:
    """Return a field of a row, whose column may have any of the names in `forms.yaml`; None if missing.

    `part` is "item", "rater", "emotion", "value" or "answers".
    """
    return next((row[name] for name in label_layout("ratings")[part] if row.get(name) is not None), None)


def value_of(row: Row) -> Any:
    """Return the only rating in a row, also from a column `label`; None if it has several or none."""
    value, label = field_of(row, "value"), field_of(row, "answers")
    is_value = value is None and not (share_in_words(label) is None and number_in(label) is None)
    return label if is_value else value


def _intensity(value: Any, name: str, scale: str | None) -> float:
    share = share_in_words(value)
    if share is not None:
        return share
    number = number_in(value)
    if number is None:
        raise CorpusError(
            f"{str(value)[:60]!r} is not an answer: use true, false, mildly present or a number"
        )
    if scale is None:
        raise InputError("the scale of the ratings is unknown: give it (--scale 0-7), or a column `scale`")
    return intensities({name: number}, scale_named(scale), overshoot=0.0)[name]


def _counted(row: Row, item: str, name: str) -> Iterator[Rating]:
    """Yield one rating for each counted vote. The raters are unknown, so they are numbered."""
    rater = 0
    for column, worth in label_layout("ratings")["votes"].items():
        count = number_in(row[column])
        if count is None or not 0 <= count <= MOST_VOTES or count % 1:
            raise CorpusError(f"{column} is {str(row[column])[:60]!r}: give a number of votes")
        for _ in range(int(count)):
            rater += 1
            yield Rating(item, f"vote-{rater}", name, worth)


def item_name(row: Row, default: str) -> str:
    """Return the name of the rated clip or image: its file without folder and suffix, else `default`."""
    written = field_of(row, "item")
    if isinstance(written, Mapping) or written is None or not str(written).strip():
        return default  # audio or images stored in the table have no name
    file = PurePosixPath(str(written))
    return file.stem if AUDIO.owns(file) or IMAGE.owns(file) else str(written)
