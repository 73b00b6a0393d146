"""A plan of images: every combination once, balanced from the beginning; reviewed images keep labels."""

import csv
import json
from collections import Counter, defaultdict

import pytest

from budew.corpora import write_shard
from budew.faces import REVIEW_COLUMNS, accepted_images, image_prompt
from budew.faces.descriptives import describe_faces, emotion_of
from budew.faces.face_labels import demographics_of
from budew.taxonomy import EMOTIONS
from tests.cli.conftest import budew  # noqa: F401

from .conftest import drawn, encoded, face

AXES = ("ethnicity", "gender", "age")
SIZES = {"ethnicity": 14, "gender": 3, "age": 7}


def people(count: int, seed: int = 3) -> list[dict]:
    rows = [image_prompt(number, seed=seed) for number in range(count)]
    return [{"emotion": row["emotion"], **row["demographics"]} for row in rows]


def spread(counts: Counter, levels: int) -> int:
    return max(counts.values()) - (min(counts.values()) if len(counts) == levels else 0)


@pytest.mark.parametrize("rounds", [1, 5, 17, 43])
def test_every_beginning_is_balanced_on_every_axis_and_within_each_emotion(rounds):
    found = people(40 * rounds)
    assert Counter(row["emotion"] for row in found) == dict.fromkeys(EMOTIONS, rounds)
    for axis, size in SIZES.items():
        by_emotion = defaultdict(Counter)
        for row in found:
            by_emotion[row["emotion"]][row[axis]] += 1
        assert spread(Counter(row[axis] for row in found), size) <= 2
        assert all(spread(counts, size) <= 1 for counts in by_emotion.values())


def test_11760_prompts_have_each_combination_once():
    assert len({tuple(row.values()) for row in people(14 * 3 * 7 * 40)}) == 11_760


def test_a_prompt_says_what_its_fields_say():
    for number in range(0, 400, 3):
        row = image_prompt(number, seed=1)
        of_text = demographics_of(face("a", prompt=row["prompt"]))
        assert {axis: getattr(of_text, axis) for axis in AXES} == row["demographics"]
        assert emotion_of(face(**row)) == row["emotion"]
        assert "{" not in row["prompt"]


@pytest.fixture
def returned(tmp_path, budew):  # noqa: F811
    """Four prompts with their review list, and images of three of them."""
    ended = budew(
        "face", "prompts", tmp_path / "p.jsonl", "--images", 4, "--review", tmp_path / "r.csv", "--seed", 5
    )
    assert ended.status == 0, ended.err
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert rows == [image_prompt(number, seed=5) for number in range(4)]
    (tmp_path / "images").mkdir()
    for row in rows[:3]:
        (tmp_path / f"images/{row['id']}.png").write_bytes(encoded(drawn()))
    return tmp_path, rows


def test_images_that_every_reviewer_accepts_are_kept_with_their_labels(returned):
    folder, rows = returned
    assert list(accepted_images(folder / "images", folder / "r.csv")) == []
    reviewed = list(csv.DictReader((folder / "r.csv").open()))
    assert [row["value"] for row in reviewed] == ["", "", "", ""]
    answers = [("yes", "ann"), ("Yes", "ann"), ("no", "ann"), ("yes", "ann"), ("no", "ben")]
    with (folder / "r.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, REVIEW_COLUMNS)
        table.writeheader()
        for row, (value, who) in zip([*reviewed, reviewed[1]], answers, strict=True):
            table.writerow({**row, "value": value, "annotator": who})
    (kept,) = accepted_images(folder / "images", folder / "r.csv")
    assert (kept.id, kept.metadata["prompt"]) == (rows[0]["id"], rows[0]["prompt"])
    write_shard(folder / "accepted.tar", [kept])
    found = describe_faces(folder / "accepted.tar")["counts"]
    assert {axis: [*found[axis]] for axis in AXES} == {
        axis: [str(value)] for axis, value in rows[0]["demographics"].items()
    }
    assert emotion_of(kept) == rows[0]["emotion"]
