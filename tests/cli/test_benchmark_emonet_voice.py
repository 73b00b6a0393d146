"""`budew benchmark emonet-voice`: a table on stdout, and the same numbers as JSON and a page."""

import json

import pytest

from tests.evaluation.benchmarks.emonet_voice_set import rated_rows, write_scores, write_set

ROWS = rated_rows(4)


@pytest.fixture
def bench(tmp_path):
    scores = {row.file: {row.category: row.label / 10} for row in ROWS}
    return write_set(tmp_path / "bench", ROWS), write_scores(tmp_path / "scores.jsonl", scores)


def test_results_are_printed_and_written(budew, bench, tmp_path):
    data, predictions = bench
    files = ("--json", tmp_path / "v.json", "--html", tmp_path / "v.html", "--resamples", 20)
    outcome = budew("benchmark", "emonet-voice", "--data", data, "--predictions", predictions, *files)
    assert outcome.status == 0
    assert "Empathic Insight-Voice Large" in outcome.out
    result = json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))
    for key in ("pearson", "spearman", "mae", "rmse", "refused", "n"):
        assert set(result[key]) == {"value", "low", "high"}
    assert result["mae"]["value"] == pytest.approx(0, abs=1e-9)
    page = (tmp_path / "v.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("Leaderboard", "Human ceiling", "scores.jsonl", "Gemini 2.5 Pro"))


def test_the_same_seed_gives_the_same_numbers_and_another_seed_other_intervals(budew, bench, tmp_path):
    data, predictions = bench
    predictions.write_text(predictions.read_text().replace("0.5", "0.1"))
    given = ("benchmark", "emonet-voice", "--data", data, "--predictions", predictions, "--resamples", 20)
    results = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert budew(*given, "--seed", seed, "--json", tmp_path / name).status == 0
        results.append(json.loads((tmp_path / name).read_text(encoding="utf-8")))
    assert results[0] == results[1]
    assert results[0]["mae"]["value"] == results[2]["mae"]["value"]
    assert results[0]["mae"] != results[2]["mae"]


def test_consensus_chooses_the_set_that_comes_first_and_both_are_printed(budew, bench, tmp_path):
    data, predictions = bench
    given = ("benchmark", "emonet-voice", "--data", data, "--predictions", predictions, "--resamples", 20)
    found = {}
    for name in ("all", "exact"):
        outcome = budew(*given, "--consensus", name, "--json", tmp_path / name)
        assert outcome.status == 0, outcome.err
        found[name] = json.loads((tmp_path / name).read_text(encoding="utf-8"))
        own = [line for line in outcome.out.splitlines() if line.strip().startswith("scores.jsonl")]
        assert {"all", "exact"} <= {word for line in own for word in line.split()}
    assert found["all"]["sets"] == found["exact"]["sets"]
    assert found["exact"]["n"]["value"] < found["all"]["n"]["value"]
    rows = [row for row in ROWS if len(row.answers) < 3]
    few = (*given[:3], write_set(tmp_path / "few", rows), *given[4:])
    outcome = budew(*few, "--consensus", "exact")
    assert (outcome.status, len(outcome.err.splitlines())) == (1, 1)


def test_further_predictions_stand_beside_those_that_are_scored(budew, bench, tmp_path):
    data, predictions = bench
    opposite = {row.file: {row.category: 1 - row.label / 10} for row in ROWS}
    other, page = write_scores(tmp_path / "opposite.jsonl", opposite), tmp_path / "v.html"
    given = ("--data", data, "--predictions", predictions, other, "--resamples", 20)
    outcome = budew("benchmark", "emonet-voice", *given, "--json", tmp_path / "v.json", "--html", page)
    assert outcome.status == 0, outcome.err
    assert "opposite.jsonl" in outcome.out
    assert "opposite.jsonl" in page.read_text(encoding="utf-8")
    result = json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))
    means = {row["model"]: row for row in result["mean_spearman"]}
    assert means["scores.jsonl"]["spearman"] == {"value": 1, "low": 1, "high": 1}
    assert means["opposite.jsonl"]["spearman"]["value"] == pytest.approx(-1)
    assert means["scores.jsonl"]["emotions"] == 5
    other.write_text('{"id": "elsewhere", "Anger": 1.0}\n')
    assert "no prediction of opposite.jsonl" in budew("benchmark", "emonet-voice", *given).err


@pytest.mark.parametrize("wrong", ["model too", "not there", "other clips"])
def test_unusable_data_is_an_error_of_one_line(budew, bench, tmp_path, wrong):
    data, predictions = bench
    more = ("--model", tmp_path) if wrong == "model too" else ()
    if wrong == "not there":
        data = tmp_path / "nowhere.parquet"
    if wrong == "other clips":
        predictions.write_text('{"id": "elsewhere", "emotions": {"Anger": 1.0}}\n')
    outcome = budew("benchmark", "emonet-voice", "--data", data, "--predictions", predictions, *more)
    assert (outcome.status, outcome.out) == (1, "")
    assert len(outcome.err.splitlines()) == 1
