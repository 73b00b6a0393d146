"""EmoNet-Face HQ with a row for each image, as on its card, gives the results of a row for each rating."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.corpora import Clip, write_shard
from budew.errors import CorpusError
from budew.evaluation.benchmarks.emonet_face_hq import score_emonet_face_hq
from budew.evaluation.benchmarks.face_table import read_face_table
from budew.evaluation.predictors import FilePredictor
from budew.faces.face_labels import Demographics
from tests.corpora.hub_server import hub
from tests.evaluation.benchmarks.emonet_voice_set import write_scores
from tests.faces.conftest import drawn, encoded

from .conftest import write_rows

PEOPLE = [
    {"ethnicity": "Asian", "gender": "woman", "age": 30},
    {"ethnicity": "Black or African American", "gender": "man", "age": 60},
]


@pytest.fixture(scope="module")
def by_people(face_rows):
    return [row for row in face_rows if row["human"]]


@pytest.fixture(scope="module")
def card_rows(by_people):
    """A row for each image, with a list of one object for each of its experts."""
    rows = {}
    for row in by_people:
        number = int(row["image"][6:10])
        base = {
            "image": row["image"],
            "prompt": "a face",
            "demographics": PEOPLE[number % 2],
            "annotations": [],
        }
        rows.setdefault(row["image"], base)["annotations"].append(
            {"annotator": row["annotator"], **row["annotations"]}
        )
    return list(rows.values())


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    scores = {f"{n:04d}.jpg": {"Awe": n % 8 / 7, "Anger": n % 5 / 4, "Elation": n % 3 / 2} for n in range(40)}
    return write_scores(tmp_path_factory.mktemp("p") / "mine.jsonl", scores)


@pytest.fixture(scope="module")
def expected(by_people, predictions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    lines = [{"image": f"{n:04d}.png", **PEOPLE[n % 2]} for n in range(40)]
    (folder / "who.jsonl").write_text("\n".join(map(json.dumps, lines)))
    table = write_rows(by_people, folder / "hq.csv")
    return scored(table, predictions, demographics=folder / "who.jsonl")


def scored(path, predictions, **options):
    return score_emonet_face_hq(path, FilePredictor(predictions), **options).to_dict()


def nested(row):
    experts = [
        {one["annotator"]: {k: v for k, v in one.items() if k != "annotator"}} for one in row["annotations"]
    ]
    return {**row, "annotations": experts}


def texts(row):
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in row.items()}


def spelled(row):
    experts = [
        {"expert": one["annotator"], "ratings": {k: v for k, v in one.items() if k != "annotator"}}
        for one in row["annotations"]
    ]
    own = {
        "Ethnicity": row["demographics"]["ethnicity"].upper(),
        " Gender": row["demographics"]["gender"].title(),
    }
    return {
        "File Name": row["image"],
        **own,
        "AGE": f"{row['demographics']['age']} years",
        "Annotations": experts,
    }


def in_structs(row):
    return {**row, "image": {"bytes": encoded(drawn(0.5)), "path": row["image"]}}


def write_lines(rows, path):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_csv(rows, path):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(rows, path):
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


def write_shards(rows, folder):
    folder.mkdir()
    (folder / "data").mkdir()
    for shard in range(2):
        write_parquet(rows[shard::2], folder / "data" / f"train-{shard:05d}-of-00002.parquet")
    return folder


def write_images(rows, path):
    clips = [Clip(row["image"].split(".")[0], encoded(drawn(0.5)), "png", metadata=row) for row in rows]
    write_shard(path, clips)
    return path


def saved(rows, folder):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(rows).save_to_disk(folder)
    return folder


FORMS = {
    "lines.jsonl": (dict, write_lines),
    "nested.jsonl": (nested, write_lines),
    "spelled.jsonl": (spelled, write_lines),
    "texts.csv": (texts, write_csv),
    "plain.parquet": (dict, write_parquet),
    "nested.parquet": (lambda row: in_structs(nested(row)), write_parquet),
    "structs.parquet": (in_structs, write_parquet),
    "folder": (in_structs, write_shards),
    "saved": (in_structs, saved),
    "images.tar": (dict, write_images),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_row_for_each_image_gives_the_results_of_a_row_for_each_rating(
    card_rows, expected, predictions, tmp_path, form
):
    change, write = FORMS[form]
    found = scored(write([change(row) for row in card_rows], tmp_path / form), predictions)
    assert found["demographics"]["ethnicity"].keys() == {"Asian", "Black or African American"}
    assert found == expected


def test_a_dataset_of_the_hub_gives_the_same_results(card_rows, expected, predictions, at_hub, tmp_path):
    pytest.importorskip("datasets")
    folder = write_shards([in_structs(row) for row in card_rows], tmp_path / "set")
    files = {f"data/{path.name}": path.read_bytes() for path in sorted((folder / "data").iterdir())}
    with hub("me/faces", files) as address:
        at_hub(address)
        assert scored("hf://me/faces", predictions) == expected


def test_predictions_may_have_the_ids_of_rows(card_rows, tmp_path):
    table = write_parquet([in_structs(row) for row in card_rows], tmp_path / "t.parquet")
    names = read_face_table(table).ids
    scores = {id: {"Awe": int(image) % 8 / 7} for image, id in names.items()}
    found = scored(table, write_scores(tmp_path / "mine.jsonl", scores))
    assert "t-00000007" in scores
    assert (found["predicted"]["value"], found["counts"]["unused_predictions"]) == (100, 0)


def test_experts_without_names_are_numbered_and_dimensions_are_dropped(tmp_path):
    rows = [
        {"image": f"{n}.png", "annotations": [{"Awe": n, "Arousal": 5}, {"Awe": 7 - n}]} for n in range(3)
    ]
    table = read_face_table(write_lines(rows, tmp_path / "t.jsonl"))
    assert (table.raters, table.images) == (("rater-1", "rater-2"), ("0", "1", "2"))
    assert table.demographics == {}
    own = [{**row, "gender": "female", "Ethnicity": "Martian", "age": 40.0} for row in rows]
    table = read_face_table(write_lines(own, tmp_path / "own.jsonl"))
    assert table.demographics["0"] == Demographics("Martian", "woman", 40)


@pytest.mark.parametrize(
    "annotations", [["much"], [{"annotator": "a", "Awe": 8}], [{"a": {"Hunger": 1}}], [], None]
)
def test_a_list_that_cannot_be_used_names_file_and_row(tmp_path, annotations):
    file = write_lines([{"image": "a.png", "annotations": annotations}], tmp_path / "t.jsonl")
    with pytest.raises(CorpusError, match=r"t\.jsonl"):
        read_face_table(file)
