"""Captions of other authors are parsed at least as well as stated here.

`reading_blind.jsonl` has 200 captions written without a look at the parser: in the style of audio models and
hurried annotators, changes and denials, idioms, neutral ones, degrees. `reading_second.jsonl` has 150 of
another author. The labels of each are those of one reader.
"""

import importlib.util
import json
import math
from collections import Counter
from pathlib import Path

import pytest

from budew.taxonomy import BURSTS, EMOTIONS, LEVELS

HERE = Path(__file__).parent
ROWS = [json.loads(line) for line in (HERE / "reading_blind.jsonl").read_text(encoding="utf-8").splitlines()]
AT_LEAST = {
    "recall": 0.94,
    "precision": 0.93,
    "strict precision": 0.83,
    "clean": 0.87,
    "level exact": 0.75,
    "level within one": 0.97,
    "gender": 0.99,
    "age": 0.97,
    "burst": 0.97,
    "burst of the group": 0.97,
}
AT_MOST = {
    "absent read as present": 0.07,
    "false gender": 0.02,
    "false age": 0.01,
    "false burst": 0.02,
    "neutral: some emotion": 0.14,
}
LARGEST_BIAS = 0.12
OF_ANOTHER_AUTHOR = {
    "recall": 0.89,
    "precision": 0.92,
    "clean": 0.84,
    "level exact": 0.75,
    "level within one": 0.98,
    "gender": 0.98,
    "burst of the group": 0.9,
}


@pytest.fixture(scope="module")
def reading():
    file = Path(__file__).parents[2] / "benchmarks" / "labelled_reading.py"
    specification = importlib.util.spec_from_file_location("labelled_reading", file)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_captions_of_others_are_parsed_as_a_reader_understands_them(reading):
    found = reading.measures(reading.count(ROWS)["all"])
    assert found.keys() == {*AT_LEAST, *AT_MOST, "level bias"}
    assert {name: found[name] for name, least in AT_LEAST.items() if found[name] < least} == {}
    assert {name: found[name] for name, most in AT_MOST.items() if found[name] > most} == {}
    assert abs(found["level bias"]) <= LARGEST_BIAS


def test_captions_of_another_author_are_parsed_nearly_as_well(reading):
    lines = (HERE / "reading_second.jsonl").read_text(encoding="utf-8").splitlines()
    found = reading.measures(reading.count([json.loads(line) for line in lines])["all"])
    assert {name: found[name] for name, least in OF_ANOTHER_AUTHOR.items() if found[name] < least} == {}
    assert found["absent read as present"] == 0
    assert abs(found["level bias"]) <= LARGEST_BIAS


def test_labels_are_of_the_taxonomy_and_kinds_have_their_share(reading):
    for row in ROWS:
        levels = [*row["emotions"].values(), *row.get("either_levels", ())]
        named = [
            *row["emotions"],
            *row.get("absent", ()),
            *row.get("ok", ()),
            *(name for names in row.get("either", ()) for name in names),
        ]
        assert set(levels) <= set(LEVELS[1:])
        assert set(named) <= set(EMOTIONS), row["id"]
        assert all(burst in BURSTS or burst.startswith("~") for burst in row.get("bursts", ()))
    kinds = Counter(row["kind"] for row in ROWS)
    assert kinds == {"llm": 80, "human": 35, "turn": 30, "idiom": 25, "neutral": 15, "degree": 15}


ROW = {
    "text": "A woman is sad and very angry; she laughs.",
    "kind": "llm",
    "emotions": {"Anger": 0.5, "Fear": 0.5},
    "either": [["Sadness", "Disappointment"]],
    "either_levels": [0.5],
    "absent": [],
    "traits": {"gender": "female", "age": "adult"},
    "bursts": ["~laughter", "Sobs"],
}


def test_each_measure_counts_what_it_says(reading):
    found = reading.measures(reading.count([ROW])["llm"])
    assert (found["recall"], found["precision"], found["clean"]) == (2 / 3, 1, 0)
    assert (found["level exact"], found["level within one"], found["level bias"]) == (0.5, 1, 0.5)
    assert (found["gender"], found["age"], found["burst"], found["false burst"]) == (1, 0, 0.5, 0)
    assert math.isnan(found["neutral: some emotion"])
    denied = {**ROW, "emotions": {"Sadness": 0.5}, "either": [], "either_levels": [], "absent": ["Anger"]}
    found = reading.measures(reading.count([denied | {"kind": "neutral", "bursts": [], "traits": {}}])["all"])
    assert (found["absent read as present"], found["precision"], found["neutral: some emotion"]) == (
        1,
        0.5,
        1,
    )
    assert (found["false gender"], found["false age"], found["false burst"]) == (1, 0, 1)
