"""The offline rewriting says the profile, to the level, in other words each time, and the same ones again."""

import asyncio
import pickle
import re
import subprocess
import sys
import zlib
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budew.captions import expressible, parse, render
from budew.paraphrase import Candidates, GrammarBackend, Refused, Request, grammar, judge
from budew.paraphrase.gate import folded, overlap
from budew.profile import VoiceProfile
from budew.taxonomy import ACCENTS, ATTRIBUTES, BURSTS, CATEGORIES, EMOTIONS, LEVELS

FULL = VoiceProfile(
    {"Anger": 1, "Fear": 0.5, "Pride": 0.25, "Longing": 0.75},
    ["Chuckle", "Sniff"],
    {"gender": "female", "age": "elderly", "accent": "French", "style": "casual"},
)
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
)


def rewritten(*requests: Request) -> list[Candidates]:
    return asyncio.run(GrammarBackend().rewrite(requests))


def request(profile: VoiceProfile = FULL, *, number: int = 0, n: int = 3, style: str = "") -> Request:
    return Request(f"clip-{number}", render(profile, seed=number), profile, number, n, style)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(profiles, st.integers(0, 10**9))
def test_any_profile_has_candidates_and_each_says_all_of_it_to_the_level_and_nothing_else(profile, number):
    (answer,) = rewritten(request(profile, number=number))
    assert answer.texts
    for text in answer.texts:
        assert parse(text).profile == expressible(profile), text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(profiles, st.integers(0, 10**9))
def test_candidates_are_new_against_the_source_and_their_siblings(profile, number):
    asked = request(profile, number=number, n=4)
    (answer,) = rewritten(asked)
    assert len({folded(text) for text in (asked.caption, *answer.texts)}) == 1 + len(answer.texts)


def test_the_gate_lets_a_thousand_of_a_thousand_through_and_none_is_a_near_copy():
    asked = [request(number=number, n=4) for number in range(250)]
    for one, answer in zip(asked, rewritten(*asked), strict=True):
        assert len(answer.texts) == one.n
        for at, text in enumerate(answer.texts):
            siblings = answer.texts[:at]
            verdict = judge(text, FULL, source=one.caption, siblings=siblings, tolerance=0)
            assert verdict.accepted, (text, verdict.reasons)
            assert max(overlap(text, other) for other in (one.caption, *siblings)) < 0.7


def test_rewritings_are_more_varied_than_the_templates_that_they_rewrite():
    asked = [request(number=number, n=1) for number in range(400)]
    templates = [one.caption for one in asked]
    texts = [answer.texts[0] for answer in rewritten(*asked)]
    assert distinct_pairs(texts) > 1.2 * distinct_pairs(templates)
    assert compression_ratio(texts) < 0.9 * compression_ratio(templates)


def distinct_pairs(captions: list[str]) -> float:
    words = [caption.lower().split() for caption in captions]
    pairs = [pair for caption in words for pair in pairwise(caption)]
    return len(set(pairs)) / len(pairs)


def compression_ratio(captions: list[str]) -> float:
    text = " ".join(captions).encode()
    return len(text) / len(zlib.compress(text, 9))


def test_every_emotion_at_every_level_can_be_said_alone_and_all_together():
    alone = [VoiceProfile({name: level}) for name in EMOTIONS for level in LEVELS[1:]]
    crowds = [VoiceProfile(dict.fromkeys(EMOTIONS, level), BURSTS) for level in LEVELS[1:]]
    for profile in (*alone, *crowds):
        (answer,) = rewritten(request(profile, n=2))
        assert answer.texts
        assert all(parse(text).profile == profile for text in answer.texts)


def test_a_request_has_the_same_answer_beside_others_and_in_another_process():
    script = (
        "import asyncio\nfrom tests.paraphrase.test_grammar import GrammarBackend, request\n"
        "answer = asyncio.run(GrammarBackend().rewrite([request(number=7)]))[0]\n"
        "print('|'.join(answer.texts))"
    )
    there = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()
    among = rewritten(*(request(number=number) for number in range(9)))[7]
    assert "|".join(among.texts) == there
    assert rewritten(replace(request(number=7), seed=8))[0].texts != among.texts
    assert rewritten(replace(request(number=7), id="other"))[0].texts != among.texts


def test_what_does_not_parse_back_to_the_profile_is_never_given(monkeypatch):
    assert rewritten(request())[0].texts
    other = VoiceProfile({"Elation": 1.0}, FULL.bursts, FULL.traits)
    monkeypatch.setattr(grammar, "render", lambda profile, **given: render(other, **given))
    assert rewritten(request())[0].texts == ()


def test_what_was_refused_is_not_given_again():
    asked = request()
    (first,) = rewritten(asked)
    refused = tuple(Refused(text, ("too dull",)) for text in first.texts)
    (second,) = rewritten(replace(asked, refused=refused))
    assert second.texts
    assert not set(second.texts) & set(first.texts)


@pytest.mark.parametrize("profile", [VoiceProfile(), VoiceProfile(traits={"Valence": 3.0})])
def test_a_profile_that_says_next_to_nothing_ends_with_fewer_texts_and_no_error(profile):
    (answer,) = rewritten(Request("a", "", profile, 1, 500))
    assert 1 < len(set(answer.texts)) == len(answer.texts) <= 500
    assert all(parse(text).profile == expressible(profile) for text in answer.texts)


def test_of_emotions_that_nobody_knows_nothing_is_said_not_even_that_there_are_none():
    for number in range(50):
        asked = request(VoiceProfile(None, traits={"gender": "male"}), number=number)
        for text in rewritten(asked)[0].texts:
            verdict = judge(text, asked.profile, source=asked.caption)
            assert verdict.accepted, (text, verdict.reasons)


def test_a_style_that_the_frames_have_decides_the_form_and_is_told():
    short, you, literary = (rewritten(request(n=8, style=style))[0] for style in ("short", "you_hear", "odd"))
    assert all(re.match("(.*[Yy]ou|Listen|Hear the way)", text) for text in you.texts)
    words = [sum(len(text.split()) for text in answer.texts) / 8 for answer in (short, literary)]
    assert words[0] < words[1]
    assert short.made_by["style"] == "short"
    assert "style" not in literary.made_by


def test_a_clinical_caption_is_of_no_lady_and_no_guy():
    folk = re.compile(r"\b(?:lady|gentleman|guy)", re.IGNORECASE)

    def texts(style):
        said = [VoiceProfile({"Fear": 0.5}, traits={"gender": gender}) for gender in ("female", "male")]
        asked = [request(profile, number=number, style=style) for number in range(60) for profile in said]
        return [text for answer in rewritten(*asked) for text in answer.texts]

    assert any(map(folk.search, texts("casual")))
    assert not any(map(folk.search, texts("clinical")))


def test_only_one_feeling_is_an_adverb():
    weary = VoiceProfile({"Fatigue/Exhaustion": 1, "Malevolence/Malice": 0.5})
    answers = rewritten(*(request(weary, number=number) for number in range(200)))
    texts = [text for answer in answers for text in answer.texts]
    assert any(re.search(r"ly and with ", text) for text in texts)
    assert not any(re.search(r"ly,? and (\w+ )*\w+ly[,.]", text) for text in texts)


def test_the_version_is_told_in_provenance_and_settings():
    backend = GrammarBackend()
    (answer,) = rewritten(request())
    assert answer.made_by["backend"] == backend.settings()["backend"] == "grammar"
    assert answer.made_by["version"] == backend.settings()["version"]
    assert len(backend.settings()["data"]) == 12


def test_the_backend_is_pickled_and_opened_as_the_job_does():
    async def opened() -> Candidates:
        async with pickle.loads(pickle.dumps(GrammarBackend())) as backend:
            assert backend.batch > 0 <= backend.ahead
            return (await backend.rewrite([request()]))[0]

    assert asyncio.run(opened()) == rewritten(request())[0]


def test_a_caption_is_no_chain_of_withs_and_its_sentences_begin_with_capitals():
    for answer in rewritten(*(request(number=number) for number in range(200))):
        for text in answer.texts:
            assert text.count(" with ") <= 2, text
            assert not [part for part in text.replace("? ", ". ").split(". ") if part[0].islower()], text
            assert "  " not in text
            assert text[-1] == ".", text
