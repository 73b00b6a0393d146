"""Clips with wrong words are dropped and listed, the others are kept, in their order."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.audio.samples import decode
from budew.transcription.recognizer import Transcriber
from budew.transcription.word_check import (
    CheckWords,
    WordsError,
    comparable,
    counts_characters,
    word_error_rate,
)

from .conftest import clip, outcome

WORDS = st.lists(st.text("abcdefgäñé", min_size=1, max_size=6), min_size=1, max_size=12)


OTHER = {"transcript": "Something else altogether is spoken in this clip."}


@pytest.fixture(scope="module")
def check(whisper_folder):
    return CheckWords(Transcriber(str(whisper_folder), device="cpu"))


@pytest.fixture(scope="module")
def recognized(check):
    """What this Whisper of random weights makes of clips 0 to 9."""
    samples = [decode(clip(number).audio).samples for number in range(10)]
    texts = check.transcriber.transcribe(samples, languages=["en"] * 10)
    assert all(any(letter.isalnum() for letter in text) for text in texts)
    return texts


def test_clips_with_wrong_words_are_dropped_with_rate_and_recognized_text(check, recognized):
    kept, failed = outcome(check, [clip(number, **OTHER) for number in range(10)])
    assert kept == []
    for number, error in enumerate(failed[f"clip-{number:02}"] for number in range(10)):
        assert isinstance(error, WordsError)
        assert error.details["wer"] > 0.3
        assert error.details["recognized"] == recognized[number]
        assert f"word error rate {error.details['wer']:.2f} is over 0.3" in str(error)


def test_clips_with_the_right_words_are_kept_in_order(check, recognized):
    clips = [
        clip(number, transcript=recognized[number] if number % 3 else "Something else.")
        for number in range(10)
    ]
    kept, failed = outcome(check, clips)
    assert [c.id for c in kept] == [f"clip-{number:02}" for number in (1, 2, 4, 5, 7, 8)]
    assert set(failed) == {"clip-00", "clip-03", "clip-06", "clip-09"}
    for c in kept:
        assert c.metadata["words"]["wer"] == 0
        assert c.metadata["words"]["recognized"] == recognized[int(c.id[-1])]
        assert c.metadata["words"]["by"] == check.transcriber.name


def test_the_highest_accepted_rate_decides(check, recognized):
    lax = replace(check, max_wer=1_000.0)
    kept, failed = outcome(lax, [clip(number, **OTHER) for number in range(3)])
    assert len(kept) == 3
    assert not failed
    assert kept[0].metadata["words"]["wer"] > 0.3
    same = [clip(number, transcript=recognized[number]) for number in range(3)]
    assert len(outcome(replace(check, max_wer=0.0), same)[0]) == 3
    assert lax.settings() == {"model": check.transcriber.name, "max_wer": 1_000.0}


def test_clips_without_words_or_sound_are_listed_and_the_others_checked(check, recognized):
    broken = replace(clip(1), id="broken", audio=b"no audio")
    kept, failed = outcome(check, [clip(2), broken, clip(0, transcript=recognized[0])])
    assert [c.id for c in kept] == ["clip-00"]
    assert "no word" in str(failed["clip-02"])
    assert "broken" in str(failed["broken"])


@pytest.mark.parametrize(
    ("text", "recognized", "rate"),
    [
        ("The tea is in the cupboard.", "the tea is in the cupboard", 0),
        ("The tea is in the cupboard.", "", 1),
        ("The tea is in the cupboard.", "the key is in the cupboard", 1 / 6),
        ("The tea is in the cupboard.", "the tea the tea is in the cupboard", 2 / 6),
        ("Yes.", "no no no no", 4),
        ("It's “over”, isn’t it?", "Its over isnt it", 0),
        ("¿Qué es eso?", "que es eso", 1 / 3),
        ("Straße", "STRASSE", 0),
        ("ﬁne café", "fine cafe\u0301", 0),
        ("at nine", "at 9", 1 / 2),
    ],
)
def test_words_are_compared_without_case_punctuation_and_unicode_form(text, recognized, rate):
    assert word_error_rate(text, recognized, language="en") == pytest.approx(rate)


@pytest.mark.parametrize(
    ("text", "recognized", "language", "rate"),
    [
        ("今日はいい天気です。", "今日は いい 天気です", "ja", 0),
        ("你好，世界", "你好世界", "zh-Hant-TW", 0),
        ("สวัสดีครับ", "สวัสดี", "th", 4 / 10),
    ],
)
def test_languages_without_spaces_are_compared_by_characters(text, recognized, language, rate):
    assert counts_characters(language)
    assert word_error_rate(text, recognized, language=language) == pytest.approx(rate)


@given(words=WORDS, lost=st.data())
def test_each_missing_word_counts_once(words, lost):
    place = lost.draw(st.integers(0, len(words) - 1))
    recognized = [word for number, word in enumerate(words) if number != place]
    assert word_error_rate(" ".join(words), " ".join(recognized)) == pytest.approx(1 / len(words))
    assert word_error_rate(" ".join(words), f"  {' '.join(words).upper()}!  ") == 0


@given(text=st.text(max_size=40))
def test_normalization_is_idempotent(text):
    once = comparable(text)
    assert comparable(once) == once
    assert once == " ".join(once.split())
