"""Where results go: never over what is read, and a place that takes none is reported before the work."""

import json
import os
from pathlib import Path

import pytest

from budew.corpora import Clip, ExportOptions, export_corpus, write_shard
from budew.corpora.sources import files_read
from budew.profile import VoiceProfile

COMMANDS = [
    ("stats", "--json"),
    ("inspect", "--json"),
    ("inspect", "--html"),
    ("split", "--out"),
    ("duplicates", "--json"),
    ("duplicates", "--cache"),
]


@pytest.fixture
def corpora(talk) -> list[Path]:
    """A file of each kind that a corpus may consist of, the shard first."""
    audio = (talk / "a.wav").read_bytes()
    profile = VoiceProfile({"Amusement": 0.7})
    write_shard(talk / "in.tar", [Clip(f"{number}", audio, "wav", profile=profile) for number in range(3)])
    for to in ("jsonl", "parquet"):
        export_corpus(talk / "in.tar", talk / to, ExportOptions(to))
    (talk / "clips.csv").write_text("audio\na.wav\n")
    manifest, rows = talk / "jsonl" / "clips.jsonl", talk / "parquet" / "data" / "clips-00000.parquet"
    return [talk / "in.tar", talk / "clips.csv", manifest, rows, talk / "a.wav"]


def test_a_corpus_of_any_kind_names_the_files_that_are_read(corpora, talk):
    for source in corpora:
        for given in (source, source.parent / f"*{source.suffix}"):
            assert source in set(files_read(given))
    for given in (talk / "a.wav", talk / "*.wav"):
        assert talk / "a.json" in set(files_read(given))  # read where it is there


def refused(budew, *arguments) -> None:
    ran = budew(*arguments)
    assert (ran.status, ran.out) == (1, "")
    assert "is an input file" in ran.err


@pytest.mark.parametrize(("command", "option"), COMMANDS)
def test_results_never_replace_inputs_and_need_a_writable_folder(budew, corpora, tmp_path, command, option):
    shard, before = corpora[0], corpora[0].read_bytes()
    refused(budew, "corpus", command, shard, option, shard)
    assert shard.read_bytes() == before
    shard.write_bytes(b"broken, which would be reported")
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "result", "s3://bucket/result"):
        ran = budew("corpus", command, shard, option, place)
        assert ran.status == 1
        assert ran.err.startswith((f"budew: {place}: ", f"budew: {place} "))
        assert len(ran.err.splitlines()) == 1


def test_no_result_of_any_command_replaces_an_input(budew, talk, corpora, tmp_path):
    predicted, (shard, table, _, rows, _) = tmp_path / "predicted.jsonl", corpora
    predicted.write_text('{"caption": "She is sad."}\n')
    (tmp_path / "link").symlink_to(predicted)
    kept = {path: path.read_bytes() for path in (predicted, *corpora)}
    for arguments in (
        ("caption", talk / "a.wav", "--output", talk / "a.wav"),
        ("evaluate", shard, "--predictions", predicted, "--json", shard),
        ("evaluate", shard, "--predictions", predicted, "--html", predicted),
        ("lint", predicted, "--json", tmp_path / "link"),
        ("captions", "coverage", predicted, "--json", predicted),
        ("paraphrase", "report", shard, "--ban", shard),
        ("corpus", "weights", rows.parent, "--out", rows),
        ("corpus", "weights", table, "--out", tmp_path / "w.jsonl", "--json", table),
    ):
        refused(budew, *arguments)
    assert {path: path.read_bytes() for path in kept} == kept
    ran = budew("corpus", "inspect", shard, "--json", tmp_path / "same", "--html", tmp_path / "same")
    assert (ran.status, ran.out) == (1, "")
    assert "two outputs have the same file" in ran.err


def test_a_folder_without_permission_is_named_with_the_remedy(shell, corpora, tmp_path):
    before = "setpriv --bounding-set=-dac_override,-dac_read_search " if os.getuid() == 0 else ""
    if before and shell(f"{before} true").returncode:
        pytest.skip("root here may write and read anything")
    (tmp_path / "read-only").mkdir(mode=0o500)
    place = tmp_path / "read-only" / "x"
    ran = shell(f"{before}budew corpus inspect {corpora[0]} --json {place}")
    expected = f"budew: {place}: Permission denied: check its permissions\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", expected)


def test_a_result_on_stdout_is_not_mixed_with_the_summary(shell, corpora):
    piped = shell(f"budew corpus inspect {corpora[0]} --json - | cat")
    assert json.loads(piped.stdout)["statistics"]["clips"] == 3
    assert "3 clips" in piped.stderr
    page = shell(f"budew corpus inspect {corpora[0]} --html /dev/stdout").stdout
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>")
