"""Benchmark of transfer to facial expressions: FERD and AffectNet (8 classes each), from tables of scores.

The scores go into the softmax of the rule (see `coarse`) unchanged. The published results use the scores of
Empathic Insight-Face minus the mean of each emotion: `mean_subtracted` in its files.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from budew.curation.rating_tables import table_rows
from budew.errors import InputError
from budew.evaluation.benchmarks.coarse import (
    DEFAULTS,
    CoarseResult,
    CoarseTask,
    LabelledClip,
    load_task,
    score_coarse,
)
from budew.evaluation.prediction_files import NamedClips, by_id, read_scores
from budew.io.resources import packaged_table
from budew.statistics.resampling import Resampling

Expressions = Literal["ferd", "affectnet"]
_LETTERS = re.compile(r"[^\W\d_]+")


def score_facial_expressions(
    corpus: Expressions, predictions: Path, *, labels: Path | None = None, settings: Resampling = DEFAULTS
) -> CoarseResult:
    """Score predicted emotions of faces on FERD or AffectNet.

    Args:
        corpus: name of the corpus, which sets the classes and their emotions.
        predictions: table of scores, see `read_scores`.
        labels: table with the class of each picture, see `read_expression_labels`. Without it, the class is
            read from the path of the picture, such as `0019_Happy.jpg` or `happy/0019.jpg`; the last class
            in the path counts.
        settings: number of bootstrap resamples (of pictures) and of permutations, and seed.

    Raises:
        InputError: a table cannot be read, or a picture has no class.

    Example:
        >>> lines = ['{"image": "1_Angry.jpg", "Anger": 3, "Fear": 0}', '{"image": "2_Sad.jpg", "Anger": 2}']
        >>> _ = Path("ferd.jsonl").write_text("\\n".join(lines))
        >>> found = score_facial_expressions("ferd", Path("ferd.jsonl"), settings=Resampling(20, 20))
        >>> found.overall["argmax_accuracy"].value
        50.0
    """
    task, scores = load_task(corpus), read_scores(predictions)
    if labels is None:
        classes = {id: class_in_path(id) for id in scores}
    else:
        written = NamedClips(read_expression_labels(labels, task))
        classes = {id: by_id(written, id) for id in scores}
    if missing := [id for id, label in classes.items() if label is None]:
        raise InputError(
            f"{labels or predictions}: no class for {len(missing)} of {len(scores)} pictures, such as "
            f"{', '.join(missing[:3])}: give a table with their names and classes as --labels"
        )
    return score_coarse(
        task,
        (LabelledClip(id, str(classes[id]), row) for id, row in scores.items()),
        model=predictions.name,
        data=str(labels or predictions),
        unit="as in the table",
        settings=settings,
    )


def class_in_path(path: str) -> str | None:
    """Return the last class that is named in the path of a picture; None if there is none."""
    name = str(PurePosixPath(path).with_suffix("")) if path else ""
    words = reversed(_LETTERS.findall(name))
    return next((label for word in words if (label := _classes().get(word.casefold()))), None)


def read_expression_labels(path: Path, task: CoarseTask) -> dict[str, str]:
    """Read a table of classes as a mapping: name of the picture → class.

    Numbers of classes are accepted only in the published prediction files, which number the classes in
    alphabetical order; AffectNet itself uses another order.

    Args:
        path: CSV, TSV or JSON Lines with a column for the picture (`image`, `image_path`, `file`, `id`…) and
            one for the class (`label`, `class`, `emotion` or `expression`).
        task: corpus with these classes.

    Raises:
        CorpusError: the file cannot be read.
        InputError: a line lacks the picture or the class, its class is unknown, or its picture has another
            class above; the error names the line.
    """
    labels: dict[str, str] = {}
    for where, _, parse in table_rows(path):
        row = parse()
        image, written = _field(row, "image"), _field(row, "label")
        if image is None or written is None:
            raise InputError(f"{path}: {where}: a picture or its class is missing: add `image` and `label`")
        label = _classes().get(str(written).strip().casefold())
        if label is None and isinstance(written, int) and "results" in row and written < len(task.classes):
            label = sorted(task.classes)[written]
        if label is None:
            known = ", ".join(task.classes)
            raise InputError(f"{path}: {where}: {str(written)[:40]!r} is not a class: use one of {known}")
        if labels.setdefault(str(image), label) != label:
            raise InputError(f"{path}: {where}: {str(image)!r} has another class above: keep one")
    return labels


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
