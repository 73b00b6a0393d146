import pytest

from budew.inference.clean import clean


@pytest.mark.parametrize(
    ("written", "caption", "removed"),
    [
        ("A B The speaker is calm.", "The speaker is calm.", "A B"),
        ("AB. The speaker is calm.", "The speaker is calm.", "AB."),
        ("TThe speaker is calm.", "The speaker is calm.", "T"),
        ("XQThis voice is calm.", "This voice is calm.", "XQ"),
        ("T Deep, sad voice.", "Deep, sad voice.", "T"),
        ("A A deep voice.", "A deep voice.", "A"),
    ],
)
def test_stray_capitals_go_and_are_told(written, caption, removed):
    cleaned = clean(written)
    assert (cleaned.text, cleaned.removed) == (caption, removed)


@pytest.mark.parametrize(
    "caption",
    [
        "A deep voice, amused.",
        "A German woman, weary.",
        "I hear a calm voice.",
        "ASMR-like and intimate.",
        "The speaker is calm.",
        "very warm, slightly slow, relief",
        "An American man shouts in anger.",
        "[silence]",
        "",
    ],
)
def test_a_caption_stays_as_it_is(caption):
    assert clean(caption).text == caption
    assert clean(caption).removed == ""


def test_special_tokens_go():
    assert clean("<|startoftranscript|><|en|> A calm voice.<|0.00|><|endoftext|>").text == "A calm voice."


def test_a_caption_is_one_line_without_control_characters():
    assert clean(" A calm\n\n voice\x1b[2J, \x00deeply\tsad.\ufffd ").text == "A calm voice[2J, deeply sad."
