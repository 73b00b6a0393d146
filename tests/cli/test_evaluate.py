"""`budew evaluate`: figures on stdout, reports where they are asked for."""

import json
import os

import pytest

from budew.corpora import Clip, write_shard
from budew.profile import VoiceProfile


def test_evaluate_judges_predictions_and_writes_what_is_asked_for(budew, talk, tmp_path):
    audio = (talk / "a.wav").read_bytes()
    clips = [Clip(f"{i}", audio, "wav", profile=VoiceProfile({"Anger": i / 8})) for i in range(9)]
    write_shard(tmp_path / "t.tar", [*clips, Clip("bare", audio, "wav")])
    predictions = [json.dumps({"id": f"{i}", "emotions": {"Anger": i / 8}}) for i in range(9)]
    (tmp_path / "p.jsonl").write_text("\n".join(predictions))
    outcome = budew(
        *("evaluate", tmp_path / "t.tar", "--predictions", tmp_path / "p.jsonl"),
        *("--json", tmp_path / "other" / "e.json", "--html", tmp_path / "new" / "e.html"),
    )
    assert "Spearman" in outcome.out
    assert json.loads((tmp_path / "other" / "e.json").read_text(encoding="utf-8"))["clips"] == 9
    assert "<html" in (tmp_path / "new" / "e.html").read_text(encoding="utf-8")
    assert outcome.out.splitlines()[-2:] == [
        f"metrics: {tmp_path / 'other' / 'e.json'}",
        f"report:  {(tmp_path / 'new' / 'e.html').as_uri()}",
    ]
    assert outcome.status == 1
    assert "left out: bare" in outcome.err


@pytest.mark.parametrize(
    ("corpus", "told"),
    [
        ("empty", "no shard, parquet or audio file is in it"),
        ("talk", "the clip has no profile to compare with"),
        ("nowhere", "there is nothing of this name"),
        ("nothing*.tar", "there is nothing of this name"),
        ("p.jsonl", "line 1"),
    ],
)
def test_a_corpus_that_cannot_be_judged_is_one_line(budew, talk, tmp_path, monkeypatch, corpus, told):
    (tmp_path / "empty").mkdir()
    (tmp_path / "p.jsonl").write_text('{"id": "zzz", "caption": "A sad man."}\n')
    monkeypatch.chdir(tmp_path)
    outcome = budew("evaluate", corpus, "--predictions", os.devnull)
    assert (outcome.status, outcome.out) == (1, "")
    assert told in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_predictions_of_unknown_clips_are_one_line_that_names_them(budew, talk, tmp_path):
    clip = Clip("known", (talk / "a.wav").read_bytes(), "wav", profile=VoiceProfile({"Anger": 1}))
    write_shard(tmp_path / "t.tar", [clip])
    lines = [json.dumps({"id": name, "caption": "A sad man."}) for name in ("known", "stranger")]
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    outcome = budew("evaluate", tmp_path / "t.tar", "--predictions", tmp_path / "p.jsonl")
    assert (outcome.status, len(outcome.err.splitlines())) == (1, 1)
    assert "'stranger'" in outcome.err


def test_someone_at_a_terminal_sees_a_bar_while_a_corpus_is_evaluated(talk, tmp_path, at_a_terminal):
    audio = (talk / "a.wav").read_bytes()
    clips = [Clip(f"{i}", audio, "wav", profile=VoiceProfile({"Anger": i / 4})) for i in range(4)]
    write_shard(tmp_path / "t.tar", clips)
    (tmp_path / "p.jsonl").write_text(
        "\n".join(json.dumps({"id": clip.id, "caption": "Sad."}) for clip in clips)
    )
    status, out, shown = at_a_terminal(
        "evaluate", f"{tmp_path / 't.tar'}", "--predictions", f"{tmp_path / 'p.jsonl'}"
    )
    assert status == 0
    assert "evaluating" in shown
    assert b"Spearman" in out
    assert b"evaluating" not in out
