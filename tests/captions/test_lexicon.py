"""A lexicon that contradicts itself does not load."""

from pathlib import Path

import pytest

from budew.captions import LexiconError, load_lexicon
from budew.captions.lexicon import read_lexicon
from budew.resources import data_folder
from budew.taxonomy import BURSTS, CATEGORIES, EMOTIONS, LEVELS

ENGLISH = data_folder("caption_templates") / "en.yaml"


@pytest.fixture
def changed(tmp_path):
    def write(old: str, new: str) -> Path:
        text = ENGLISH.read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "xx.yaml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return write


def test_everything_that_a_profile_can_say_has_words():
    lexicon = load_lexicon()
    assert set(lexicon.emotions) == set(EMOTIONS)
    for forms in lexicon.emotions.values():
        assert len(forms.noun + forms.strong_noun) >= 2
        assert len(forms.adjective + forms.strong_adjective) >= 2
        assert forms.noun
        assert forms.adjective
    assert set(lexicon.bursts) == set(BURSTS)
    assert set(lexicon.intensities) == set(LEVELS[1:])
    assert {(key, value) for key, values in CATEGORIES.items() for value in values} <= set(lexicon.traits)


def test_the_lexicon_is_compiled_once():
    assert load_lexicon() is load_lexicon()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("noun: [amusement,", "noun: [anger, amusement,", "anger"),
        ("adjective: [amused,", "adjective: [a chuckle, amused,", "chuckle"),
        ("noun: [slight,", "noun: [strong, slight,", "strong"),
        ("noun: [amusement,", "noun: [amusement 2,", "digit"),
        ("  Anger:", "  Angr:", "Angr"),
        ("  Anger:", "  Amusement:", "twice"),
        ("  Sobs: {say: [sobs], also: [sob*]}\n", "", "Sobs"),
        ("  Cackle:", "  Cough:", "twice"),
        ('text: "{a_voice} <shows> {nouns}', 'text: "{a_voice} <shows> {feelings}', "feelings"),
        ('text: "{a_voice} <shows> {nouns}', 'text: "{a_voice} <shows>', "nouns"),
        ('text: "{a_voice} <shows> {nouns}', 'text: "{a_voice} <bears> {nouns}', "bears"),
        ("[, <amid> {bursts}].", "[, <amid> {bursts}.", "bracket"),
        ("[, <amid> {bursts}].", ".", "bursts"),
        ("shows: (expresses|", "shows: (expresses <shows>|", "holds itself"),
        ("{style: short,", "{style: brief,", "brief"),
        ("(~{manner}|{delivery})", "(~{manner})", "nothing for the varied"),
        ("(~{manner}|{delivery})", "(as ~{manner}|{delivery})", "right behind a bracket"),
        ("in a didactic style, like a teacher", "like a teacher", "of words"),
        ("  Arousal:\n", "  Arousel:\n", "Arousel"),
        ('accent: "{} accent"', "", "accent"),
        ("language: en", "language: [", "YAML|pars"),
        ("bursts:\n", "bursts: 3\nother:\n", "wrong kind"),
    ],
)
def test_a_broken_rule_is_an_error_that_names_the_file_and_the_place(changed, old, new, complaint):
    with pytest.raises(LexiconError, match=rf"(?s)xx\.yaml: .*({complaint})"):
        read_lexicon(changed(old, new))
