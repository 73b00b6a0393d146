"""FERD and AffectNet from tables: classes from file names, folders, tables and the published form."""

import json

import numpy as np
import pytest
from scipy.special import softmax

from budew.errors import BudewError
from budew.evaluation.benchmarks.coarse import load_task
from budew.evaluation.benchmarks.facial_expressions import (
    class_in_path,
    read_expression_labels,
    score_facial_expressions,
)
from budew.statistics.resampling import Resampling
from budew.taxonomy import EMOTIONS

FEW = Resampling(resamples=20, permutations=20)
WORDS = {
    "anger": "Anger", "contempt": "Contempt", "disgust": "Disgust", "fear": "Fear", "happy": "Happy",
    "neutral": "Neutral", "sad": "Sad", "surprise": "Surprised",
}  # fmt: skip
DIMENSIONS = ("arousal", "valence", "dominance", "emotional_vulnerability")


def published(name: str, values: np.ndarray) -> dict:
    """One picture in the form of the published prediction files: 44 heads, 4 of them no emotions."""
    heads = [
        f"model_{name.lower().replace(' ', '_').replace('/', '_')}_best" for name in (*EMOTIONS, *DIMENSIONS)
    ]
    scores = [
        {"raw": value + 1, "mean_subtracted": value, "softmax": None if at >= 40 else 0.025}
        for at, value in enumerate(values.tolist())
    ]
    return {"image_path": name, "results": dict(zip(heads, scores, strict=True))}


@pytest.fixture
def table(tmp_path):
    """Predictions of 40 pictures in the published form, with their names, values and classes."""
    generator = np.random.default_rng(5)
    values = generator.normal(0, 1.5, (40, 44))
    classes = [list(WORDS)[number % 8] for number in range(40)]
    names = [f"ferd_images/{number:04d}_{WORDS[label]}.jpg" for number, label in enumerate(classes)]
    lines = [json.dumps(published(name, row)) for name, row in zip(names, values, strict=True)]
    (tmp_path / "ferd.jsonl").write_text("\n".join(lines))
    return tmp_path / "ferd.jsonl", names, values[:, :40], classes


def expected(corpus, values, classes) -> float:
    """Accuracy of the rule by a plain loop, in per cent."""
    task = load_task(corpus)
    right = 0
    for row, label in zip(softmax(values, axis=1), classes, strict=True):
        right += any(
            share > 1.5 / 40 and task.mapping[name] == label
            for name, share in zip(EMOTIONS, row, strict=True)
        )
    return 100 * right / len(classes)


@pytest.mark.parametrize("corpus", ["ferd", "affectnet"])
def test_the_published_form_is_scored_by_file_names(table, corpus):
    path, _, values, classes = table
    result = score_facial_expressions(corpus, path, settings=FEW).to_dict()
    assert (result["n"], result["speakers"], result["incomplete"]) == (40, None, 0)
    assert result["accuracy"]["value"] == pytest.approx(expected(corpus, values, classes), abs=1e-9)


def test_labels_come_from_a_table_of_either_form(table, tmp_path):
    path, names, values, classes = table
    turned = classes[1:] + classes[:1]
    rows = [f"{name.partition('/')[2]},{label}" for name, label in zip(names, turned, strict=True)]
    (tmp_path / "labels.csv").write_text("image,label\n" + "\n".join(rows))
    as_json = [
        json.dumps({"file": name, "class": WORDS[label]}) for name, label in zip(names, turned, strict=True)
    ]
    (tmp_path / "labels.jsonl").write_text("\n".join(as_json))
    for labels in ("labels.csv", "labels.jsonl"):
        result = score_facial_expressions("affectnet", path, labels=tmp_path / labels, settings=FEW).to_dict()
        assert result["accuracy"]["value"] == pytest.approx(expected("affectnet", values, turned), abs=1e-9)


def test_numbers_are_classes_in_the_published_files_only(tmp_path):
    task = load_task("affectnet")
    lines = [published(f"{number}.jpg", np.zeros(44)) | {"label": number} for number in range(8)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    labels = read_expression_labels(tmp_path / "a.jsonl", task)
    assert list(labels.values()) == list(WORDS)  # alphabetical
    result = score_facial_expressions(
        "affectnet", tmp_path / "a.jsonl", labels=tmp_path / "a.jsonl", settings=FEW
    )
    assert result.to_dict()["accuracy"]["value"] == 0
    (tmp_path / "b.jsonl").write_text('{"image": "0.jpg", "label": 1}')
    with pytest.raises(BudewError):
        read_expression_labels(tmp_path / "b.jsonl", task)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("ferd_images/0019_Happy.jpg", "happy"),
        ("val/happiness/image0000006.jpg", "happy"),
        ("fear/0001_Surprised.png", "surprise"),
        ("Disgust-12", "disgust"),
        ("sadly/unhappy.jpg", None),
        ("7.jpg", None),
        ("", None),
    ],
)
def test_the_class_is_the_last_one_in_the_path(path, label):
    assert class_in_path(path) == label


@pytest.mark.parametrize(
    "rows",
    [
        "image,label\n1.jpg,bored",
        "image,label\n1.jpg,",
        "image,label\n1.jpg,sad\n1.jpg,happy",
        "name,mood\n1,sad",
        "",
    ],
)
def test_a_table_without_clear_classes_is_one_error(rows, tmp_path):
    (tmp_path / "labels.csv").write_text(rows)
    with pytest.raises(BudewError, match=r"labels\.csv"):
        read_expression_labels(tmp_path / "labels.csv", load_task("ferd"))


def test_a_picture_without_a_class_is_one_error(table, tmp_path):
    path, names, _, _ = table
    (tmp_path / "labels.csv").write_text(f"image,label\n{names[0]},happy")
    with pytest.raises(BudewError, match="39 of 40"):
        score_facial_expressions("ferd", path, labels=tmp_path / "labels.csv")
