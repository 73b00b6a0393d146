"""Transfer to facial expressions: FERD and AffectNet (8 classes each), from tables of predicted scores.

The numbers go into the softmax of the rule (see `coarse`) as they are. Published are those of Empathic
Insight-Face less the mean of each emotion: `mean_subtracted` in its files.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from budew.corpora.delimited import DELIMITED, delimited_rows
from budew.corpora.text_files import check_file, file_lines, json_object
from budew.errors import InputError
from budew.evaluation.benchmarks.coarse import (
    DEFAULTS,
    CoarseResult,
    CoarseTask,
    LabelledClip,
    load_task,
    score_coarse,
)
from budew.evaluation.predictions import NamedClips, by_id, read_scores
from budew.io.resources import packaged_table
from budew.statistics.resampling import Resampling

Expressions = Literal["ferd", "affectnet"]
_LETTERS = re.compile(r"[^\W\d_]+")


def score_facial_expressions(
    corpus: Expressions, predictions: Path, *, labels: Path | None = None, settings: Resampling = DEFAULTS
) -> CoarseResult:
    """Score predicted emotions of faces on FERD or AffectNet.

    Args:
        corpus: decides the mapping.
        predictions: table of scores, see `read_scores`.
        labels: table with the class of each picture, see `read_expression_labels`; without it, the class that
            comes last in the path of the picture, as in `0019_Happy.jpg` and `happy/0019.jpg`.
        settings: bootstrap resamples (of pictures), permutations and seed.

    Raises:
        InputError: a table cannot be read, or a picture has no class.
    """
    task, table = load_task(corpus), read_scores(predictions)
    if labels is None:
        known = {id: label for id in table.ids if (label := class_in_path(id)) is not None}
    else:
        written = NamedClips(read_expression_labels(labels, task))
        known = {id: label for id in table.ids if (label := by_id(written, id)) is not None}
    if missing := [id for id in table.ids if id not in known]:
        raise InputError(
            f"{labels or predictions}: no class for {len(missing)} of {len(table.ids)} pictures, such as "
            f"{', '.join(missing[:3])}: give a table with their names and classes as --labels"
        )
    examples = (LabelledClip(id, known[id], row) for id, row in zip(table.ids, table.values, strict=True))
    return score_coarse(
        task,
        examples,
        model=predictions.name,
        data=str(labels or predictions),
        unit="as in the table",
        settings=settings,
    )


def class_in_path(path: str) -> str | None:
    """Return the class that the name of a picture ends with, or a folder above it; None without one."""
    name = str(PurePosixPath(path).with_suffix("")) if path else ""
    words = reversed(_LETTERS.findall(name))
    return next((label for word in words if (label := _classes().get(word.casefold()))), None)


def read_expression_labels(path: Path, task: CoarseTask) -> dict[str, str]:
    """Read the class of each picture, name → class.

    A number is taken only from the published prediction files, where it is the place among the classes in
    alphabetical order: AffectNet itself numbers them otherwise.

    Args:
        path: CSV, TSV or JSON Lines with a column for the picture (`image`, `image_path`, `file`, `id`…) and
            one for the class (`label`, `class`, `emotion` or `expression`).
        task: whose classes they are.

    Raises:
        CorpusError: the file cannot be read.
        InputError: names the line without picture or class, with an unknown class, or with a picture again.
    """
    labels: dict[str, str] = {}
    for number, row in _rows(path):
        image, written = _field(row, "image"), _field(row, "label")
        if image is None or written is None:
            raise InputError(
                f"{path} line {number}: a picture or its class is missing: add `image` and `label`"
            )
        label = _classes().get(str(written).strip().casefold())
        if label is None and isinstance(written, int) and "results" in row and written < len(task.classes):
            label = sorted(task.classes)[written]
        if label is None:
            raise InputError(
                f"{path} line {number}: {str(written)[:40]!r} is none of {', '.join(task.classes)}: "
                "write the name of the class"
            )
        if labels.setdefault(str(image), label) != label:
            raise InputError(f"{path} line {number}: {str(image)!r} has another class above: keep one")
    return labels


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the rows of a table with the numbers of their lines."""
    check_file(path)
    if path.suffix.lower() in DELIMITED:
        yield from delimited_rows(path)
    else:
        for number, line in file_lines(path):
            yield number, json_object(line, f"{path} line {number}")


@cache
def _names() -> Mapping[str, Any]:
    table: Mapping[str, Any] = packaged_table(__package__, "facial_expressions")
    return table


def _field(row: Mapping[str, Any], part: str) -> Any:
    return next((row[name] for name in _names()[part] if row.get(name) is not None), None)


@cache
def _classes() -> dict[str, str]:
    """Return every spelling of a class, in small letters → the class."""
    spellings = _names()["spellings"]
    return {name: label for label, others in spellings.items() for name in (label, *others)}
