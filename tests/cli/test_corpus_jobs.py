"""Jobs on the command line: output, exit status, options that all share."""

import json

import numpy as np
import pytest
import soundfile


@pytest.fixture
def recordings(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("a", "b", "c"):
        soundfile.write(folder / f"{name}.flac", np.random.default_rng(0).normal(0, 0.1, 1600), 16_000)
        (folder / f"{name}.json").write_text(json.dumps({"profile": {"emotions": {"Anger": 0.5}}}))
    return folder


def test_convert_then_render(budew, recordings, tmp_path):
    shards, captioned = tmp_path / "shards", tmp_path / "captioned"
    outcome = budew("corpus", "convert", recordings, shards, "--workers", "0", "--clips-per-shard", "2")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"3 clips in {shards}: 2 of 2 shards, 2 done now\n"
    assert budew("corpus", "render", shards, captioned, "--per-clip", "2", "--workers", "0").status == 0
    assert "2 of 2 shards, 0 done now" in budew("corpus", "render", shards, captioned, "--per-clip", "2").out
    assert "captioned" in budew("corpus", "stats", captioned).out.lower()


def test_audio_beyond_the_folder_of_a_manifest_is_read_where_the_user_allows_it(
    budew, recordings, tmp_path, monkeypatch
):
    manifest = tmp_path / "lists" / "clips.csv"
    manifest.parent.mkdir()
    manifest.write_text(f"audio\n{recordings}/a.flac\n../recordings/b.flac\n")
    arguments = ("corpus", "convert", manifest, tmp_path / "out", "--workers", "1")
    assert budew(*arguments).status == 1
    monkeypatch.setenv("BUDEW_AUDIO_ROOT", "")
    outcome = budew("--audio-root", recordings, *arguments, "--retry-failed")
    assert (outcome.status, outcome.out.partition(" in ")[0]) == (0, "2 clips")


def test_failures_are_listed_with_status_1(budew, recordings, tmp_path):
    (recordings / "c.flac").write_bytes(b"no audio")
    outcome = budew("corpus", "convert", recordings, tmp_path / "out", "--workers", "0")
    assert outcome.status == 1
    failed, reason = outcome.err.splitlines()
    assert failed == f"budew: 1 items failed: see {tmp_path / 'out/failures.jsonl'}"
    assert reason.startswith("budew: 1 × clip '…': this is not audio")
    assert json.loads((tmp_path / "out/failures.jsonl").read_text())["clip"] == "c"


def test_a_dry_run_prints_the_shards_and_writes_nothing(budew, recordings, tmp_path):
    outcome = budew("corpus", "convert", recordings, tmp_path / "out", "--dry-run", "--clips-per-shard", "1")
    assert outcome.status == 0
    assert "3 of 3 shards to do" in outcome.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("before", "asked", "said"),
    [
        (
            None,
            ("annotate", "labels", "--labels", "gone.json"),
            "gone.json cannot be read (No such file",
        ),
        (
            None,
            ["annotate", "llm", "--model", "m", "--base-url", "http://h:9", "--set", "key_variable=NO_KEY"],
            "the environment variable NO_KEY is not set",
        ),
        ("convert", ("render",), "out holds another job ('convert', not 'render')"),
        ("convert", ("convert", "--max-seconds", "9"), "max_seconds was 600.0 and is now 9.0"),
        ("files", ("convert",), "out is not empty (mine.txt is in it)"),
        (None, ("convert", "--set", "gpus=1"), "--set gpus=1: unknown setting 'gpus' of this command; add"),
        (None, ("convert", "--executor", "ray", "--set", "gpus=-1"), "gpus: input should be greater"),
        (None, ("convert", "--cluster", "gone.yaml"), "gone.yaml cannot be read"),
    ],
)
def test_a_dry_run_reports_the_same_errors_as_the_run(
    budew, recordings, tmp_path, monkeypatch, before, asked, said
):
    monkeypatch.chdir(tmp_path)
    if before == "convert":
        budew("corpus", "convert", recordings, "out", "--workers", "0")
    elif before == "files":
        (tmp_path / "out").mkdir()
        (tmp_path / "out/mine.txt").touch()
    there = sorted(tmp_path.rglob("*"))
    command = ["corpus", *asked, recordings, "out"]
    dry, real = budew(*command, "--dry-run"), budew(*command, "--workers", "0")
    assert said in dry.err
    assert (dry.status, dry.out, dry.err) == (1, "", real.err)
    assert sorted(tmp_path.rglob("*")) == there


def test_shards_whose_ray_ranks_failed_are_named_with_their_logs(budew, recordings, tmp_path, monkeypatch):
    monkeypatch.setattr("budew.jobs.plan.launch", lambda *_: True)
    outcome = budew("corpus", "convert", recordings, tmp_path / "out", "--executor", "ray")
    assert f"given up, its rank failed, see {tmp_path}/out/logs; the next run tries it again" in outcome.err
    assert outcome.status == 1
    assert "queued" not in outcome.out


def test_jobs_without_input_have_a_dry_run(budew, tmp_path):
    outcome = budew("corpus", "synthesize", tmp_path / "out", "--clips", "700", "--dry-run")
    assert outcome.out.splitlines() == [
        "synthesize: 2 of 2 shards to do, 700 clips",
        f"  clips 0 to 499 → {tmp_path}/out/train-00000.tar",
        f"  clips 500 to 699 → {tmp_path}/out/train-00001.tar",
    ]
    assert not (tmp_path / "out").exists()
