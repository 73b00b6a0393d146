"""The tables of corpora show each number where its heading says."""

import io
import re
from dataclasses import replace

from rich.console import Console, RenderableType

from budew.corpora import Clip
from budew.corpora.labels.ratings import Rating
from budew.curation.consensus import answers_of, consensus_statistics, rating_statistics
from budew.curation.corpus_counts import corpus_statistics
from budew.curation.duplicates import Duplicates
from budew.curation.inspection import Inspection, Remark
from budew.curation.stratified_split import STRATA, PartReport, SplitReport
from budew.curation.weights import NO_EMOTION, Balance, WeightReport
from budew.profile import VoiceProfile
from budew.reports.corpus_tables import (
    consensus_table,
    duplicates_table,
    inspection_tables,
    printable,
    rating_table,
    split_table,
    statistics_tables,
    weights_table,
)

CLIP = Clip("a", b"x", "wav", duration=1.0, language="en", profile=VoiceProfile())


def lines(table: RenderableType) -> list[str]:
    """Return the printed lines with single spaces."""
    console = Console(file=io.StringIO(), width=250)
    console.print(table)
    return [re.sub(r"\s+", " ", line).strip() for line in console.file.getvalue().splitlines()]


def test_statistics():
    fear = [VoiceProfile({"Fear": level}, ["Yawn"] * (level == 1)) for level in (0.25, 0.5, 1, 1)]
    clips = [
        replace(CLIP, duration=float(n), speaker=f"s{n % 6}", profile=profile)
        for n, profile in enumerate([*fear, VoiceProfile({"Awe": 0.75}), VoiceProfile(), VoiceProfile()], 1)
    ]
    unnamed = replace(CLIP, duration=3600.0, language=None, speaker=None, profile=None)
    shown = lines(statistics_tables(corpus_statistics("corpus", [*clips, unnamed])))
    assert shown[:3] == [
        "corpus: 8 clips, 1.01 hours",
        "with a profile 7, with a caption 0, not readable 0",
        "duration: median 4.0 s, 5 % under 1.0 s, 5 % over 3600.0 s, 1.00 to 3600.00 s",
    ]
    assert shown[3] == "languages: en 7, unknown 1"
    assert shown[4] == "speakers: 6 (s1 2, s0 1, s2 1, s3 1, s4 1…), none named in 1 clips"
    assert next(line for line in shown if line.startswith("Fear ")) == "Fear 1 1 0 2 57.1 0.25 0.37"
    assert [line.split()[0] for line in shown if line.startswith(("Fear", "Awe"))] == ["Fear", "Awe"]
    assert shown[-1] == "bursts: Yawn 2"
    assert not [line for line in shown if line.startswith("Anger")]


def test_statistics_of_what_is_unknown():
    odd = {"not_understood": {"emotion": "joyfull"}}
    measured = replace(CLIP, profile=VoiceProfile(None, (), {"Arousal": 1.0}), metadata=odd)
    unmeasured = replace(CLIP, duration=None, profile=None)
    shown = lines(statistics_tables(corpus_statistics("c", [replace(measured, duration=1800.0), unmeasured])))
    assert shown[0] == "c: 2 clips, 0.50 hours (duration of 1 clips unknown)"
    assert shown[1].startswith("with a profile 1 (emotions unknown in 1), with a caption 0")
    assert shown[-2:] == [
        "Arousal (0 very calm, 4 very excited): 1 clips, mean 1.00; 0 at 0, 1 at 1, 0 at 2, 0 at 3, 0 at 4",
        "labels that are not understood: emotion: joyfull 1",
    ]
    assert lines(statistics_tables(corpus_statistics("c", [unmeasured])))[0] == "c: 1 clips, hours unknown"


def test_inspection():
    found = Inspection(
        "c", {"audio": (1_200, 3_400_000), "JSON": (2, 10)}, True, corpus_statistics("c", [CLIP])
    )
    for number in range(7):
        found.formats.add(f"f{number}")
    found.sampling_rates.add("16000")
    found.channels.add("2")
    found.remarks["silent"] = Remark(3, ["x", "y\x1b"])
    found.statistics.bad, found.broken = 22, [f"reason {number}" for number in range(22)]
    shown = lines(inspection_tables(found))
    assert shown[0] == "files: audio 1,200 (3.4 MB), JSON 2 (10 bytes)"
    assert shown[1] == (
        "audio, every sample decoded: f0 1, f1 1, f2 1, f3 1, f4 1, f5 1; 16000 Hz 1; 2-channel 1"
    )
    start = shown.index("silent: 3 clips, such as x, y␛")
    assert shown[start + 1 :] == ["broken: 22", *(f"reason {n}" for n in range(20)), "and 2 more"]


def test_split():
    counts = dict.fromkeys(STRATA, 0) | {"clips": 100, "Fear": 20, "Awe": 5}
    train = PartReport("train", 0.75, 9, 4, 2, 3, counts | {"clips": 80, "Fear": 20, "Awe": 1})
    test = PartReport("test", 0.25, 1, 1, 0, 0, counts | {"clips": 20, "Fear": 0, "Awe": 4})
    shown = lines(split_table(SplitReport((train, test), counts, True, 7)))
    rows = [line for line in shown if line.startswith(("train ", "test "))]
    assert rows[0] == "train 80 9 80.00 75.00 4.38 Fear +5.00"
    assert rows[1] == "test 20 1 20.00 25.00 17.50 Fear -20.00"
    assert rows[2] == "test has no clip with Fear"
    assert "clips without a speaker: 3 of 2 recordings" in shown[-3]
    assert "without a speaker or a recording: 2, each placed on its own" in shown[-2]
    assert "clips with unknown emotions, counted for none: 7" in shown
    by_hash = SplitReport((replace(train, recorded=0), test), counts, False)
    assert "clips without a speaker: 5, placed by the hash" in lines(split_table(by_hash))[-2]


def test_weights():
    report = WeightReport(Balance({"Anger": 16.0, "Fear": 1.0, NO_EMOTION: 4.0}))
    for name in ["Anger"] * 16 + ["Fear"]:
        report.add(VoiceProfile({name: 1}))
    report.without_profile, report.emotions_unknown = 3, 2
    shown = lines(weights_table(report))
    rows = [line for line in shown if line.startswith(("Anger", "Fear", NO_EMOTION))]
    assert rows == ["Anger 76.19 80.00 1.00", f"{NO_EMOTION} 19.05 0.00 2.00", "Fear 4.76 20.00 4.00"]
    assert "17 clips, weights from 1.00 to 4.00" in shown
    assert "effective sample size: 12 clips, 74 %" in shown  # 20² / 32
    assert shown[-2:] == [
        "clips without a profile, and so without a weight: 3",
        "clips with unknown emotions, and so without a weight: 2",
    ]


def test_duplicates():
    group = tuple((f"id {number}", 1800.0) for number in range(9))
    found = Duplicates("c", "samples", 1_000, [group, (("x", None), ("y", None))], damaged=2, bad=1)
    shown = lines(duplicates_table(found))
    assert shown[:4] == [
        "c: 1,000 clips, not readable 1",
        "recordings that occur more than once: 2",
        "redundant clips: 9, 4.00 hours",
        "damaged, compared by what could be decoded: 2 clips",
    ]
    assert "id 0 id 1, id 2, id 3, id 4, id 5 and 3 more" in shown
    assert "x y" in shown
    assert len(lines(duplicates_table(replace(found, groups=[])))) == 4


def test_ratings():
    ratings = [Rating(item, rater, "Awe", float(rater == "r")) for item in "ab" for rater in "rs"]
    shown = lines(rating_table(rating_statistics([*ratings, Rating("a", "r", "Fear", 1.0)]), title="t"))
    assert shown[0] == "t"
    rows = [line for line in shown if line.startswith(("Awe", "Fear", "all"))]
    assert rows[0] == "Awe 4 2 2 2 0.50 0.00 −0.50"
    assert rows[1] == "Fear 1 1 1 1 1.00 – –"
    assert rows[2].startswith("all 5 2 2 3 0.60 0.00")


def test_consensus():
    rows = [("a", "r", 1.0), ("a", "s", 1.0), ("b", "r", 0.5), ("b", "s", 0.0), ("c", "r", 0.0)]
    found = consensus_statistics(answers_of(Rating(item, rater, "Awe", value) for item, rater, value in rows))
    shown = lines(consensus_table(found))
    assert "1 1 0 1 0 1" in shown
    assert "2 2 1 0 1 1" in shown
    assert "intensity: 0 2, 1 1; 1 were tied" in " ".join(shown)


def test_names_are_printable_and_cut():
    assert printable("a\x1bb\n\u202e") == "a␛b␊\ufffd"
    assert printable("x" * 200) == "x" * 200
    assert printable("x" * 201) == "x" * 200 + "…"
