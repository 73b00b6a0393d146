"""The report of EmoNet-Voice Bench shows the numbers of its JSON, whatever is undefined in it."""

import pytest

from budew.reports.emonet_voice_page import emonet_voice_report, emonet_voice_summary
from budew.reports.section_layout import report_html
from budew.reports.terminal_tables import report_tables
from budew.statistics.pair_metrics import PAIR_METRICS
from tests.evaluation.benchmarks.emonet_voice_set import emonet_voice_result, rated_rows

ROWS = rated_rows(3)
PARTS = {f"by_{part}": f"By {part}" for part in ("emotion", "language", "voice", "arousal")}
PARTS |= {"attributes": "Authenticity and Arousal"}


@pytest.mark.parametrize("refused", [False, True])
def test_every_section_renders_from_json_alone(tmp_path, refused):
    scores = {row.file: {row.category: row.label / 10} for row in ROWS}
    if refused:  # all but one clip: most metrics are undefined
        scores = dict(list(scores.items())[:1])
    result = emonet_voice_result(tmp_path, scores, ROWS)
    report = emonet_voice_report(result)
    page = report_html(report)
    assert report_tables(report)
    for section in report.sections:
        assert section.heading in page
    for row in result["leaderboard"]:
        assert row["model"] in page
    assert f"{result['human_ceiling']['mae']['value']:.3f}" in page


def test_means_over_emotions_are_those_of_the_published_table(tmp_path):
    result = emonet_voice_result(tmp_path)
    bars = {section.heading: section for section in emonet_voice_report(result).sections}
    means = {row.label: row.value for row in bars["Mean Spearman ρ of models"].rows}
    assert list(means) == sorted(means, key=lambda name: -means[name]["value"])
    for model in result["published_by_emotion"]:
        rhos = list(model["spearman"].values())
        assert means[model["model"]]["value"] == pytest.approx(sum(rhos) / len(rhos))
    own = [one["spearman"]["value"] for one in result["by_emotion"].values()]
    defined = [rho for rho in own if rho is not None]
    assert means["scores.jsonl"]["value"] == pytest.approx(sum(defined) / len(defined))


def test_own_row_stands_out_with_its_intervals(tmp_path):
    result = emonet_voice_result(tmp_path)
    board = emonet_voice_report(result).sections[0]
    (place,) = board.highlighted
    assert board.rows[place][:3] == ("scores.jsonl", "all", result["pearson"])
    exact = [row for row in board.rows if row[:2] == ("scores.jsonl", "exact")]
    assert [row[2] for row in exact] == [result["sets"]["exact"]["pearson"]]


def test_page_and_terminal_have_both_sets_of_clips(tmp_path):
    result = emonet_voice_result(tmp_path, rows=rated_rows(8))
    report = emonet_voice_report(result)
    page = report_html(report)
    shown = {table.heading: table.rows for table in emonet_voice_summary(report).sections}
    for name, block in result["sets"].items():
        assert f"{block['mae']['value']:.3f}" in page
        for part, heading in PARTS.items():
            rows = {row[0]: row[2:] for row in shown[heading] if row[1] == name}
            assert rows.keys() == block[part].keys()
            for group, metrics in block[part].items():
                values = [metrics["n"], *(metrics[metric]["value"] for metric in PAIR_METRICS)]
                assert list(rows[group])[:5] == values
