"""The lexicon is complete, and a phrase has one meaning; a second file gives other frames and words."""

import re
from collections import Counter

import pytest
import yaml

from budew.captions import load_lexicon, parse, render
from budew.captions.lexicon import RENDERED_ATTRIBUTES
from budew.captions.phrases import own_levels
from budew.captions.tokens import PhraseTrie
from budew.errors import InputError, SettingsError
from budew.io.resources import data_folder
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, CATEGORIES, EMOTIONS, LEVEL_NAMES, RECORDING_TRAITS, burst, emotion

ENGLISH = data_folder("caption_templates") / "en.yaml"


class OnceLoader(yaml.SafeLoader):
    """Safe YAML in which each key of a mapping comes once."""

    def construct_mapping(self, node, deep=False):
        mapping = super().construct_mapping(node, deep=deep)
        assert len(mapping) == len(node.value), f"a key comes twice at line {node.start_mark.line + 1}"
        return mapping


def texts(table):
    if isinstance(table, dict):
        return [text for part in table.values() for text in texts(part)]
    return [text for part in table for text in texts(part)] if isinstance(table, list) else [table]


def test_the_file_has_each_key_once_and_nothing_but_text():
    table = yaml.load(ENGLISH.read_text(encoding="utf-8"), OnceLoader)
    for key, known, canonical in (("emotions", EMOTIONS, emotion), ("bursts", BURSTS, burst)):
        assert Counter(map(canonical, table[key])) == Counter(known)
    assert set(table.pop("rating")) == set(table["intensity"])
    assert all(isinstance(words, int) for words in table.pop("budget").values())
    spoken = [text for key in table if "frames" not in key and key != "forms" for text in texts(table[key])]
    assert all(isinstance(text, str) and not any(map(str.isdigit, text)) for text in spoken)


def test_everything_that_a_profile_can_express_has_words():
    lexicon = load_lexicon()
    assert set(lexicon.emotions) == set(EMOTIONS)
    for words in lexicon.emotions.values():
        for form in ("noun", "adjective"):
            assert len(words[form]) >= 2
            first = words[form][0]
            assert first not in own_levels(words)  # the plain wording gives each its intensity
            assert first not in words.get("mild", ())
    assert set(lexicon.varied.bursts) == set(lexicon.plain.bursts) == set(BURSTS)
    assert set(lexicon.table["intensity"]) == set(LEVEL_NAMES[1:])
    values = {(key, value) for key, values in {**CATEGORIES, **RECORDING_TRAITS}.items() for value in values}
    assert values == set(lexicon.varied.traits)
    assert all(
        lexicon.varied.manners[style, of] for style in CATEGORIES["style"] for of in ("speaker", "words")
    )
    shares = (0.0, 0.25, 0.75, 1.0)
    assert set(lexicon.varied.attributes) == {
        (name, share) for name in RENDERED_ATTRIBUTES for share in shares
    }


def test_a_phrase_has_one_meaning():
    phrases = PhraseTrie(0)
    phrases.add("Light-hearted fun", 1)
    phrases.add("light hearted fun", 1)
    assert phrases.setdefault("light-hearted fun", 2) == 1
    with pytest.raises(SettingsError, match="means both 1 and 2"):
        phrases.add("light-hearted fun", 2)


FURTHER = """
forms:
  noun: [{words: noun, degrees: noun, say: "{degree} {word}"}]
  adjective: [{words: adjective, degrees: adjective, say: "{degree} {word}", state: state, without: [afraid]}]
  adverb:
    - {words: adverb, degrees: adjective, say: "{degree} {word}"}
    - {words: adjective, degrees: adjective, say: "in {a} tone", bare: false, without: [afraid]}
  verb: [{words: verb, degrees: verb, say: "{word} {degree}", bare: false}]
intensity:
  moderate: {verb: [a fair bit]}
  slight: {verb: [a little]}
  strong: {verb: [deeply]}
  extreme: {verb: [immensely]}
emotions:
  Anger: {adverb: [angrily], verb: [fumes]}
  Fear: {noun: [alarm], state: [on edge], without: [dread]}
bursts: {Sobs: {verb: ["sob into {} sleeve"]}}
people: {unknown: {unknown: [person]}, female: {unknown: [lady]}}
pronouns: {female: [she, her]}
rules: {heard: "[ {she} {burst_verbs}.| One hears {bursts}.]"}
frames:
  speaks_so: {style: prose, view: listener, form: adverbial, neutral: false, text: "{a_speaker} {speaks} {adverbs}.[<heard>]"}
  fumes: {style: prose, view: speaker, form: verbal, neutral: false, text: "{a_speaker} {first_verb}[, but also {rest_nouns}].[<heard>]"}
  one: {style: short, view: listener, form: nominal, text: "{one}{nouns}."}
frames_without_feelings:
  voice: {style: prose, view: listener, form: nominal, text: "{a_voice}."}
"""  # noqa: E501


@pytest.fixture(scope="module")
def further(tmp_path_factory):
    file = tmp_path_factory.mktemp("frames") / "further.yaml"
    file.write_text(FURTHER)
    return file


def test_a_second_file_gives_the_renderer_other_frames_forms_and_words(further):
    angry = VoiceProfile({"Anger": 0.75, "Fear": 0.25}, ["Sobs"], {"gender": "female"})
    captions = {render(angry, seed=seed, additions=further) for seed in range(300)}
    assert all(caption.startswith("A lady ") for caption in captions)
    assert any("fumes deeply, but also" in caption and "alarm" in caption for caption in captions)
    assert not any("dread" in caption or "afraid tone" in caption for caption in captions)
    assert {re.search(r"She (sobs.*)\.", caption)[1] for caption in captions} == {
        "sobs",
        "sobs into her sleeve",
    }
    assert sum(parse(caption).emotions == angry.emotions for caption in captions) > len(captions) / 2


def test_only_frames_whose_slots_are_filled_are_drawn(further):
    on_edge = {render(VoiceProfile({"Fear": 0.5}), seed=seed, additions=further) for seed in range(99)}
    assert not any("fumes" in caption for caption in on_edge)
    assert any("tone" in caption for caption in on_edge)
    with pytest.raises(InputError, match="no sentence frame suits"):
        render(VoiceProfile({"Fear": 0.5}), additions=further, frame=["fumes"])
    with pytest.raises(InputError, match="no sentence frame suits"):
        render(VoiceProfile({"Fear": 0.5, "Pride": 0.5}), additions=further, frame="one")
    assert render(VoiceProfile(None), additions=further) == "A voice."


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{adverbs}", "{feelings}", "speaks_so.*'feelings'"),
        ("<heard>", "<seen>", "speaks_so.*'seen'"),
        ("[<heard>]", "[<heard>", "not closed"),
        ("[<heard>]", "[<heard>)", "not closed"),
        ("[<heard>]", "<heard>]", "speaks_so.*unbalanced"),
    ],
)
def test_a_frame_with_a_fault_is_an_error(tmp_path, old, new, fault):
    file = tmp_path / "further.yaml"
    assert old in FURTHER
    file.write_text(FURTHER.replace(old, new))
    with pytest.raises(SettingsError, match=fault):
        render(VoiceProfile({"Anger": 0.5}), additions=file)


def test_a_file_of_additions_that_is_nested_too_deeply_is_an_error(tmp_path):
    file = tmp_path / "deep.yaml"
    file.write_text("[" * 5_000)
    with pytest.raises(RecursionError):
        render(VoiceProfile({"Anger": 0.5}), additions=file)
