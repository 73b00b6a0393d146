"""`budew corpus ratings` counts what the library reads, and tells what cannot be read."""

import json

import pytest

from budew.curation.rating_files import read_ratings
from budew.curation.rating_statistics import rating_statistics


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "binary.csv"
    path.write_text(
        "path,annotator,value,emotion\n0,h1,True,Anger\n0,h2,False,Anger\n1,h1,True,Hopelessness\n"
    )
    return path


def test_counts_are_shown_and_written(budew, table, tmp_path):
    outcome = budew("corpus", "ratings", table, "--json", tmp_path / "counts.json")
    assert outcome.status == 0
    assert "Helplessness" in outcome.out
    assert "1 is perfect, 0 is chance" in " ".join(outcome.out.split())
    written = json.loads((tmp_path / "counts.json").read_text())
    assert written == {"table": str(table), "bad_rows": 0, **rating_statistics(read_ratings(table)).to_dict()}
    assert (written["ratings"], written["items"], written["present"]) == (3, 2, 2)


def test_a_bad_row_is_told_and_the_rest_counted(budew, table):
    table.write_text(table.read_text() + "2,h1,True,Joyful\n")
    outcome = budew("corpus", "ratings", table)
    assert outcome.status == 1
    assert outcome.err == f"budew: {table}: line 5: 'Joyful' is no emotion and no voice attribute: " + (
        "name it as the taxonomy does\n"
    )
    assert "Helplessness" in outcome.out


def test_the_scale_of_numbers_is_an_option(budew, tmp_path):
    path = tmp_path / "n.csv"
    path.write_text("item,rater,emotion,value\na,r,Awe,7\n")
    assert budew("corpus", "ratings", path).status == 1
    assert "1.00" in budew("corpus", "ratings", path, "--scale", "0-7").out


def test_what_is_no_table_is_one_line(budew, tmp_path):
    outcome = budew("corpus", "ratings", tmp_path / "none.csv")
    assert outcome.status == 1
    assert outcome.err.count("\n") == 1
    assert "none.csv: cannot be read" in outcome.err
