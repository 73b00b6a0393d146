"""Commands that look at a corpus and divide it: results are printed and written, bad items give status 1."""

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from budew.corpora import Clip, read, write_shard
from budew.curation.consensus import rating_statistics
from budew.curation.rating_tables import read_ratings
from budew.profile import VoiceProfile


@pytest.fixture
def corpus(tmp_path):
    """A folder with one shard: 90 clips of 9 speakers, 72 with awe and 18 with fear."""
    profiles = [VoiceProfile({"Awe" if n % 5 else "Fear": 1}) for n in range(90)]
    clips = [
        Clip(f"{n}", b"x", "wav", speaker=f"voice {n % 9}", profile=profile)
        for n, profile in enumerate(profiles)
    ]
    write_shard(tmp_path / "in" / "a.tar", clips)
    return tmp_path / "in"


def test_statistics_are_printed_and_written(budew, corpus, tmp_path):
    outcome = budew("corpus", "stats", corpus, "--json", tmp_path / "stats.json")
    assert outcome.status == 0
    assert "duration of 90 clips unknown" in outcome.out
    assert json.loads((tmp_path / "stats.json").read_text())["clips"] == 90
    profile = tmp_path / "profile.json"
    profile.write_text('{"emotions": {"Awe": 0.25, "Sadness": 0.25}}')
    caption = budew("render", profile, "--baseline", tmp_path / "stats.json", "--style", "tags").out
    assert "Sadness" in budew("parse", caption).out
    assert "Awe" not in budew("parse", caption).out  # as weak as it is nowhere in the corpus
    refused = budew("render", profile, "--baseline", profile)
    assert refused.status == 1
    assert refused.err.startswith(f"budew: {profile}: this is not a baseline")


def test_scores_are_counted_on_the_given_scale(budew, tmp_path):
    for name in ("clips.csv", "a.wav"):
        (tmp_path / name).write_text("audio,Anger\na.wav,1\n")
    arguments = ("--scale", "0-4", "--json", tmp_path / "s.json")
    assert budew("corpus", "stats", tmp_path / "clips.csv", *arguments).status == 0
    assert json.loads((tmp_path / "s.json").read_text())["emotions"]["Anger"]["slight"] == 1


def test_an_inspection_reports_broken_items_and_writes_a_page(budew, talk, tmp_path):
    outcome = budew("corpus", "inspect", talk, "--json", tmp_path / "i.json", "--html", tmp_path / "i.html")
    assert outcome.status == 1
    assert re.search(r"  clips +2 .*  broken items +1 ", outcome.out, re.DOTALL)
    assert f"page: {(tmp_path / 'i.html').as_uri()}" in outcome.out
    table = json.loads((tmp_path / "i.json").read_text())
    assert (table["broken_items"], table["statistics"]["clips"]) == (1, 2)
    assert (tmp_path / "i.html").read_text().count("<audio") == 2
    (talk / "c.mp3").unlink()
    (talk / "a.json").write_text(json.dumps({"speaker": "\x1b[31mred\x07", "language": "\x9bx"}))
    outcome = budew("corpus", "inspect", talk, "--decode")
    assert outcome.status == 0
    assert "decoded to the last sample" in outcome.out
    assert re.search("broken items +0 ", outcome.out)
    assert "red" in outcome.out
    assert not {"\x1b", "\x07", "\x9b"} & set(outcome.out)


def test_parts_of_a_split_are_disjoint_and_selected_by_name(budew, corpus, tmp_path):
    splits = tmp_path / "splits.json"
    shares = ("--train", "0.8", "--validation", "0", "--test", "0.2")
    outcome = budew("corpus", "split", corpus, "--out", splits, *shares, "--seed", "3")
    assert outcome.status == 0
    assert "validation" not in outcome.out
    assert set(json.loads(splits.read_text())["report"]["parts"]) == {"train", "test"}

    def selected(part: str, source=corpus):
        options = ("--splits", splits, "--part", part, "--workers", "0")
        return budew("corpus", "select", source, tmp_path / part, *options)

    assert (selected("train").status, selected("test").status) == (0, 0)
    train, test = ({clip.speaker for clip in read(tmp_path / part)} for part in ("train", "test"))
    assert train | test == {f"voice {n}" for n in range(9)}
    assert not train & test
    others = [Clip(f"o{n}", b"x", "wav", speaker=f"other {n % 2}") for n in range(4)]
    write_shard(tmp_path / "other" / "a.tar", others)
    refused = selected("train", tmp_path / "other")
    assert refused.status == 1
    assert "other: the splits list none of its 4 clips" in refused.err
    write_shard(corpus / "b.tar", others)
    assert "do not list 4 of the first 94 clips (2 unknown speakers)" in selected("test").err


def test_sampling_weights_are_written_within_their_cap(budew, corpus, tmp_path):
    out, report = tmp_path / "w.jsonl", tmp_path / "r.json"
    outcome = budew("corpus", "weights", corpus, "--out", out, "--json", report)
    assert outcome.status == 0
    assert "effective sample size" in outcome.out
    assert len(out.read_text().splitlines()) == 90
    assert json.loads(report.read_text())["heaviest"] == 2
    assert budew("corpus", "weights", corpus, "--out", tmp_path / "w.csv").status == 1


@pytest.mark.parametrize("command", ["stats", "split", "weights"])
def test_a_truncated_shard_is_reported_and_the_rest_is_used(budew, corpus, tmp_path, command):
    shard = corpus / "a.tar"
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    outcome = budew(
        "corpus", command, corpus, "--json" if command == "stats" else "--out", tmp_path / "x.jsonl"
    )
    assert outcome.status == 1
    assert "truncated" in outcome.err
    assert (tmp_path / "x.jsonl").exists()


def test_duplicates_are_found_in_any_format(budew, talk, tmp_path):
    samples = np.random.default_rng(1).integers(-9_999, 9_999, 8_000, np.int16)
    (talk / "c.mp3").unlink()
    soundfile.write(talk / "one.wav", samples, 16_000)
    soundfile.write(talk / "two.flac", samples, 16_000)
    (talk / "one.json").write_text('{"text": "Hello!"}')
    (talk / "b.json").write_text('{"text": "hello"}')
    arguments = ("corpus", "duplicates", talk, "--json", tmp_path / "d.json")
    outcome = budew(*arguments, "--cache", tmp_path / "hashes.sqlite", "--workers", "0")
    assert outcome.status == 0
    assert re.search("redundant clips +1 ", outcome.out)
    groups = json.loads((tmp_path / "d.json").read_text())["groups"]
    assert [[clip["id"] for clip in group["clips"]] for group in groups] == [["one", "two"]]
    assert (tmp_path / "hashes.sqlite").exists()
    assert re.search("without a transcript, not compared +2 ", budew(*arguments, "--transcripts").out)
    assert json.loads((tmp_path / "d.json").read_text())["groups"][0]["keep"] == "b"
    (talk / "c.mp3").write_text("no audio at all")
    failed = budew("corpus", "duplicates", talk, "--workers", "1")
    assert failed.status == 1
    assert "'c'" in failed.err


def test_agreement_of_raters_is_printed_and_written(budew, tmp_path):
    table = tmp_path / "binary.csv"
    table.write_text("path,annotator,value,emotion\n0,h1,True,Anger\n0,h2,False,Anger\n1,h1,True,Awe\n")
    outcome = budew("corpus", "ratings", table, "--json", tmp_path / "counts.json")
    assert outcome.status == 0
    assert "Anger" in outcome.out
    written = json.loads((tmp_path / "counts.json").read_text())
    assert written.pop("consensus")["by_ratings"][1]["mixed"] == 1
    counted = rating_statistics(read_ratings(table)).to_dict()
    assert written == {"tables": [str(table)], "bad_rows": 0, **counted}
    table.write_text(table.read_text() + "2,h1,maybe,Awe\n")
    outcome = budew("corpus", "ratings", table)
    assert outcome.status == 1
    assert outcome.err.startswith(f"budew: {table}: line 5: ")
    assert outcome.err.count("\n") == 1
    assert "Anger" in outcome.out
    scaled = tmp_path / "n.csv"
    scaled.write_text("item,rater,emotion,value\na,r,Awe,7\n")
    assert "1.00" in budew("corpus", "ratings", scaled, "--scale", "0-7").out


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("exact", [1, None, None, 0]), ("presence", [1, 0.75, None, 0]), ("majority", [1, 0.5, 0, 0])],
)
def test_consensus_of_raters_becomes_labels_of_the_clips(budew, tmp_path, kind, expected):
    answers = [(2, 2, 2), (1, 2), (0, 1), (0, 0)]
    bench, labels, out = tmp_path / "bench.parquet", tmp_path / "labels.jsonl", tmp_path / "out"
    rated = [str([{f"human-{n}": {"Awe": value}} for n, value in enumerate(one)]) for one in answers]
    audio = [{"bytes": b"x", "path": f"{number}.mp3"} for number in range(len(answers))]
    pq.write_table(pa.table({"audioId": audio, "label": rated}), bench)
    outcome = budew("corpus", "ratings", bench, "--labels", labels, "--consensus", kind)
    assert outcome.status == 0, outcome.err
    three = tmp_path / "three.jsonl"
    strict = budew("corpus", "ratings", bench, "--labels", three, "--consensus", kind, "--min-raters", "3")
    assert (strict.status, len(three.read_text().splitlines())) == (0, 1)
    joined = budew("corpus", "annotate", "labels", bench, out, "--labels", labels, "--workers", "0")
    assert joined.status == 0, joined.err
    found = [value for value in expected if value is not None]
    assert [clip.profile for clip in read(out)] == [
        VoiceProfile({"Awe": one}, rated=["Awe"]) for one in found
    ]
    left_out = out / "left_out.jsonl"
    assert left_out.exists() == (None in expected)
    if left_out.exists():
        assert len(left_out.read_text().splitlines()) == expected.count(None)


def test_clips_of_a_licence_are_selected_and_a_licence_that_no_clip_has_is_reported(budew, tmp_path):
    clips = [
        Clip(f"{n}", b"x", "wav", duration=36.0, license=("CC0-1.0", "CC-BY-4.0", None)[n % 3])
        for n in range(7)
    ]
    write_shard(tmp_path / "in.tar", clips)
    listed = budew("corpus", "stats", tmp_path / "in.tar").out
    assert re.search(r"CC0-1.0 +3 +0.03", listed)
    select = (
        "corpus",
        "select",
        tmp_path / "in.tar",
        tmp_path / "out",
        "--workers",
        "0",
        "--license",
        "CC-BY",
    )
    outcome = budew(*select, "--license", "cc0*")
    assert outcome.status == 0
    assert "has the licence CC-BY: they have CC0-1.0 3, CC-BY-4.0 2, not stated 2" in outcome.err
    assert {clip.license for clip in read(tmp_path / "out")} == {"CC0-1.0"}
    assert "give splits" in budew(*select[:4]).err
