"""Word errors are counted on what was said, not on how it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.transcription.word_errors import comparable, counts_characters, word_error_rate

WORDS = st.lists(st.text("abcdefgäñé", min_size=1, max_size=6), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("said", "heard", "rate"),
    [
        ("The tea is in the cupboard.", "the tea is in the cupboard", 0),
        ("The tea is in the cupboard.", "", 1),
        ("The tea is in the cupboard.", "the key is in the cupboard", 1 / 6),
        ("The tea is in the cupboard.", "the tea is in the", 1 / 6),
        ("The tea is in the cupboard.", "the tea the tea is in the cupboard", 2 / 6),
        ("Yes.", "no no no no", 4),
        ("It's “over”, isn’t it?", "Its over isnt it", 0),
        ("¿Qué es eso?", "que es eso", 1 / 3),
        ("Straße", "STRASSE", 0),
        ("ﬁne café", "fine cafe\u0301", 0),
        ("at nine", "at 9", 1 / 2),
    ],
)
def test_words_are_compared_without_case_punctuation_and_spelling_of_letters(said, heard, rate):
    assert word_error_rate(said, heard, language="en") == pytest.approx(rate)


@pytest.mark.parametrize(
    ("said", "heard", "language", "rate"),
    [
        ("今日はいい天気です。", "今日は いい 天気です", "ja", 0),
        ("今日はいい天気です。", "昨日はいい天気です", "ja", 1 / 9),
        ("你好，世界", "你好世界", "zh-Hant-TW", 0),
        ("สวัสดีครับ", "สวัสดี", "th", 4 / 10),
    ],
)
def test_languages_without_spaces_are_compared_by_characters(said, heard, language, rate):
    assert counts_characters(language)
    assert word_error_rate(said, heard, language=language) == pytest.approx(rate)


@given(words=WORDS)
def test_what_is_heard_as_it_was_said_has_no_errors(words):
    text = " ".join(words)
    assert word_error_rate(text, f"  {text.upper()}!  ") == 0


@given(words=WORDS, lost=st.data())
def test_each_word_that_is_lost_counts_once(words, lost):
    place = lost.draw(st.integers(0, len(words) - 1))
    heard = [word for number, word in enumerate(words) if number != place]
    assert word_error_rate(" ".join(words), " ".join(heard)) == pytest.approx(1 / len(words))


@given(text=st.text(max_size=40))
def test_comparable_texts_stay_as_they_are(text):
    once = comparable(text)
    assert comparable(once) == once
    assert once == " ".join(once.split())


def test_nothing_to_say_is_no_word_error():
    with pytest.raises(ValueError, match="no word in"):
        word_error_rate("...", "something")


def test_languages_with_spaces_are_not_those_without():
    assert not any(counts_characters(language) for language in ("en", "de-AT", "ko", "", None))
