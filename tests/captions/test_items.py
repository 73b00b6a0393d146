"""A number with a known scale is a rating; years are an age."""

import pytest

from budew.captions import parse
from budew.taxonomy import EMOTIONS


@pytest.mark.parametrize("frame", ["anger: {}", "anger {}, awe", "anger ({})", "Anger = {}"])
def test_a_rating_is_the_level_of_the_feeling_before_it(frame):
    levels = {"0.8": 0.75, "80%": 0.75, "8/10": 0.75, "0.30": 0.25, "100%": 1.0, "0.05": 0.0, "0": 0.0}
    assert {text: parse(frame.format(text)).emotions.get("Anger", 0.0) for text in levels} == levels


@pytest.mark.parametrize(
    "text", ["3", "1.5", "120%", "9/8", "7/0", "99999999.9", "٣", "²", "1e5", "0x10", "⒈Pm4", "5℀"]
)
def test_a_number_of_unknown_scale_changes_nothing(text):
    assert parse(f"anger: {text}").emotions == {"Anger": 0.5}


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("a 5-year-old", "child"),
        ("45 years old", "middle-aged"),
        ("60s", "elderly"),
        ("aged 25", "young adult"),
        ("aged about 40", "adult"),
        ("aged 15-16", "teenager"),
        ("age 70", "elderly"),
        ("aged ninety", "elderly"),
    ],
)
def test_years_are_an_age(text, age):
    assert parse(f"A voice, {text}.").traits == {"age": age}


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("female, 27", "young adult"),
        ("girl 12", "child"),
        ("(m, 65)", "elderly"),
        ("female, 7", None),
        ("female, 20 a side", None),
        ("boy 9", None),
    ],
)
def test_a_number_beside_a_gender_is_an_age_if_it_has_two_digits(text, age):
    assert parse(text).traits.get("age") == age


@pytest.mark.parametrize("text", ["in 1980s style", "400 years old", "5s of silence", "room 45", "00s"])
def test_other_numbers_are_not_ages(text):
    assert "age" not in parse(text).traits


ANSWERS = {"not present": 0.0, "Non-Existent": 0.0, "Mildly present": 0.25, "slightly expressed": 0.25,
           "Intensely Present": 1.0, "strongly / fully expressed": 1.0}  # fmt: skip


@pytest.mark.parametrize("frame", ["{}: {}", "{} – {}", "{} - {}", "{} ({})", "**{}:** {}", '{{"{}": "{}"}}'])
def test_an_answer_of_an_expert_is_the_level_of_any_emotion_by_its_name(frame):
    for name in EMOTIONS:
        for answer, level in ANSWERS.items():
            expected = {name: level} if level else {}
            assert parse(frame.format(name, answer)).emotions == expected, (name, answer)


def test_a_list_of_answers_is_read_line_by_line():
    lines = "\n".join(f"- {name}: {answer}" for name, answer in zip(EMOTIONS, ANSWERS, strict=False))
    expected = [level for level in ANSWERS.values() if level]
    assert list(parse(lines).emotions.values()) == expected


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("The anger is strongly expressed.", 0.75),
        ("The anger is intensely present.", 0.75),
        ("Mildly present anger, tired", 0.25),
        ("Anger is not expressed.", 0.0),
        ("Anger is non-existent.", 0.0),
    ],
)
def test_without_a_mark_the_words_of_an_answer_are_prose(text, level):
    assert parse(text).emotions.get("Anger", 0.0) == level
