"""`budew paraphrase report`: tables, page, figures and a ban list of one reading, and its status."""

import json

import pytest
import typer
import yaml
from typer.testing import CliRunner

from budew.captions import render
from budew.cli.paraphrase_report import report
from budew.corpora import Caption, Clip, write_shard
from budew.profile import VoiceProfile


def clip(number: int, **counts: int) -> Clip:
    profile = VoiceProfile({"Sadness": 0.75, "Fear": 0.25})
    text = f"You can sort of hear it. {render(profile, seed=100 + number)}"
    made_by = {"by": "paraphrase", "of": render(profile, seed=number), "backend": "chat", "style": "\x1b[31m"}
    account = {"candidates": 1, "accepted": 1, **counts}
    return Clip(
        f"c{number}", b"RIFF", "wav", profile=profile, captions=(Caption(text, made_by),),
        metadata={"paraphrase": account},
    )  # fmt: skip


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(report)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def shard(tmp_path):
    write_shard(tmp_path / "a.tar", map(clip, range(30)))
    return tmp_path / "a.tar"


def test_everything_is_written_and_agrees(run, shard, tmp_path) -> None:
    page, figures, ban = (tmp_path / name for name in ("r.html", "r.json", "ban.yaml"))
    outcome = run(shard, "--html", page, "--json", figures, "--ban", ban, "--sample", 10, "--seed", 3)
    assert outcome.exit_code == 0, outcome.output
    told = json.loads(figures.read_text())
    assert (told["clips"], told["sampled_clips"], told["seed"]) == (30, 10, 3)
    assert yaml.safe_load(ban.read_text())["phrases"][0] == told["lint"]["overused_phrases"][0]["phrase"]
    assert "the counts of all 30 clips add up" in outcome.output
    assert "\x1b" not in outcome.output
    assert "self-BLEU" in outcome.output
    assert "Rewritten" in page.read_text()


def test_counts_that_do_not_add_up_end_with_status_1(run, tmp_path) -> None:
    write_shard(tmp_path / "b.tar", [clip(1, candidates=5)])
    outcome = run(tmp_path / "b.tar")
    assert outcome.exit_code == 1
    assert "the counts of 1 clips do not add up" in outcome.output
    assert "c1: 5 candidates, of which 1 have a fate" in outcome.output


def test_nothing_that_is_read_is_replaced(run, shard, tmp_path) -> None:
    before = shard.read_bytes()
    for name in ("--html", "--json", "--ban"):
        outcome = run(shard, "--json", tmp_path / "r.json", name, shard)
        assert isinstance(outcome.exception, ValueError), name
        (tmp_path / "r.json").write_text("{}")
    assert shard.read_bytes() == before
