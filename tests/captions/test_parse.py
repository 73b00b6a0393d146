"""Captions of other authors are parsed as a reader understands them."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import parse
from budew.io.resources import packaged_yaml
from budew.profile import VoiceProfile
from budew.taxonomy import BURST_GROUPS, BURSTS, EMOTIONS
from tests.captions.conftest import rows_of
from tests.growth import is_linear

TABLE: dict[str, list[dict[str, Any]]] = packaged_yaml(Path(__file__).with_name("readings.yaml"))
COMPARED = ("gender", "age", "accent", "style")


@pytest.mark.parametrize("name", TABLE)
def test_sentences_are_parsed_as_a_reader_understands_them(name):
    found, expected = [], []
    for row in TABLE[name]:
        parsed = parse(row["text"])
        assert list(parsed.emotions) == [emotion for emotion in EMOTIONS if emotion in parsed.emotions]
        traits = {key: parsed.traits[key] for key in COMPARED if key in parsed.traits}
        found.append((row["text"], parsed.emotions, set(parsed.bursts), traits))
        expected.append((row["text"], row["emotions"], set(row.get("bursts", ())), row.get("traits", {})))
    assert found == expected


@pytest.mark.parametrize(
    ("caption", "bursts"),
    [
        ("a nervous giggle", ("Nervous Giggle",)),
        ("a sigh of relief, then panting", ("Panting", "Relief Sigh")),
        ("no chuckle, without a cough", ()),
        ("Wistful Sigh (Spitting)", ("Wistful Sigh", "Spitting")),
    ],
)
def test_emotion_words_within_a_burst_name_no_emotion(caption, bursts):
    parsed = parse(caption)
    assert set(parsed.bursts) == set(bursts)
    assert parsed.emotions == {}


@pytest.mark.parametrize(
    ("caption", "traits"),
    [
        ("slight background noise", {"Background_Noise": 2.25}),
        ("lots of background noise", {"Background_Noise": 3.0}),
        ("less soft than usual", {}),
        ("not less harsh, but less dominant", {}),
        ("He is quick to laugh and slow to speak.", {"gender": "male"}),
        ("She has a bad cold.", {"gender": "female"}),
        ("He has a cold.", {"gender": "male"}),
        ("He has a cold, raspy voice.", {"gender": "male", "timbre": "raspy", "Warm_vs._Cold": -1.0}),
        ("Her breathing is slow.", {"gender": "female"}),
        ("Hope slowly gives way to grief.", {}),
        ("The anger fades slowly.", {}),
        ("Fear gives way, slowly, to relief.", {}),
        ("A soft, slow voice.", {"pace": "slow", "Soft_vs._Harsh": 1.0}),
    ],
)
def test_voice_attributes_are_not_found_in_other_uses_of_their_words(caption, traits):
    assert dict(parse(caption).traits) == traits


SOUNDS = rows_of("bursts_parsed.txt")


def test_sounds_are_bursts_and_other_uses_of_their_words_are_not():
    for caption, wanted in SOUNDS:
        parsed = parse(caption)
        names = wanted.split("+") if wanted else ()
        assert len(parsed.bursts) == len(names), caption
        for one in names:
            assert set(parsed.bursts) & set(BURST_GROUPS.get(one[1:], (one,))), caption
        assert {m.name for m in parsed.mentions if m.kind == "burst" and m.level} == set(parsed.bursts)


def test_the_name_of_a_burst_is_always_parsed():
    assert {name: parse(f"({name.upper()})").bursts for name in BURSTS} == {name: (name,) for name in BURSTS}


@pytest.mark.parametrize(
    ("caption", "traits"),
    [
        (
            "an elderly woman with a thick Bavarian accent",
            {"gender": "female", "age": "elderly", "accent": "Thick Bavarian"},
        ),
        (
            "a young adult, masculine, with a New York accent",
            {"gender": "male", "age": "young adult", "accent": "New York"},
        ),
        ("a man talks to a woman, whispering", {"gender": "male", "style": "whispered"}),
        ("a voice with an accent", {}),
        ("accent", {}),
        ("young, adult", {"age": "young adult"}),
    ],
)
def test_the_first_mention_of_each_trait_counts(caption, traits):
    assert dict(parse(caption).traits) == traits


def test_mentions_give_span_name_and_level_also_of_what_is_denied():
    caption = "No anger; a Hint of Joy from a woman, chuckling."
    found = [(caption[m.start : m.end], m.kind, m.name, m.level, m.value) for m in parse(caption).mentions]
    assert found == [
        ("anger", "emotion", "Anger", 0.0, ""),
        ("Joy", "emotion", "Elation", 0.25, ""),
        ("woman", "trait", "gender", 1.0, "female"),
        ("chuckling", "burst", "Chuckle", 1.0, ""),
    ]


def test_profile_and_vector_are_two_views_of_the_parse():
    parsed = parse("strong anger, chuckling")
    assert parsed.profile == VoiceProfile({"Anger": 0.75}, ["Chuckle"])
    assert parsed.vector().dtype == np.float32
    assert np.array_equal(parsed.vector(), parsed.profile.vector())


@pytest.mark.parametrize("unseen", ["\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff"])
def test_invisible_characters_do_not_split_a_word(unseen):
    caption = f"a deeply mel{unseen}an{unseen}choly voice"
    mention = parse(caption).mentions[0]
    assert (mention.name, mention.level) == ("Sadness", 0.75)
    assert caption[mention.start : mention.end] == f"mel{unseen}an{unseen}choly"


def test_equal_parses_are_equal_and_survive_pickling():
    parsed = parse("strong anger, chuckling, an old woman")
    assert pickle.loads(pickle.dumps(parsed)) == parsed
    assert len({parse("sad"), parse("sad"), parse("glad")}) == 2


GRAMMAR = "strong no anger , and fear of a hint to high degree accent the . chuckle relief sigh 'S ﬃ"
words = st.sampled_from([*GRAMMAR.split(), "\n"])


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.lists(words).map(" ".join), st.text("\U0001f600é\x00\ud800 a,'anger-")))
def test_any_string_parses_to_a_valid_profile(text):
    parsed = parse(text)
    assert parse(text) == parsed
    assert parsed.profile.emotions == parsed.emotions
    assert all(0 <= mention.start < mention.end <= len(text) for mention in parsed.mentions)


@pytest.mark.parametrize(
    "unit",
    ["to his man she ", "strong ", "no anger, ", "a hint of ", "to a high ", "x accent ", "a", ",", "ﷺ"],
)
def test_time_is_linear_in_the_length(unit):
    assert is_linear(lambda copies: parse(unit * copies), 1_000)
