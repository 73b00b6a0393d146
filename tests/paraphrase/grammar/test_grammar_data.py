"""The data of the offline rewriting: every word reads back as what it says, every frame is used."""

from random import Random

import pytest

from budew.captions import load_lexicon, parse
from budew.captions.frames import compile_frame
from budew.captions.render import said_of
from budew.paraphrase.grammar.places import BIT, possible
from budew.paraphrase.grammar.rewording import Rewording, load_slots, load_vocabulary
from budew.profile import VoiceProfile
from budew.randomness import Choices
from budew.taxonomy import BURSTS, CATEGORIES, EMOTIONS, LEVELS

SENTENCES = {
    "noun": "A voice with {}.",
    "adjective": "The woman is {}.",
    "attributive": "A {} woman talks.",
    "adverb": "She speaks {}.",
    "verb": "She {}, and talks.",
    "state": "The woman is {}.",
}
DEGREES = {
    "noun": "A voice with {} fear and some joy.",
    "adjective": "The woman sounds {} fearful.",
    "adverb": "She talks {} fearfully.",
    "strong_adjective": "The woman is {} terrified.",
    "attributive": "A {} fearful woman talks.",
    "after": "She shows fear {}.",
    "verb": "She cowers {}, and talks.",
    "predicate": "In her voice, the fear is {}, the joy slight.",
    "filling": "A voice {} fear.",
}


def random_profile(random: Random) -> VoiceProfile:
    traits = {key: random.choice(values) for key, values in CATEGORIES.items() if random.random() < 0.4}
    emotions = {name: random.choice(LEVELS[1:]) for name in random.sample(EMOTIONS, random.randint(1, 5))}
    return VoiceProfile(emotions, random.sample(BURSTS, random.choice((0, 1, 2))), traits)


@pytest.mark.parametrize("form", SENTENCES)
def test_every_word_for_an_emotion_reads_back_as_that_emotion(form):
    words = load_vocabulary().words
    for name in EMOTIONS:
        for word in words[form, name, True][0]:
            parsed = parse(SENTENCES[form].format(word))
            assert dict(parsed.emotions) == {name: 0.5}, (word, dict(parsed.emotions))
            assert not parsed.bursts


def test_every_emotion_has_words_of_its_own_beside_those_of_the_templates():
    words, templates = load_vocabulary().words, load_lexicon().emotions
    for name in EMOTIONS:
        assert set(words["noun", name, True][0]) - {
            *templates[name]["noun"],
            *templates[name].get("strong_noun", ()),
        }
        assert words["attributive", name, False][0]


@pytest.mark.parametrize("form", DEGREES)
def test_every_degree_reads_back_at_its_level(form):
    for level, forms in load_vocabulary().degrees.items():
        for degree in forms.get(form, ()):
            parsed = parse(DEGREES[form].format(degree))
            assert parsed.emotions["Fear"] == level, degree
            assert not parsed.unknown, degree


def test_every_person_and_voice_reads_back_as_its_gender_and_age():
    vocabulary = load_vocabulary()
    for (gender, age), phrases in (*vocabulary.persons.items(), *vocabulary.voices.items()):
        said = {key: word for key, word in (("gender", gender), ("age", age)) if word != "unknown"}
        for phrase in phrases:
            parsed = parse(f"The {phrase} is heard.")
            assert (dict(parsed.traits), dict(parsed.emotions)) == (said, {}), phrase
    wanted = {(g, a) for g in (*CATEGORIES["gender"], "unknown") for a in (*CATEGORIES["age"], "unknown")}
    assert set(vocabulary.persons) == set(vocabulary.voices) == wanted


def test_every_manner_and_timbre_reads_back_and_none_is_missing():
    vocabulary = load_vocabulary()
    said = [("style", style, f"She speaks {of}.") for (style, _), of in _each(vocabulary.styles)]
    said += [("pace", pace, f"She speaks {phrase}.") for pace, phrase in _each(vocabulary.paces)]
    said += [("timbre", of, f"A voice of a {word} timbre.") for of, word in _each(vocabulary.timbres)]
    for key, value, sentence in said:
        assert dict(parse(sentence).traits) == {key: value}, sentence
    for key in ("style", "pace", "timbre"):
        assert {value for of, value, _ in said if of == key} == set(CATEGORIES[key])


def test_every_sound_reads_back_as_a_verb_and_as_a_noun():
    vocabulary = load_vocabulary()
    said = [(name, f"Now and then she {verb.format('her')}.") for name, verb in _each(vocabulary.burst_verbs)]
    said += [(name, f"In between, {noun} can be heard.") for name, noun in _each(vocabulary.burst_nouns)]
    for name, sentence in said:
        parsed = parse(sentence)
        assert (parsed.bursts, dict(parsed.emotions), dict(parsed.traits)) == ((name,), {}, {}), sentence
    assert {name for name, _ in said} == set(BURSTS)


def _each(table):
    return [(key, phrase) for key, phrases in table.items() for phrase in phrases]


def test_every_frame_can_be_used_and_says_the_profile_in_nearly_all_of_its_uses():
    random, vocabulary, lexicon = Random(3), load_vocabulary(), load_lexicon()
    used, misread = dict.fromkeys((frame.name for frame in vocabulary.frames["feelings"]), 0), 0
    for number in range(60):
        profile = random_profile(random)
        said = said_of(profile, lexicon)
        there = possible(said, vocabulary)
        for frame in vocabulary.frames["feelings"]:
            if not frame.needs & ~there:
                text = Rewording(said, there, vocabulary, lexicon, Choices(f"{number} {frame.name}")).write(
                    frame
                )
                used[frame.name] += 1
                misread += parse(text).profile != profile
    assert min(used.values()) > 5, used
    assert misread <= sum(used.values()) / 500
    assert len(used) >= 40


@pytest.mark.parametrize(("place", "extreme"), [("strongest", max), ("weakest", min)])
def test_a_frame_that_begins_with_the_strongest_or_weakest_feeling_does_so_and_no_other_is_as_strong(
    place, extreme
):
    random, vocabulary, lexicon = Random(4), load_vocabulary(), load_lexicon()
    frames = [frame for frame in vocabulary.frames["feelings"] if frame.needs & BIT[place]]
    texts = []
    for number in range(100):
        said = said_of(random_profile(random), lexicon)
        there = possible(said, vocabulary)
        for frame in frames:
            if not frame.needs & ~there:
                draw = Choices(f"{number} {frame.name}")
                texts.append(Rewording(said, there, vocabulary, lexicon, draw).write(frame))
    assert len(texts) > 50
    for text in texts:
        levels = [mention.level for mention in parse(text).mentions if mention.kind == "emotion"]
        assert levels[0] == extreme(levels), text
        assert levels.count(levels[0]) == 1, text


def test_a_style_means_frames_that_are_there():
    vocabulary = load_vocabulary()
    for style, wanted in vocabulary.of_style.items():
        fitting = [
            frame
            for frame in vocabulary.frames["feelings"]
            if all(getattr(frame, key) in values for key, values in wanted.items())
        ]
        assert len(fitting) >= 3, style


@pytest.mark.parametrize(("gender", "subject"), [("female", "she"), ("androgynous", "the speaker")])
def test_what_stands_behind_a_bar_comes_where_a_place_is_empty(gender, subject):
    text = "[{she}|the speaker], {a_voice} {bursts} {manner} {accent_timbre} {qualities} {recording}"
    traits = {"style": "casual", "accent": "French", "Soft_vs._Harsh": 2.0, "Recording_Quality": 0.0}
    said = said_of(VoiceProfile(bursts=["Yawn"], traits={**traits, "gender": gender}), load_lexicon())
    frame = compile_frame("bar", style="prose", view="", form="", text=text, rules={}, slots=load_slots())
    vocabulary, lexicon = load_vocabulary(), load_lexicon()
    written = Rewording(said, possible(said, vocabulary), vocabulary, lexicon, Choices("a")).write(frame)
    assert written.startswith(f"{subject}, a")
