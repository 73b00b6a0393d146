"""Tables of EmoNet-Face HQ read alike from every format; what is averaged, filled or left out is counted."""

import numpy as np
import pytest

from budew.errors import CorpusError, InputError
from budew.evaluation.benchmarks.face_table import read_face_table, with_predictions
from budew.evaluation.predictors import FilePredictor
from budew.taxonomy import EMOTIONS
from tests.evaluation.benchmarks.emonet_voice_set import write_scores

from .conftest import MODELS, write_rows


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_table(face_rows, face_csv, tmp_path, suffix):
    table, other = read_face_table(face_csv), read_face_table(write_rows(face_rows, tmp_path / f"t{suffix}"))
    assert table.raters == other.raters == (*(f"human-{n}" for n in range(5)), *sorted(MODELS))
    assert table.groups == ("human",) * 5 + ("own", "proprietary", "random", "multi-shot", "zero-shot")
    assert table.images == other.images == tuple(f"{n:04d}" for n in range(40))
    np.testing.assert_array_equal(table.ratings, other.ratings)


def test_values_are_those_of_the_rows(face_rows, face_csv):
    table = read_face_table(face_csv)
    for row in face_rows:
        rater, image = table.raters.index(row["annotator"]), int(row["image"][6:10])
        factor = 7 if row["annotator"] == "Hume Face*" else 1
        expected = [factor * row["annotations"].get(f"Family|{name}", 0) for name in EMOTIONS]
        np.testing.assert_array_equal(table.ratings[rater, image], expected)
    named = sum(len([key for key in row["annotations"] if "Extra" not in key]) for row in face_rows)
    assert table.counts == {"rows": 320, "repeated": 0, "filled": 320 * 40 - named}
    assert np.isnan(table.ratings[:5]).all(axis=2).sum() == 40 * 2  # three of five people an image


def test_repeated_rows_are_averaged_and_a_group_may_be_given(tmp_path):
    rows = [
        {"image": "a.png", "annotator": "p", "human": True, "group": "", "annotations": {"Joy|Awe": 2}},
        {"image": "a.png", "annotator": "p", "human": True, "group": "", "annotations": {"Joy|Awe": 5}},
        {
            "image": "a.png",
            "annotator": "m",
            "human": False,
            "group": "Zero-Shot ",
            "annotations": {"Joy|Awe": None},
        },
    ]
    table = read_face_table(write_rows(rows, tmp_path / "t.csv"))
    assert table.groups == ("human", "zero-shot")
    awe = EMOTIONS.index("Awe")
    assert table.ratings[0, 0, awe] == 3.5
    assert np.isnan(table.ratings[1, 0, awe])
    assert np.isnan(np.delete(table.ratings, awe, axis=2)).all()  # named by no row: not rated
    assert table.counts == {"rows": 3, "repeated": 1, "filled": 0}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"annotations": {"Joy|Hunger": 1}}, "Hunger"),
        ({"annotations": {"Joy|Awe": "much"}}, "much"),
        ({"annotations": {"Joy|Awe": 8}}, "0 to 7"),
        ({"annotations": 3}, "object"),
        ({"annotator": "nobody", "human": False}, "own, proprietary, multi-shot, zero-shot, random"),
        ({"annotator": "x ZS", "human": False, "group": "shot"}, "'shot' .* zero-shot, random"),
        ({"annotator": None}, "annotator"),
        ({"human": False, "annotator": "x ZS"}, "by people"),
    ],
)
def test_a_row_that_cannot_be_used_is_one_error(tmp_path, change, told):
    row = {"image": "a.png", "annotator": "p", "human": True, "annotations": {"Joy|Awe": 2}} | change
    with pytest.raises(CorpusError, match=told) as caught:
        read_face_table(write_rows([row], tmp_path / "t.jsonl"))
    assert "t.jsonl" in str(caught.value)


def test_a_rater_in_two_groups_is_an_error(tmp_path):
    row = {"image": "a.png", "annotator": "x ZS", "annotations": {"Joy|Awe": 2}}
    rows = [{**row, "human": True}, {**row, "human": False}]
    with pytest.raises(CorpusError, match=r"t\.jsonl: 'x ZS' is in two groups"):
        read_face_table(write_rows(rows, tmp_path / "t.jsonl"))


def test_predictions_are_one_more_model_on_the_same_scale(face_csv, tmp_path):
    table = read_face_table(face_csv)
    scores = {"0003": {"Awe": 0.5, "Anger": 0}, "x/0004.png": None, "elsewhere.png": {"Awe": 1}}
    joined = with_predictions(table, FilePredictor(write_scores(tmp_path / "mine.jsonl", scores)))
    assert (joined.raters[-1], joined.groups[-1]) == ("mine", "predictions")
    expected = np.full((40, 40), np.nan)
    expected[3, EMOTIONS.index("Awe")], expected[3, EMOTIONS.index("Anger")] = 3.5, 0
    np.testing.assert_array_equal(joined.ratings[-1], expected)
    np.testing.assert_array_equal(joined.ratings[:-1], table.ratings)
    assert joined.counts == {**table.counts, "unused_predictions": 1}
    wrong = {"mine": {"nothing": {"Awe": 1}}, "human-1": scores}
    for name, given in wrong.items():
        with pytest.raises(InputError):
            with_predictions(table, FilePredictor(write_scores(tmp_path / f"{name}.jsonl", given)))


def test_whole_scores_stay_whole(face_csv, tmp_path):
    table = read_face_table(face_csv)
    scores = np.arange(40) / 5
    given = {f"{image:04d}": {"Awe": score} for image, score in enumerate(scores) if score <= 7}
    file = write_scores(tmp_path / "mine.jsonl", given)
    found = with_predictions(table, FilePredictor(file, scale="0-7")).ratings[-1, :, EMOTIONS.index("Awe")]
    assert found[: len(given)].tolist() == scores[: len(given)].tolist()
