"""The page of known corpora has the numbers of the result beside chance, probes and published results."""

import pytest

from budew.evaluation.benchmarks.people import PeopleResult
from budew.reports.people_page import people_report
from budew.reports.section_layout import report_html
from budew.reports.sections import Bars, ClipCards, HeatMap, Report, Table
from tests.reports.conftest import check_safe, seconds_played
from tests.reports.people_result import people_result

UAR = "unweighted_average_recall"


@pytest.fixture(scope="module")
def result(tmp_path_factory) -> PeopleResult:
    return people_result(tmp_path_factory.mktemp("known"))


@pytest.fixture(scope="module")
def report(result) -> Report:
    return people_report(result)


def section(report: Report, heading: str):
    (found,) = [one for one in report.sections if one.heading == heading]
    return found


def test_recall_stands_beside_chance_samples_and_probes(result, report):
    emodb, nemo, *_ = result.corpora
    bars = section(report, "Unweighted average recall, %")
    assert isinstance(bars, Bars)
    for row, corpus, probe in zip(bars.rows, (emodb, nemo), (85.4, 70.0), strict=True):
        own = corpus.classes.overall[UAR]
        assert row.value == own
        assert row.marks == {
            "permuted labels": corpus.classes.baseline[UAR].value,
            "probe, trained on other speakers of it": probe,
            "mean of 16 captions": corpus.sampled_classes.overall[UAR].value,
        }
    assert [card.value for card in report.cards] == [row.value for row in bars.rows]
    assert "linear probe 85.4" in report.cards[0].note
    table = section(report, "Classes")
    assert isinstance(table, Table)
    own_rows = [table.rows[place] for place in table.highlighted]
    assert [row[:4] for row in own_rows] == [("EmoDB, test", 9, 2, 7), ("nEMO", 18, 3, 6)]
    assert own_rows[0][4] == emodb.classes.overall[UAR]


def test_only_a_published_mapping_has_the_published_rule(result, report):
    rule = section(report, "Published rule")
    assert [row[0] for row in rule.rows] == [
        "EmoDB, test", "EmoDB, test: permuted labels", "EmoDB, test: Empathic Insight-Voice Large"
    ]  # fmt: skip
    assert rule.rows[0][1:3] == tuple(
        result.corpora[0].classes.overall[name] for name in ("accuracy", "accepted_classes")
    )
    assert rule.rows[2][1] == 70.6


def test_each_corpus_has_the_sections_of_its_labels(result, report):
    headings = [one.heading for one in report.sections]
    for title in ("EmoDB, test", "nEMO"):
        heat = section(report, f"{title}: confusion, % of each class")
        assert isinstance(heat, HeatMap)
        assert [sum(row) for row in heat.values if None not in row] == pytest.approx([100] * len(heat.rows))
        assert f"{title}: each emotion" in headings
    sounds = section(report, "Deeply Nonverbal: sounds")
    rows = {row[0]: row for row in sounds.rows}
    assert rows["coughing"][2] == result.corpora[2].sounds[1].group
    assert rows["teeth-chattering"][2] is None
    assert "LibriSpeech, test: confusion, % of each class" not in headings
    false = section(report, "False emotions, %")
    assert [row.label for row in false.rows] == ["EmoDB, test (2)", "nEMO (3)", "LibriSpeech, test (3)"]
    gender = section(report, "Gender, %")
    assert [row.label for row in gender.rows] == [
        "EmoDB, test (9)", "Deeply Nonverbal (5)", "LibriSpeech, test (3)"
    ]  # fmt: skip


def test_clips_are_played_where_asked_for_with_the_licence_of_their_corpus(report, tmp_path):
    page = check_safe(report_html(report))
    assert seconds_played(page) == pytest.approx([0.5] * 8, abs=0.15)
    played = section(report, "Deeply Nonverbal: listen")
    assert isinstance(played, ClipCards)
    assert "CC-BY-NC-ND-4.0" in played.note
    assert page.text.count('class="verdict') == sum(
        clip.right is not None for one in report.sections if isinstance(one, ClipCards) for clip in one.clips
    )
    silent = people_report(people_result(tmp_path, players=0, samples=False))
    assert "<audio" not in report_html(silent)
    assert "mean of" not in report_html(silent)
