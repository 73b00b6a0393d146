"""The page and the terminal show traits, bursts and false emotions, with the numbers of the JSON."""

import io
import re

import pytest
from rich.console import Console

from budew.evaluation import Evaluation, Pair, evaluate
from budew.profile import VoiceProfile
from budew.reports.evaluation_page import evaluation_report
from budew.reports.evaluation_summary import evaluation_tables, label_sections
from budew.reports.section_layout import estimate, report_html
from budew.reports.sections import Bars, HeatMap, Table
from budew.statistics.resampling import Resampling, plain_data
from tests.reports.conftest import check_safe

FEW = Resampling(resamples=20, permutations=3)


@pytest.fixture(scope="module")
def evaluation(labelled_pairs: list[Pair]) -> Evaluation:
    return evaluate(labelled_pairs, settings=FEW)


def test_sections_hold_the_numbers_of_the_evaluation(evaluation: Evaluation) -> None:
    sections = {section.heading: section for section in label_sections(evaluation)}
    speaker, groups = sections["Speaker"], sections["Vocal bursts by group, %"]
    assert isinstance(speaker, Table)
    assert isinstance(groups, Bars)
    data = evaluation.to_dict()
    rows = {row[0]: plain_data(row[1:]) for row in speaker.rows}
    for trait, row in data["traits"].items():
        metrics = ("accuracy", "unweighted_average_recall", "macro_f1")
        own = [row[metric] if row["mentioned"] else None for metric in metrics]
        assert list(rows[trait]) == [row["n"], row["coverage"], *own]
        if row["mentioned"]:
            permuted = [row["permutation_baseline"][metric] for metric in metrics]
            assert list(rows[f"{trait}, permuted labels"]) == [row["mentioned"], None, *permuted]
    bars = {row.label: row for row in groups.rows}
    crying = data["bursts"]["groups"]["by_name"]["crying_and_distress"]
    bar = bars[f"crying and distress ({crying['support']})"]
    assert estimate(bar.value).to_dict() == crying["recall"]
    assert bar.marks["precision"] == crying["precision"]["value"]
    assert bars["all groups, micro"].value.value == data["bursts"]["groups"]["micro_recall"]["value"]
    false = sections["False emotions, %"]
    assert isinstance(false, Bars)
    assert [estimate(row.value).value for row in false.rows] == pytest.approx(
        [data["false_emotions"]["share"]["value"], *data["false_emotions"]["emotions"].values()]
    )


def test_confusions_are_shares_of_the_label_on_the_page_and_clips_in_the_terminal(
    evaluation: Evaluation,
) -> None:
    heat = [one for one in label_sections(evaluation) if isinstance(one, HeatMap)]
    plain = [one for one in label_sections(evaluation, heat_maps=False) if "Confusion" in one.heading]
    assert [one.heading.split()[2].rstrip(",") for one in heat] == ["gender", "age"]
    for shares, counts in zip(heat, plain, strict=True):
        assert isinstance(counts, Table)
        assert [sum(row) for row in shares.values] == pytest.approx([100] * len(shares.rows))
        assert sum(sum(row[1:]) for row in counts.rows) == 24
        assert shares.columns[-1] == counts.columns[-1] == "not mentioned"


def test_page_and_terminal_show_every_section(evaluation: Evaluation) -> None:
    page = check_safe(report_html(evaluation_report(evaluation))).text
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(evaluation_tables(evaluation))
    for heading in ("Speaker", "Vocal bursts by group, %", "Vocal bursts one by one", "False emotions, %"):
        assert f"<h2>{heading}</h2>" in page
    text = console.export_text()
    for name in ("gender, permuted labels", "crying and distress", "Quiet Sob", "any emotion"):
        assert name in text
    assert "24 clips of 6 speakers" in page


def test_without_rated_emotions_nothing_is_shown_of_emotions() -> None:
    yawns = VoiceProfile(None, ["Yawn"])
    found = evaluate([Pair(f"{n}", yawns, yawns) for n in range(3)], settings=FEW)
    page = report_html(evaluation_report(found))
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Listen", "Vocal bursts by group, %", "Vocal bursts one by one", "Notes"
    ]  # fmt: skip
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(evaluation_tables(found))
    assert "Spearman" not in console.export_text()
    assert "3 clips in which no emotion is rated" in page
