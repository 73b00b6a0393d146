"""Offline rewriting expresses exactly the profile, reproducibly, and uses the shipped captions of a model."""

import asyncio
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budew.captions import expressible, parse, render
from budew.io.resources import data_folder, packaged_yaml
from budew.paraphrase import (
    Candidates,
    Gate,
    GrammarBackend,
    Reason,
    RefusedCandidate,
    RewriteRequest,
    grammar_backend,
    judge,
    load_prompts,
    shipped_rewrites,
)
from budew.paraphrase.gate import folded, overlap
from budew.paraphrase.metrics.diversity import diversity
from budew.profile import VoiceProfile
from budew.taxonomy import ACCENTS, ATTRIBUTES, BURSTS, CATEGORIES, EMOTIONS, LEVELS
from tests.paraphrase.scripted import FULL, some_profile

profiles = st.builds(
    VoiceProfile,
    st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1), max_size=6),
    st.lists(st.sampled_from(BURSTS), max_size=3, unique=True),
    st.fixed_dictionaries(
        {},
        optional={
            **{key: st.sampled_from(values) for key, values in CATEGORIES.items()},
            "accent": st.sampled_from((*ACCENTS, "Bavarian", "deep angry", "a")),
            **{name: st.floats(row.scale.low, row.scale.high) for name, row in ATTRIBUTES.items()},
        },
    ),
).filter(lambda profile: not profile.is_withheld)


def rewritten(*requests: RewriteRequest) -> list[Candidates]:
    return asyncio.run(GrammarBackend().rewrite(requests))


def request(profile: VoiceProfile = FULL, *, number: int = 0, n: int = 3, style: str = "") -> RewriteRequest:
    return RewriteRequest(f"clip-{number}", render(profile, seed=number), profile, number, n, style)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(profiles, st.integers(0, 10**9))
def test_each_candidate_expresses_exactly_the_profile(profile, number):
    asked = request(profile, number=number, n=4)
    (answer,) = rewritten(asked)
    assert answer.texts
    assert len({folded(text) for text in (asked.caption, *answer.texts)}) == 1 + len(answer.texts)
    for text in answer.texts:
        assert parse(text).profile == expressible(profile), text


def test_the_gate_accepts_all_candidates_of_one_profile_and_none_is_a_near_copy():
    asked = [request(number=number, n=4) for number in range(250)]
    for one, answer in zip(asked, rewritten(*asked), strict=True):
        assert len(answer.texts) == one.n
        for at, text in enumerate(answer.texts):
            siblings = answer.texts[:at]
            verdict = judge(text, FULL, source=one.caption, siblings=siblings, gate=Gate(tolerance=0))
            assert verdict.accepted, (text, verdict.reasons)
            assert max(overlap(text, other) for other in (one.caption, *siblings)) < 0.7
            assert text.count(" with ") <= 2, text
            assert re.fullmatch(r"[A-Z](?:(?!  |[.?] [a-z]).)*\.", text), text
    for profile in (VoiceProfile(dict.fromkeys(EMOTIONS, level), BURSTS) for level in LEVELS[1:]):
        (answer,) = rewritten(request(profile, n=2))
        assert {parse(text).profile == expressible(profile) for text in answer.texts} == {True}
    templates, texts = [one.caption for one in asked], [answer.texts[0] for answer in rewritten(*asked)]
    assert diversity(texts).distinct_2 > 1.2 * diversity(templates).distinct_2
    assert diversity(texts).compression_ratio < 0.9 * diversity(templates).compression_ratio


def test_the_gate_accepts_nearly_all_candidates_of_random_profiles():
    asked = [request(some_profile(number), number=number) for number in range(150)]
    verdicts = [
        judge(text, one.profile, source=one.caption, siblings=answer.texts[:at]).accepted
        for one, answer in zip(asked, rewritten(*asked), strict=True)
        for at, text in enumerate(answer.texts)
    ]
    assert len(verdicts) == 3 * len(asked)
    assert sum(verdicts) >= 0.97 * len(verdicts)


IN_ANOTHER_PROCESS = """
import asyncio
import os
from budew.paraphrase import GrammarBackend, load_prompts
from tests.paraphrase.test_grammar_backend import request
print([load_prompts().messages(request(number=number), structured=True) for number in range(9)])
print(asyncio.run(GrammarBackend().rewrite([request(number=7)]))[0].texts)
"""


def test_prompts_and_answers_are_the_same_in_another_process_and_beside_other_requests(capsys):
    command, environment = [sys.executable, "-c", IN_ANOTHER_PROCESS], {**os.environ, "PYTHONHASHSEED": "1"}
    there = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    exec(IN_ANOTHER_PROCESS, {})
    assert there.stdout == capsys.readouterr().out
    among = rewritten(*(request(number=number) for number in range(9)))[7]
    assert f"{among.texts}\n" == there.stdout.splitlines(keepends=True)[-1]
    for other in ({"seed": 8}, {"id": "other"}):
        assert rewritten(replace(request(number=7), **other))[0].texts != among.texts


def test_renderings_that_do_not_parse_back_to_the_profile_are_never_candidates(monkeypatch):
    assert rewritten(request())[0].texts
    other = VoiceProfile({"Elation": 1.0}, FULL.bursts, FULL.traits)
    monkeypatch.setattr(grammar_backend, "render", lambda profile, **given: render(other, **given))
    assert rewritten(request())[0].texts == ()


def test_refused_texts_are_not_offered_again():
    asked = request()
    (first,) = rewritten(asked)
    refused = tuple(RefusedCandidate(text, (Reason("copy"),)) for text in first.texts)
    (second,) = rewritten(replace(asked, refused=refused))
    assert second.texts
    assert not set(second.texts) & set(first.texts)


@pytest.mark.parametrize("profile", [VoiceProfile(), VoiceProfile(traits={"Valence": 3.0})])
def test_a_profile_with_little_to_express_has_fewer_candidates(profile):
    (answer,) = rewritten(RewriteRequest("a", "", profile, 1, 500))
    assert 1 < len(set(answer.texts)) == len(answer.texts) <= 500
    assert all(parse(text).profile == expressible(profile) for text in answer.texts)


def test_a_known_style_decides_the_form_and_is_recorded():
    short, you, literary = (rewritten(request(n=8, style=style))[0] for style in ("short", "you_hear", "odd"))
    assert all(re.search("[Yy]our?|[Ll]isten", text) for text in you.texts)
    words = [sum(len(text.split()) for text in answer.texts) / 8 for answer in (short, literary)]
    assert words[0] < words[1]
    assert short.made_by["style"] == "short"
    assert "style" not in literary.made_by
    settings = GrammarBackend().settings()
    assert settings.items() >= {key: short.made_by[key] for key in ("backend", "version")}.items()
    assert len(settings["data"]) == 12


GRATEFUL = VoiceProfile({"Thankfulness/Gratitude": 0.75}, traits={"gender": "female"})
OF_GRATEFUL = {
    one.caption: one
    for one in shipped_rewrites()
    if one.accepted and one.profile == GRATEFUL == parse(one.caption).profile
}


def test_shipped_rewrites_have_the_verdict_of_the_gate_and_are_counted_in_their_origin():
    origin = packaged_yaml(data_folder("paraphrase") / "rewrites.yaml")
    verdicts = [judge(one.caption, one.profile, source=one.source).accepted for one in shipped_rewrites()]
    assert verdicts == [one.accepted for one in shipped_rewrites()]
    assert origin["captions"] == len(verdicts) == len({one.id for one in shipped_rewrites()})
    assert origin["accepted"] == sum(verdicts) > 0.9 * len(verdicts)
    assert origin["prompts"]["name"] == load_prompts().file.name
    assert origin["prompts"]["version"] <= load_prompts().file.version
    assert {one.style for one in shipped_rewrites()} == set(load_prompts().styles)


def test_a_shipped_rewrite_of_the_same_profile_is_a_candidate_and_recorded():
    places, drawn = set(), set()
    for number in range(40):
        answer = rewritten(request(GRATEFUL, number=number))[0]
        (text,) = OF_GRATEFUL.keys() & set(answer.texts)
        places.add(answer.texts.index(text))
        drawn.add(text)
        assert answer.of_text == {text: {"rewrite": OF_GRATEFUL[text].id}}
        assert len(set(answer.texts)) == 3
        assert answer == rewritten(request(GRATEFUL, number=number))[0]
    assert places == {0, 1, 2}
    assert len(drawn) > 1


def test_a_shipped_rewrite_is_used_only_for_its_style_and_profile_and_once():
    for style in load_prompts().styles:
        used = OF_GRATEFUL.keys() & set(rewritten(request(GRATEFUL, style=style))[0].texts)
        assert bool(used) == any(one.style == style for one in OF_GRATEFUL.values())
        assert all(OF_GRATEFUL[text].style == style for text in used)
    louder = VoiceProfile({"Thankfulness/Gratitude": 1.0}, traits={"gender": "female"})
    assert not OF_GRATEFUL.keys() & set(rewritten(request(louder))[0].texts)
    refused = tuple(RefusedCandidate(text, (Reason("sibling"),)) for text in OF_GRATEFUL)
    assert not rewritten(replace(request(GRATEFUL), refused=refused))[0].of_text
