"""`budew paraphrase`: what each backend needs, what a model is asked, what is measured and harvested."""

import json

import pytest
import yaml

from benchmarks.paraphrase_server import Behavior, running
from budew.captions import render
from budew.corpora import Caption, Clip, read
from budew.corpora.shards import write_shard
from budew.io.resources import data_folder
from budew.paraphrase import judge, load_prompts
from budew.paraphrase.backend import RewriteRequest
from budew.paraphrase.rewriting_job import source_caption
from budew.profile import VoiceProfile
from tests.paraphrase.scripted import some_clips

PROFILE = VoiceProfile({"Awe": 0.75, "Fear": 0.25}, ["Sniff"], {"gender": "female"})
REFUSALS = [{"text": "A sense of zorbling.", "codes": ["lost"], "missed": ["Anger"], "unknown": []}] * 2


@pytest.fixture
def corpus(tmp_path):
    write_shard(tmp_path / "in/a.tar", some_clips(12))
    return tmp_path / "in"


def test_the_offline_grammar_needs_no_server(budew, corpus, tmp_path):
    out = tmp_path / "out"
    outcome = budew("paraphrase", "run", corpus, out, "--per-clip", "2", "--workers", "0")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"24 accepted\n12 clips in {out}: 1 of 1 shards, 1 done now\n"
    for clip in read(out):
        assert all(judge(caption.text, clip.profile).accepted for caption in clip.captions)
    assert budew("paraphrase", "report", out).status == 0


def test_a_server_is_asked_and_its_costs_are_printed(budew, corpus, tmp_path):
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
    ("given", "named"),
    [
        ("chat --model m", "--base-url"),
        ("grammar --model m", "--model"),
        ("grammar --ban ban.yaml", "--ban"),
        ("grammar --plain", "--plain"),
    ],
)
def test_an_option_that_a_backend_lacks_or_does_not_use_is_named(budew, corpus, tmp_path, given, named):
    outcome = budew("paraphrase", "run", corpus, tmp_path / "out", "--backend", *given.split())
    assert outcome.status == 2
    assert named in outcome.err
    assert not (tmp_path / "out").exists()


def test_settings_without_an_option_are_changed_by_set(budew, corpus, tmp_path):
    changes = ("--set", "gate.nearest_source=0.0", "--set", "keep_refused=false", "--set", "attempts=1")
    outcome = budew("paraphrase", "run", corpus, tmp_path / "out", "--workers", "0", *changes)
    assert outcome.status == 0
    (clip, *_) = read(tmp_path / "out")
    assert clip.metadata["paraphrase"]["codes"] == {"copy": 2}  # any text shares some runs with its template
    assert "refusals" not in clip.metadata["paraphrase"]
    outcome = budew("paraphrase", "run", corpus, tmp_path / "wrong", "--set", "gate.tolerance=9")
    assert (outcome.status, "gate.tolerance" in outcome.err) == (1, True)


def test_a_dry_run_asks_no_server_and_writes_nothing(budew, corpus, tmp_path):
    given = ("--backend", "chat", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--dry-run")
    cache = ("--set", f"cache={tmp_path}/c.sqlite")
    outcome = budew("paraphrase", "run", corpus, tmp_path / "out", *given, *cache)
    assert outcome.status == 0
    assert "1 of 1 shards to do" in outcome.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_captions_from_anywhere_are_judged(budew, tmp_path):
    spoken = {"caption": "An angry voice says give me back my money.", "transcript": "Give me back my money!"}
    rows = [
        {"caption": "A deeply angry voice.", "profile": {"emotions": {"Anger": 0.75}}},
        {"caption": "A happy man. \x1b[31m", "profile": {"emotions": {"Anger": 0.75}}},
        {**spoken, "profile": {"emotions": {"Anger": 0.5}}, "source": None},
        {"caption": "No profile."},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows) + "[]\n"
    out = tmp_path / "verdicts.jsonl"
    outcome = budew("paraphrase", "judge", "-", "--jsonl", out, stdin=text.encode())
    assert outcome.status == 1
    assert "lost Anger; added Elation" in outcome.out
    assert "\x1b" not in outcome.out
    assert [f"line {number}" in outcome.err for number in range(1, 6)] == [False] * 3 + [True] * 2
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["accepted"] for row in written] == [True, False, False]
    assert written[1]["missed"] == ["Anger"]
    counts = outcome.out.partition("1 of 3 pass\n")[2].splitlines()
    assert "  spoken: 1" in counts


@pytest.mark.parametrize("status", [0, 1])
def test_unknown_words_of_refused_candidates_are_listed(budew, tmp_path, status):
    write_shard(
        tmp_path / "in/b.tar", [Clip("a", b"RIFF", "wav", metadata={"paraphrase": {"refusals": REFUSALS}})]
    )
    if status:
        (tmp_path / "in/a.tar").write_bytes(b"no shard" * 200)
    found = tmp_path / "found.jsonl"
    outcome = budew("paraphrase", "harvest", tmp_path / "in", "--jsonl", found)
    assert (outcome.status, "a.tar" in outcome.err) == (status, bool(status))
    assert "zorbling" in outcome.out
    row = json.loads(found.read_text())
    assert (row["word"], row["missed"], row["emotions"], row["share"]) == ("zorbling", 2, {"Anger": 2}, 1.0)


def rewritten(number: int) -> Clip:
    profile = VoiceProfile({"Sadness": 0.75, "Fear": 0.25})
    text = f"You can sort of hear it. {render(profile, seed=100 + number)}"
    made_by = {"by": "paraphrase", "of": render(profile, seed=number), "backend": "chat", "style": "\x1b[31m"}
    account = {"candidates": 1, "accepted": 1}
    return Clip(
        f"c{number}", b"RIFF", "wav", profile=profile, captions=(Caption(text, made_by),),
        metadata={"paraphrase": account},
    )  # fmt: skip


def test_a_report_is_written_as_json_page_and_ban_list_that_agree(budew, tmp_path):
    write_shard(tmp_path / "a.tar", map(rewritten, range(30)))
    page, results, ban = (tmp_path / name for name in ("r.html", "r.json", "ban.yaml"))
    files = ("--html", page, "--json", results, "--ban", ban)
    outcome = budew("paraphrase", "report", tmp_path / "a.tar", *files, "--sample", 10, "--seed", 3)
    assert outcome.status == 0, outcome.err
    found = json.loads(results.read_text())
    assert (found["clips"], found["sampled_clips"], found["seed"]) == (30, 10, 3)
    assert yaml.safe_load(ban.read_text())["phrases"][0] == found["lint"]["overused_phrases"][0]["phrase"]
    assert "\x1b" not in outcome.out
    assert "Rewritten" in page.read_text()


@pytest.fixture
def prompt(budew, tmp_path):
    profile = tmp_path / "profile.json"
    profile.write_text(PROFILE.to_json())
    return lambda *arguments: budew("paraphrase", "prompt", profile, *arguments)


def test_the_exact_prompt_is_shown(prompt):
    for style, seed in (("literary", 4), ("plain", 0)):
        form = load_prompts().styles[style].source_style
        source = source_caption("", 0, PROFILE, seed=seed, style=form)
        request = RewriteRequest("", source, PROFILE, seed, style=style)
        system, user = load_prompts().messages(request, structured=True)
        given = ("--style", style, "--seed", seed)
        assert prompt(*given).out == f"[system]\n{system['content']}\n\n[user]\n{user['content']}\n"
        assert prompt(*given, "--format", "text").out == load_prompts().text(request) + "\n"
        system, _ = load_prompts().messages(request, structured=False)
        assert system["content"] in prompt(*given, "--plain").out
    assert prompt("--style", "grand").status == 2


def test_a_custom_prompt_file_and_phrases_to_avoid_are_used(prompt, tmp_path):
    text = (data_folder("paraphrase") / "prompts.yaml").read_text(encoding="utf-8")
    text = text.replace("examples: {file: examples.yaml, count: 4}", "")
    (tmp_path / "mine.yaml").write_text(text.replace("You rewrite", "Please rewrite"), encoding="utf-8")
    (tmp_path / "ban.yaml").write_text("phrases: [a tapestry of]")
    shown = prompt("--prompt", tmp_path / "mine.yaml", "--ban", tmp_path / "ban.yaml").out
    assert shown.startswith("[system]\nPlease rewrite captions")
    assert "Examples" not in shown
    assert "do not use: a tapestry of." in shown.partition("[user]")[0]
