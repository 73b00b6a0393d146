"""`budew evaluate`: metrics on stdout, and as JSON and a page where files are given."""

import json
import os

import pytest

from budew.corpora import Clip, write_shard
from budew.profile import VoiceProfile


@pytest.fixture
def judged(talk, tmp_path):
    """A shard of nine clips with profiles, and predictions of them."""
    audio = (talk / "a.wav").read_bytes()
    clips = [Clip(f"{i}", audio, "wav", profile=VoiceProfile({"Anger": i / 8})) for i in range(9)]
    write_shard(tmp_path / "t.tar", clips)
    predictions = [json.dumps({"id": f"{i}", "emotions": {"Anger": i / 8}}) for i in range(9)]
    (tmp_path / "p.jsonl").write_text("\n".join(predictions))
    return tmp_path / "t.tar", tmp_path / "p.jsonl"


def test_predictions_are_evaluated_and_results_written(budew, judged, tmp_path):
    _, predictions = judged
    write_shard(tmp_path / "bare.tar", [Clip("bare", b"x", "wav")])
    files = ("--json", tmp_path / "other" / "e.json", "--html", tmp_path / "new" / "e.html")
    outcome = budew("evaluate", tmp_path / "*.tar", "--predictions", predictions, *files)
    assert outcome.status == 1
    assert "left out: bare" in outcome.err
    assert "Spearman" in outcome.out
    assert json.loads((tmp_path / "other" / "e.json").read_text(encoding="utf-8"))["clips"] == 9
    assert "<html" in (tmp_path / "new" / "e.html").read_text(encoding="utf-8")
    assert outcome.out.endswith(f"page: {(tmp_path / 'new' / 'e.html').as_uri()}\n")


@pytest.mark.parametrize("corpus", ["empty", "talk", "nowhere", "nothing*.tar"])
def test_a_corpus_that_cannot_be_evaluated_is_one_line(budew, talk, tmp_path, monkeypatch, corpus):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    outcome = budew("evaluate", corpus, "--predictions", os.devnull)
    assert (outcome.status, outcome.out) == (1, "")
    assert len(outcome.err.splitlines()) == 1


def test_a_terminal_shows_progress_on_stderr_only(judged, at_a_terminal):
    shard, predictions = judged
    status, out, shown = at_a_terminal("evaluate", f"{shard}", "--predictions", f"{predictions}")
    assert status == 0
    assert "evaluating" in shown
    assert b"Spearman" in out
    assert b"evaluating" not in out
