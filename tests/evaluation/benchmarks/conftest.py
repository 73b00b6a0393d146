"""Generated tables of EmoNet-Face HQ: people and models of every group, holes, extra dimensions."""

import csv
import json
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.taxonomy import EMOTIONS

KEYS = [f"Family|{name}" for name in EMOTIONS]
MODELS = ("Empathic Insight Face", "Hume Face*", "Some VLM MS", "Some VLM ZS", "Random Baseline")


@pytest.fixture(scope="session")
def face_rows():
    """Rows as dictionaries: 40 images, three of five people each, five models."""
    generator = np.random.default_rng(3)
    rows = []
    for image in range(40):
        strength = generator.exponential(2.0, len(EMOTIONS)) * generator.integers(0, 2, len(EMOTIONS))
        for person in generator.choice(5, 3, replace=False):
            noise = generator.normal(0, 1 + 3 * (np.arange(len(EMOTIONS)) % 3 == 0))
            ratings = np.clip(np.round(strength + noise), 0, 7).astype(int).tolist()
            rows.append(
                _row(
                    image,
                    f"human-{person}",
                    True,
                    dict(zip(KEYS, ratings, strict=True), **{"Extra Dimensions|Age": 9}),
                )
            )
        for model in MODELS:
            scores = strength + generator.normal(-0.3, 1.5, len(EMOTIONS))
            rows.append(_row(image, model, False, _answers(model, scores, generator)))
    return rows


def _row(image, rater, human, answers):
    return {"image": f"faces/{image:04d}.jpg", "annotator": rater, "human": human, "annotations": answers}


def _answers(model, scores, generator):
    if model.startswith("Hume"):
        return dict(zip(KEYS, np.clip(scores / 7, 0, 1).tolist(), strict=True))
    if model.startswith("Random"):
        return dict(zip(KEYS, generator.integers(0, 8, len(KEYS)).tolist(), strict=True))
    if model.startswith("Some"):  # whole numbers, zeros left out
        return {key: int(score) for key, score in zip(KEYS, np.clip(scores, 0, 7), strict=True) if score >= 1}
    return dict(zip(KEYS, scores.tolist(), strict=True))  # may leave the scale


def write_rows(rows, path):
    """Write rows as CSV, JSON Lines or parquet."""
    texts = [{**row, "annotations": repr(row["annotations"])} for row in rows]
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(texts)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pyarrow.parquet.write_table(pa.Table.from_pylist(texts), path)
    return path


@pytest.fixture(scope="session")
def face_csv(face_rows, tmp_path_factory):
    """The rows as CSV, shuffled: nothing may depend on their order but the turns of the people."""
    return write_rows(
        random.Random(1).sample(face_rows, len(face_rows)), tmp_path_factory.mktemp("hq") / "hq.csv"
    )
