"""Syllables of a text by its letters, where they can be told from them; nuclei of a sound by its swell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.annotation.measure import count_nuclei, count_syllables
from budew.annotation.speech_frames import levels

from .sounds import silence, syllables, vowel


@pytest.mark.parametrize(
    ("text", "language", "count"),
    [
        ("Banana.", "en", 3),
        ("We will meet them again after lunch", "en", 9),
        ("Straßenbahnhaltestelle", "de", 7),
        ("Übermäßige Größe", "de-AT", 7),
        ("ÉCOLE", None, 3),
        ("pst", "en", 1),
        ("Привет, как дела?", "ru", 5),
        ("Καλημέρα", "el", 4),
        ("안녕하세요", "ko", 5),
        ("こんにちは", "ja", 5),
        ("きょうは", "ja", 3),
        ("你好吗", "zh", 3),
        ("[laughs] No (sighs) way *cough* <noise>", "en", 2),
    ],
)
def test_syllables_of_a_text(text, language, count):
    assert count_syllables(text, language) == count


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", None),
        ("...", "en"),
        ("In 1984", "en"),
        ("مرحبا", "ar"),
        ("नमस्ते", "hi"),
        ("今日は", "ja"),
        ("[laughs]", "en"),
    ],
)
def test_what_cannot_be_told_is_not_told(text, language):
    assert count_syllables(text, language) is None


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60), st.sampled_from([None, "en", "ja", "?", "zh-Hant"]))
def test_any_text_has_a_count_or_none(text, language):
    count = count_syllables(text, language)
    assert count is None or count >= 1


@pytest.mark.parametrize("rate", [2.5, 4.0, 6.0])
def test_nuclei_are_as_many_as_the_sound_has(rate):
    loudness = levels(np.concatenate([silence(0.3), syllables(12, a_second=rate), silence(0.3)]))
    assert count_nuclei(loudness, np.ones(len(loudness), bool)) == 12
    assert count_nuclei(loudness, np.zeros(len(loudness), bool)) == 0


def test_a_steady_vowel_is_one_nucleus():
    loudness = levels(np.concatenate([silence(0.3), vowel(1.0), silence(0.3)]))
    assert count_nuclei(loudness, np.ones(len(loudness), bool)) == 1
