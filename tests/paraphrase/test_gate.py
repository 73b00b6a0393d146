"""The gate lets through what means the profile and gives the reason for everything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import render
from budew.paraphrase.gate import Gate, judge, overlap
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS
from tests.paraphrase.scripted import some_profile

PROFILE = VoiceProfile(
    {"Anger": 0.75, "Fear": 0.25, "Awe": 0.05},
    ["Chuckle"],
    {"gender": "female", "age": "elderly", "accent": "French", "Arousal": 2.0},
)
GOOD = "An old woman, deeply furious and a little scared, chuckling with a French accent."


@pytest.mark.parametrize(
    "candidate",
    [
        GOOD,
        GOOD.replace("An old woman", "An old speaker, and she is"),
        GOOD.replace("deeply", "extremely"),
        GOOD.upper(),
        "Strong rage and a hint of dread. She is elderly and has a French accent; there is a chuckle.",
    ],
)
def test_what_keeps_the_meaning_is_accepted(candidate):
    assert judge(candidate, PROFILE).reasons == ()
    assert judge(candidate, PROFILE).accepted


UNKNOWN = VoiceProfile(None, (), {"gender": "androgynous", "pace": "slow"})


def test_any_rendering_of_unknown_emotions_is_accepted():
    for seed in range(200):
        caption = render(UNKNOWN, seed=seed)
        assert judge(caption, UNKNOWN).accepted, caption


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("Fearful and", "Fear"),
        ("Without any fear and", "not Fear"),
        ("With no particular emotion and", "no particular emotion"),
        ("Neutral and", "Neutral"),
    ],
)
def test_of_unknown_emotions_nothing_may_be_said_not_even_that_there_are_none(said, what):
    verdict = judge(f"{said} slow, a gender-neutral voice speaks slowly.", UNKNOWN)
    assert [(reason.code, reason.what) for reason in verdict.reasons] == [("added", what)]
    if "fear" not in said.lower():
        known = VoiceProfile({}, (), dict(UNKNOWN.traits))
        assert judge(f"{said} slow, a gender-neutral voice speaks slowly.", known).accepted


@pytest.mark.parametrize(
    ("candidate", "code", "what"),
    [
        ("", "empty", ""),
        (" \n", "empty", ""),
        (GOOD.replace(" and a little scared", ""), "lost", "Fear"),
        (GOOD.replace("deeply furious", "not furious"), "lost", "Anger"),
        (GOOD.replace("deeply", "slightly"), "moved", "Anger"),
        (GOOD.replace("chuckling", "chuckling and in awe"), "added", "Awe"),
        (GOOD.replace("chuckling", "smiling"), "lost-burst", "Chuckle"),
        (GOOD.replace("chuckling", "chuckling, coughing"), "added-burst", "Coughing"),
        (GOOD.replace("woman", "person"), "lost-trait", "gender"),
        (GOOD.replace("woman", "man"), "other-trait", "gender"),
        (GOOD.replace("French", "Dutch"), "other-trait", "accent"),
        (GOOD.replace(" with a French accent", ""), "lost-trait", "accent"),
        (GOOD.replace("An old woman", "An old speaker"), "lost-trait", "gender"),
        (GOOD.replace("An old woman", "An old speaker, and he is"), "other-trait", "gender"),
        (GOOD + " It is whispered.", "added-trait", "style"),
        (GOOD + " Level 3.", "number", "3"),
        (GOOD + " Level ٣.", "number", "٣"),
        ("Emotions: " + GOOD, "field-name", "Emotions:"),
        (GOOD + " Jealousy & Envy is absent.", "field-name", "Jealousy & Envy"),
        (GOOD + " **bold**", "markup", "**"),
        (GOOD + " and so on, and so forth" * 60, "long", "374 words"),
        (GOOD + " and so on" * 60, "repetition", "and so on"),
        (GOOD + " " + GOOD, "repetition", GOOD[:-1]),
        (GOOD + " She is not furious.", "contradictory-emotion", "Anger is said and denied"),
        (GOOD + ' She says "leave me alone".', "spoken", '"leave me alone"'),
        ("Sure! Here is a caption: " + GOOD, "chat", "Sure! Here"),
        (
            "Eine alte Frau, wütend und ein wenig ängstlich, mit einem leisen Kichern.",
            "not-english",
            "too few English words",
        ),
    ],
)
def test_what_does_not_is_refused_with_its_reason(candidate, code, what):
    verdict = judge(candidate, PROFILE)
    assert not verdict.accepted
    assert (code, what) in {(reason.code, reason.what) for reason in verdict.reasons}


@pytest.mark.parametrize(
    ("candidate", "reasons"),
    [
        (GOOD + " She is not sad in the least.", [("added", "not Sadness")]),
        (GOOD.replace("chuckling", "chuckling, without any sadness,"), [("added", "not Sadness")]),
        (GOOD + " She never coughs.", [("added-burst", "not Coughing")]),
        (GOOD.replace("and a little", "and no more than a little"), []),
    ],
)
def test_what_is_said_to_be_absent_is_refused_for_no_profile_tells_it(candidate, reasons):
    assert [(reason.code, reason.what) for reason in judge(candidate, PROFILE).reasons] == reasons


def test_the_form_of_a_candidate_is_told_before_its_meaning():
    german = "Eine alte Frau, wütend und ein wenig ängstlich, mit einem leisen Kichern."
    assert codes(german, PROFILE)[0] == "not-english"
    assert codes("A woman. Level 3.", PROFILE)[0] == "number"
    assert codes("I am unable to hear the clip.", PROFILE)[0] == "refusal"


def test_tolerance_says_how_far_a_level_may_move_but_absent_is_never_present():
    assert not judge(GOOD.replace("deeply", "extremely"), PROFILE, tolerance=0).accepted
    assert judge(GOOD.replace("deeply", "slightly"), PROFILE, tolerance=2).accepted
    assert not judge(GOOD.replace(" and a little scared", ""), PROFILE, tolerance=4).accepted


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1)),
    st.lists(st.sampled_from(BURSTS), max_size=82),
    st.integers(0, 99),
)
def test_every_template_rendering_passes_without_tolerance(emotions, bursts, seed):
    profile = VoiceProfile(emotions, bursts, {"gender": "male", "age": "adult", "accent": "Swiss"})
    assert judge(render(profile, seed=seed), profile, tolerance=0).reasons == ()


@given(st.text())
def test_any_string_gets_a_verdict(text):
    verdict = judge(text, PROFILE)
    assert verdict.accepted == (not verdict.reasons)


def codes(*given, **more):
    return judge(*given, **more).codes


def test_a_copy_of_the_template_or_of_a_sibling_is_refused_and_other_words_are_not():
    other = "One hears great rage, faint dread and a chuckle from an aged lady who has a French accent."
    assert codes(GOOD, PROFILE, source=GOOD) == ("copy",)
    assert codes(GOOD, PROFILE, source=GOOD.upper().replace(",", ";")) == ("copy",)
    assert codes(GOOD, PROFILE, source="Listen. " + GOOD) == ("copy",)
    assert codes(GOOD, PROFILE, siblings=(other, GOOD)) == ("sibling",)
    assert codes(GOOD, PROFILE, source=other, siblings=(other,)) == ()


def test_words_of_the_transcript_are_refused():
    assert codes(GOOD, PROFILE, transcript="an old woman, deeply furious, that was her") == ("spoken",)
    assert codes(GOOD, PROFILE, transcript="I am furious and a little late") == ()


def test_a_transcript_of_three_or_four_words_is_looked_for_whole():
    assert codes(GOOD[:-1] + ", as in I hate you so.", PROFILE, transcript="I hate you so") == ("spoken",)
    assert codes(GOOD[:-1] + ", so go away now.", PROFILE, transcript="Go away now!") == ("spoken",)
    assert codes(GOOD, PROFILE, transcript="I'm furious, and") == ()
    assert codes(GOOD, PROFILE, transcript="deeply furious") == ()
    assert codes(GOOD, PROFILE, transcript="deeply furious and late") == ()


ANGRY = VoiceProfile({"Anger": 0.75}, (), {"gender": "female"})


@pytest.mark.parametrize(
    "said",
    [
        "laughs",
        "bursts out laughing",
        "sighs",
        "is moaning",
        "roars",
        "yelps",
        "speaks with a burp",
        "lets out a cry",
    ],
)
def test_a_sound_of_no_kind_is_refused_where_no_burst_is_known_and_only_there(said):
    caption = f"A very angry woman {said}."
    (reason,) = judge(caption, ANGRY).reasons
    assert reason.code == "added-burst"
    assert reason.what in said
    assert "added-burst" not in codes(caption, VoiceProfile(ANGRY.emotions, ["Ahem"], ANGRY.traits))
    assert Gate(parts=("emotions",)).judge(caption, ANGRY).accepted


def test_a_sound_in_a_phrase_that_means_an_emotion_is_no_sound():
    amused = VoiceProfile({"Amusement": 0.5}, (), {"gender": "female"})
    assert judge("A woman, on the verge of laughing.", amused).codes in ((), ("moved",))


def test_only_the_parts_that_are_known_are_compared():
    emotions = Gate(parts=("emotions",))
    said = "A young man, deeply furious and a little scared, coughing."
    assert emotions.judge(said, PROFILE).accepted
    assert emotions.judge(said.replace("scared", "proud"), PROFILE).codes == ("lost", "added")


def test_words_that_the_parser_cannot_read_are_told_with_the_emotions_that_were_missed():
    verdict = judge(GOOD.replace("deeply furious", "full of a sense of gallbladderishness"), PROFILE)
    assert verdict.missed == ("Anger",)
    assert verdict.unknown == ("gallbladderishness",)
    assert judge("", PROFILE).missed == ("Fear", "Anger")


TEXT = "An old woman speaks with overwhelming rage, a touch of pride and a quiet chuckle."


def test_copies_are_near_whatever_their_case_marks_and_order():
    assert overlap(TEXT, TEXT.upper().replace(",", " ;").replace(".", "!")) == 1
    assert overlap(TEXT, "Listen well: " + TEXT + " That is all there is.") > 0.95
    assert (
        overlap(TEXT, "With overwhelming rage, a touch of pride and a quiet chuckle, an old woman speaks.")
        > 0.8
    )


def test_other_words_for_the_same_are_far():
    assert (
        overlap(
            TEXT, "She is elderly and sounds utterly furious, faintly self-assured, and laughs to herself."
        )
        < 0.2
    )
    pairs = [(render(p, seed=1), render(p, seed=2)) for p in map(some_profile, range(200))]
    assert sum(overlap(*pair) > 0.8 for pair in pairs) < 10


def test_short_captions_are_copies_only_when_they_are_the_same():
    assert overlap("A sad man.", "a sad man") == 1
    assert overlap("A sad man.", "A sad old man.") == 0


@given(st.text(max_size=200), st.text(max_size=200))
def test_it_is_a_share_and_the_same_both_ways(one, other):
    assert 0 <= overlap(one, other) == overlap(other, one) <= 1
    assert overlap(one, one) == 1
