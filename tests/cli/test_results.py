"""Where results go: never over what is read, and a place that takes none is told before the work."""

import json
import os
from pathlib import Path

import pytest

from budew.corpora import Clip, export, write_shard
from budew.profile import VoiceProfile

COMMANDS = [
    ("stats", "--json"),
    ("inspect", "--json"),
    ("inspect", "--html"),
    ("split", "--out"),
    ("duplicates", "--json"),
    ("bins", "--json"),
]


@pytest.fixture
def corpora(talk) -> dict[str, Path]:
    """Corpora by kind: the source, and a file of it."""
    audio = (talk / "a.wav").read_bytes()
    profile = VoiceProfile({"Amusement": 0.7})
    clips = [Clip(f"{number}", audio, "wav", profile=profile) for number in range(3)]
    write_shard(talk / "in.tar", clips)
    for to in ("jsonl", "parquet"):
        export(talk / "in.tar", talk / to, to=to)
    (talk / "clips.csv").write_text("audio\na.wav\n")
    (talk / "link.tar").symlink_to("in.tar")
    return {
        "table": talk / "clips.csv",
        "shard": talk / "in.tar",
        "manifest": talk / "jsonl" / "clips.jsonl",
        "rows": talk / "parquet" / "clips-00000.parquet",
        "audio": talk / "a.wav",
    }


def refused(budew, *arguments) -> None:
    ran = budew(*arguments)
    assert (ran.status, ran.out) == (1, "")
    assert "is an input file" in ran.err


@pytest.mark.parametrize(("command", "option"), COMMANDS)
def test_no_result_replaces_what_is_read(budew, corpora, command, option):
    for source in corpora.values():
        kept = source.read_bytes()
        for given in (source, source.parent / f"*{source.suffix}"):
            refused(budew, "corpus", command, given, option, source)
        assert source.read_bytes() == kept


@pytest.mark.parametrize(("command", "option"), COMMANDS)
def test_no_result_becomes_the_json_beside_a_recording(budew, talk, command, option):
    for given in (talk / "a.wav", talk, talk / "*.wav"):
        refused(budew, "corpus", command, given, option, talk / "a.json")
    assert not (talk / "a.json").exists()


def test_no_second_result_and_no_other_command_replaces_what_is_read(budew, talk, corpora, tmp_path):
    predicted, shard = tmp_path / "predicted.jsonl", corpora["shard"]
    predicted.write_text('{"caption": "She is sad."}\n')
    (tmp_path / "link").symlink_to(predicted)
    kept = {path: path.read_bytes() for path in (predicted, *corpora.values())}
    for arguments in (
        ("caption", talk / "a.wav", "--output", talk / "a.wav"),
        ("evaluate", shard, "--predictions", predicted, "--json", shard),
        ("evaluate", shard, "--predictions", predicted, "--html", predicted),
        ("lint", predicted, "--json", tmp_path / "link"),
        ("captions", "coverage", predicted, "--json", predicted),
        ("paraphrase", "report", shard, "--ban", shard),
        ("corpus", "duplicates", shard, "--cache", shard),
        ("corpus", "weights", corpora["rows"].parent, "--out", corpora["rows"]),
        ("corpus", "weights", corpora["table"], "--out", tmp_path / "w.jsonl", "--json", corpora["table"]),
    ):
        refused(budew, *arguments)
    assert {path: path.read_bytes() for path in kept} == kept
    ran = budew("corpus", "inspect", shard, "--json", tmp_path / "same", "--html", tmp_path / "same")
    assert (ran.status, ran.out) == (1, "")
    assert "two outputs have the same file" in ran.err


@pytest.mark.parametrize(("command", "option"), COMMANDS)
def test_a_place_that_takes_no_file_is_refused_before_anything_is_read(
    budew, corpora, tmp_path, command, option
):
    corpora["shard"].write_bytes(b"broken, which would be reported")
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "result", "s3://bucket/result"):
        ran = budew("corpus", command, corpora["shard"], option, place)
        assert ran.status == 1
        assert ran.err.startswith(f"budew: {place}: ")
        assert len(ran.err.splitlines()) == 1


def unprivileged(shell) -> str:
    """Return what to put before a command such that permissions hold for it, also for root."""
    before = "setpriv --bounding-set=-dac_override,-dac_read_search " if os.getuid() == 0 else ""
    if before and shell(f"{before} true").returncode:
        pytest.skip("root here may write and read anything")
    return before


def test_a_folder_without_permission_is_named_with_what_helps(shell, corpora, tmp_path):
    before, source = unprivileged(shell), corpora["shard"]
    for name, mode in (("read-only", 0o500), ("closed", 0)):
        (tmp_path / name).mkdir(mode=mode)
    for option in ("--json", "--html"):
        place = tmp_path / "read-only" / "x"
        ran = shell(f"{before}budew corpus inspect {source} {option} {place}")
        told = f"budew: {place}: Permission denied: check its permissions\n"
        assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", told)
    ran = shell(f"{before}budew corpus inspect {tmp_path / 'closed'}")
    told = f"budew: {tmp_path / 'closed'}: cannot be listed (Permission denied): check its permissions\n"
    assert (ran.returncode, ran.stderr) == (1, told)


@pytest.mark.parametrize("stdout", ["-", "/dev/stdout"])
def test_a_result_on_stdout_is_alone_there(shell, corpora, tmp_path, stdout):
    command = f"budew corpus inspect {corpora['shard']} --json {stdout}"
    shell(f"{command} > {tmp_path / 'file'}")
    piped = shell(f"{command} | cat")
    for printed in (piped.stdout, (tmp_path / "file").read_text()):
        assert json.loads(printed)["statistics"]["clips"] == 3
    assert "3 clips" in piped.stderr
    page = shell(f"budew corpus inspect {corpora['shard']} --html {stdout}").stdout
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>")
