"""Sections show the numbers that they were given, in place, and hostile names stay text."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from budew.reports.section_layout import Axis, lengths, report_html, shade
from budew.reports.sections import (
    BarList,
    BarLists,
    BarRow,
    Bars,
    Card,
    Curves,
    HeatMap,
    Report,
    StackedBars,
    Table,
)
from budew.reports.terminal_tables import report_tables
from budew.statistics.resampling import ConfidenceInterval
from budew.taxonomy import EMOTION_GROUPS, EMOTIONS
from tests.reports.conftest import HOSTILE, check_safe, on_page

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)


def report(*sections, cards=()):
    return Report("A benchmark", "of a model", cards, sections)


def styles(page, name):
    """Return the percentages in the style of every element of a class."""
    found = [tag for tag in page.of("i") if name in (tag.get("class") or "").split() and tag.get("style")]
    return [[float(number) for number in re.findall(r"(-?[\d.]+)%", tag["style"])] for tag in found]


@given(st.lists(NUMBERS, min_size=1, max_size=8), st.none() | st.tuples(NUMBERS, NUMBERS).map(sorted))
def test_an_axis_holds_all_values_in_their_order_and_has_few_ticks(values, ends):
    axis = Axis.over([None, *values], ends and tuple(ends))
    places = [axis.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 100
    assert len(axis.ticks) <= 12
    assert all(0 <= place <= 100 for _, place in axis.ticks)
    assert 0 <= axis.zero <= 100


def test_bars_begin_at_zero_and_intervals_and_marks_lie_at_their_values():
    rows = [
        BarRow("one", ConfidenceInterval(-0.5, -0.75, 0.0), {"Other": 0.5, "Silent": None}),
        BarRow("two", 1.0),
    ]
    page = check_safe(report_html(report(Bars("Bars", rows, (-1, 1)))))
    assert styles(page, "bar") == [[25, 25], [50, 50]]
    assert styles(page, "whisker") == [[12.5, 37.5]]
    assert styles(page, "mark") == [[75]]
    assert [tag["aria-label"] for tag in page.of("div") if tag.get("role") == "img"] == [
        "−0.50; 95 % interval −0.75 to 0.00; Other 0.50; Silent –",
        "1.00",
    ]


@pytest.mark.parametrize("interval", [None, ConfidenceInterval(0.5, 0.25, 0.75)])
def test_only_bars_with_an_interval_have_a_column_for_it(interval):
    rows = [BarRow("plain", 0.5), BarRow("other", interval or 0.25)]
    page = report_html(report(Bars("B", rows)))
    assert ('<th class="bounds"' in page) == ("0.25 to 0.75" in page) == (interval is not None)


def test_cells_are_as_deep_as_their_values_say_on_both_sides_of_zero():
    assert [shade(value, 0, 4) for value in (-1, 0, 1, 4, 9, None)] == [0, 0, 25, 100, 100, None]
    assert [shade(value, -2, 1, diverging=True) for value in (-3, -1, 0, 0.5, 2)] == [-100, -50, 0, 50, 100]
    page = check_safe(
        report_html(report(HeatMap("Map", "ab", "cd", [[-0.5, None], [0, 1]], -1, 1, diverging=True)))
    )
    cells = [(tag["class"], tag.get("style")) for tag in page.of("td")]
    assert cells == [
        ("below ", "--share:50.0"),
        ("empty", None),
        ("", "--share:0.0"),
        ("deep", "--share:100.0"),
    ]


def test_curves_lie_at_their_values_and_those_of_one_name_look_alike():
    lines = [("a", [(0, 0), (10, 0.5)]), ("b", [(0, 1), (5, None), (10, 0.25)]), ("a", [(0, 0.5), (10, 1)])]
    page = check_safe(report_html(report(Curves("Curves", lines, "step", ends=(0, 1)))))
    drawn = [(tag["class"], tag["points"]) for tag in page.of("polyline")]
    assert drawn == [
        ("c0", "0.0,100.0 100.0,50.0"),
        ("c1", "0.0,0.0 100.0,75.0"),
        ("c0", "0.0,50.0 100.0,0.0"),
    ]
    assert ">0.25</td>" in page.text


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=9))
def test_parts_of_a_bar_fill_it(counts):
    assert sum(lengths(counts)) == pytest.approx(100 if any(counts) else 0, abs=0.05)


def test_rows_of_emotions_are_by_family_and_other_rows_in_their_order():
    for make in (
        lambda names: Table("T", ("Emotion", "n"), [(name, 1) for name in names]),
        lambda names: Bars("B", [BarRow(name, 1) for name in names]),
        lambda names: StackedBars("S", "ab", [(name, (1, 1)) for name in names]),
    ):
        page = check_safe(report_html(report(make((*EMOTIONS, "mean"))))).text.partition("<details>")[0]
        assert re.findall(r'"rowgroup"[^>]*>(?:<span>)?(\w+)<', page) == list(EMOTION_GROUPS)
        assert all(f">{on_page(name)}</th>" in page for name in EMOTIONS)
        assert re.findall(r'scope="row"[^>]*>(.*?)<', page)[0] == "mean"
        other = report_html(report(make(("b", "a", EMOTIONS[0])))).partition("<details>")[0]
        assert re.findall(r'scope="row[^>]*>(.*?)<', other) == ["b", "a", on_page(EMOTIONS[0])]


def test_plots_have_their_numbers_as_a_table():
    bars = Bars("B", [BarRow("row", ConfidenceInterval(0.5, 0.25, 0.75), {"Other": 0.125})], digits=3)
    stacked = StackedBars("S", ("no", "yes"), [("row", (1, 3)), ("none", (0, 0))])
    text = check_safe(report_html(report(bars, stacked))).text
    for part in ("0.500<small>0.250 to 0.750</small>", ">0.125</td>", ">75.0 %</td>"):
        assert part in text
    assert text.count("<details>") == 2
    assert "<details>" not in report_html(report(Bars("B", [BarRow("row", 0.5)])))


def test_one_row_of_a_table_stands_out_and_numbers_are_to_the_right():
    rows = [("A", 0.5, "paper", "1 %"), ("B", {"value": 0.25, "low": 0.125, "high": None}, "run", "–")]
    page = check_safe(report_html(report(Table("T", ("m", "r", "source", "x"), rows, (1,), digits=3))))
    assert [tag.get("aria-current") for tag in page.of("tr")] == [None, None, "true"]
    assert [tag.get("class") for tag in page.of("th")[:4]] == ["text", None, "text", None]
    assert ">0.250</td>" in page.text


def test_hostile_names_stay_text_on_the_page_and_in_the_terminal():
    name = HOSTILE + "[bold]"
    sections = (
        Table(name, (name, name), [(name, name)], note=name),
        Bars(name, [BarRow(name, None, marks={name: 1})], note=name, measure=name),
        HeatMap(name, [name], [name], [[None]], note=name, axes=(name, name)),
        StackedBars(name, [name], [(name, [1]), (name, [0])], note=name),
        Curves(name, [(name, [(1, 1)]), (name, [])], over=name, note=name),
    )
    whole = Report(name, name, [Card(name, name, note=name), Card(name, None)], sections, [(name, name)])
    assert check_safe(report_html(whole)).text.count("&lt;script&gt;") > 20
    console = Console(width=2000, file=io.StringIO(), record=True)
    console.print(report_tables(whole))
    assert console.export_text().count("[bold]") > 10


def test_the_terminal_has_all_numbers_of_the_page_at_any_width():
    marks = {"Long Name of Another Model": 0.375, "Third": None}
    whole = report(
        Table("T", ("model", "r", "source"), [("A", {"value": 0.123, "low": 0.1, "high": 0.2}, "x" * 90)]),
        Table("D", ("part", "mean deviation"), [("A", 0.5)]),
        Bars("B", [BarRow("row", ConfidenceInterval(0.456, 0.4, 0.5), marks)]),
        StackedBars("S", ("no", "yes"), [("part", (1, 3))], note="What S is."),
        HeatMap("H", ["r"], ["c"], [[0.625]]),
        BarLists("L", [BarList("list", [("n", "17", 100.0)], 3)]),
        cards=(Card("Refused", 1234), Card("r", ConfidenceInterval(0.789, 0.7, 0.8), digits=3)),
    )
    for width in (80, 200):
        console = Console(width=width, file=io.StringIO(), record=True)
        console.print(report_tables(whole))
        text = console.export_text()
        for number in (
            "0.62",
            "n 17 and 3 more",
            "What S is.",
            "0.12",
            "(0.10…0.20)",
            "0.46",
            "0.38",
            "75.0 %",
            "1,234",
            "0.789",
            "0.700 … 0.800",
        ):
            assert number in text
        assert text.count("x") >= 90
