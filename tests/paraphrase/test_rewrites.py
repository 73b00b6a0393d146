"""The shipped rewrites are what their origin says, and the offline backend uses the accepted ones."""

import asyncio
from dataclasses import replace

import pytest

from budew.captions import parse, render
from budew.corpora.clip import Clip
from budew.errors import InputError, SettingsError
from budew.io.resources import data_folder, packaged_yaml
from budew.paraphrase import (
    GrammarBackend,
    Paraphrase,
    Reason,
    RefusedCandidate,
    RewriteRequest,
    Rewriting,
    grammar_backend,
    judge,
    load_prompts,
    shipped_rewrites,
)
from budew.profile import VoiceProfile

GRATEFUL = VoiceProfile({"Thankfulness/Gratitude": 0.75}, traits={"gender": "female"})
OF_IT = {
    one.caption: one
    for one in shipped_rewrites()
    if one.accepted and one.profile == GRATEFUL == parse(one.caption).profile
}


def candidates(request: RewriteRequest):
    return asyncio.run(GrammarBackend().rewrite([request]))[0]


def request(profile=GRATEFUL, *, number=0, n=3, style=""):
    return RewriteRequest(f"clip-{number}", render(profile, seed=number), profile, number, n, style)


def test_each_rewrite_has_the_verdict_that_the_gate_gives_it_now_and_the_origin_counts_them():
    origin = packaged_yaml(data_folder("paraphrase") / "rewrites.yaml")
    verdicts = [judge(one.caption, one.profile, source=one.source).accepted for one in shipped_rewrites()]
    assert verdicts == [one.accepted for one in shipped_rewrites()]
    assert origin["captions"] == len(verdicts) == len({one.id for one in shipped_rewrites()})
    assert origin["accepted"] == sum(verdicts) > 0.9 * len(verdicts)
    assert origin["prompts"] == {"name": "en", "version": load_prompts().file.version}
    assert {one.style for one in shipped_rewrites()} == set(load_prompts().styles)


def test_a_clip_of_the_same_profile_gets_an_accepted_rewrite_among_its_candidates_and_is_told_which():
    places, drawn = set(), set()
    for number in range(40):
        answer = candidates(request(number=number))
        (text,) = OF_IT.keys() & set(answer.texts)
        places.add(answer.texts.index(text))
        drawn.add(text)
        assert answer.of_text == {text: {"rewrite": OF_IT[text].id}}
        assert len(set(answer.texts)) == 3
        assert answer == candidates(request(number=number))
    assert places == {0, 1, 2}
    assert len(drawn) > 1


def test_a_rewrite_is_used_only_in_its_style_for_its_profile_and_not_again_after_a_refusal():
    for style in load_prompts().styles:
        used = OF_IT.keys() & set(candidates(request(style=style)).texts)
        assert bool(used) == any(one.style == style for one in OF_IT.values())
        assert all(OF_IT[text].style == style for text in used)
    louder = VoiceProfile({"Thankfulness/Gratitude": 1.0}, traits={"gender": "female"})
    assert not OF_IT.keys() & set(candidates(request(louder)).texts)
    refused = tuple(RefusedCandidate(text, (Reason("sibling"),)) for text in OF_IT)
    assert not candidates(replace(request(), refused=refused)).of_text


def test_no_voice_is_called_neutral_by_a_rewrite_where_emotions_are_unrated():
    neutral = VoiceProfile(traits={"gender": "male"})
    unrated = VoiceProfile(None, traits={"gender": "male"})
    assert candidates(request(neutral)).of_text
    assert not candidates(request(unrated)).of_text


def test_captions_of_a_job_record_the_rewrite_that_they_are():
    job = Paraphrase(GrammarBackend(), Rewriting(per_clip=10, seed=1, candidates=1))
    (clip,) = job.run(iter([Clip("a", b"", "wav", profile=GRATEFUL)]), print)
    said = {caption.text: caption.made_by.get("rewrite") for caption in clip.captions}
    assert any(said.values())
    assert said == {text: OF_IT[text].id if text in OF_IT else None for text in said}


@pytest.mark.parametrize(
    ("line", "error"), [("{", InputError), ('{"id": "a"}', SettingsError), ('{"id": NaN}', InputError)]
)
def test_a_line_that_is_damaged_is_an_error(tmp_path, monkeypatch, line, error):
    file = tmp_path / "rewrites.jsonl"
    file.write_text(line)
    monkeypatch.setattr(grammar_backend, "REWRITES", file)
    with pytest.raises(error, match=r"rewrites\.jsonl line 1"):
        shipped_rewrites.__wrapped__()
