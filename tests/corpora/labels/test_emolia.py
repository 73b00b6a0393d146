"""A folder of Emolia reads as clips with 40 emotions, 15 attributes and a caption, all on their scales."""

import json

import pytest

from budew.corpora import read
from budew.corpora.labels.scores import describe_emolia
from budew.errors import CorpusError
from budew.taxonomy import ATTRIBUTES, EMOTIONS
from budew.taxonomy.rating_scales import to_intensity

NAMES = {
    "Hope/Optimism": "Hope_Enthusiasm_Optimism",
    "Intoxication/Altered States": "Intoxication_Altered_States_of_Consciousness",
}


def emolia(**changed):
    """The JSON of a clip, with the names and kinds of values of the published files."""
    heads = {f"{NAMES.get(name, name).replace('/', '_').replace(' ', '_')}_best": 0.01 for name in EMOTIONS}
    heads |= {f"{name}_best": 1.5 for name in ATTRIBUTES}
    return {
        "text": " Ich liebe dich.",
        "duration": 0.1,
        "speaker": "DE_B00003_S00243",
        "language": "de",
        "dnsmos": 3.0669,
        "emotion_caption": "A female speaker expressing love.",
        "subset": "Affection_best",
        "score_overall_quality": 2.6127,
        **heads,
        **changed,
    }


@pytest.fixture
def folder(tmp_path, mp3):
    place = tmp_path / "data" / "Affection_best"
    place.mkdir(parents=True)
    changed = {"Affection_best": 3.0, "Anger_best": 5.56, "Age_best": -0.3}
    for stem, row in (("DE_1", emolia(**changed)), ("DE_2", emolia()), ("DE_3", emolia(Fear_best=1e6))):
        (place / f"{stem}.mp3").write_bytes(mp3)
        (place / f"{stem}.json").write_text(json.dumps(row))
    return tmp_path / "data"


def test_heads_become_a_profile_and_a_broken_one_costs_its_clip_only(folder):
    errors = []
    first, second = read(folder, on_bad=errors.append)
    assert ["DE_3.mp3" in str(error) for error in errors] == [True]
    assert len(second.profile.emotions) == 40
    assert list(first.profile.traits) == [*ATTRIBUTES]
    assert (first.profile.emotions["Affection"], first.profile.emotions["Anger"]) == (0.75, 1.0)
    assert first.profile.traits["Age"] == 0.0
    assert second.profile.emotions["Fear"] == pytest.approx(to_intensity(0.01, "bud-e"))
    assert (first.id, first.language, first.speaker) == ("Affection_best/DE_1", "de", "DE_B00003_S00243")
    assert first.transcript == " Ich liebe dich."
    assert first.captions[0].text == "A female speaker expressing love."
    assert set(first.metadata) == {"dnsmos", "subset", "score_overall_quality", "profile_from"}


def test_the_same_heads_in_an_object_are_known_by_the_attributes_beside_them(pack, mp3):
    heads = {key.removesuffix("_best"): value for key, value in emolia().items() if key.endswith("_best")}
    row = {"scores": {**heads, "Anger": 5.56, "snr": 20}, "caption": "A voice."}
    (clip,) = read(pack("a.tar", [("a.mp3", mp3), ("a.json", json.dumps(row).encode())]))
    assert (clip.profile.emotions["Anger"], len(clip.profile.traits)) == (1.0, 15)
    known = {"form": "emolia", "scale": "bud-e"}
    assert clip.metadata == {"scores": {"snr": 20}, "profile_from": known}


@pytest.mark.parametrize(
    ("heads", "known"),
    [
        ({"Anger_best": 8.0, "Awe_best": -4.0}, True),
        ({"Anger_best": 8.1}, None),
        ({"Awe_best": -4.1}, None),
        ({"Fear_best": "x"}, False),
    ],
)
def test_five_heads_are_known_and_each_may_leave_its_scale_by_its_length(heads, known):
    names = ("Anger_best", "Awe_best", "Fear_best", "Age_best", "Arousal_best")
    row = dict.fromkeys(names, 1.0) | heads
    if known is None:
        with pytest.raises(CorpusError, match="not on the scale"):
            describe_emolia(row)
    else:
        assert (describe_emolia(row) is not None) is known


@pytest.mark.parametrize(("attributes", "known"), [(3, True), (2, False)])
def test_without_their_ending_heads_are_known_by_three_attributes_of_two_poles(attributes, known):
    names = [name for name in ATTRIBUTES if "vs" in name][:attributes]
    row = dict.fromkeys(["Anger", "Awe", "Fear", "Age", *names], 1.0)
    assert (describe_emolia(row) is not None) is known
