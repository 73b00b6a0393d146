"""The report counts every clip once, its counts add up, and it does not depend on the order of clips."""

import io
import json
import re
from dataclasses import replace
from random import Random

import pytest
import yaml

from budew.captions.lint.corpus import Overused
from budew.cli.terminal import console_on
from budew.corpora import Caption, Clip
from budew.errors import CorpusError, InputError
from budew.paraphrase.metrics.clip_sample import refused_examples
from budew.paraphrase.metrics.report import ParaphraseReport, paraphrase_report, write_ban
from budew.reports import report_tables, rewriting_report
from tests.paraphrase.metrics.conftest import rewritten, sampled


def test_overused_phrases_are_found_in_paraphrases_and_not_in_fallbacks(written) -> None:
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


def test_unreadable_items_are_counted(clips, written, tmp_path) -> None:
    path = written(clips[:4])
    (tmp_path / "bad.tar").write_bytes(path.read_bytes()[:6_000])
    bad: list[CorpusError] = []
    broken = paraphrase_report([path, tmp_path / "bad.tar"], on_bad=bad.append)
    assert broken.bad == len(bad) > 0
    with pytest.raises(CorpusError):
        paraphrase_report([tmp_path / "bad.tar"])


def test_counts_add_up_and_the_report_is_strict_json(corpus, clips) -> None:
    found = paraphrase_report([corpus], examples=3)
    counts, captions = found.candidates.counts, found.captions
    assert (found.clips, found.others, found.bad, found.sampled) == (len(clips), 0, 0, len(clips))
    assert counts["accepted"] + counts["repaired"] + counts["fallbacks"] == captions.captions
    assert (counts["fallbacks"], counts["repaired"]) == (captions.fallbacks.total(), captions.repaired)
    assert found.overused.captions == captions.captions - counts["fallbacks"]
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert set(written["diversity"]) == {"templates", "paraphrases", "written"}
    assert written["fidelity"]["after_the_gate"]["spearman"]["value"] == pytest.approx(1)
    assert written["fidelity"]["before_the_gate"]["spearman"]["value"] < 0.9
    assert len(written["examples"]) == len(written["refused_examples"]) == 3
    assert written["refused_examples"][0]["codes"] == ["lost", "added"]
    refusals = [{"text": f"No {code}.", "codes": [code]} for code in ["lost"] * 20 + ["added", "digit"]]
    [clip] = sampled([replace(clips[0], metadata={"paraphrase": {"refusals": refusals}})])
    codes = [example.refusal.codes[0] for example in refused_examples([clip], 4, seed=0)]
    assert sorted(codes) == ["added", "digit", "lost", "lost"]  # one of each reason first


def test_order_and_the_number_of_files_do_not_matter(clips, written) -> None:
    def metrics(corpora, **given):
        found = paraphrase_report(corpora, sample=20, **given).to_dict()
        return {name: value for name, value in found.items() if name not in ("corpora", "lint")}

    shuffled = Random(4).sample(clips, len(clips))
    parts = [written(shuffled[:25], "one.tar"), written(shuffled[25:], "two.tar")]
    whole = metrics([written(clips, "whole.tar")])
    assert metrics(parts) == whole != metrics(parts, seed=1)
    assert whole["sampled_clips"] == 20


def test_fallbacks_alone_are_measured_and_a_corpus_without_paraphrases_is_refused(written) -> None:
    made_by = {"by": "paraphrase", "of": "A sad man.", "fallback": "unanswered"}
    clip = replace(rewritten(1), profile=None, captions=(Caption("A man.", made_by),), metadata={})
    found = paraphrase_report([written([clip])])
    assert (found.diversity, found.before, found.after, found.accepted) == ({}, None, None, ())
    assert re.search("fallbacks +100.0 %", printed(found))
    with pytest.raises(InputError, match="none of 1 clips"):
        paraphrase_report([written([replace(clip, captions=(Caption("A man.", {"by": "render"}),))])])


def test_a_ban_list_has_each_formula_once_and_frequent_phrases_first(tmp_path) -> None:
    formula = ["the", "voice", "of", "someone", "who", "has", "given", "up"]
    runs = [" ".join(formula[at : at + 4]) for at in range(len(formula) - 3)]
    phrases = [Overused(run, 90 - at) for at, run in enumerate([*runs, "été ça va bien"])]
    banned = write_ban(phrases, tmp_path / "new" / "ban.yaml")
    assert yaml.safe_load((tmp_path / "new/ban.yaml").read_text("utf-8")) == {"phrases": list(banned)}
    assert (banned[0], banned[-1], len(banned)) == (runs[0], "été ça va bien", 4)  # of eight words, three


def printed(found: ParaphraseReport) -> str:
    file = io.StringIO()
    console_on(file).print(report_tables(rewriting_report(found)))
    return file.getvalue()
