"""What the rewriting job writes is what the report reads: its counts add up, whatever the backend does."""

import pytest

from budew.captions import render
from budew.corpora import write_shard
from budew.jobs import run
from budew.paraphrase import GrammarBackend, Paraphrase, Request, Rewriting
from budew.paraphrase.metrics import paraphrase_report
from tests.paraphrase.scripted import Scripted, some_clips

CLIPS = 24


def faithful(request: Request) -> list[str]:
    return [render(request.profile, seed=seed) for seed in (request.seed, request.seed + 1)]


def now_and_then_wrong(request: Request) -> list[str] | str:
    if request.seed % 5 == 0:
        return "the server went away"
    wrong = "A very angry, deeply ashamed 1234 voice."
    return [wrong, *faithful(request)] if request.seed % 5 < 3 else [wrong]


def mute(request: Request) -> list[str]:
    return ["A voice."]


BACKENDS = {
    "grammar": GrammarBackend(),
    "faithful": Scripted(faithful),
    "now and then wrong": Scripted(now_and_then_wrong),
    "mute": Scripted(mute),
}


@pytest.mark.parametrize("name", BACKENDS)
def test_the_counts_of_a_job_add_up(name, tmp_path) -> None:
    write_shard(tmp_path / "in.tar", some_clips(CLIPS))
    run(Paraphrase(BACKENDS[name], Rewriting(per_clip=2)), tmp_path / "in.tar", tmp_path / "out", workers=0)
    found = paraphrase_report([tmp_path / "out"])
    counts = found.accounts.counts
    assert (found.clips, found.accounts.clips, found.accounts.told) == (CLIPS, CLIPS, [])
    assert counts["accepted"] + counts["repaired"] + counts["fallbacks"] == 2 * CLIPS
    assert found.origins.captions == 2 * CLIPS
    assert found.after is not None
    assert found.after.recall.value == 1
    assert found.after.precision.value == 1
    if counts["refused"]:
        assert found.refused
    if found.before is not None:
        assert found.before.recall.value <= 1
