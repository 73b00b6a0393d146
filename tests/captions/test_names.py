"""The names of the taxonomy are parsed in any spelling, with the level or number that is stated."""

import importlib.util
from pathlib import Path

import pytest
import yaml

from budew.captions import parse
from budew.taxonomy import EMOTION_TABLE, EMOTIONS

EVERY = 3, 14
"""Every n-th spelling and caption are parsed here, all of them by `python benchmarks/names.py`."""
MOST_WRONG = 0.002


@pytest.fixture(scope="module")
def names():
    file = Path(__file__).parents[2] / "benchmarks" / "names.py"
    specification = importlib.util.spec_from_file_location("names", file)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_names_are_parsed_in_every_spelling_and_phrasing(names):
    table = yaml.safe_load(names.FILE.read_text(encoding="utf-8"))
    for title in names.tables(table):
        rows = list(names.captions(table, title, every=EVERY[0]))
        assert {name for row in rows for name in row.levels} == set(EMOTIONS)
        wrong = [row for row in rows[:: EVERY[1]] if parse(row.text).emotions != row.levels]
        assert len(wrong) <= MOST_WRONG * len(rows[:: EVERY[1]]), (title, wrong[:5])


@pytest.mark.parametrize(
    "joined", ["{}/{}", "{} / {}", "{} & {}", "{} and {}", "{} OR {}", "{}_{}", "{}, {}"]
)
def test_a_compound_name_is_one_phrase_in_either_order(joined, names):
    for name in EMOTION_TABLE:
        parts = names.name_parts(name)
        for first, second in (parts, parts[::-1]) if len(parts) == 2 else ():
            assert parse(f"not {joined.format(first, second)}").emotions == {}
            mentions = parse(f"slight {joined.format(first, second)}").mentions
            assert [(mention.name, mention.level) for mention in mentions] == [(name, 0.25)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hope or fear?", {"Hope/Optimism": 0.5, "Fear": 0.5}),
        ("slight hope, strong optimism and joy", {"Hope/Optimism": 0.75, "Elation": 0.75}),
        ("without hope", {"Helplessness": 0.5}),
        ("without hope or optimism", {}),
        ("a sad, jealous and envious man", {"Sadness": 0.5, "Jealousy & Envy": 0.5}),
        ("business or pleasure", {}),
        ('He says "Sexual Lust is a theme" flatly.', {}),
        ('He whispers "hope".', {}),
    ],
)
def test_ordinary_uses_of_the_words_keep_their_meaning(text, expected):
    assert parse(text).emotions == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Scores from 0 to 4: Fear 3, Anger: 1", {"Fear": 0.75, "Anger": 0.25}),
        ("On a 0-10 scale: Fear = 10; Anger = 5", {"Fear": 1.0, "Anger": 0.5}),
        ("Ratings out of 5 - Fear: 4, Anger: 1", {"Fear": 0.75, "Anger": 0.25}),
        ("Intensity (1-5): Fear 1, Anger 4", {"Anger": 0.75}),
        ("Fear: 1, Anger: 3", {"Fear": 0.5, "Anger": 0.5}),  # of an unknown scale
        ("Fear: 1, Anger: 0", {"Fear": 1.0}),
        ("1. Fear\n2. Anger", {"Fear": 0.5, "Anger": 0.5}),
        ("sad, 1 second of silence", {"Sadness": 0.5}),
        ("Fear .25, anger 0,75, pride 2.5/5", {"Fear": 0.25, "Anger": 0.75, "Pride": 0.5}),
        ("Fear 25 %, anger: three out of four", {"Fear": 0.25, "Anger": 0.75}),
        ("80% fear and 20% anger", {"Fear": 0.75, "Anger": 0.25}),
        ("Fear on 3/4/2020", {"Fear": 0.5}),
    ],
)  # fmt: skip
def test_a_number_is_a_rating_if_its_scale_is_known(text, expected):
    assert parse(text).emotions == expected
