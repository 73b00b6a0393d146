"""Reading captions that nobody here wrote."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import parse
from budew.profile import VoiceProfile
from budew.taxonomy import BURST_GROUPS, BURSTS, EMOTIONS
from tests.growth import is_linear

TABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("readings.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=f"{name}-{number}")
        for name, rows in TABLE.items()
        for number, row in enumerate(rows)
    ],
)
def test_a_sentence_reads_as_a_listener_would_read_it(row):
    parsed = parse(row["text"])
    assert parsed.emotions == row["emotions"], row["text"]
    assert list(parsed.emotions) == [name for name in EMOTIONS if name in row["emotions"]]
    assert set(parsed.bursts) == set(row.get("bursts", ())), row["text"]
    traits = {key: parsed.traits[key] for key in ("gender", "age", "accent", "style") if key in parsed.traits}
    assert traits == row.get("traits", {}), row["text"]


@pytest.mark.parametrize(
    ("caption", "bursts"),
    [
        ("a nervous giggle", ("Nervous Giggle",)),
        ("a sigh of relief, then panting", ("Panting", "Relief Sigh")),
        ("no chuckle, without a cough", ()),
        ("Wistful Sigh (Spitting)", ("Wistful Sigh", "Spitting")),
    ],
)
def test_bursts_win_over_the_emotion_words_in_them(caption, bursts):
    parsed = parse(caption)
    assert set(parsed.bursts) == set(bursts)
    assert parsed.emotions == {}


@pytest.mark.parametrize(
    ("caption", "traits"),
    [
        ("slight background noise", {"Background_Noise": 2.25}),
        ("lots of background noise", {"Background_Noise": 3.0}),
        ("less soft than usual", {}),
        ("not less harsh, but less dominant", {}),
        ("He is quick to laugh and slow to speak.", {"gender": "male"}),
        ("She has a bad cold.", {"gender": "female"}),
        ("He has a cold.", {"gender": "male"}),
        ("He has a cold, raspy voice.", {"gender": "male", "timbre": "raspy", "Warm_vs._Cold": -1.0}),
        ("Her breathing is slow.", {"gender": "female"}),
        ("Hope slowly gives way to grief.", {}),
        ("A soft, slow voice.", {"pace": "slow", "Soft_vs._Harsh": 1.0}),
    ],
)
def test_what_a_voice_is_like_is_told_from_what_sounds_alike(caption, traits):
    assert dict(parse(caption).traits) == traits


SOUNDS = """
She laughs.|~laughter
He bursts out laughing.|~laughter
Her laughter is bright.|~laughter
bitter laugh|~laughter
A nervous laugh escapes him.|Nervous Giggle
He laughs nervously.|Nervous Giggle
nervous laughter|Nervous Giggle
A hearty laugh.|Guffaw
an awkward little laugh|~laughter
a snort of laughter|Snorting Giggle
She giggles.|~laughter
giggling|~laughter
A relieved laugh.|~laughter
an evil laugh|Cackle
He sighs.|~sighs
a heavy sigh|~sighs
a long, weary sigh|~sighs
He sighs, relieved at last.|Relief Sigh
an annoyed sigh|Exasperated Sigh
an exasperated sigh|Exasperated Sigh
a sad sigh|Wistful Sigh
sighing with boredom|Exasperated Sigh
She gasps.|Surprised Gasp
a frightened gasp|Fearful Gasp
a gasp of horror|Fearful Gasp
He gasps for air.|Panting
He groans.|Frustrated Groan
groans in pain|Pain Moan
a tired groan|Exhausted Groan
A groan of despair.|~groans_and_moans
moaning in agony|Pain Moan
He is crying.|~crying_and_distress
She cries quietly.|~crying_and_distress
bursts into tears|~crying_and_distress
weeping softly|~crying_and_distress
chokes back a sob|~crying_and_distress
He sobs.|Sobs
She mumbles.|Low Mumble
mutters under her breath|Whispered Mumble
He coughs.|Coughing
A dry cough.|Cough
He whistles.|~whistling
a low whistle|Soft Whistle
whistles cheerfully|Person Whistling Playfully
She hums along.|Humming
He screams.|Scream
screaming at the top of his lungs|Scream
She grunts.|~grunts
a scornful grunt|Displeased Grunt
grunts in agreement|Affirmative Grunt
clears throat|Clears Throat
He clears his throat.|Clears Throat
a throat clear|Clears Throat
sniffles|Sniff
breathing heavily|Heavy Breathing
rapid, shallow breathing|Fast Breathing
short, ragged breaths|~breathing
shaky breath|~breathing
A deep exhale.|~breathing
He exhales slowly.|~breathing
She takes a deep breath.|Deep Breath
takes a breath before answering|~breathing
a sharp intake of breath|Sharp Inhale
Her breath catches.|Sharp Inhale
his breath hitches|Sharp Inhale
She is out of breath.|~breathing
steady breathing|Normal Breathing
clicks tongue|Clicks Tongue
clicks her tongue|Click One's Tongue
He tuts.|Tsk
a disapproving tut-tut|Tsk
tsk tsk|Tsk
snorts derisively|Snort
yawns through the line|Yawn
He gulps.|Gulps
She gulps audibly, nervous.|Nervous Gulp
smacks lips|Smacks Lips
smacks his lips|Smack One's Lips
the clicking of her tongue|Clicks Tongue
Her tongue is heard to click.|Clicks Tongue
A throat is cleared.|Clears Throat
Cough after cough|Coughing
One hiccup after another.|Hiccups
He hums in a resonant way.|Resonant Hum
a grunt that means yes|Affirmative Grunt
She grunts, displeased.|~grunts
Tired too, he turns to his yawn.|Yawn
She gives in to a chuckle.|Chuckle
blows kisses|Blowing a Kiss
squeals with delight|~screams_and_shrieks
She laughs so hard that she snorts.|~laughter+Snort
That is laughable.|
Trying not to laugh.|
There is no laughter in it.|
She does not laugh.|
without a sigh|
He never giggles.|
audience laughter can be heard|
The crowd laughs.|
laughter in the background|
No laughing matter.|
a breathy voice|
the sighing wind|
It is a crying shame.|
the hum of a fridge|
a humming fridge|
a whistle-stop tour|
an advert for cough syrup|
A baby is crying in the background.|
Tape hiss and a train whistle.|
She spits out the words.|
Words are half swallowed.|
He chews on every word.|
She makes everyone laugh.|
good breath control|
The voice screams confidence.|
talks about laughing|
He is quick to laugh.|
a far cry from joy|
He says "I laughed so much".|
She has the last laugh.|
as though about to laugh|
He moans about the weather.|
canned laughter|
a laugh track|
spitting image of his father|
a breath of fresh air|
a sighing cadence|
He hisses the words.|
humming with excitement|
swallows the ends of words|
a slight hiss on the tape|
"""
"""Captions and their bursts; "~" and a group: any burst of it."""


@pytest.mark.parametrize("row", SOUNDS.strip().splitlines())
def test_sounds_are_bursts_and_what_looks_like_one_is_none(row):
    caption, wanted = row.split("|")
    bursts = parse(caption).bursts
    assert len(bursts) == len(wanted.split("+") if wanted else ())
    for one in wanted.split("+") if wanted else ():
        assert set(bursts) & set(BURST_GROUPS.get(one[1:], (one,)))


def test_a_sound_of_no_kind_is_in_the_mentions_the_burst_that_it_is():
    for row in SOUNDS.strip().splitlines():
        parsed = parse(row.split("|")[0])
        assert {m.name for m in parsed.mentions if m.kind == "burst" and m.level} == set(parsed.bursts)


@pytest.mark.parametrize("name", BURSTS)
def test_the_name_of_a_burst_is_always_read(name):
    assert parse(f"({name.upper()})").bursts == (name,)


@pytest.mark.parametrize(
    ("caption", "traits"),
    [
        (
            "an elderly woman with a thick Bavarian accent",
            {"gender": "female", "age": "elderly", "accent": "Thick Bavarian"},
        ),
        (
            "a young adult, masculine, with a New York accent",
            {"gender": "male", "age": "young adult", "accent": "New York"},
        ),
        ("a man talks to a woman, whispering", {"gender": "male", "style": "whispered"}),
        ("a voice with an accent", {}),
        ("accent", {}),
        ("young, adult", {"age": "young adult"}),
    ],
)
def test_traits_are_the_first_said_of_each_kind(caption, traits):
    assert dict(parse(caption).traits) == traits


def test_mentions_give_span_name_and_level_also_of_what_is_denied():
    caption = "No anger; a Hint of Joy from a woman, chuckling."
    found = [(caption[m.start : m.end], m.kind, m.name, m.level, m.value) for m in parse(caption).mentions]
    assert found == [
        ("anger", "emotion", "Anger", 0.0, ""),
        ("Joy", "emotion", "Elation", 0.25, ""),
        ("woman", "trait", "gender", 1.0, "female"),
        ("chuckling", "burst", "Chuckle", 1.0, ""),
    ]


def test_profile_and_vector_are_two_views_of_the_parse():
    parsed = parse("strong anger, chuckling")
    assert parsed.profile == VoiceProfile({"Anger": 0.75}, ["Chuckle"])
    assert parsed.vector().dtype == np.float32
    assert np.array_equal(parsed.vector(), parsed.profile.vector())


@pytest.mark.parametrize("unseen", ["\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff"])
def test_letters_that_are_not_seen_hide_no_word(unseen):
    caption = f"a deeply mel{unseen}an{unseen}choly voice"
    mention = parse(caption).mentions[0]
    assert (mention.name, mention.level) == ("Sadness", 0.75)
    assert caption[mention.start : mention.end] == f"mel{unseen}an{unseen}choly"


def test_equal_parses_are_equal_and_survive_pickling():
    parsed = parse("strong anger, chuckling, an old woman")
    assert pickle.loads(pickle.dumps(parsed)) == parsed
    assert len({parse("sad"), parse("sad"), parse("glad")}) == 2


GRAMMAR = "strong no anger , and fear of a hint to high degree accent the . chuckle relief sigh 'S ﬃ"
words = st.sampled_from([*GRAMMAR.split(), "\n"])


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.lists(words).map(" ".join), st.text("\U0001f600é\x00\ud800 a,'anger-")))
def test_any_string_parses_to_a_valid_profile(text):
    parsed = parse(text)
    assert parse(text) == parsed
    assert parsed.profile.emotions == parsed.emotions
    assert all(0 <= mention.start < mention.end <= len(text) for mention in parsed.mentions)


@pytest.mark.parametrize(
    "unit",
    ["to his man she ", "strong ", "no anger, ", "a hint of ", "to a high ", "x accent ", "a", ",", "ﷺ"],
)
def test_time_is_linear_in_the_length(unit):
    assert is_linear(lambda copies: parse(unit * copies), 1_000)
