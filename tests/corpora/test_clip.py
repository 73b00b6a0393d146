"""A clip goes to JSON and comes back whole; what is not a clip is refused."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.corpora import Caption, Clip
from budew.errors import CorpusError
from budew.profile import VoiceProfile

FULL = Clip(
    id="anna/01",
    audio=b"fLaC",
    format="flac",
    sampling_rate=16_000,
    duration=2.5,
    language="de",
    speaker="anna",
    transcript="Guten Tag",
    profile=VoiceProfile({"Amusement": 0.75}, ["Chuckle"], {"gender": "female"}),
    captions=(Caption("A woman, amused.", {"by": "render", "seed": 7}), Caption("Amused.")),
    source="test",
    license="CC0-1.0",
    metadata={"window": [0.0, 2.5], "rater": {"name": "x"}},
)


def back(clip: Clip) -> Clip:
    described = json.loads(json.dumps(clip.to_dict()))
    return Clip.from_dict(described, audio=clip.audio, format=clip.format)


def test_a_full_and_an_empty_clip_come_back_equal():
    assert back(FULL) == FULL
    bare = Clip("a", Path("a.mp3"), "mp3")
    assert back(bare) == bare
    assert bare.to_dict() == {"id": "a"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(), json_values, max_size=4), st.text() | st.none(), st.floats(0, 1e6) | st.none()
)
def test_any_metadata_comes_back(metadata, transcript, duration):
    clip = Clip("a", b"x", "wav", metadata=metadata, transcript=transcript, duration=duration)
    assert back(clip) == clip


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration": "long"},
        {"duration": -1},
        {"duration": float("nan")},
        {"sampling_rate": True},
        {"transcript": ["a"]},
        {"captions": "text"},
        {"captions": [{"words": "a"}]},
        {"metadata": 3},
        {"profile": [1]},
        {"profile": {"emotions": {"Hapiness": 1}}},
        {"profile": {"emotions": {"Anger": 2}}},
        {"profile": {"emotions": {"Anger": "much"}}},
    ],
)
def test_a_wrong_field_is_an_error_that_names_the_clip(wrong):
    with pytest.raises(CorpusError, match="clip 'k'"):
        Clip.from_dict(wrong, audio=b"x", format="wav", id="k")


def test_fields_of_others_are_metadata_numbers_name_speakers_and_captions_may_be_bare_text():
    data = {"speaker": 12, "captions": ["Calm."], "annotation": "free text", "metadata": {"a": 1}}
    clip = Clip.from_dict(data, audio=b"x", format="mp3", id="k")
    assert (clip.id, clip.speaker, clip.captions) == ("k", "12", (Caption("Calm."),))
    assert clip.metadata == {"annotation": "free text", "a": 1}
    assert Clip.from_dict({"id": 7}, audio=b"x", format="mp3", id="k").id == "7"


@pytest.mark.parametrize(
    "id", ["", "../a", "/etc/passwd", "a/../../b", "a\\b", "a\nb", "a\0b", "a//b", "./a", "x" * 241]
)
def test_an_id_that_could_lead_out_of_a_folder_is_refused(id):
    with pytest.raises(CorpusError, match="cannot be the id"):
        Clip(id, b"x", "wav")
    for ordinary in ("a", "a/b.c", "Čeština/1", "a b", "..a", "a..b", "x" * 240):
        assert Clip(ordinary, b"x", "wav").id == ordinary


def test_a_printed_clip_leaves_out_its_audio():
    assert "RIFF" not in repr(Clip("a", b"RIFF" * 1000, "wav"))
