"""Words where an emotion stands, and in no entry, are found and counted."""

from itertools import product

import pytest

from budew.captions import parse, render
from budew.captions.coverage import language_size, measure_coverage
from budew.captions.render import load_templates
from budew.profile import VoiceProfile

CAPTIONS = [
    "She sounds deeply flumpish and slightly sad.",
    "There is a sense of flumpishness, and flumpish pride; he sounds very flumpish.",
    "An old man reads the news.",
]


def test_unknown_words_have_their_place_in_the_text():
    found = parse(CAPTIONS[0]).unknown
    assert [CAPTIONS[0][word.start : word.end] for word in found] == ["flumpish"]


def test_captions_are_counted_by_unknown_word_most_frequent_first():
    found = measure_coverage(CAPTIONS).to_dict()
    assert (found["captions"], found["captions_with_emotion"]) == (3, 2)
    assert found["emotions"] == {"Pride": 1, "Sadness": 1}
    assert [(row["word"], row["captions"]) for row in found["unknown"]] == [
        ("flumpish", 2),
        ("flumpishness", 1),
    ]
    assert found["unknown"][1]["examples"] == [CAPTIONS[1]]


def test_words_of_the_grammar_of_the_voice_and_of_the_lexicon_are_known():
    for text in (
        "a very fast pace", "a deeply resonant voice", "She sounds very angry.", "full of deep joy",
        "Very noisy.", "a slight accent", "It sounds very close, quite clear audio.", "full of laughter",
    ):  # fmt: skip
        assert not parse(text).unknown, text


@pytest.mark.parametrize(
    "text",
    [
        "a verklempt voice",
        "She is verklempt.",
        "sad, verklempt and tired",
        "speaks verklemptly",
        "verklempt, soft",
    ],
)
def test_a_word_where_an_emotion_can_stand_is_unknown(text):
    assert [unknown.word[:9] for unknown in parse(text).unknown] == ["verklempt"]


def test_no_rendered_caption_has_an_unknown_word():
    profile = VoiceProfile({"Fear": 0.25, "Pride": 1}, ["Sobs"], {"gender": "female", "accent": "French"})
    for frame, seed in product(load_templates().frames, range(20)):
        assert not parse(render(profile, seed=seed, frame=frame)).unknown


def test_rare_words_are_forgotten_before_memory_runs_out(monkeypatch):
    monkeypatch.setattr("budew.captions.coverage.MOST_WORDS", 10)
    letters = "abcdefghijklmnopqrstuvwxyz"
    found = measure_coverage([*(f"a sense of zzz{letter}" for letter in letters), *["a sense of quux"] * 3])
    assert len(found.unknown) <= 11
    assert found.unknown["quux"] == 3
    assert found.examples.keys() == found.unknown.keys()


def test_the_figures_count_what_is_rendered():
    templates, size = load_templates(), language_size()
    frame = "adjective_tags"
    heads = {
        render(VoiceProfile({"Sourness": level}), seed=seed, frame=frame).lower()
        for level in (0.25, 0.5, 0.75, 1.0)
        for seed in range(700)
    }
    adjectives = {
        phrase
        for (name, _), words in templates.lexicon.varied.emotions["adjective"].items()
        if name == "Sourness"
        for phrase in (*words.before, *words.bare)
    }
    assert heads == adjectives
    assert len(adjectives) < size.rendered["Sourness"]
    assert size.frames == len(templates.frames)


def test_the_language_is_not_small():
    size = language_size()
    assert size.frames >= 20
    assert size.sentences >= 1_000
    assert min(size.rendered.values()) >= 20
    assert min(size.parsed.values()) >= 20
