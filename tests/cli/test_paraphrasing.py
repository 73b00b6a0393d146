"""Rewriting on the command line: what is told, the exit status, and what each backend needs."""

import inspect
import json

import pytest

from benchmarks.paraphrase_server import Behavior, running
from budew.cli.paraphrasing import USED_BY, run
from budew.corpora import Clip, read
from budew.corpora.shards import write_shard
from budew.paraphrase import judge
from tests.paraphrase.scripted import some_clips


@pytest.fixture
def corpus(tmp_path):
    write_shard(tmp_path / "in/a.tar", some_clips(12))
    return tmp_path / "in"


def test_the_offline_grammar_needs_nothing(budew, corpus, tmp_path):
    out = tmp_path / "out"
    outcome = budew("paraphrase", "run", corpus, out, "--per-clip", "2", "--workers", "0")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"24 accepted\n12 clips in {out}: 1 of 1 shards, 1 done now\n"
    for clip in read(out):
        assert all(judge(caption.text, clip.profile).accepted for caption in clip.captions)
    assert budew("paraphrase", "report", out).status == 0


def test_a_server_is_asked_and_what_was_paid_is_told(budew, corpus, tmp_path):
    given = ["--backend", "chat", "--model", "m", "--set", f"cache={tmp_path}/a.sqlite", "--workers", "0"]
    with running(Behavior(0.3, seed=2, stall=2.0)) as (url, seen):
        given += ["--base-url", url, "--set", "timeout=1"]
        first = budew("paraphrase", "run", corpus, tmp_path / "out", *given)
        answered = seen.answered
        again = budew("paraphrase", "run", corpus, tmp_path / "again", *given)
    assert first.status == again.status == 0
    assert "answers paid so far: " in first.out
    assert "answers paid so far: 0," in again.out
    assert seen.answered == answered
    assert (tmp_path / "out/a.tar").read_bytes() == (tmp_path / "again/a.tar").read_bytes()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (["--backend", "chat", "--model", "m"], "--base-url"),
        (["--backend", "chat", "--base-url", "http://localhost/v1"], "--model"),
        (["--backend", "transformers"], "--model"),
        (["--backend", "vllm"], "--model"),
    ],
)
def test_what_a_backend_needs_and_lacks_is_named(budew, corpus, tmp_path, given, missing):
    outcome = budew("paraphrase", "run", corpus, tmp_path / "out", *given)
    assert outcome.status == 2
    assert missing in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("backend", "given"),
    [
        ("grammar", ["--model", "m"]),
        ("grammar", ["--base-url", "http://localhost/v1"]),
        ("grammar", ["--ban", "ban.yaml"]),
        ("grammar", ["--json"]),  # as it is anyway, but given
        ("grammar", ["--plain"]),
        ("chat", ["--device", "cpu"]),
        ("vllm", ["--batch-size", "2"]),
        ("transformers", ["--server", "server.yaml"]),
    ],
)
def test_an_option_that_the_backend_does_not_use_is_refused(budew, corpus, tmp_path, backend, given):
    outcome = budew("paraphrase", "run", corpus, tmp_path / "out", "--backend", backend, *given)
    assert outcome.status == 2
    assert given[0] in outcome.err
    assert "leave it out" in outcome.err
    assert not (tmp_path / "out").exists()


def test_every_option_that_some_backends_use_is_one_of_run():
    assert USED_BY.keys() <= inspect.signature(run).parameters.keys()


def test_settings_without_an_option_are_changed_by_set(budew, corpus, tmp_path):
    given = [
        "--workers",
        "0",
        "--set",
        "gate.nearest_source=0.0",
        "--set",
        "keep_refused=false",
        "--set",
        "attempts=1",
    ]
    outcome = budew("paraphrase", "run", corpus, tmp_path / "out", *given)
    assert outcome.status == 0
    (clip, *_) = read(tmp_path / "out")
    assert clip.metadata["paraphrase"]["codes"] == {"copy": 2}  # any text shares some runs with its template
    assert "refusals" not in clip.metadata["paraphrase"]
    for wrong in ("attempts=0", "gate.tolerance=9", "cache=x.sqlite", "colour=red"):
        outcome = budew("paraphrase", "run", corpus, tmp_path / "wrong", "--set", wrong)
        assert outcome.status == 1
        assert wrong.split("=")[0] in outcome.err


def test_a_dry_run_asks_nobody_and_writes_nothing(budew, corpus, tmp_path):
    given = ["--backend", "chat", "--model", "m", "--base-url", "http://127.0.0.1:9/v1"]
    outcome = budew(
        "paraphrase",
        "run",
        corpus,
        tmp_path / "out",
        *given,
        "--dry-run",
        "--set",
        f"cache={tmp_path}/c.sqlite",
    )
    assert outcome.status == 0
    assert "1 of 1 shards to do" in outcome.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_captions_from_anywhere_are_judged(budew, tmp_path):
    rows = [
        {
            "caption": "A deeply angry man.",
            "profile": {"emotions": {"Anger": 0.75}, "traits": {"gender": "male"}},
        },
        {"caption": "A happy man. \x1b[31m", "profile": {"emotions": {"Anger": 0.75}}},
        {"caption": "No profile."},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows) + "[]\n"
    outcome = budew("paraphrase", "judge", "-", stdin=text.encode())
    assert outcome.status == 1
    assert "1 of 2 pass" in outcome.out
    assert "lost Anger; added Elation" in outcome.out
    assert "\x1b" not in outcome.out
    assert 'line 3: has no "profile"' in outcome.err
    assert "line 4" in outcome.err
    out = tmp_path / "verdicts.jsonl"
    beside = budew("paraphrase", "judge", "-", "--jsonl", out, stdin=text.encode())
    assert beside.out == outcome.out
    codes = [line.split(":")[0] for line in beside.out.partition("pass\n")[2].splitlines()]
    assert codes == sorted(codes)  # each once
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["accepted"] for row in written] == [True, False]
    assert written[1]["missed"] == ["Anger"]


def test_a_caption_that_repeats_the_transcript_of_its_line_is_refused(budew):
    row = {
        "caption": "An angry voice says give me back all my money.",
        "profile": {"emotions": {"Anger": 0.5}},
        "transcript": "Give me back all my money!",
        "source": None,
    }
    lines = [row, {**row, "transcript": 3}]
    outcome = budew("paraphrase", "judge", "-", stdin="\n".join(map(json.dumps, lines)).encode())
    assert "  spoken: 1\n" in outcome.out
    assert 'line 2: what is under "transcript" is no text' in outcome.err


def test_words_that_nobody_reads_are_harvested(budew, corpus, tmp_path):
    out, found = tmp_path / "out", tmp_path / "found.jsonl"
    (clip, *_) = read(corpus)
    rows = [{"text": "A sense of zorbling.", "codes": ["lost"], "missed": ["Anger"], "unknown": []}] * 2
    clip = type(clip)("a", b"RIFF", "wav", metadata={"paraphrase": {"refusals": rows}})
    write_shard(out / "a.tar", [clip])
    outcome = budew("paraphrase", "harvest", out, "--jsonl", found)
    assert outcome.status == 0
    assert "zorbling" in outcome.out
    row = json.loads(found.read_text())
    assert (row["word"], row["missed"], row["emotions"], row["share"]) == ("zorbling", 2, {"Anger": 2}, 1.0)


def test_a_harvest_goes_on_after_a_bad_shard_and_says_so(budew, tmp_path):
    rows = [{"text": "A sense of zorbling.", "codes": ["lost"], "missed": ["Anger"], "unknown": []}] * 2
    write_shard(
        tmp_path / "in/b.tar", [Clip("a", b"RIFF", "wav", metadata={"paraphrase": {"refusals": rows}})]
    )
    (tmp_path / "in/a.tar").write_bytes(b"no shard" * 200)
    outcome = budew("paraphrase", "harvest", tmp_path / "in")
    assert outcome.status == 1
    assert "zorbling" in outcome.out
    assert "a.tar" in outcome.err
