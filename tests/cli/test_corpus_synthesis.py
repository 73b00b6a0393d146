"""`budew corpus act`: the plan shown, speech made offline, words checked."""

import json

import pytest

from budew.corpora import read
from budew.synthesis.clip_plan import synthesis_table

NOBODY = ("--base-url", "http://127.0.0.1:9/v1", "--model", "m")
SHORT = ("--clips", "4", "--seed", "1", "--languages", "en", "--set", "texts=neutral", "--workers", "0")


def test_a_dry_run_shows_the_plan_and_its_cost_and_writes_nothing(budew, tmp_path):
    out = tmp_path / "acted"
    shown = budew("corpus", "act", out, "--clips", 80, "--seed", 1, "--dry-run", "--price", 1_000_000)
    assert shown.status == 0
    for word in ("emotion", "voice", "challenge", "act-1-0000000", "act-1-0000004", "whisper", "80 requests"):
        assert word in shown.out
    assert "act-1-0000005" not in shown.out
    characters = int(shown.out.partition(" hours, ")[2].partition(" ")[0].replace(",", ""))
    assert f"the speech costs {characters:,}.00" in shown.out
    assert not out.exists()


def test_hours_by_language_are_planned_and_the_first_clips_spoken(budew, tmp_path):
    hours = ("--hours", "en=0.5,fr=0.2,en+de+challenges=0.1", "--clip-seconds", 4, "--seed", 1)
    shown = budew("corpus", "act", tmp_path / "a", *hours, "--dry-run")
    assert shown.status == 0
    for word in ("720 requests", "0.80 hours", "en 0.50, fr 0.20, en-de-challenges 0.10", "act-1-en-0000000"):
        assert word in shown.out
    done = budew("corpus", "act", tmp_path / "b", *hours, "--clips", 12, "--workers", 0)
    assert (done.status, "12 clips in" in done.out) == (0, True)
    clips = list(read(tmp_path / "b"))
    assert {clip.language for clip in clips} >= {"en", "fr"}
    assert all((clip.metadata["acting"]["challenge"] == "plain") != ("chall" in clip.id) for clip in clips)


def test_published_hours_are_in_the_help_and_need_the_accents(budew, tmp_path):
    shown = " ".join(budew("corpus", "act", "--help").out.replace("│", " ").split())
    assert all(name in shown for name in synthesis_table("acting/hours"))
    failed = budew("corpus", "act", tmp_path, "--hours", "emonet-voice-big", "--dry-run")
    assert (failed.status, failed.err.count("\n")) == (1, 1)
    assert "no accent 'louisiana' of en with espeak-ng" in failed.err


def test_speech_is_made_offline_and_checked(budew, tmp_path, whisper_folder):
    done = budew("corpus", "act", tmp_path / "a", *SHORT)
    assert (done.status, done.out) == (0, f"4 clips in {tmp_path / 'a'}: 1 of 1 shards, 1 done now\n")
    assert len(list(read(tmp_path / "a"))) == 4
    words = ("--check-words", whisper_folder, "--device", "cpu")
    checked = budew("corpus", "act", tmp_path / "b", *SHORT, *words)
    assert checked.status == 0
    assert "0 clips in" in checked.out
    assert "4 were left out: see" in checked.out
    rows = [json.loads(line) for line in (tmp_path / "b" / "left_out.jsonl").read_text().splitlines()]
    assert [row["clip"] for row in rows] == [f"act-1-000000{number}" for number in range(4)]
    assert all(row["wer"] > 0.3 and row["recognized"] and row["kind"] == "WordsError" for row in rows)
    kept = budew("corpus", "act", tmp_path / "c", *SHORT, *words, "--max-wer", 1_000)
    assert kept.status == 0
    assert all(clip.metadata["words"]["wer"] > 0.3 for clip in read(tmp_path / "c"))


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ((), 2),
        (("--clips", 3, "--api", "chat"), 2),
        (("--clips", 3, "--audio-prompt", __file__), 2),
        (("--clips", 3, "--api", "chat", *NOBODY, "--audio-prompt", __file__, "--dry-run"), 1),
        (("--clips", 3, "--set", "personas=caring nurse", "--dry-run"), 1),
        (("--clips", 3, "--api", "chat", *NOBODY, "--dry-run", "--price", 1), 2),
        (("--hours", "xx=1"), 1),
    ],
)
def test_missing_or_contradicting_options_are_errors(budew, tmp_path, options, status):
    outcome = budew("corpus", "act", tmp_path / "out", *options)
    assert (outcome.status, outcome.out) == (status, "")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        (("--languages", "en,xx"), "no language 'xx'"),
        (("--base-url", "espeak", "--model", "m"), "is not a URL"),
        (("--set", "textes=neutral", "--dry-run"), "unknown setting 'textes'"),
        ((*NOBODY, "--set", "retries=0", "--set", "patience=0.1"), "has not answered"),
    ],
)
def test_invalid_plans_are_errors_of_one_line(budew, tmp_path, options, reported):
    outcome = budew("corpus", "act", tmp_path / "out", "--clips", 3, "--seed", 1, *options)
    assert outcome.status == 1
    assert outcome.err.startswith("budew: ")
    assert reported in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_a_checkpoint_without_the_language_is_reported_before_synthesis(budew, tmp_path, whisper_folder):
    outcome = budew(
        "corpus", "act", tmp_path / "out", "--clips", 3, "--seed", 1, "--languages", "de",
        "--check-words", whisper_folder, "--device", "cpu",
    )  # fmt: skip
    assert outcome.status == 1
    assert "does not support the language 'de'" in outcome.err
    assert not (tmp_path / "out").exists()
