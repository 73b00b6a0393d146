"""Sentences written by hand, each with the reading that a careful listener would give: `readings.yaml`."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from budew.captions import parse

TABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("readings.yaml").read_text(encoding="utf-8")
)
TOLD = ("gender", "age", "accent", "style")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=f"{name}-{number}")
        for name, rows in TABLE.items()
        for number, row in enumerate(rows)
    ],
)
def test_a_sentence_reads_as_a_listener_would_read_it(row):
    parsed = parse(row["text"])
    assert parsed.emotions == row["emotions"], row["text"]
    assert set(parsed.bursts) == set(row.get("bursts", ())), row["text"]
    traits = {key: parsed.traits[key] for key in TOLD if key in parsed.traits}
    assert traits == row.get("traits", {}), row["text"]


def test_the_table_has_ten_sentences_for_each_of_its_phenomena():
    assert len(TABLE) >= 20
    assert all(len(rows) >= 10 for rows in TABLE.values())
    assert sum(map(len, TABLE.values())) >= 250
