"""`budew corpus split`, `select` and `weights`: files that the next command takes."""

import json

import pytest

from budew.corpora import Clip, read, write_shard
from budew.profile import VoiceProfile


@pytest.fixture
def corpus(tmp_path):
    clips = [
        Clip(
            f"{n}",
            b"x",
            "wav",
            speaker=f"voice {n % 9}",
            profile=VoiceProfile({"Awe" if n % 5 else "Fear": 1}),
        )
        for n in range(90)
    ]
    write_shard(tmp_path / "in" / "a.tar", clips)
    return tmp_path / "in"


def test_a_corpus_is_split_and_its_parts_are_selected(budew, corpus, tmp_path):
    splits = tmp_path / "splits.json"
    shares = ("--train", "0.8", "--validation", "0", "--test", "0.2")
    outcome = budew("corpus", "split", corpus, "--out", splits, *shares, "--seed", "3")
    assert outcome.status == 0
    assert "train" in outcome.out
    assert "validation" not in outcome.out
    assert set(json.loads(splits.read_text())["report"]["parts"]) == {"train", "test"}
    voices = {}
    for part in ("train", "test"):
        out = tmp_path / part
        told = budew("corpus", "select", corpus, out, "--splits", splits, "--part", part, "--workers", "0")
        assert told.status == 0
        voices[part] = {clip.speaker for clip in read(out)}
    assert voices["train"] | voices["test"] == {f"voice {n}" for n in range(9)}
    assert not voices["train"] & voices["test"]


def test_splits_of_another_corpus_are_refused_and_of_a_smaller_one_told(budew, corpus, tmp_path):
    splits, out = tmp_path / "splits.json", tmp_path / "train"
    assert budew("corpus", "split", corpus, "--out", splits).status == 0
    others = [Clip(f"o{n}", b"x", "wav", speaker=f"other {n % 2}") for n in range(4)]
    write_shard(tmp_path / "other" / "a.tar", others)
    take = ("--splits", splits, "--part", "train", "--workers", "0")
    refused = budew("corpus", "select", tmp_path / "other", out, *take)
    assert refused.status == 1
    assert "other: the splits list none of its 4 clips" in refused.err
    assert not out.exists()
    write_shard(corpus / "b.tar", others)
    told = budew("corpus", "select", corpus, out, *take)
    assert told.status == 0
    assert "do not list 4 of the first 94 clips (2 unknown speakers)" in told.err


def test_weights_are_written_and_their_effect_is_shown(budew, corpus, tmp_path):
    out, report = tmp_path / "w.jsonl", tmp_path / "r.json"
    outcome = budew("corpus", "weights", corpus, "--out", out, "--json", report)
    assert outcome.status == 0
    assert "effective sample size" in outcome.out
    assert len(out.read_text().splitlines()) == 90
    assert json.loads(report.read_text())["heaviest"] == 2
    assert budew("corpus", "weights", corpus, "--out", tmp_path / "w.csv").status == 1


@pytest.mark.parametrize("command", ["split", "weights"])
def test_what_cannot_be_read_is_told_and_the_rest_is_used(budew, corpus, tmp_path, command):
    shard = corpus / "a.tar"
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    outcome = budew("corpus", command, corpus, "--out", tmp_path / "x.jsonl")
    assert outcome.status == 1
    assert "truncated" in outcome.err
    assert (tmp_path / "x.jsonl").exists()
