"""`budew corpus stats`, and what it is for: rendering what stands out."""

import json

import pytest

from budew.corpora import Clip, write_shard
from budew.profile import VoiceProfile


@pytest.fixture
def corpus(tmp_path):
    clips = [
        Clip(str(number), b"x", "mp3", profile=VoiceProfile({"Amusement": 0.7 + number / 100}))
        for number in range(20)
    ]
    write_shard(tmp_path / "laughter.tar", clips)
    return tmp_path / "laughter.tar"


def test_statistics_are_shown_and_written(budew, corpus, tmp_path):
    outcome = budew("corpus", "stats", corpus, "--json", tmp_path / "stats.json")
    assert outcome.status == 0
    assert "20 clips" in outcome.out
    assert "Amusement" in outcome.out
    assert json.loads((tmp_path / "stats.json").read_text())["clips"] == 20


def test_the_scale_of_scores_is_an_option(budew, tmp_path):
    for name in ("clips.csv", "a.wav"):
        (tmp_path / name).write_text("audio,Anger\na.wav,1\n")
    for scale, level in (("0-4", "slight"), ("0-1", "extreme")):
        assert (
            budew(
                "corpus", "stats", tmp_path / "clips.csv", "--scale", scale, "--json", tmp_path / "s"
            ).status
            == 0
        )
        assert json.loads((tmp_path / "s").read_text())["emotions"]["Anger"][level] == 1


def test_against_a_corpus_of_laughter_sadness_is_said_and_laughter_is_not(budew, corpus, tmp_path):
    budew("corpus", "stats", corpus, "--json", tmp_path / "stats.json")
    profile = tmp_path / "profile.json"
    profile.write_text('{"emotions": {"Amusement": 0.8, "Sadness": 0.25}}')
    said = budew("render", profile, "--baseline", tmp_path / "stats.json", "--style", "tags").out
    assert budew("parse", said).out.count("Sadness") == 1
    assert "Amusement" not in budew("parse", said).out


def test_statistics_never_replace_the_corpus(budew, corpus, tmp_path):
    kept = corpus.read_bytes()
    for source in (corpus, corpus.parent, f"{corpus.parent}/*.tar"):
        outcome = budew("corpus", "stats", source, "--json", corpus)
        assert (outcome.status, outcome.out) == (1, "")
        assert "is what is read" in outcome.err
    assert corpus.read_bytes() == kept
    for _ in range(2):  # statistics beside the shards may be made anew
        assert budew("corpus", "stats", corpus.parent, "--json", tmp_path / "stats.json").status == 0


def test_the_json_beside_a_recording_is_the_corpus_too(budew, talk):
    (talk / "a.json").write_text("{}")
    assert "is what is read" in budew("corpus", "stats", talk, "--json", talk / "a.json").err


def test_what_is_no_baseline_is_one_line_with_its_name(budew, tmp_path):
    (tmp_path / "p.json").write_text("{}")
    (tmp_path / "b.json").write_text("{}")
    outcome = budew("render", tmp_path / "p.json", "--baseline", tmp_path / "b.json")
    assert outcome.status == 1
    assert outcome.err.startswith(f"budew: {tmp_path / 'b.json'}: this is no baseline")


def test_a_shard_that_is_cut_is_told_and_the_rest_counted(budew, corpus):
    corpus.write_bytes(corpus.read_bytes()[: corpus.stat().st_size // 2])
    outcome = budew("corpus", "stats", corpus)
    assert outcome.status == 1
    assert "truncated" in outcome.err
