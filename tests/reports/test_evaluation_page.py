"""The report holds everything itself, escapes what others wrote, and plays audio that was encoded anew."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from budew.evaluation import Pair, Skipped, evaluate
from budew.model.card import CheckpointCard, PublishedResult
from budew.profile import VoiceProfile
from budew.reports.evaluation_page import evaluation_report
from budew.reports.evaluation_summary import card_section, evaluation_tables
from budew.reports.page import write_page
from budew.reports.section_layout import report_html
from budew.statistics.resampling import Resampling
from budew.taxonomy import EMOTIONS, LEVELS
from tests.reports.conftest import HOSTILE, check_safe, on_page, seconds_played
from tests.trained import RESULT

FEW = Resampling(resamples=20, permutations=3)
FEAR = VoiceProfile({"Fear": 1})


def evaluation_html(*args: Any, **options: Any) -> str:
    return report_html(evaluation_report(*args, **options))


def names_in(pairs: list[Pair]) -> set[str]:
    return {name for pair in pairs for of in (pair.reference, pair.predicted) for name in of.emotions}


def test_every_emotion_that_occurs_and_each_example_is_shown_and_hostile_text_stays_text(
    pairs: list[Pair], tmp_path: Path
) -> None:
    path = write_page(
        evaluation_html(evaluate(pairs, settings=FEW), examples=5), tmp_path / "new" / "report.html"
    )
    page = path.read_text(encoding="utf-8")
    occurring = names_in(pairs)
    for name in EMOTIONS:
        assert (f'<th class="name" scope="row">{on_page(name)}</th>' in page) == (name in occurring)
    assert page.count('<article class="clip">') == 5
    assert list(path.parent.iterdir()) == [path]
    pair, skipped = Pair(HOSTILE, FEAR, FEAR, HOSTILE, b"not audio"), [Skipped(HOSTILE, HOSTILE)]
    page = evaluation_html(evaluate([pair], model=HOSTILE, corpus=HOSTILE, skipped=skipped, settings=FEW))
    assert check_safe(page).text.count("&lt;script&gt;alert(1)") >= 5


def test_clips_are_played_from_bounded_mp3(vowel: Callable[..., bytes], tmp_path: Path) -> None:
    (tmp_path / "long.ogg").write_bytes(vowel(120, seconds=32, format="OGG"))
    pairs = [
        Pair("wav", FEAR, FEAR, audio=vowel(200, format="WAV")),
        Pair("long", FEAR, FEAR, audio=tmp_path / "long.ogg"),
        Pair("bad", FEAR, FEAR, audio=b"RIFF"),
        Pair("none", FEAR, FEAR),
    ]
    page = evaluation_html(evaluate(pairs, settings=FEW))
    assert sorted(seconds_played(check_safe(page))) == pytest.approx([0.6, 30], abs=0.15)
    assert "no audio" in page
    assert "bad: " in page


def test_the_terminal_table_has_a_row_for_each_emotion_that_occurs_and_says_what_was_left_out(
    pairs: list[Pair],
) -> None:
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(evaluation_tables(evaluate(pairs, skipped=[Skipped("x", "no sound")], settings=FEW)))
    text = console.export_text()
    occurring = names_in(pairs)
    for name in EMOTIONS:
        assert (f"  {name} " in text) == (name in occurring)
    assert "Spearman ρ" in text
    assert "1 clips skipped" in text
    assert "32 emotions whose label never varies" in text


def test_of_few_clips_the_players_come_first_and_of_many_the_metrics(pairs: list[Pair]) -> None:
    def order(some: list[Pair]) -> list[str]:
        return re.findall(r"<h2>(.*?)</h2>", evaluation_html(evaluate(some, settings=FEW)))[:2]

    assert order(pairs[:5]) == ["Listen", "By emotion"]
    many = [replace(pair, id=f"{pair.id} {turn}") for turn in range(1 + 40 // len(pairs)) for pair in pairs]
    assert order(many)[0] == "By emotion"


def test_published_results_are_bars_before_the_clips_with_chance_and_what_the_training_was(
    pairs: list[Pair],
) -> None:
    result = PublishedResult(**{**RESULT, "corpus": HOSTILE})
    card = CheckpointCard("mine", "synthetic speech", (result,))
    page = check_safe(evaluation_html(evaluate(pairs[:5], settings=FEW), published=card_section(card)))
    assert re.findall(r"<h2>(.*?)</h2>", page.text)[:2] == ["Published results of mine", "Listen"]
    assert "mine was trained on synthetic speech only" in page.text
    assert "chance 0.125" in page.text
    assert "0.250 to 0.750" in page.text
    assert card_section(CheckpointCard("mine", "synthetic speech", ())) is None


def test_bars_intervals_and_cells_are_where_their_numbers_say() -> None:
    levels = (0.25, 0.5, 0.75, 1.0)
    labels = [VoiceProfile({"Fear": level}) for level in levels]
    predictions = [VoiceProfile({"Fear": level}) for level in levels[::-1]]
    pairs = [Pair(f"c{n}", *profiles) for n, profiles in enumerate(zip(labels, predictions, strict=True))]
    page = check_safe(evaluation_html(evaluate(pairs, settings=FEW)))
    styles = {name: [] for name in ("bar", "whisker", "tick zero", "point")}
    for attributes in page.of("i"):
        numbers = re.findall(r"(-?[\d.]+)%", attributes.get("style") or "")
        if attributes.get("class") in styles and numbers:
            styles[attributes["class"]].append([float(number) for number in numbers])
    assert styles["bar"] == [[0.0, 50.0]]  # ρ = −1 on an axis from −1 to 1
    assert set(map(tuple, styles["tick zero"])) == {(50.0,)}
    (left, width), *_ = styles["whisker"]
    assert 0 <= left <= left + width <= 100
    ticks = [style["style"] for style in page.of("span") if "left:" in (style.get("style") or "")]
    assert ticks[:5] == [f"left:{25.0 * step}%" for step in range(5)]
    assert page.text.count("−1.00") >= 2
    cells = re.findall(r'<tr><th scope="row">(\w+) \((\d+)\)</th>(.*?)</tr>', page.text, re.S)[: len(LEVELS)]
    shares = {name: re.findall(r"--share:([\d.]+)", row) for name, _, row in cells}
    assert {name: int(total) for name, total, _ in cells} == {
        "absent": 156, "slight": 1, "moderate": 1, "strong": 1, "extreme": 1,
    }  # fmt: skip
    assert shares["slight"] == ["0.0", "0.0", "0.0", "0.0", "100.0"]
    assert shares["absent"] == ["100.0", "0.0", "0.0", "0.0", "0.0"]
    meters = r'<i class="series([01])" style="width:([\d.]+)%"></i>'
    assert re.findall(meters, page.text)[:2] == [("0", "100.0"), ("1", "25.0")]
    missed = evaluation_html(evaluate([Pair("x", FEAR, VoiceProfile({"Awe": 0.5}))], settings=FEW))
    assert re.findall(meters, missed) == [("0", "0.0"), ("1", "100.0"), ("0", "50.0"), ("1", "0.0")]
    assert 'title="predicted absent, label extreme"' in missed
    assert "40 emotions without a correlation" in missed
    assert "nan" not in re.sub(r"\w+nan\w*|\w*nan\w+", "", missed.lower())


def test_means_are_on_tracks_from_worst_to_best() -> None:
    profiles = [VoiceProfile({"Fear": level}) for level in (0.25, 0.5, 0.75, 1)]
    pairs = [Pair(f"c{n}", profile, profile) for n, profile in enumerate(profiles)]
    text = evaluation_html(evaluate(pairs, settings=FEW))
    assert '<i class="point" style="left:100.0%"></i>' in text  # ρ = 1
    assert '<i class="point" style="left:0.0%"></i>' in text  # no error
    assert text.count("lower is better") == 2


def test_emotions_that_are_not_rated_count_for_no_level_and_no_error() -> None:
    rated = ("Anger", "Sadness")
    angry, sad = (VoiceProfile({name: 0.5}, rated=rated) for name in rated)
    pairs = [Pair("a", angry, angry), Pair("b", sad, sad), Pair("c", VoiceProfile({}), VoiceProfile({}))]
    found = evaluate([replace(pair, id=f"{pair.id}{n}") for pair in pairs for n in range(5)], settings=FEW)
    page = evaluation_html(found)
    levels = page.split("<h2>Level: label and prediction")[1].split("</section>")[0]
    rows = re.findall(r'<th scope="row">(\w+) \((\d+)\)</th>', levels)
    assert {name: int(count) for name, count in rows if int(count)} == {"moderate": 10, "absent": 210}
    assert "Confusion of families" not in page
    wrong = evaluate([Pair("a", angry, sad), Pair("b", sad, angry), Pair("c", sad, sad)], settings=FEW)
    assert found.mean["mae"].value == 0
    assert wrong.mean["mae"].value == pytest.approx(10 / 3)
