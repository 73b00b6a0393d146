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


@pytest.mark.parametrize(("command", "option"), COMMANDS)
@pytest.mark.parametrize("kind", ["table", "shard", "manifest", "rows", "audio"])
def test_no_result_replaces_what_is_read(budew, corpora, command, option, kind):
    source, kept = corpora[kind], corpora[kind].read_bytes()
    for given in (source, source.parent / f"*{source.suffix}"):
        ran = budew("corpus", command, given, option, source)
        assert (ran.status, ran.out) == (1, "")
        assert "is what is read: name another file" in ran.err
    assert source.read_bytes() == kept


@pytest.mark.parametrize(("kind", "options"), [("manifest", "--out"), ("rows", "--out"), ("table", "--json")])
def test_weights_and_their_report_replace_neither(budew, corpora, tmp_path, kind, options):
    source, kept = corpora[kind], corpora[kind].read_bytes()
    given = [options, source] if options == "--out" else ["--out", tmp_path / "w.jsonl", options, source]
    ran = budew("corpus", "weights", source.parent if options == "--out" else source, *given)
    assert (ran.status, ran.out) == (1, "")
    assert "is what is read: name another file" in ran.err
    assert source.read_bytes() == kept


@pytest.mark.parametrize(("command", "option"), COMMANDS)
def test_no_result_becomes_the_json_beside_a_recording(budew, talk, command, option):
    for given in (talk / "a.wav", talk, talk / "*.wav"):
        ran = budew("corpus", command, given, option, talk / "a.json")
        assert (ran.status, ran.out) == (1, "")
        assert "is what is read: name another file" in ran.err
    assert not (talk / "a.json").exists()


def test_neither_captions_nor_figures_replace_what_they_are_made_of(budew, talk, corpora, tmp_path):
    (tmp_path / "predicted.jsonl").write_text("")
    kept, judged = (
        (talk / "a.wav").read_bytes(),
        (corpora["shard"], "--predictions", tmp_path / "predicted.jsonl"),
    )
    for arguments in (
        ("caption", talk / "a.wav", "--output", talk / "a.wav"),
        ("evaluate", *judged, "--json", corpora["shard"]),
        ("evaluate", *judged, "--html", tmp_path / "predicted.jsonl"),
    ):
        ran = budew(*arguments)
        assert (ran.status, ran.out) == (1, "")
        assert "is what is read" in ran.err
    assert (talk / "a.wav").read_bytes() == kept


def test_two_results_of_one_name_are_refused(budew, corpora, tmp_path):
    same = tmp_path / "same"
    ran = budew("corpus", "inspect", corpora["shard"], "--json", same, "--html", same)
    assert (ran.status, ran.out) == (1, "")
    assert "two results would go here" in ran.err


@pytest.mark.parametrize(("command", "option"), COMMANDS)
def test_a_place_that_takes_no_file_is_told_before_anything_is_read(
    budew, corpora, tmp_path, command, option
):
    corpora["shard"].write_bytes(b"broken, which would be told")
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "result"
    ran = budew("corpus", command, corpora["shard"], option, place)
    assert (ran.status, ran.err) == (1, f"budew: {place}: Not a directory\n")
    ran = budew("corpus", command, corpora["shard"], option, "s3://bucket/result")
    assert (ran.status, ran.err) == (
        1, "budew: s3://bucket/result: is an address: write to a folder here, and upload it\n"
    )  # fmt: skip


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


def test_results_reach_stdout_by_its_path_whether_it_is_a_pipe_or_a_file(shell, corpora, tmp_path):
    command = f"budew corpus stats {corpora['shard']} --json /dev/stdout"
    shell(f"{command} > {tmp_path / 'file'}")
    for told in (shell(f"{command} | cat").stdout, (tmp_path / "file").read_text()):
        found, _ = json.JSONDecoder().raw_decode(told)
        assert found["clips"] == 3
        assert "3 clips" in told
    page = f"budew corpus inspect {corpora['shard']} --html /dev/stdout | grep -c '<html'"
    assert shell(page).stdout == "1\n"
