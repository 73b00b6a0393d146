"""The data of the offline rewriting: every word parses as what it stands for, every frame is used."""

from random import Random

import pytest

from budew.captions import load_lexicon, parse, render
from budew.captions.render import load_templates
from budew.errors import InputError
from budew.paraphrase.grammar import REWORDING
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, CATEGORIES, EMOTIONS, LEVELS

TEMPLATES = load_templates(additions=REWORDING)
LEXICON = TEMPLATES.lexicon
SENTENCES = {
    "noun": "A voice with {}.",
    "adjective": "The woman is {}.",
    "attributive": "A {} woman talks.",
    "adverb": "She speaks {}.",
    "verb": "She {}, and talks.",
    "filling": "A voice {}.",
    "statement": "In her voice, {}.",
    "tone": "She talks {}.",
}


def random_profile(random: Random) -> VoiceProfile:
    traits = {key: random.choice(values) for key, values in CATEGORIES.items() if random.random() < 0.4}
    emotions = {name: random.choice(LEVELS[1:]) for name in random.sample(EMOTIONS, random.randint(1, 5))}
    return VoiceProfile(emotions, random.sample(BURSTS, random.choice((0, 1, 2))), traits)


@pytest.mark.parametrize("form", SENTENCES)
def test_every_phrase_for_an_emotion_parses_as_that_emotion_at_its_level(form):
    random, missing = Random(1), 0
    for (name, level), phrases in LEXICON.book[form].items():
        drawn = [(text, level) for text in random.sample(phrases.before, min(40, len(phrases.before)))]
        drawn += [(text, level) for text in random.sample(phrases.after, min(5, len(phrases.after)))]
        drawn += [(text, 0.5) for text in phrases.bare]
        missing += not drawn
        for text, expected in drawn:
            parsed = parse(SENTENCES[form].format(text))
            assert dict(parsed.emotions) == {name: expected}, text
            assert not parsed.bursts, text
            assert not parsed.unknown, text
    assert set(LEXICON.book) == set(SENTENCES)
    assert not missing or form in ("adverb", "verb")


def test_every_emotion_has_nouns_besides_those_of_the_templates():
    for name, forms in load_lexicon().emotions.items():
        assert set(LEXICON.emotions[name]["noun"]) - {*forms["noun"], *forms.get("strong_noun", ())}


def test_every_person_and_voice_parses_as_its_gender_and_age():
    for (gender, age), phrases in (*LEXICON.people.items(), *LEXICON.voices.items()):
        said = {key: word for key, word in (("gender", gender), ("age", age)) if word != "unknown"}
        for phrase in phrases:
            parsed = parse(f"The {phrase} is heard.")
            assert (dict(parsed.traits), dict(parsed.emotions)) == (said, {}), phrase
    wanted = {(g, a) for g in (*CATEGORIES["gender"], "unknown") for a in (*CATEGORIES["age"], "unknown")}
    assert set(LEXICON.people) == set(LEXICON.voices) == wanted


def test_every_manner_and_timbre_parses_and_none_is_missing():
    said = [("style", style, f"She speaks {of}.") for (style, _), of in _each(LEXICON.manners)]
    said += [("pace", pace, f"She speaks {phrase}.") for pace, phrase in _each(LEXICON.paces)]
    said += [("timbre", of, f"A voice of a {phrase}.") for of, phrase in _each(LEXICON.timbres)]
    for key, value, sentence in said:
        assert dict(parse(sentence).traits) == {key: value}, sentence
    for key in ("style", "pace", "timbre"):
        assert {value for of, value, _ in said if of == key} == set(CATEGORIES[key])


def test_every_sound_parses_as_a_verb_and_as_a_noun():
    said = [(name, f"Now and then she {verb.format('her')}.") for name, verb in _each(LEXICON.burst_verbs)]
    said += [(name, f"In between, {noun} can be heard.") for name, noun in _each(LEXICON.bursts)]
    for name, sentence in said:
        parsed = parse(sentence)
        assert (parsed.bursts, dict(parsed.emotions), dict(parsed.traits)) == ((name,), {}, {}), sentence
    assert {name for name, _ in said} == set(BURSTS)


def _each(table):
    return [(key, phrase) for key, phrases in table.items() for phrase in phrases]


def test_every_frame_can_be_used_and_parses_back_in_nearly_all_of_its_uses():
    random, used, misread = Random(3), dict.fromkeys(TEMPLATES.frames, 0), 0
    for number in range(60):
        profile = random_profile(random)
        for name in TEMPLATES.frames:
            try:
                text = render(profile, seed=number, frame=name, additions=REWORDING)
            except InputError:
                continue
            used[name] += 1
            misread += parse(text).profile != profile
    assert min(used.values()) > 5, used
    assert misread <= sum(used.values()) / 500
    assert len(used) >= 40


@pytest.mark.parametrize(("condition", "extreme"), [("strongest", max), ("weakest", min)])
def test_a_frame_for_the_strongest_or_weakest_emotion_begins_with_it(condition, extreme):
    table = LEXICON.table["frames"]
    frames = [name for name in TEMPLATES.frames if f"{{{condition}}}" in table[name]["text"]]
    random, texts = Random(4), []
    for number in range(100):
        try:
            texts.append(render(random_profile(random), seed=number, frame=frames, additions=REWORDING))
        except InputError:
            continue
    assert len(texts) > 10
    for text in texts:
        levels = [mention.level for mention in parse(text).mentions if mention.kind == "emotion"]
        assert levels[0] == extreme(levels), text
        assert levels.count(levels[0]) == 1, text


def test_a_style_has_frames_for_profiles_with_and_without_emotions():
    for style, wanted in LEXICON.table["of_style"].items():
        kinds = {key: values for key, values in wanted.items() if key != "without"}
        fitting = [
            frame
            for frame in TEMPLATES.frames.values()
            if all(getattr(frame, key) in values for key, values in kinds.items())
        ]
        assert len(fitting) >= 3, style
        assert any(frame.neutral for frame in fitting), style
