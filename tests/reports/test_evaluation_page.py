"""The report holds everything itself, escapes what others wrote, and plays audio that was encoded anew."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from budew.evaluation import Evaluation, Pair, Skipped, evaluate
from budew.model.card import CheckpointCard, PublishedResult
from budew.profile import VoiceProfile
from budew.reports.evaluation_page import card_section, evaluation_report, evaluation_summary
from budew.reports.page import write_page
from budew.reports.section_layout import estimate, report_html
from budew.reports.terminal_tables import report_tables
from budew.statistics.resampling import Resampling, plain_data
from budew.taxonomy import EMOTIONS
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


def in_terminal(evaluation: Evaluation) -> str:
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(report_tables(evaluation_summary(evaluation)))
    return console.export_text()


def test_the_terminal_has_a_row_for_each_emotion_that_occurs_and_says_what_was_left_out(
    pairs: list[Pair],
) -> None:
    text = in_terminal(evaluate(pairs, skipped=[Skipped("x", "no sound")], settings=FEW))
    occurring = names_in(pairs)
    for name in EMOTIONS:
        assert (f"  {name} " in text) == (name in occurring)
    for words in ("Spearman ρ", "1 clips skipped", "32 emotions without a correlation"):
        assert words in text


def test_of_few_clips_the_players_come_first_and_of_many_the_metrics(pairs: list[Pair]) -> None:
    many = [replace(pair, id=f"{pair.id} {turn}") for turn in range(1 + 40 // len(pairs)) for pair in pairs]
    for some, first in ((pairs[:5], "Listen"), (many, "By emotion")):
        assert evaluation_report(evaluate(some, settings=FEW)).sections[0].heading == first


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


def test_levels_and_clips_are_shown_as_labelled_and_predicted() -> None:
    levels = (0.25, 0.5, 0.75, 1.0)
    profiles = [VoiceProfile({"Fear": level}) for level in levels]
    pairs = [Pair(f"c{n}", *both) for n, both in enumerate(zip(profiles, profiles[::-1], strict=True))]
    report = evaluation_report(evaluate(pairs, settings=FEW))
    (shares,) = [one for one in report.sections if one.heading == "Level: label and prediction"]
    assert shares.rows == ["absent (156)", "slight (1)", "moderate (1)", "strong (1)", "extreme (1)"]
    assert shares.values[:2] == [[100, 0, 0, 0, 0], [0, 0, 0, 0, 100]]
    bars = [clip.bars[0] for clip in report.sections[0].clips]
    assert [bar.intensities for bar in bars] == [(1.0, 0.25), (0.75, 0.5), (0.5, 0.75), (0.25, 1.0)]
    missed = evaluation_html(evaluate([Pair("x", FEAR, VoiceProfile({"Awe": 0.5}))], settings=FEW))
    meters = re.findall(r'<i class="series([01])" style="width:([\d.]+)%"></i>', missed)
    assert meters == [("0", "0.0"), ("1", "100.0"), ("0", "50.0"), ("1", "0.0")]
    assert 'title="predicted absent, label extreme"' in missed
    assert "40 emotions without a correlation" in missed


def test_means_are_on_tracks_from_worst_to_best() -> None:
    profiles = [VoiceProfile({"Fear": level}) for level in (0.25, 0.5, 0.75, 1)]
    pairs = [Pair(f"c{n}", profile, profile) for n, profile in enumerate(profiles)]
    text = evaluation_html(evaluate(pairs, settings=FEW))
    assert '<i class="point" style="left:100.0%"></i>' in text  # ρ = 1
    assert '<i class="point" style="left:0.0%"></i>' in text  # no error
    assert text.count("lower is better") == 2


def test_emotions_that_are_not_rated_count_for_no_level() -> None:
    rated = ("Anger", "Sadness")
    angry, sad = (VoiceProfile({name: 0.5}, rated=rated) for name in rated)
    pairs = [Pair("a", angry, angry), Pair("b", sad, sad), Pair("c", VoiceProfile({}), VoiceProfile({}))]
    sections = evaluation_report(evaluate(pairs, settings=FEW)).sections
    (levels,) = [one for one in sections if one.heading == "Level: label and prediction"]
    assert levels.rows == ["absent (42)", "slight (0)", "moderate (2)", "strong (0)", "extreme (0)"]
    assert "Confusion of families" not in [one.heading for one in sections]


def test_speaker_bursts_and_false_emotions_have_the_numbers_of_the_evaluation(
    labelled_pairs: list[Pair],
) -> None:
    found = evaluate(labelled_pairs, settings=FEW)
    report, text, data = evaluation_report(found), in_terminal(found), found.to_dict()
    sections = {section.heading: section for section in report.sections}
    rows = {row[0]: plain_data(row[1:]) for row in sections["Speaker"].rows}
    for trait, row in data["traits"].items():
        metrics = ("accuracy", "unweighted_average_recall", "macro_f1")
        own = [row[metric] if row["mentioned"] else None for metric in metrics]
        assert list(rows[trait]) == [row["n"], row["coverage"], *own]
        if row["mentioned"]:
            permuted = [row["permutation_baseline"][metric] for metric in metrics]
            assert list(rows[f"{trait}, permuted labels"]) == [row["mentioned"], None, *permuted]
    bars = {row.label: row for row in sections["Vocal bursts by group, %"].rows}
    crying = data["bursts"]["groups"]["by_name"]["crying_and_distress"]
    bar = bars[f"crying and distress ({crying['support']})"]
    assert estimate(bar.value).to_dict() == crying["recall"]
    assert bar.marks["precision"] == crying["precision"]["value"]
    assert bars["all groups, micro"].value.value == data["bursts"]["groups"]["micro_recall"]["value"]
    assert [estimate(row.value).value for row in sections["False emotions, %"].rows] == pytest.approx(
        [data["false_emotions"]["share"]["value"], *data["false_emotions"]["emotions"].values()]
    )
    for trait in ("gender", "age"):
        shares = sections[f"Confusion of {trait}, % of each label"]
        assert [sum(row) for row in shares.values] == pytest.approx([100] * len(shares.rows))
        assert shares.columns[-1] == "not mentioned"
    for name in (
        "gender, permuted labels",
        "Confusion of age",
        "crying and distress",
        "Quiet Sob",
        "any emotion",
    ):
        assert name in text
    assert "24 clips of 6 speakers" in check_safe(report_html(report)).text


def test_without_rated_emotions_nothing_is_shown_of_emotions() -> None:
    yawns = VoiceProfile(None, ["Yawn"])
    found = evaluate([Pair(f"{n}", yawns, yawns) for n in range(3)], settings=FEW)
    report = evaluation_report(found)
    assert [section.heading for section in report.sections] == [
        "Listen", "Vocal bursts by group, %", "Vocal bursts one by one"
    ]  # fmt: skip
    assert "Spearman" not in in_terminal(found)
    assert "3 clips in which no emotion is rated" in dict(report.notes)
