"""Forms of words are those that people write."""

import pytest

from budew.captions.phrases import inflected, spelled_out, verb_forms


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("sigh", ("sigh", "sighs", "sighing", "sighed")),
        ("giggle", ("giggle", "giggles", "giggling", "giggled")),
        ("hum", ("hum", "hums", "humming", "hummed")),
        ("hiss", ("hiss", "hisses", "hissing", "hissed")),
        ("moan", ("moan", "moans", "moaning", "moaned")),
        ("whimper", ("whimper", "whimpers", "whimpering", "whimpered")),
    ],
)
def test_a_verb_has_four_forms(verb, forms):
    assert verb_forms(verb) == forms


def test_an_adjective_has_an_adverb_and_a_short_one_is_compared():
    assert inflected("happy") == ("happily", "happier", "happiest")
    assert inflected("sad") == ("sadly", "sadder", "saddest")
    assert inflected("pleasant") == ("pleasantly", "pleasanter", "pleasantest")
    assert inflected("satisfied") == ("satisfiedly",)
    assert inflected("melancholic") == ("melancholically",)
    assert inflected("blissed-out") == ()


@pytest.mark.parametrize(
    ("pattern", "phrases"),
    [
        ("deep sorrow", ("deep sorrow",)),
        ("envy (as longing)", ("envy (as longing)",)),
        ("(her|his) tears", ("her tears", "his tears")),
        ("(hum*|a hum) of", ("hum of", "hums of", "humming of", "hummed of", "a hum of")),
        ("has a cold (voice|,)", ("has a cold voice", "has a cold ,")),
        (
            "sob* (in|with) pain",
            ("sob in pain", "sob with pain", "sobs in pain", "sobs with pain",
             "sobbing in pain", "sobbing with pain", "sobbed in pain", "sobbed with pain"),
        ),
    ],
)  # fmt: skip
def test_a_pattern_stands_for_all_its_phrases(pattern, phrases):
    assert spelled_out(pattern) == phrases
