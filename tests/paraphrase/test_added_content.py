"""Content that no profile has is found and named; figurative descriptions of the voice have none."""

import asyncio
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budew.captions import frame_names, parse, render
from budew.captions.caption_prompt import STYLES
from budew.captions.tokens import tokenize
from budew.paraphrase import GrammarBackend, RewriteRequest, judge, load_prompts, shipped_rewrites
from budew.paraphrase.added_content import added_content
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS
from tests.captions.test_round_trip import profiles
from tests.conftest import ROOT

ROWS = [json.loads(line) for line in (ROOT / "tests/data/added_content.jsonl").open(encoding="utf-8")]

WORDS = ["the", "voice", "as", "if", ",", ".", "that", "zork", "Ed", "s", "because", "his", "boss", "rage"]


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ("because the landlord raised the rent", {"landlord", "rent"}),
        ("since they closed the bakery", {"bakery"}),
        ("after a quarrel with his daughter", {"daughter"}),
        ("in a parked car", {"car"}),
        ("while he peels potatoes", {"potatoes"}),
        ("rubbing his knees", {"knees"}),
        ("a plumber by trade", {"plumber"}),
        ("at his sister", {"sister"}),
        ("about the verdict", {"verdict"}),
        ("on a rainy Thursday", {"thursday"}),
        ("and the mules bray", {"mules"}),
        ("named Ottoline", {"ottoline"}),
        ("as if his boss had spoken", {"boss"}),
    ],
)
@pytest.mark.parametrize(
    "caption", ["A man, deeply angry, {}.", "There is deep anger in his voice, {}.", "He sounds angry {}."]
)
def test_additions_are_refused_with_their_words(caption, added, words):
    text = caption.format(added)
    verdict = judge(text, parse(text).profile)
    assert verdict.codes == ("added-content",)
    assert words <= set(verdict.added[0].split()) <= set(tokenize(added))
    assert not judge(caption.format("of course"), parse(text).profile).added


@pytest.mark.parametrize(
    "caption",
    [
        "A voice like wet gravel, deeply angry.",
        "She speaks as if holding back tears, deeply sad.",
        "On the edge of tears, the woman sounds deeply hurt.",
        "Hers is a voice that could cut glass, full of contempt.",
        "Deep shame bends the man's voice like a reed in a flood.",
        "The man hurls his words like plates, very angry.",
        "There is frost in her tone, and strong contempt.",
        "His croaky laugh is full of joy.",
        "A voice as smooth as oiled oak, quite calm.",
        "Sorrow has its claws in every word she says, deep sorrow.",
        "She has the calm of someone shelling peas, quite content.",
        "A sad man with a Bavarian accent.",
    ],
)
def test_figures_of_speech_for_the_voice_are_no_addition(caption):
    assert added_content(caption) == ""
    assert added_content(caption.upper()) == ""


def test_additions_of_many_kinds_are_found_and_honest_captions_are_not_refused():
    found = [added_content(row["caption"]) for row in ROWS if row["added"]]
    honest = [added_content(row["caption"]) for row in ROWS if not row["added"]]
    assert sum(map(bool, found)) >= 0.95 * len(found) >= 700
    assert sum(map(bool, honest)) <= 0.01 * len(honest)
    named = [
        set(words.split()) <= set(tokenize(row["added"]))
        for row, words in zip((row for row in ROWS if row["added"]), found, strict=True)
    ]
    assert sum(named) >= 0.97 * len(named)


def test_captions_of_a_language_model_are_rarely_refused():
    refused = [one for one in shipped_rewrites() if added_content(one.caption)]
    assert len(refused) <= 0.01 * len(shipped_rewrites())
    assert not any(one.accepted for one in refused)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    profiles.filter(lambda profile: profile.traits.get("accent", "Bavarian")[0].isupper())
    | st.sets(st.sampled_from(EMOTIONS), min_size=1).map(lambda rated: VoiceProfile({}, rated=rated)),
    st.integers(0, 10**9),
    st.sampled_from((None, *frame_names())),
    st.sampled_from(STYLES),
    st.sampled_from(list(load_prompts().styles)),
)
def test_templates_and_the_offline_grammar_never_add_content(profile, seed, frame, style, writing):
    template = render(profile, seed=seed, frame=frame)
    request = RewriteRequest("clip", template, profile, seed, 2, writing)
    (answer,) = asyncio.run(GrammarBackend().rewrite([request]))
    for text in (template, render(profile, seed=seed, style=style), *answer.texts):
        assert added_content(text) == "", text


@given(st.text(max_size=200) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_searched_and_the_words_are_from_the_text(text):
    found = iter(added_content(text).split())
    assert all(word in list(tokenize(text)) for word in found)


@pytest.mark.parametrize("unit", ["zork ", "and zork ", "the man zorks that ", "voice of a "])
def test_the_time_is_linear_in_the_length_of_the_text(unit):
    added_content(unit)
    times = []
    for count in (2_000, 16_000):
        start = time.process_time()
        added_content(unit * count)
        times.append(time.process_time() - start)
    assert times[1] < 24 * times[0]
