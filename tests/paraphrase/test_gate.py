"""The gate accepts candidates that express the profile and gives the reason for refusing others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import render
from budew.captions.lint.rules import load_rules
from budew.paraphrase.gate import Gate, judge, overlap
from budew.paraphrase.prompt_file import REASON_CODES
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS

PROFILE = VoiceProfile(
    {"Anger": 0.75, "Fear": 0.25, "Awe": 0.05},
    ["Chuckle"],
    {"gender": "female", "age": "elderly", "accent": "French", "Arousal": 2.0},
)
TEXT = "An old woman speaks with overwhelming rage, a touch of pride and a quiet chuckle."
GOOD = "An old woman, deeply furious and a little scared, chuckling with a French accent."


@pytest.mark.parametrize(
    "candidate",
    [
        GOOD,
        GOOD.replace("An old woman", "An old speaker, and she is"),
        GOOD.replace("deeply", "extremely"),
        GOOD.upper(),
        GOOD.replace("and a little", "and no more than a little"),
        "Strong rage and a hint of dread. She is elderly and has a French accent; there is a chuckle.",
    ],
)
def test_candidates_that_express_the_profile_are_accepted(candidate):
    assert judge(candidate, PROFILE).reasons == ()


@pytest.mark.parametrize(
    ("candidate", "code", "what"),
    [
        ("", "empty", ""),
        (GOOD.replace(" and a little scared", ""), "lost", "Fear"),
        (GOOD.replace("deeply furious", "not furious"), "lost", "Anger"),
        (GOOD.replace("deeply furious", "slightly angry"), "moved", "Anger"),
        (GOOD.replace("chuckling", "chuckling and in awe"), "added", "Awe"),
        (GOOD.replace("chuckling", "smiling"), "lost-burst", "Chuckle"),
        (GOOD.replace("chuckling", "chuckling, coughing"), "added-burst", "Coughing"),
        (GOOD.replace("woman", "person"), "lost-trait", "gender"),
        (GOOD.replace("woman", "man"), "other-trait", "gender"),
        (GOOD.replace(" with a French accent", ""), "lost-trait", "accent"),
        (GOOD.replace("An old woman", "An old speaker"), "lost-trait", "gender"),
        (GOOD.replace("An old woman", "An old speaker, and he is"), "other-trait", "gender"),
        (GOOD + " It is whispered.", "added-trait", "style"),
        (GOOD.replace("chuckling", "chuckling, without any sadness,"), "added", "not Sadness"),
        (GOOD + " She never coughs.", "added-burst", "not Coughing"),
        (GOOD + " Level 3.", "number", "3"),
        (GOOD + " and so on, and so forth" * 60, "long", "374 words"),
        (GOOD + " " + GOOD, "repetition", GOOD[:-1]),
        (GOOD + ' She says "leave me alone".', "spoken", '"leave me alone"'),
    ],
)
def test_other_candidates_are_refused_with_the_reason(candidate, code, what):
    verdict = judge(candidate, PROFILE)
    assert not verdict.accepted
    assert (code, what) in {(reason.code, reason.what) for reason in verdict.reasons}
    assert code in (*REASON_CODES, *load_rules().severity)  # prompts have a sentence for it
    of_form = [found == "long" or found not in REASON_CODES for found in verdict.codes]
    assert of_form == sorted(of_form, reverse=True)  # form before meaning


OTHER = "One hears great rage, faint dread and a chuckle from an aged lady who has a French accent."


@pytest.mark.parametrize(
    ("candidate", "beside", "expected"),
    [
        (GOOD, {"source": GOOD.upper().replace(",", ";")}, ("copy",)),
        (GOOD, {"source": "Listen. " + GOOD}, ("copy",)),
        (GOOD, {"siblings": (OTHER, GOOD)}, ("sibling",)),
        (GOOD, {"source": OTHER, "siblings": (OTHER,)}, ()),
        (GOOD, {"transcript": "an old woman, deeply furious, that was her"}, ("spoken",)),
        (GOOD, {"transcript": "I am furious and a little late"}, ()),
        # a transcript of three or four words is looked for whole
        (GOOD[:-1] + ", as in I hate you so.", {"transcript": "I hate you so"}, ("spoken",)),
        (GOOD[:-1] + ", so go away now.", {"transcript": "Go away now!"}, ("spoken",)),
        (GOOD, {"transcript": "I'm furious, and"}, ()),
        (GOOD, {"transcript": "deeply furious and late"}, ()),
    ],
)
def test_copies_of_template_sibling_and_transcript_are_refused(candidate, beside, expected):
    assert judge(candidate, PROFILE, **beside).codes == expected


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("Fearful and", "Fear"),
        ("Without any fear and", "not Fear"),
        ("With no particular emotion and", "no particular emotion"),
        ("Neutral and", "Neutral"),
    ],
)
def test_unrated_emotions_may_be_neither_expressed_nor_denied(said, what):
    unknown = VoiceProfile(None, (), {"gender": "androgynous", "pace": "slow"})
    caption = f"{said} slow, a gender-neutral voice speaks slowly."
    assert [(reason.code, reason.what) for reason in judge(caption, unknown).reasons] == [("added", what)]
    if "fear" not in said.lower():
        assert judge(caption, VoiceProfile({}, (), dict(unknown.traits))).accepted
    assert all(judge(render(unknown, seed=seed), unknown).accepted for seed in range(50))


@pytest.mark.parametrize(
    ("candidate", "reasons"),
    [
        ("She talks slowly, and no hint of disgust is to be heard.", set()),
        ("There is nothing disgusted about her as she talks slowly.", set()),
        ("A woman talks slowly.", {("lost", "not Disgust")}),
        ("A disgusted woman talks slowly.", {("added", "Disgust"), ("lost", "not Disgust")}),
        ("A woman, not disgusted and not afraid, talks slowly.", {("added", "not Fear")}),
        ("A neutral woman talks slowly.", {("added", "neutral"), ("lost", "not Disgust")}),
    ],
)
def test_a_denial_of_the_template_must_be_kept_and_none_added(candidate, reasons):
    absent = VoiceProfile({}, (), {"gender": "female", "pace": "slow"}, ["Disgust"])
    assert {(reason.code, reason.what) for reason in judge(candidate, absent).reasons} == reasons
    assert all(judge(render(absent, seed=seed), absent).accepted for seed in range(50))


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("speaks with a burp", "burp"),
        ("squeaks", "squeaks"),
        ("laughs", "Chuckle"),
        ("is moaning", "Frustrated Groan"),
    ],
)
def test_words_for_sounds_are_refused_for_profiles_without_bursts(said, what):
    angry, caption = VoiceProfile({"Anger": 0.75}, (), {"gender": "female"}), f"A very angry woman {said}."
    (reason,) = judge(caption, angry).reasons
    assert (reason.code, reason.what) == ("added-burst", what)
    amused = VoiceProfile({"Amusement": 0.5}, (), {"gender": "female"})
    assert "added-burst" not in judge("A woman, on the verge of laughing.", amused).codes


@pytest.mark.parametrize(
    ("emotion", "burst", "caption"),
    [
        ("Anger", "Cackle", "A woman, moderately angry, cackles, and her laughter goes on."),
        ("Relief", "Relief Sigh", "A moderately relieved woman sighs."),
        ("Fear", "Nervous Giggle", "A moderately frightened woman giggles."),
        ("Anger", "Ahem", "A moderately angry woman burps after an ahem."),
        ("Sadness", "Ahem", "A woman gives an ahem, crying to a moderate degree."),
    ],
)
def test_words_for_sounds_express_the_burst_of_their_group(emotion, burst, caption):
    profile = VoiceProfile({emotion: 0.5}, [burst], {"gender": "female"})
    assert judge(caption, profile).reasons == ()


@pytest.mark.parametrize(
    ("burst", "caption", "accepted"),
    [
        ("Clicks Tongue", "A rather doubtful man clicks his tongue.", True),
        ("Tongue Click", "A rather doubtful man clicks his tongue.", True),
        ("Smacks Lips", "A rather doubtful man, with a lip smack.", True),
        ("Tsk", "A rather doubtful man clicks his tongue.", False),
        ("Smacks Lips", "A rather doubtful man, with a licking sound.", False),
        ("Hiccups", "A rather doubtful man, with a single hiccup.", False),
    ],
)
def test_names_of_one_sound_are_one_burst(burst, caption, accepted):
    assert judge(caption, VoiceProfile({"Doubt": 0.5}, [burst], {"gender": "male"})).accepted == accepted


def test_only_the_parts_of_the_gate_are_compared():
    emotions = Gate(parts=("emotions",))
    said = "A young man, deeply furious and a little scared, coughing and laughing."
    assert judge(said, PROFILE, gate=emotions).accepted
    assert judge(said.replace("scared", "proud"), PROFILE, gate=emotions).codes == ("lost", "added")


def test_tolerance_never_allows_absence_and_missed_emotions_are_named():
    assert not judge(GOOD.replace("deeply", "extremely"), PROFILE, gate=Gate(tolerance=0)).accepted
    assert judge(GOOD.replace("deeply furious", "slightly angry"), PROFILE, gate=Gate(tolerance=2)).accepted
    assert not judge(GOOD.replace(" and a little scared", ""), PROFILE, gate=Gate(tolerance=4)).accepted
    verdict = judge(GOOD.replace("deeply furious", "full of a sense of gallbladderishness"), PROFILE)
    assert (verdict.missed, verdict.unknown) == (("Anger",), ("gallbladderishness",))
    assert judge("", PROFILE).missed == ("Fear", "Anger")


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1)),
    st.lists(st.sampled_from(BURSTS), max_size=82),
    st.integers(0, 99),
)
def test_every_template_rendering_passes_without_tolerance(emotions, bursts, seed):
    profile = VoiceProfile(emotions, bursts, {"gender": "male", "age": "adult", "accent": "Swiss"})
    assert judge(render(profile, seed=seed), profile, gate=Gate(tolerance=0)).reasons == ()


@pytest.mark.parametrize(
    ("other", "low", "high"),
    [
        ("AN OLD WOMAN SPEAKS ; WITH overwhelming rage, a touch of pride and a quiet chuckle!", 1, 1),
        (f"Listen well: {TEXT} That is all there is.", 0.95, 1),
        ("With overwhelming rage, a touch of pride and a quiet chuckle, an old woman speaks.", 0.8, 1),
        ("She is elderly and sounds utterly furious, faintly self-assured, and laughs to herself.", 0, 0.2),
        ("An old woman speaks with rage.", 0, 0),  # short
    ],
)
def test_overlap_ignores_case_punctuation_and_order(other, low, high):
    assert low <= overlap(TEXT, other) <= high


@given(st.text(max_size=200), st.text(max_size=200))
def test_overlap_is_a_symmetric_share(one, other):
    assert judge(one, PROFILE).accepted == (not judge(one, PROFILE).reasons)
    assert 0 <= overlap(one, other) == overlap(other, one) <= 1
    assert overlap(one, one) == 1


def test_limits_of_the_gate_are_inclusive():
    free = Gate(nearest_source=1, nearest_sibling=1)
    assert judge(GOOD, PROFILE, source=GOOD, siblings=(GOOD,), gate=free).accepted
    angry = VoiceProfile({"Anger": 0.75})
    assert "long" not in judge("A very angry voice", angry, gate=Gate(most_words=1)).codes
    assert "long" in judge("A really very angry voice", angry, gate=Gate(most_words=1)).codes
    assert Gate() == Gate(tolerance=1, nearest_source=0.8, nearest_sibling=0.8, most_words=15)


def test_overlap_is_the_share_of_character_5_grams_from_forty_on():
    letters = "the quick brown fox jumps over a lazy dog and naps"
    assert overlap(letters[:45], letters[:45] + " some more") == 1
    assert overlap(letters[:44], letters[:44] + " some more") == 0
    other = letters[20:] + " while others sleep in"
    one, two = ({text[n : n + 5] for n in range(len(text) - 4)} for text in (letters, other))
    assert overlap(letters, other) == len(one & two) / min(len(one), len(two))


@pytest.mark.parametrize(("said", "wanted", "same"), [(0.0, 1.0, True), (4.0, 3.0, True), (4.0, 1.0, False)])
def test_voice_attributes_are_compared_by_the_side_of_their_scale(said, wanted, same):
    profiles = [VoiceProfile({"Anger": 0.75}, traits={"Arousal": value}) for value in (said, wanted)]
    codes = judge(render(profiles[0], seed=1), profiles[1]).codes
    assert codes == (() if same else ("other-trait",))
