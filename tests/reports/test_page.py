"""Numbers, bars and lists of pages and tables, at their limits."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from rich.console import Console

from budew.reports import page
from budew.reports.formatting import share, written
from budew.reports.training_tables import quality_table, rare_line


def test_numbers_are_rounded_and_what_is_undefined_is_a_dash():
    assert [written(value) for value in (None, -0.001, -1.5, 1234.567)] == ["–", "0.00", "−1.50", "1,234.57"]
    assert [share(1, 0), share(0, 3), share(1, 3)] == ["–", "0.0 %", "33.3 %"]
    assert [page.percent(1, 0), page.percent(1, 3)] == [0.0, 33.33]
    rows = [("a", 1), ("b", 4_000)]
    assert page.bar_list("h", rows, 2) == ("h", [("a", "1", 0.03), ("b", "4,000", 100.0)], 0)
    assert page.bar_list("h", [("a", 0)]) == ("h", [("a", "0", 0.0)], 0)
    assert page.bar_list("h", ((str(n), 1) for n in range(14)), 14).more == 2
    assert (page.shortened("x" * 600), page.shortened("x" * 601)) == ("x" * 600, "x" * 600 + "…")
    assert page.strongest_first({"Anger": 0.5, "Fear": 1, "Awe": 0.5}) == ["Fear", "Awe", "Anger"]


def test_a_trait_is_worded_by_its_place_on_its_scale():
    said = [page.trait_words("Arousal", value) for value in (0, 1, 2, 3, 4)]
    low, high = said[0], said[-1]
    assert said == [low, f"towards {low}", f"between {low} and {high}", f"towards {high}", high]


def test_a_page_holds_so_much_audio_and_no_more(monkeypatch):
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(1).normal(0, 0.1, 16_000), 16_000, format="FLAC")
    size = len(page._mp3(file.getvalue(), "a"))
    for largest, played in ((2 * size, 2), (2 * size - 1, 1)):
        monkeypatch.setattr(page, "LARGEST_AUDIO", largest)
        found = list(page.players([("none", None), *([("a", file.getvalue())] * 3)]))
        assert [bool(uri) for uri, _ in found] == [False, *(number < played for number in range(3))]


@pytest.mark.parametrize(("rare", "more"), [(5, ""), (7, " and 2 more (see heads.json)")])
def test_heads_that_are_no_better_than_the_mean_are_left_out_and_rare_ones_named(rare, more):
    quality = {
        name: SimpleNamespace(r2=r2, clips=9, error=1, error_of_mean=2)
        for name, r2 in (("worst", -1.0), ("mean", 0.0), ("best", 0.25))
    }
    trained = SimpleNamespace(rare=[f"e{number}" for number in range(rare)])
    console = Console(file=io.StringIO(), width=120)
    console.print(quality_table(quality))
    rows = [line for line in console.file.getvalue().splitlines() if "9" in line]
    assert [(row.split()[1], "left out" in row) for row in rows] == [
        ("best", False),
        ("mean", True),
        ("worst", True),
    ]
    assert rare_line(trained).startswith(f"too rare for a head: e0, e1, e2, e3, e4{more}. ")
