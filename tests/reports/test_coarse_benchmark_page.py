"""The page and the terminal show the numbers of the JSON, and one's own row among the published ones."""

import json

import numpy as np
import pytest

from budew.evaluation.benchmarks.coarse import LabelledClip, load_task, score_coarse
from budew.evaluation.pairs import Skipped
from budew.reports.coarse_benchmark_page import coarse_report
from budew.reports.section_layout import report_html
from budew.reports.sections import Bars, HeatMap, StackedBars, Table
from budew.statistics.resampling import Resampling


@pytest.fixture(scope="module", params=["emodb", "ravdess", "ferd", "affectnet"])
def result(request) -> dict:
    """Results of random scores, with speakers and intensities for speech, as they come back from JSON."""
    task, generator = load_task(request.param), np.random.default_rng(1)
    speech = request.param in ("emodb", "ravdess")
    examples = [
        LabelledClip(
            f"{number}",
            task.classes[number % len(task.classes)],
            generator.normal(0, 1, 40),
            f"s{number % 3}" if speech else None,
            ("normal", "strong")[number % 2] if speech else None,
        )
        for number in range(40)
    ]
    made = score_coarse(
        task, examples, model="<mine>", data="set", skipped=[Skipped("x", "y")], settings=Resampling(20, 20)
    )
    return json.loads(json.dumps(made.to_dict(), allow_nan=False))


def test_ones_own_row_stands_among_the_published_ones(result):
    board = next(section for section in coarse_report(result).sections if isinstance(section, Table))
    (own,) = board.highlighted
    assert board.rows[own][:2] == ("<mine>", result["accuracy"])
    accuracies = [row[1]["value"] if isinstance(row[1], dict) else row[1] for row in board.rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert {row["model"] for row in result["published"]} < {row[0] for row in board.rows}


def test_sections_hold_the_numbers_of_the_json(result):
    sections = coarse_report(result).sections
    bars = next(section for section in sections if isinstance(section, Bars))
    published = result["published"][0]
    for row, (name, values) in zip(bars.rows, result["by_class"].items(), strict=True):
        assert row.value == values["accuracy"]
        assert row.marks[published["model"]] == published["by_class"][name]
        assert row.marks["argmax"] == values["recall"]["value"]
        assert None not in row.marks.values()
    heat = next(section for section in sections if isinstance(section, HeatMap))
    assert np.nansum(np.array(heat.values, float), axis=1) == pytest.approx(100)
    stacked = next(section for section in sections if isinstance(section, StackedBars))
    assert sum(stacked.rows[0][1]) == result["n"]
    headings = [section.heading for section in sections]
    assert ("By intensity of the acting" in headings) == bool(result["by_intensity"])


def test_the_page_names_source_and_mapping(result):
    page = report_html(coarse_report(result))
    for text in (result["published"][0]["source"], result["mapping"]["source"], "&lt;mine&gt;"):
        assert text in page.replace("\u200b", "")
