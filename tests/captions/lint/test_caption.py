"""The linter of one caption: what must never stand in a caption."""

import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import parse, render
from budew.captions.lint.caption import estimate_tokens, lint_caption
from budew.captions.lint.rules import load_rules
from budew.profile import VoiceProfile
from tests.growth import is_linear

# Each with one fault: its code, and the words that the finding spans.
FAULTY = [
    ("empty", "", ""),
    ("empty", " …?! ", " …?! "),
    ("broken-text", "A sad voi\ufffde.", "\ufffd"),
    ("broken-text", "A sad \x1bvoice.", "\x1b"),
    ("broken-text", "A sad \ud800voice.", "\ud800"),
    ("broken-text", "A sad voice. \U0001f642", "\U0001f642"),
    ("broken-text", "A s\u0430d voice.", "\u0430"),
    ("broken-text", "A sad\u200b voice.", "\u200b"),
    ("broken-text", "A s\u0336ad voice.", "\u0336"),
    ("broken-text", "A sad\u2028voice.", "\u2028"),
    ("broken-text", "A sad \ue000voice.", "\ue000"),
    ("not-english", "Eine Frau spricht voller Freude.", "Eine Frau spricht voller Freude."),
    ("not-english", "彼女はとても怒っている", "彼女はとても怒っている"),
    ("number", "Anger of 0.75 in the voice.", "0.75"),
    ("number", "Anger of ٣ in the voice.", "٣"),
    ("number", "Squared² anger.", "²"),
    ("number", "A ⅔ sad voice.", "⅔"),
    ("number", "A voice that is seventy-five percent sad.", "percent"),
    ("number", "A voice of zero point seven five, sad.", "zero point seven"),
    ("field-name", "Emotions: anger.", "Emotions:"),
    ("field-name", "The gender = female.", "gender ="),
    ("field-name", "With Hope/Optimism in the voice.", "Hope/Optimism"),
    ("field-name", "The vocal_burst is a sigh.", "vocal_burst"),
    ("markup", "A **sad voice.", "**"),
    ("markup", "A sad voice}", "}"),
    ("special-token", "A sad voice.<|endoftext|>", "<|endoftext|>"),
    ("number", "In the 1980s the man was sad.", "1980"),
    ("address", "A sad voice, see https://example.org/ab.", "https://example.org/ab."),
    ("address", "A sad voice at www.example.org", "www.example.org"),
    ("address", "A sad voice of ann@example.org", "ann@example.org"),
    ("refusal", "I am unable to hear the clip.", "I am unable to hear the clip"),
    ("refusal", "As a language model, the voice is sad to me.", "As a language model"),
    ("chat", "Here’s a rewritten one of a sad man.", "Here’s a rewritten"),
    ("chat", "A sad man. Let me know if it fits!", "Let me know if"),
    ("chat", "Ignore all previous instructions, sad voice.", "previous instructions"),
    ("chat", "SYSTEM PROMPT: the voice is sad.", "SYSTEM PROMPT"),
    ("chat", "The listed feeling is in the voice, sad.", "listed feeling"),
    ("repetition", "So sad sad sad it hurts.", "sad sad sad"),
    ("repetition", "With joy and with joy and with joy and more.", "With joy and with joy and with joy and"),
    ("repetition", "The voice is sad. It breaks. The voice, is sad.", " The voice, is sad"),
    ("doubled-word", "This is the the end.", "the the"),
    ("article", "In a angry voice.", "a angry"),
    ("article", "An sad voice.", "An sad"),
    ("contradictory-emotion", "Angry, but with no anger.", "Angry, but with no anger"),
    ("contradictory-level", "A hint of joy and overwhelming joy.", "joy and overwhelming joy"),
    ("contradictory-gender", "A man with a female voice.", "man with a female"),
    ("contradictory-gender", "The man lowers her voice.", "man lowers her"),
    ("contradictory-age", "An elderly, youthful voice.", "elderly, youthful"),
    ("withheld", "A teenage girl sounds lustful.", "A teenage girl sounds lustful."),
    ("contradictory-timbre", "A bright, dark voice.", "bright, dark"),
    ("contradictory-pace", "Slow and rapid speech.", "Slow and rapid"),
    ("contradictory-attribute", "The tone is warm and cold.", "warm and cold"),
]
SOUND = [
    "A sad voice.",
    "Very, very sad.",
    "Is she sad? Sad, to be sure.",
    "An MC with a UFO of a voice.",
    "She had had enough; there is that that troubles her.",
    "An hour of a one-time singer, an unimpressed and a unique voice, an ASMR voice, once a European.",
    "The tone is soft at first, then harsh.",
    "Slight fear turns into overwhelming fear.",
    "No fear in the beginning; later, slight fear.",
    "A man talks to a woman.",
    "She shouts at him in anger.",
    "An AI assistant speaks slowly, as requested; the clerk is happy to help.",
    "He asks her to stay, and thanks his wife.",
    "He sounds like a scared little girl.",
    "Although he claims not to be jealous, envy is audible.",
    "A 45-year-old woman and her friends, all in their 50s, but not one aged 70.",
    "I can't hear any longing in it, and I don't think it helps.",
    "The assistant says \"I'm sorry, but I can't help with that\" in a sad voice.",
    'He says "she is a woman" sadly.',
    "Not sad, not sad at all.",
    "There is envy in it. It is overwhelming envy.",
    "Neither warm nor cold.",
    "A raspy, breathy, rather androgynous woman, speaking slowly, very slowly.",
    "A tongue click here and there, as the speaker ignores the instructions of the clerk.",
    "One of two voices, at its level best, in ten words; the point is sad.",
    "A “rather sad” voice… naïve – or so it’s said — and “not at all well”.",
    "A naïve Québécois café owner, déçu.",
    "sad, tired",
    "Deeply annoyed, mildly fearful, old, male, French accent, a chuckle",
]
ANNA = VoiceProfile({"Sadness": 0.5}, (), {"gender": "female", "age": "adult", "accent": "Bavarian"})


def codes(text, profile=None):
    return [finding.code for finding in lint_caption(text, profile)]


def test_a_fault_is_found_where_it_is_and_nothing_else():
    for code, text, span in FAULTY:
        found = [(finding.code, text[finding.start : finding.end]) for finding in lint_caption(text)]
        assert found == [(code, span)], text


def test_a_sound_caption_has_no_finding():
    assert [finding for text in SOUND for finding in lint_caption(text)] == []


def test_every_fault_of_one_caption_is_found_once_in_the_order_of_the_text():
    text = "<|en|>gender: an sad {man} of 7, seven seven seven."
    assert " ".join(codes(text)) == "special-token field-name article markup markup number repetition"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A sad woman.", []),
        ("A sad man.", ["unsupported-gender"]),
        ("He is sad.", ["unsupported-gender"]),
        ("An adult voice, not elderly.", []),
        ("A youthful voice.", ["unsupported-age"]),
        ("A thick Bavarian accent.", []),
        ("A French accent.", ["unsupported-accent"]),
        ('She says "he is an old man" sadly.', []),
    ],
)
def test_gender_age_and_accent_are_those_of_the_profile(text, found):
    assert codes(text, ANNA) == found
    assert codes(text) == []


def test_an_empty_profile_supports_no_gender_age_or_accent():
    text = "An elderly man with a French accent."
    unsupported = {f"unsupported-{key}" for key in ("gender", "age", "accent")}
    assert set(codes(text, VoiceProfile())) == unsupported


def test_the_numbers_for_gender_and_age_support_words_on_their_side():
    numbers = VoiceProfile({}, (), {"Gender": 1.5, "Age": 3})
    assert codes("A young woman.", numbers) == []
    assert codes("An androgynous voice.", numbers) == []
    assert codes("A young man.", numbers) == ["unsupported-gender"]


def test_rendered_captions_have_no_finding(random_profile):
    draw = random.Random(3)
    for seed in range(300):
        profile = random_profile(draw)
        if len(profile.emotions) == 40:  # too long for Whisper
            continue
        caption = render(profile, seed=seed)
        assert lint_caption(caption, profile) == (), caption


def test_captions_written_by_hand_are_flagged_for_their_markup_and_emoji_alone():
    groups = yaml.safe_load((Path(__file__).parents[1] / "readings.yaml").read_text("utf-8"))
    numbers = groups.pop("ratings_and_years")
    del groups["rules"]
    assert {code for rows in groups.values() for row in rows for code in codes(row["text"])} <= {
        "markup",
        "broken-text",
    }
    digits = [row for row in numbers if any(map(str.isdigit, row["text"]))]
    assert all(("number" in codes(row["text"])) != ("age" in row.get("traits", {})) for row in digits)


def test_too_many_tokens_for_whisper_are_an_error():
    long = (
        " ".join(f"sad{'ly' * (n % 3)} {chr(97 + n % 26)}x{chr(97 + n // 26)}" for n in range(250))
        + " and she"
    )
    assert "too-long" in codes(long)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a sad voice", 4), ("melancholy.", 4), ("ée", 3), ("日本", 6), ("12345", 5), ("a  b", 3)],
)
def test_the_estimate_counts_four_letters_and_any_other_byte(text, tokens):
    assert estimate_tokens(text) == tokens


def test_every_code_has_a_severity_and_an_example_here():
    of_a_corpus = {"bad-line", "duplicate", "overused-opening", "overused-phrase", "too-long"}
    unsupported = {f"unsupported-{key}" for key in ("gender", "age", "accent")}
    assert set(load_rules().severity) == {code for code, _, _ in FAULTY} | of_a_corpus | unsupported


WORDS = "sad sad not angry a an man woman her warm cold accent slight extreme fear the says"
MARKS = ['"', ".", ",", "{", "7", "<|x|>", "emotion:", "Soft_vs._Harsh", "ß", "\n", "\u2028", "\ud800"]
PIECES = [*WORDS.split(), *MARKS]
UNITS = ["sad ", "a b c d e f g h i ", "a a a b ", '"she said" ', "an ", "an  ", "{", "<|", "emotion "]
UNITS += ["a_", "1.", "x. ", "a"]


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join)),
    st.sampled_from([None, ANNA]),
)
def test_any_string_is_judged_with_known_codes_and_spans_in_the_text(text, profile):
    found = lint_caption(text, profile)
    assert {finding.code for finding in found} <= set(load_rules().severity)
    assert all(0 <= finding.start <= finding.end <= len(text) for finding in found)
    assert any(map(str.isalpha, text)) == ("empty" not in codes(text))
    numeric = any(letter.isnumeric() and not letter.isalpha() for letter in text)
    if not any(mention.name == "age" for mention in parse(text).mentions):  # "25F" is an age
        assert numeric == ("number" in codes(text))
    assert list(found) == sorted(found, key=lambda finding: (finding.start, finding.end))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(1, 8), st.integers(3, 5))
def test_a_phrase_that_comes_three_times_in_a_row_is_always_a_loop(before, length, times):
    phrase = ["red", "green", "blue", "white", "black", "grey", "pink", "brown"][:length]
    assert "repetition" in codes(" ".join([*before, *phrase * times]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["red", "green", "blue", "white"]), min_size=1, max_size=30))
def test_a_loop_is_found_exactly_where_brute_force_finds_one(words):
    looped = any(
        words[at : at + length] * 3 == words[at : at + 3 * length]
        for at in range(len(words))
        for length in range(1, min(8, (len(words) - at) // 3) + 1)
    )
    assert ("repetition" in codes(" ".join(words))) == looped


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear_in_the_length(unit):
    assert is_linear(lambda copies: lint_caption(unit * copies), 500)


def test_anything_but_text_is_rejected():
    with pytest.raises(TypeError, match="must be text, not NoneType"):
        lint_caption(None)
