"""Emotions of a list get their words as annotators write them: one degree applies to a few words."""

from budew.captions import load_lexicon
from budew.captions.content_selection import Content
from budew.captions.word_choice import WordChoice
from budew.randomness import Draws

LEVEL = 0.75
NAMES = ("Anger", "Fear", "Sadness", "Pride", "Awe", "Shame", "Relief", "Confusion")


def test_one_degree_of_a_list_applies_to_three_words_at_most():
    emotions = [(name, LEVEL) for name in NAMES]
    vocabulary = load_lexicon().varied
    options = vocabulary.emotions["adjective"]
    longest = 0
    for seed in range(300):
        words = WordChoice(Content(emotions, [], {}, {}), vocabulary, set(), Draws(str(seed)))
        applies = 0
        for emotion, phrase in zip(emotions, words._with_degrees(emotions, options), strict=True):
            without = phrase in options[emotion].under_carried and phrase not in options[emotion].before
            applies = applies + 1 if without else 1
            longest = max(longest, applies)
    assert longest == 3
