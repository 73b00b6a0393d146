"""Gender and age are those of the speaker, whoever else a caption names."""

import pytest

from budew.captions import parse
from budew.captions.render import render
from budew.profile import VoiceProfile
from budew.taxonomy import CATEGORIES, age_group

CAPTIONS = """
Talking about her son, proud of how he grew. | female |
Complaining about a guy; he was mean and her voice cracks. | female |
Angry with her boyfriend because he lied. | female |
Complaining about a guy; he was mean. | |
a female voice, mid-aged | female | middle-aged
She sounds exhausted. | female |
Her voice is bright and clear. | female |
His tone is flat. | male |
He's furious. | male |
hes so done with this | male |
shes happy | female |
They sound angry. |  |
Speaks to him gently. |  |
Someone talks to her. |  |
Imitates her boss angrily. | female |
She imitates her boss. | female |
A woman talking about her son; he is ill. | female |
A man tells his wife that she is right. | male |
Talking to her husband in a bored voice. | female |
Sad about his mother. | male |
The speaker repeats the boy's name. |  |
The speaker feels sorry for the guy. |  |
Proud of her daughter, she beams. | female |
A voice tells the little boy to sit down. |  |
Comforts a crying baby in soft tones. |  |
The speaker coos at the baby. |  |
Talks to a toddler, patient and warm. |  |
She scolds a naughty boy. | female |
He adores the girl. | male |
f, 30s, angry | female | adult
m, 50s. tired | male | middle-aged
(F, 20s) giggly | female | young adult
(M) bored | male |
M, 45, annoyed | male | middle-aged
female, 34, calm | female | adult
28 yo male | male | young adult
45yo man | male | middle-aged
tired, f | female |
I'm fine, says the voice. |  |
masc voice, low | male |
fem, cheerful | female |
A posh lady with a cold voice | female |
an old gent | male | elderly
A cheeky bloke having a laugh | male |
A young lass sounding shy | female | young adult
A little girl laughs | female | child
A boy of about seven asks a question | male | child
a seven-year-old |  | child
A seven-year-old boy speaks. | male | child
grandpa telling a story | male | elderly
My granny is angry |  |
granny voice, warm | female | elderly
A woman in her thirties | female | adult
a man in his late forties | male | middle-aged
a man in his mid-60s | male | elderly
in her early twenties, she is nervous | female | young adult
30-something woman | female | adult
thirtysomething man | male | adult
20ish girl | female | young adult
a teen boy | male | teenager
a tween, giggling |  | child
A toddler babbles happily |  | child
a preschooler asks why |  | child
a schoolgirl reads aloud | female | child
college-age guy | male | young adult
A pensioner complains. |  | elderly
A retiree recounts his youth. | male | elderly
an old-timer with a drawl |  | elderly
A middle-aged woman | female | middle-aged
a young man | male | young adult
a kid |  | child
an adolescent girl | female | teenager
childlike wonder in her voice | female |
full of childlike joy |  |
She giggles like a child. | female |
baby talk to a dog |  |
an old recording of a speech |  |
young at heart and cheerful |  |
Her teenage daughter is mentioned; she sounds proud. | female |
It sounds like an elderly woman. | female | elderly
He sounds like a young boy. | male | child
A male voice, fiftyish | male | middle-aged
A forty-five-year-old woman | female | middle-aged
The speaker is around sixty years old. |  | elderly
The speaker, aged about thirty, is male. | male | adult
"She is so mean," whines a voice. |  |
A voice says "he left me" in tears. |  |
He or she sounds sad. |  |
The speaker lowers his/her voice. |  |
The voice says to her: come here. |  |
Somebody reads a letter to his father. | male |
Listening to a young woman, one hears joy. | female | young adult
The voice belongs to an old man. | male | elderly
The voice of a woman in her sixties, tired. | female | elderly
Ms. Jones is interviewed by a man. | male |
He talks about his childhood with his grandmother. | male |
A mother soothes her baby. | female |
Dad yelling at the kids | male |
A nurse tells the old man that all is well. |  |
An angry girlfriend on the phone | female |
The caller argues with a man. |  |
narrated by a mature woman | female | middle-aged
The narrator, an elderly gentleman, chuckles. | male | elderly
guy, late 20s, chill | male | young adult
Adult male, calm. | male | adult
He remembers being a boy. | male |
Two boys argue |  |
A widow remembers her husband; he was kind. | female |
Angry at the boy who broke it, the speaker shouts. |  |
A lad flirting with a girl | male |
Voice cracks when mentioning her mother. | female |
Complaining about a guy she met. | female |
an eighty-year-old man | male | elderly
the octogenarian laughs |  | elderly
He is in his old age and tired. | male | elderly
Her elderly voice trembles. | female | elderly
Her old friend is gone; she sighs. | female |
To his surprise he wins. | male |
She mimics a child. | female |
It's a girl, maybe sixteen years old. | female | teenager
The girl's tone is sullen. | female |
the man's breathing is heavy | male |
tender words for a sleeping child |  |
warns a child not to touch |  |
She reads like a schoolteacher to young children. | female |
An infant cries |  | child
male voice, 20s | male | young adult
woman 40ish | female | middle-aged
late teens male | male | teenager
in her early 40s, she sighs | female | adult
28F, chill | female | young adult
The speaker, presumably a man, is tired. | male |
recording from the 80s |  |
the temperature is 45m below |  |
The news knocked him sideways. | male |
You can hear him smiling. | male |
That really got her going. | female |
The voice yells at him. |  |
The speaker begs her to stay. |  |
with the wonder of a child |  |
The voice of a child. |  | child
Female narrator, 30s | female | adult
guy in his 20s ranting | male | young adult
older lady, frail | female | elderly
elderly dude | male | elderly
sounds like a teenager |  | teenager
dad voice | male |
a woman's laugh | female |
the lady is fed up | female |
two men arguing |  |
a mother scolding her teenage son | female |
a man comforting his little girl | male |
grandma reading to her grandkids | female | elderly
young boy asking his mom for candy | male | child
a girl mad at her brother | female |
boy crying for his mother | male |
a wife yelling at her husband | female |
husband complaining about his wife | male |
The actor plays an old man. | male | elderly
A child actor. |  | child
The customer tells the man behind the counter off. |  |
An older brother teasing his sister | male | elderly
a girlfriend breaking up with her boyfriend | female |
a coach shouting at the boys |  |
a doctor explaining to a patient; he is calm | male |
She is talking to a child, slowly and kindly. | female |
A gruff sea captain; his words come slowly. | male |
A queen addressing her people | female |
a preacher, his voice booming | male |
a stewardess making an announcement | female |
An eight year old reading a poem |  | child
a 6 y/o girl | female | child
17yo boy | male | teenager
woman (65) | female | elderly
girl, 9, excited | female |
male / 30s / tired | male | adult
adult woman, mid-thirties | female | adult
a man of forty | male |
a man of about sixty-five | male |
late-twenties woman | female | young adult
woman in her late teens | female | teenager
He is seventy years old and tired. | male | elderly
A voice, probably male, in its fifties | male | middle-aged
Possibly a young woman | female | young adult
not a man, a woman | female |
gender unclear |  |
neither male nor female |  |
a person of unknown gender |  |
their voice is calm |  |
mother-in-law joke told by a man | male |
He sounds like his father. | male |
She has her mother's laugh. | female |
Imitating a little girl, he squeaks. | male |
An old man imitating a young woman | male | elderly
The daughter speaks, resentful. | female |
The speaker sounds like an angry father. | male |
Teen girl, whiny | female | teenager
A businesswoman closing a deal | female |
You notice a certain stiffness about the gentleman. | male |
One gets the impression of an old man who is tired. | male | elderly
I would describe this guy as fairly bitter. | male |
From what we can tell the lady is calm. | female |
There is an odd sweetness to that girl. | female |
Something like pity creeps into the lady's tone. | female |
A note of scorn hangs about the man's phrases. | male |
Envy tugs at the woman's words. | female |
For that old woman, calm seems to come easily. | female | elderly
As for this man, strong doubt must be noted. | male |
Out of the man come fear and then, to end with, relief. | male |
Our lady here is quite bored. | female |
There is tenderness for the woman in it. |  |
You sense anger at the man. |  |
Angry at the man's tone. |  |
Joking about the woman's voice. |  |
Imitates a woman's voice, mocking. |  |
For the boy, the speaker slows down. |  |
You hear a speaker who is sad about the girl. |  |
You hear an impression of an old woman. |  |
A voice describes the man as tired. |  |
"""


@pytest.mark.parametrize("row", CAPTIONS.strip().splitlines())
def test_gender_and_age_are_those_of_the_speaker(row):
    caption, gender, age = (part.strip() for part in row.split("|"))
    traits = parse(caption).traits
    assert (traits.get("gender", ""), traits.get("age", "")) == (gender, age)


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


def test_mentions_and_traits_agree():
    for row in CAPTIONS.strip().splitlines():
        parsed = parse(row.split("|")[0])
        said = {(m.name, m.value) for m in parsed.mentions if m.level}
        assert {(key, value) for key, value in parsed.traits.items() if key in ("gender", "age")} <= said


@pytest.mark.parametrize("gender", CATEGORIES["gender"])
@pytest.mark.parametrize("age", CATEGORIES["age"])
def test_a_rendered_speaker_is_never_somebody_else(gender, age):
    profile = VoiceProfile({"Affection": 0.5, "Fear": 1.0}, (), {"gender": gender, "age": age})
    for seed in range(60):
        assert parse(render(profile, seed=seed)).traits == profile.traits


def test_years_in_words_and_digits_are_the_same_age():
    for years, words in ((7, "seven"), (19, "nineteen"), (45, "forty-five"), (80, "eighty")):
        named = parse(f"a {words}-year-old").traits["age"]
        assert named == parse(f"a {years}-year-old").traits["age"]
        assert named == age_group(years)
