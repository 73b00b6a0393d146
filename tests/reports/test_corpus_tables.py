"""The reports of corpora hold each number where its heading says, and the terminal shows them."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from budew.annotation.bins import Bins
from budew.corpora import Clip
from budew.corpora.labels.ratings import Rating
from budew.curation.consensus import answers_of, consensus_statistics, rating_statistics
from budew.curation.corpus_counts import corpus_statistics
from budew.curation.duplicates import Duplicates
from budew.curation.stratified_split import STRATA, PartReport, SplitReport
from budew.curation.weights import NO_EMOTION, Balance, WeightReport
from budew.profile import VoiceProfile
from budew.reports.corpus_page import statistics_report
from budew.reports.corpus_tables import (
    bins_table,
    duplicates_report,
    plan_report,
    rating_report,
    split_report,
    weights_report,
)
from budew.reports.section_layout import in_numbers
from budew.reports.sections import Report
from budew.reports.terminal_tables import report_tables
from budew.synthesis.acting.acting_hours import Preview

CLIP = Clip("a", b"x", "wav", duration=1.0, language="en", profile=VoiceProfile())


def rows(report: Report, heading: str) -> dict[str, list]:
    """Return the cells of a section by the first of each row."""
    (section,) = [section for section in report.sections if section.heading == heading]
    return {row[0]: list(row[1:]) for row in in_numbers(section).rows}


def cards(report: Report) -> dict[str, tuple]:
    return {card.label: (card.value, card.note) for card in report.cards}


def test_statistics():
    fear = [VoiceProfile({"Fear": level}, ["Yawn"] * (level == 1)) for level in (0.25, 0.5, 1, 1)]
    clips = [
        replace(CLIP, duration=float(n), speaker=f"s{n % 6}", profile=profile)
        for n, profile in enumerate([*fear, VoiceProfile({"Awe": 0.75}), VoiceProfile(), VoiceProfile()], 1)
    ]
    unnamed = replace(CLIP, duration=3600.0, language=None, speaker=None, profile=None)
    report = statistics_report(corpus_statistics("corpus", [*clips, unnamed]))
    found = cards(report)
    assert found["clips"] == (8, "")
    assert found["hours"] == (pytest.approx(3628 / 3600), "")
    assert found["speakers named"] == ("6", "none named in 1 clips")
    assert (found["with a profile"][0], found["broken items"][0]) == (7, 0)
    assert next(iter(rows(report, "Emotions"))) == "Fear"
    assert rows(report, "Emotions")["Fear"] == ["1", "1", "0", "2", 4, "57.1"]
    assert rows(report, "Languages and speakers") == {
        "language": ["en 7, unknown 1"],
        "speaker": ["s1 2, s0 1, s2 1, s3 1, s4 1, s5 1"],
        "vocal burst": ["Yawn 2"],
    }
    console = Console(file=io.StringIO(), width=120)
    console.print(report_tables(report))
    shown = " ".join(console.file.getvalue().split())
    for words in ("hours 1.01", "speakers named 6 none named in 1 clips", "Fear 1 1 0 2 4 57.1"):
        assert words in shown
    assert "Median 4.0 s, from 1.00 s to 3,600.0 s; 5 % under 1.0 s and 5 % over 3600.0 s." in shown


def test_statistics_of_what_is_unknown():
    odd = {"not_understood": {"emotion": "joyfull"}}
    measured = replace(CLIP, profile=VoiceProfile(None, (), {"Arousal": 1.0}), metadata=odd)
    unmeasured = replace(CLIP, duration=None, profile=None)
    report = statistics_report(corpus_statistics("c", [replace(measured, duration=1800.0), unmeasured]))
    assert cards(report)["hours"] == (0.5, "duration of 1 clips unknown")
    assert cards(report)["emotions unknown"] == (1, "")
    tallies = rows(report, "Languages and speakers")
    assert tallies["Arousal (0 very calm, 4 very excited), mean 1.00"] == ["0 0, 1 1, 2 0, 3 0, 4 0"]
    assert tallies["label that is not understood"] == ["emotion: joyfull 1"]
    assert cards(statistics_report(corpus_statistics("c", [unmeasured])))["hours"][0] is None


def test_split():
    counts = dict.fromkeys(STRATA, 0) | {"clips": 100, "Fear": 20, "Awe": 5}
    train = PartReport("train", 0.75, 9, 4, 2, 3, counts | {"clips": 80, "Fear": 20, "Awe": 1})
    test = PartReport("test", 0.25, 1, 1, 0, 0, counts | {"clips": 20, "Fear": 0, "Awe": 4})
    report = split_report(SplitReport((train, test), counts, True, 7))
    assert rows(report, "Split") == {
        "train": [80, 9, 80.0, 75.0, pytest.approx(4.375), "Fear +5.00"],
        "test": [20, 1, 20.0, 25.0, 17.5, "Fear -20.00"],
    }
    notes = dict(report.notes)
    assert notes["test has no clip with"] == "Fear"
    assert notes["clips without a speaker"].startswith("3 of 2 recordings")
    assert notes["clips without a speaker or a recording"].startswith("2, each placed on its own")
    assert notes["clips with unknown emotions, which count for no emotion"] == "7"
    by_hash = split_report(SplitReport((replace(train, recorded=0), test), counts, False))
    assert dict(by_hash.notes)["clips without a speaker"].startswith("5, placed by the hash")


def test_weights():
    report = WeightReport(Balance({"Anger": 16.0, "Fear": 1.0, NO_EMOTION: 4.0}))
    for name in ["Anger"] * 16 + ["Fear"]:
        report.add(VoiceProfile({name: 1}))
    report.without_profile, report.emotions_unknown = 3, 2
    shown = weights_report(report)
    assert list(rows(shown, "Shares of emotions").items()) == [
        ("Anger", pytest.approx([100 * 16 / 21, 80.0, 1.0])),
        (NO_EMOTION, pytest.approx([100 * 4 / 21, 0.0, 2.0])),
        ("Fear", pytest.approx([100 / 21, 20.0, 4.0])),
    ]
    found = cards(shown)
    assert found["clips"] == (17, "weights from 1.00 to 4.00")
    assert found["effective sample size"] == (12.5, "74 % of the clips")  # 20² / 32
    assert found["clips without a profile, and so without a weight"][0] == 3
    assert found["clips with unknown emotions, and so without a weight"][0] == 2


def test_duplicates():
    group = tuple((f"id {number}", 1800.0) for number in range(9))
    found = Duplicates("c", "samples", 1_000, [group, (("x", None), ("y", None))], damaged=2, bad=1)
    report = duplicates_report(found)
    assert cards(report) == {
        "clips": (1000, ""),
        "not readable": (1, ""),
        "recordings that occur more than once": (2, ""),
        "redundant clips": (9, "4.00 hours"),
        "clips damaged, compared by what could be decoded": (2, ""),
    }
    assert rows(report, "First groups of duplicates") == {
        "id 0": ["id 1, id 2, id 3, id 4, id 5 and 3 more"], "x": ["y"]
    }  # fmt: skip
    assert duplicates_report(replace(found, groups=[])).sections == []


def test_ratings_and_consensus():
    given = [("a", "r", 1.0), ("a", "s", 1.0), ("b", "r", 0.5), ("b", "s", 0.0), ("c", "r", 0.0)]
    ratings = [Rating(item, rater, "Awe", value) for item, rater, value in given]
    statistics = rating_statistics([*ratings, Rating("a", "r", "Fear", 1.0)])
    report = rating_report("t", statistics, consensus_statistics(answers_of(ratings)))
    shown = rows(report, "Ratings")
    assert list(shown) == ["Awe", "Fear", "all"]
    assert shown["Fear"] == [1, 1, 1, 1, 1.0, None, None]
    assert shown["all"][:5] == [6, 3, 2, 4, pytest.approx(3.5 / 6)]
    consensus = report.sections[1]
    assert consensus.rows == [(1, 1, 0, 1, 0, 1), (2, 2, 1, 0, 1, 1)]
    assert "intensity: 0 2, 1 1; 1 were tied" in consensus.note


def test_bins():
    found = Bins(edges={"utterance_pitch_mean": {"": (90, 110.5, 180, 240)}})
    assert bins_table(found).rows[0][2:] == ("90", "110.5", "180", "240")


def test_hours_of_a_plan_follow_from_clips_and_their_duration():
    plan = Preview(0, 0, {"language": {"en": 720, "de": 36}}, (756,), {}, ())
    assert (
        rows(plan_report(plan, 10.0), "Clips of the plan")["hours"][-1] == "en 2.00, de 0.10, at 10 s a clip"
    )
