"""Gender and age are those of the speaker, whoever else a caption names."""

from itertools import product

from budew.captions import parse
from budew.captions.render import render
from budew.profile import VoiceProfile
from budew.taxonomy import CATEGORIES, age_group
from tests.captions.conftest import rows_of

CAPTIONS = rows_of("speakers_parsed.txt")


def test_gender_and_age_are_those_of_the_speaker():
    for caption, gender, age in CAPTIONS:
        parsed = parse(caption)
        traits = {key: value for key, value in parsed.traits.items() if key in ("gender", "age")}
        assert (traits.get("gender", ""), traits.get("age", "")) == (gender, age), caption
        assert traits.items() <= {
            (mention.name, mention.value) for mention in parsed.mentions if mention.level
        }


def test_mentions_name_the_pronoun_and_other_people():
    caption = "She talks to an old man."
    found = [(caption[m.start : m.end], m.name, m.value, m.role) for m in parse(caption).mentions]
    assert found == [
        ("She", "gender", "female", "affirmed"),
        ("old", "age", "elderly", "another person"),
        ("man", "gender", "male", "another person"),
    ]
    both = [(m.name, m.value) for m in parse("a grandmother").mentions]
    assert both == [("gender", "female"), ("age", "elderly")]


def test_a_rendered_speaker_is_never_somebody_else():
    for gender, age in product(CATEGORIES["gender"], CATEGORIES["age"]):
        profile = VoiceProfile({"Affection": 0.5, "Fear": 1.0}, (), {"gender": gender, "age": age})
        for seed in range(30):
            assert parse(render(profile, seed=seed)).traits == profile.traits


def test_years_in_words_and_digits_are_the_same_age():
    for years, words in ((7, "seven"), (19, "nineteen"), (45, "forty-five"), (80, "eighty")):
        named = parse(f"a {words}-year-old").traits["age"]
        assert named == parse(f"a {years}-year-old").traits["age"]
        assert named == age_group(years)
