"""Data of the offline rewriting: every word parses as its entry, every frame is usable."""

from random import Random

import pytest

from budew.captions import load_lexicon, parse, render
from budew.captions.render import load_templates
from budew.errors import InputError
from budew.paraphrase.grammar_backend import REWORDING
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, CATEGORIES
from tests.paraphrase.scripted import some_profile

TEMPLATES = load_templates(REWORDING)
LEXICON = TEMPLATES.lexicon
VARIED = LEXICON.varied
SENTENCES = {
    "noun": "A voice with {}.",
    "hint": "There is {} in her voice.",
    "surge": "There is {} in her voice.",
    "image": "In every word she says there is {}.",
    "adjective": "The woman is {}.",
    "emphatic": "The woman is {}.",
    "attributive": "A {} woman talks.",
    "air": "Her tone is {}.",
    "tone": "She talks {}.",
    "adverb": "She speaks {}.",
    "filling": "A voice {}.",
}
PARTIAL = {"attributive", "hint", "surge", "emphatic", "image", "adverb", "filling", "air", "tone"}
"""Forms that not every emotion has at every level."""


@pytest.mark.parametrize("form", SENTENCES)
def test_every_phrase_for_an_emotion_parses_as_that_emotion_at_its_level(form):
    random, missing = Random(1), 0
    for (name, level), phrases in VARIED.emotions[form].items():
        drawn = [(text, level) for text in random.sample(phrases.before, min(40, len(phrases.before)))]
        drawn += [(text, level) for text in phrases.bare]
        missing += not drawn
        for text, expected in drawn:
            parsed = parse(SENTENCES[form].format(text))
            assert dict(parsed.emotions) == {name: expected}, text
            assert not parsed.bursts, text
            assert not parsed.unknown, text
    assert set(VARIED.emotions) == set(SENTENCES)
    assert not missing or form in PARTIAL


def test_every_phrase_for_traits_and_sounds_parses_and_none_is_missing():
    def each(table, sentence):
        return [(key, sentence.format(phrase)) for key, phrases in table.items() for phrase in phrases]

    people = each(VARIED.people, "The {} is heard.") + each(VARIED.voices, "The {} is heard.")
    said = [
        ({key: word for key, word in (("gender", gender), ("age", age)) if word != "unknown"}, (), sentence)
        for (gender, age), sentence in people
    ]
    for style, _ in VARIED.manners:
        said += [
            ({"gender": "female", "style": style}, (), f"She speaks {of}.") for of in VARIED.manners[style, _]
        ]
    said += [
        ({"gender": "female", "pace": pace}, (), sentence)
        for pace, sentence in each(VARIED.paces, "She speaks {}.")
    ]
    said += [({"timbre": of}, (), sentence) for (of, _), sentence in each(VARIED.timbres, "A voice of a {}.")]
    verbs = {
        name: [verb.format("her") for verb in verbs] for name, verbs in VARIED.burst_verbs["verb"].items()
    }
    said += [
        ({"gender": "female"}, (name,), sentence) for name, sentence in each(verbs, "Now and then she {}.")
    ]
    said += [
        ({}, (name,), sentence) for name, sentence in each(VARIED.bursts, "In between, {} can be heard.")
    ]
    for traits, bursts, sentence in said:
        assert parse(sentence).profile == VoiceProfile({}, bursts, traits), sentence
    for key in ("style", "pace", "timbre"):
        assert {traits.get(key) for traits, _, _ in said} == {None, *CATEGORIES[key]}
    assert {name for _, bursts, _ in said for name in bursts} == set(BURSTS)
    wanted = {(g, a) for g in (*CATEGORIES["gender"], "unknown") for a in (*CATEGORIES["age"], "unknown")}
    assert set(VARIED.people) == set(VARIED.voices) == wanted
    for name, forms in load_lexicon().emotions.items():
        assert set(LEXICON.emotions[name]["tone"]) - set(forms.get("tone", ()))


def test_every_frame_is_usable_and_its_renderings_parse_back():
    used, misread = dict.fromkeys(TEMPLATES.frames, 0), 0
    for number in range(60):
        profile = some_profile(number) if number % 6 else VoiceProfile(traits={"gender": "male"})
        for name, row in LEXICON.table["frames"].items():
            try:
                text = render(profile, seed=number, frame=[name], additions=REWORDING)
            except InputError:
                continue
            used[name] += 1
            misread += parse(text).profile != profile
            assert not (profile.emotions and "{neutral}" in row["text"]), text
            assert profile.emotions or row["neutral"], text
    assert min(used.values()) > 5, used
    assert misread <= sum(used.values()) / 500
    assert len(used) >= 40
    for style, wanted in LEXICON.table["of_style"].items():
        kinds = {key: values for key, values in wanted.items() if key != "without"}
        frames = TEMPLATES.frames.values()
        fitting = [row for row in frames if all(getattr(row, key) in kinds[key] for key in kinds)]
        assert len(fitting) >= 3, style
        assert any(frame.neutral for frame in fitting), style
