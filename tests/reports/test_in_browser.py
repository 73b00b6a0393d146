"""Pages in a real browser, wide and narrow: nothing overflows the page or its cell, nothing is cut."""

import pytest

from budew.evaluation import evaluate
from budew.reports.evaluation_page import evaluation_report
from budew.reports.people_page import people_report
from budew.reports.section_layout import report_html
from budew.reports.sections import BarRow, Bars, Card, Curves, HeatMap, Report, StackedBars, Table
from budew.statistics.resampling import Resampling
from budew.taxonomy import EMOTIONS
from tests.browsing import WIDTHS, chromium
from tests.reports.captioned_pages import page as captioned_page
from tests.reports.people_result import people_result

MISPLACED = """() => {
  const outside = (inner, outer) => inner.left < outer.left - 1 || inner.right > outer.right + 1;
  const found = [], walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode, around = text.parentElement, range = document.createRange();
    range.selectNodeContents(text);
    const place = range.getBoundingClientRect();
    if (!text.data.trim() || !place.width || around.closest(".unseen, .scale")) continue;
    const box = around.closest("td, th, section, .card, header") ?? document.body;
    if (outside(place, box.getBoundingClientRect())) found.push(text.data.trim());
  }
  return found;
}"""
"""Texts that are wider than the cell, card or section that they stand in."""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def check_layout(browser, html):
    """Assert that a page fits windows of 1280 and 400 pixels and that no text leaves its place."""
    for width in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.set_content(html)
        page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(MISPLACED) == []
        page.close()


def sections_page():
    """Return a page of realistic size: 40 emotions, 8 models, 22 raters."""
    models = [f"Long-Model-Name {n} Large-Instruct" for n in range(8)]
    raters = [f"annotator {n}" for n in range(14)] + models
    estimate = {"value": -0.123, "low": -0.234, "high": 0.345}
    board = [(name, *[estimate] * 5, "author/a-name") for name in models]
    marked = [BarRow(name, estimate, marks=dict.fromkeys(models, 0.5)) for name in EMOTIONS]
    sections = (
        Table("Leaderboard", ("Model", *models[:5], "Source"), board),
        Bars("By emotion", marked, digits=3),
        HeatMap("Kappas", raters, raters, [[-0.25] * 22] * 22, -1, 1, diverging=True),
        StackedBars("Ratings", [str(n) for n in range(8)], [(name, range(8)) for name in EMOTIONS]),
        Curves("Loss", [(name, [(1000 * n, 123 - n) for n in range(9)]) for name in models], "training step"),
    )
    cards = [Card("Spearman ρ", estimate, note="permutation baseline 0.004", digits=3)] * 5
    title, subtitle = "Benchmark of a-model/with-a-long-name", "12,600 clips of /a/long/folder/" + "name" * 20
    return report_html(Report(title, subtitle, cards, sections))


def test_sections_fit_wide_and_narrow_windows(browser):
    check_layout(browser, sections_page())


def test_evaluations_and_the_benchmark_on_people_fit(browser, pairs, labelled_pairs, tmp_path):
    for some in (pairs, labelled_pairs):
        found = evaluate(some, settings=Resampling(resamples=20, permutations=3))
        check_layout(browser, report_html(evaluation_report(found)))
    check_layout(browser, report_html(people_report(people_result(tmp_path))))


def test_captions_fit_and_the_player_and_they_follow_each_other(browser, tmp_path):
    html = captioned_page(tmp_path)
    check_layout(browser, html)
    page = browser.new_page()
    (tmp_path / "page.html").write_text(html, encoding="utf-8")  # set_content would let any script run
    page.goto((tmp_path / "page.html").as_uri())
    recording = page.locator("section.recording").first
    recording.locator("button").nth(1).press("Enter")
    assert recording.locator("audio").evaluate("one => one.currentTime") >= 3
    assert "An angry voice." in recording.locator("li.now").inner_text()
    recording.locator(".timeline").click(position={"x": 2, "y": 10})
    recording.locator("li.now", has_text="She sobs.").wait_for()
    place = recording.locator(".cursor").evaluate("one => parseFloat(one.style.left)")
    assert 0 <= place < 33
    page.close()


def test_what_does_not_fit_is_found(browser):
    for css in (".grid td { max-width: 20px; }", ".lines { width: 1500px; }"):
        html = sections_page().replace("</style>", css + "</style>", 1)
        with pytest.raises(AssertionError):
            check_layout(browser, html)
