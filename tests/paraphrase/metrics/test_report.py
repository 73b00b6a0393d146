"""The report counts every clip once, adds up, compares like with like, and does not depend on the order."""

import io
import json
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from budew.captions import render
from budew.captions.lint.corpus import Overused
from budew.cli.terminal import console_on
from budew.corpora import Caption, Clip, write_shard
from budew.errors import CorpusError, InputError
from budew.jobs import run
from budew.paraphrase import Paraphrase, RewriteRequest, Rewriting
from budew.paraphrase.metrics.diversity import diversity
from budew.paraphrase.metrics.report import (
    COMPARED,
    ParaphraseReport,
    compare_diversity,
    fidelity_after,
    fidelity_before,
    paraphrase_report,
    target_of,
    write_ban,
)
from budew.paraphrase.metrics.sample import refused_examples
from budew.profile import VoiceProfile
from budew.reports.paraphrase_tables import paraphrase_tables
from tests.paraphrase.metrics.conftest import rewritten, sampled
from tests.paraphrase.scripted import Scripted, some_clips


def test_an_overused_phrase_of_the_paraphrases_is_found_and_one_of_fallbacks_is_not(written) -> None:
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


def test_clips_that_do_not_add_up_and_bad_items_are_counted_and_named(clips, written, tmp_path) -> None:
    account = {**clips[3].metadata["paraphrase"], "candidates": 1000}
    path = written([*clips[:3], replace(clips[3], metadata={"paraphrase": account})])
    (tmp_path / "bad.tar").write_bytes(path.read_bytes()[:6_000])
    bad: list[CorpusError] = []
    broken = paraphrase_report([path, tmp_path / "bad.tar"], on_bad=bad.append)
    assert broken.bad == len(bad) > 0
    assert (broken.candidates.wrong, broken.candidates.listed[0][0]) == (1, clips[3].id)
    with pytest.raises(CorpusError):
        paraphrase_report([tmp_path / "bad.tar"])
    assert f"{clips[3].id}: 1000 candidates" in printed(broken)


def test_counts_add_up_and_everything_is_strict_json(corpus, clips) -> None:
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


def test_corpora_of_fallbacks_alone_are_measured_and_those_without_paraphrases_are_refused(written) -> None:
    made_by = {"by": "paraphrase", "of": "A sad man.", "fallback": "unanswered"}
    clip = replace(rewritten(1), profile=None, captions=(Caption("A man.", made_by),), metadata={})
    found = paraphrase_report([written([clip])])
    assert (found.diversity, found.before, found.after, found.accepted) == ({}, None, None, ())
    assert "fallbacks 1 (100.0 %)" in printed(found)
    with pytest.raises(InputError, match="none of 1 clips"):
        paraphrase_report([written([replace(clip, captions=(Caption("A man.", {"by": "render"}),))])])


def test_a_ban_list_holds_a_formula_once_the_most_frequent_phrases_first(tmp_path) -> None:
    formula = ["the", "voice", "of", "someone", "who", "has", "given", "up"]
    runs = [" ".join(formula[at : at + 4]) for at in range(len(formula) - 3)]
    phrases = [Overused(run, 90 - at) for at, run in enumerate([*runs, "été ça va bien"])]
    banned = write_ban(phrases, tmp_path / "new" / "ban.yaml")
    assert yaml.safe_load((tmp_path / "new/ban.yaml").read_text("utf-8")) == {"phrases": list(banned)}
    assert (banned[0], banned[-1], len(banned)) == (runs[0], "été ça va bien", 4)  # of eight words, three


def test_the_counts_of_a_job_add_up(tmp_path) -> None:
    def now_and_then_wrong(request: RewriteRequest) -> list[str] | str:
        right = [render(request.profile, seed=seed) for seed in (request.seed, request.seed + 1)]
        wrong = "A very angry, deeply ashamed 1234 voice."
        return ["the server went away", [wrong], [wrong, *right], right, ["A voice."]][request.seed % 5]

    write_shard(tmp_path / "in.tar", some_clips(24))
    job = Paraphrase(Scripted(now_and_then_wrong), Rewriting(per_clip=2))
    run(job, tmp_path / "in.tar", tmp_path / "out", workers=0)
    found = paraphrase_report([tmp_path / "out"])
    assert (found.clips, found.candidates.clips, found.candidates.listed) == (24, 24, [])
    assert found.captions.captions == 48
    assert found.after.recall.value == found.after.precision.value == 1 > found.before.recall.value
    assert found.refused


def printed(found: ParaphraseReport) -> str:
    file = io.StringIO()
    console_on(file).print(paraphrase_tables(found))
    return file.getvalue()


def test_neither_order_nor_size_decides_which_clips_of_a_sample_come_first(clips) -> None:
    @given(st.permutations(clips), st.integers(1, 70))
    def check(shuffled, size) -> None:
        assert sampled(shuffled, size) == sampled(clips)[:size]

    check()
    assert sampled(clips, 10) != sampled(clips, 10, seed=1)


def test_clips_of_one_name_are_both_sampled_and_kept_without_audio() -> None:
    one = rewritten(1)
    other = replace(one, captions=(Caption("Another.", one.captions[0].made_by),))
    kept = sampled([one, other])
    assert kept == sampled([other, one])
    assert len(kept) == 2
    assert not hasattr(kept[0], "audio")
    assert [refusal.model_dump() for refusal in kept[0].refusals] == one.metadata["paraphrase"]["refusals"]


def test_diversity_is_measured_on_as_many_captions_and_words(clips) -> None:
    fallback = {"by": "paraphrase", "fallback": "lost"}
    bare = replace(rewritten(99), captions=(Caption("A voice.", fallback),))
    sides = compare_diversity(sampled([*clips, bare]), seed=0)
    assert tuple(sides) == COMPARED
    assert {side.captions for side in sides.values()} == {len(clips)}
    templates = [clip.captions[0].made_by["of"] for clip in clips]
    words = min(diversity(templates).words, sides["paraphrases"].words)
    assert sides["templates"] == diversity(templates, compared_words=words)
    assert all(min(words, side.words) - 30 < side.compared_words <= words for side in sides.values())


def test_without_a_template_a_fresh_rendering_stands_for_it_and_without_a_profile_nothing() -> None:
    [clip] = sampled([rewritten(1)])
    caption, bare = clip.captions[0], Caption(clip.captions[0].text, {"by": "paraphrase"})
    assert clip.template_of(caption, seed=0) == caption.made_by["of"]
    assert clip.template_of(bare, seed=0) == clip.template_of(bare, seed=0) is not None
    unknown = replace(clip, profile=None, captions=(bare,))
    assert unknown.template_of(bare, seed=0) is None
    assert compare_diversity([unknown], seed=0) == {}


def counts(**fates):
    return Counter({"accepted": 0, "repaired": 0, "spare": 0, "refused": 0, **fates})


def test_before_the_gate_each_kind_weighs_as_much_as_it_is_counted(clips) -> None:
    held = sampled(clips)
    for passed, failed in ((100, 100), (10, 1000), (1000, 10)):
        before = fidelity_before(held, counts(accepted=passed, refused=failed), seed=0)
        assert before.spearman.value == pytest.approx(passed / (passed + failed), abs=0.06)
        same = fidelity_before(held, counts(accepted=passed, repaired=failed, spare=999), seed=0)
        assert same == before


def test_captions_are_compared_with_what_their_template_says_of_the_profile() -> None:
    profile = VoiceProfile({"Sadness": 1, "Fear": 0.25})
    part = Caption("Extreme sadness.", {"by": "paraphrase", "of": "An extremely sad voice."})
    [clip] = sampled([replace(rewritten(1), profile=profile, captions=(part,))])
    assert target_of(clip, part) == VoiceProfile({"Sadness": 1})
    after = fidelity_after([clip], seed=0)
    assert after.recall.value == after.precision.value == 1
    for template in ("A slightly sad voice.", "An angry voice.", None):  # no part of the profile
        assert target_of(clip, Caption("", {"of": template})) == profile.quantized()


def test_refused_candidates_of_captions_that_say_different_parts_are_left_out() -> None:
    profile = VoiceProfile({"Sadness": 1, "Fear": 0.25})
    texts = ("Extreme sadness.", "A hint of fear.")
    captions = tuple(Caption(text, {"by": "paraphrase", "of": text}) for text in texts)
    clip = replace(rewritten(1), profile=profile, captions=captions)
    judged = counts(accepted=5, refused=5)
    known = fidelity_before(sampled([clip, rewritten(2)]), judged, seed=0)
    assert known.captions == 4 + len(sampled([rewritten(2)])[0].refusals)
    assert fidelity_before(sampled([clip]), judged, seed=0) is None
    assert fidelity_before(sampled([replace(clip, captions=captions[:1])]), judged, seed=0) is not None


def test_where_texts_of_one_kind_are_unknown_nothing_is_compared(clips) -> None:
    silent, both = sampled([replace(clip, metadata={}) for clip in clips]), counts(accepted=5, refused=5)
    for known, judged in ((silent, both), (sampled(clips), counts()), (sampled(clips), counts(accepted=5))):
        assert fidelity_before(known, judged, seed=0) is None
    assert fidelity_before(silent, counts(accepted=5), seed=0).spearman.value == pytest.approx(1)
    after = fidelity_after(silent, seed=0)
    assert (after.captions, after.spearman.value) == (2 * len(clips), pytest.approx(1))
    assert fidelity_after([], seed=0) is None
