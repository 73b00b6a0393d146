"""The report counts every clip once, adds up, and is the same for the same clips in any order."""

import io
import json
from dataclasses import replace
from random import Random

import pytest
import yaml

from budew.captions import render
from budew.captions.lint.corpus import Overused
from budew.corpora import Caption, Clip, write_shard
from budew.errors import CorpusError, InputError
from budew.jobs import run
from budew.paraphrase import GrammarBackend, Paraphrase, Request, Rewriting
from budew.paraphrase.metrics.report import ParaphraseReport, banned_phrases, paraphrase_report, write_ban
from budew.reports.paraphrase_tables import paraphrase_tables
from budew.terminal import console_on
from tests.paraphrase.scripted import Scripted, some_clips

CLIPS = 24


def figures(found: ParaphraseReport) -> dict:
    return {name: value for name, value in found.to_dict().items() if name not in ("corpora", "lint")}


def test_counts_add_up(corpus, clips) -> None:
    found = paraphrase_report([corpus])
    counts, captions = found.candidates.counts, found.captions
    assert (found.clips, found.others, found.bad, found.sampled) == (len(clips), 0, 0, len(clips))
    assert counts["candidates"] == sum(counts[fate] for fate in ("accepted", "repaired", "spare", "refused"))
    fallbacks = sum(captions.fallbacks.values())
    assert counts["accepted"] + counts["repaired"] + counts["fallbacks"] == captions.captions
    assert (counts["fallbacks"], counts["repaired"]) == (fallbacks, captions.repaired)
    assert found.overused.captions == captions.captions - fallbacks
    assert found.candidates.wrong == 0


def test_order_and_the_number_of_files_do_not_matter(clips, written) -> None:
    shuffled = Random(4).sample(clips, len(clips))
    parts = [written(shuffled[:25], "one.tar"), written(shuffled[25:], "two.tar")]
    whole = paraphrase_report([written(clips, "whole.tar")], sample=20)
    assert figures(paraphrase_report(parts, sample=20)) == figures(whole)
    assert whole.sampled == 20
    assert figures(paraphrase_report(parts, sample=20, seed=1)) != figures(whole)


def test_everything_is_strict_json(corpus) -> None:
    told = json.loads(json.dumps(paraphrase_report([corpus], examples=3).to_dict(), allow_nan=False))
    assert set(told["diversity"]) == {"templates", "paraphrases", "written"}
    assert told["fidelity"]["after_the_gate"]["spearman"]["value"] == pytest.approx(1)
    assert told["fidelity"]["before_the_gate"]["spearman"]["value"] < 0.9
    assert len(told["examples"]) == len(told["refused_examples"]) == 3
    assert told["refused_examples"][0]["codes"] == ["lost", "added"]


def test_the_first_refusals_shown_are_one_of_each_reason(rewritten, written) -> None:
    clips = []
    for number, code in enumerate(["lost"] * 20 + ["added", "digit"], start=1):
        clip = rewritten(number)
        account = {**clip.metadata["paraphrase"], "refusals": [{"text": f"No {number}.", "codes": [code]}]}
        clips.append(replace(clip, metadata={"paraphrase": account}))
    shown = paraphrase_report([written(clips)], examples=4).refused
    assert {example.refusal.codes[0] for example in shown[:3]} == {"lost", "added", "digit"}
    assert len(shown) == 4


def test_an_overused_phrase_of_the_paraphrases_is_found_and_one_of_fallbacks_is_not(
    rewritten, written
) -> None:
    def worded(number: int) -> Clip:
        clip = rewritten(number)
        paraphrase = replace(clip.captions[0], text=f"You can sort of hear it, {clip.captions[0].text}")
        fallback = Caption("As a matter of course a voice.", {"by": "paraphrase", "fallback": "lost"})
        return replace(clip, captions=(paraphrase, fallback))

    found = paraphrase_report([written(map(worded, range(1, 41)))])
    phrases = [overused.phrase for overused in found.overused.phrases]
    assert "can sort of hear" in phrases
    assert not any("matter" in phrase for phrase in phrases)
    assert found.overused.openings[0].phrase == "you can sort"


def test_clips_that_do_not_add_up_and_bad_items_are_told(clips, written, tmp_path) -> None:
    account = {**clips[3].metadata["paraphrase"], "candidates": 1000}
    path = written([*clips[:3], replace(clips[3], metadata={"paraphrase": account})])
    (tmp_path / "bad.tar").write_bytes(path.read_bytes()[:6_000])
    found = paraphrase_report([path])
    assert (found.candidates.wrong, found.candidates.listed[0][0]) == (1, clips[3].id)
    bad: list[CorpusError] = []
    broken = paraphrase_report([path, tmp_path / "bad.tar"], on_bad=bad.append)
    assert broken.bad == len(bad) > 0
    with pytest.raises(CorpusError):
        paraphrase_report([tmp_path / "bad.tar"])
    text = _printed(broken)
    assert "do NOT add up" in text
    assert f"{clips[3].id}: 1000 candidates" in text


def test_captions_without_accounts_are_measured_and_said_to_tell_nothing(clips, written) -> None:
    found = paraphrase_report([written(replace(clip, metadata={}) for clip in clips)])
    assert found.before is None
    assert found.after is not None
    assert found.diversity
    assert "60 clips have no record of their candidates" in _printed(found)


def test_a_corpus_without_paraphrases_is_an_error_that_says_what_to_do(clips, written) -> None:
    plain = [replace(clip, captions=(Caption("A voice.", {"by": "render"}),), metadata={}) for clip in clips]
    with pytest.raises(InputError, match="none of 60 clips has a paraphrase: write them with budew"):
        paraphrase_report([written(plain)])


def test_a_report_of_fallbacks_alone_can_be_read(rewritten, written) -> None:
    made_by = {"by": "paraphrase", "of": "A sad man.", "fallback": "unanswered"}
    clip = replace(rewritten(1), profile=None, captions=(Caption("A man.", made_by),), metadata={})
    found = paraphrase_report([written([clip])])
    assert (found.diversity, found.before, found.after, found.accepted) == ({}, None, None, ())
    assert "fallbacks 1 (100.0 %)" in _printed(found)


def test_the_file_holds_the_phrases_the_most_frequent_first(tmp_path) -> None:
    phrases = [
        Overused("conveys a sense of", 90),
        Overused("yes no on off", 50),
        Overused("été ça va bien", 40),
    ]
    path = tmp_path / "new" / "ban.yaml"
    written = write_ban(phrases, path)
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == {"phrases": list(written)}
    assert written == tuple(found.phrase for found in phrases)


def test_a_formula_that_is_over_used_as_several_phrases_is_banned_once() -> None:
    formula = ["the", "voice", "of", "someone", "who", "has", "given", "up"]
    runs = [" ".join(formula[at : at + 4]) for at in range(len(formula) - 3)]
    banned = banned_phrases([Overused(run, 90 - at) for at, run in enumerate(runs)])
    assert banned[0] == runs[0]
    assert len(banned) == 3  # of eight words, one phrase in two
    assert banned_phrases([]) == ()


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
    counts = found.candidates.counts
    assert (found.clips, found.candidates.clips, found.candidates.listed) == (CLIPS, CLIPS, [])
    assert counts["accepted"] + counts["repaired"] + counts["fallbacks"] == 2 * CLIPS
    assert found.captions.captions == 2 * CLIPS
    assert found.after is not None
    assert found.after.recall.value == 1
    assert found.after.precision.value == 1
    if counts["refused"]:
        assert found.refused
    if found.before is not None:
        assert found.before.recall.value <= 1


def _printed(found: ParaphraseReport) -> str:
    file = io.StringIO()
    console_on(file).print(paraphrase_tables(found))
    return file.getvalue()
