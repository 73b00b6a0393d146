"""Shards with scores: one scale for the whole shard, given, declared or detected, and always told."""

import json

import pytest

from budew.corpora import read, read_shard
from budew.corpora.readers.scored import read_scored
from budew.errors import CorpusError
from budew.taxonomy import EMOTIONS


def scored(pack, mp3, rows, name="scored.tar"):
    members = []
    for number, row in enumerate(rows):
        members += [(f"{number}.mp3", mp3), (f"{number}.json", json.dumps(row).encode())]
    return pack(name, members)


def test_the_scale_is_that_of_the_shard_and_not_of_the_clip(pack, mp3):
    rows = [{"scores": {"Anger": 0.5}}, {"scores": {"Anger": 3.5, "Fear": 2}}, {"transcript": "no scores"}]
    clips = list(read(scored(pack, mp3, rows)))
    assert [clip.profile and dict(clip.profile.emotions) for clip in clips] == [
        {"Anger": 0.125},
        {"Fear": 0.5, "Anger": 0.875},
        None,
    ]
    told = clips[0].metadata["profile_from"]
    assert told == {"form": "scores", "scale": "0-4", "scale_by": "detected", "largest": 3.5, "clips": 2}


def test_the_option_names_the_scale(pack, mp3):
    path = scored(pack, mp3, [{"Anger": 1.0, "text": "Hi", "lang": "German"}])
    (clip,) = read_scored(path, scale="scalar-target")
    assert dict(clip.profile.emotions) == {"Anger": 0.2}
    assert (clip.transcript, clip.language) == ("Hi", "de")
    assert [c.profile for c in read(path, scale="scalar-target")] == [clip.profile]
    assert [dict(c.profile.emotions) for c in read(path)] == [{"Anger": 1.0}]


def test_all_forty_in_any_spelling(pack, mp3):
    row = {name.replace("/", "_").replace(" ", "_").lower(): 4 for name in EMOTIONS}
    (clip,) = read(scored(pack, mp3, [row]))
    assert list(clip.profile.emotions) == list(EMOTIONS)
    assert "profile_from" in clip.metadata
    assert len(clip.metadata) == 1


def test_a_score_off_the_scale_costs_its_clip_only(pack, mp3):
    path = scored(pack, mp3, [{"Anger": 3}, {"Anger": 9}, {"Anger": 1}])
    errors = []
    clips = list(read_scored(path, scale="0-4", on_bad=errors.append))
    assert [clip.id for clip in clips] == ["0", "2"]
    assert [str(error).partition(": ")[2] for error in errors] == [
        "clip '1': Anger is 9, which is not on the scale 0-4 (0 to 4): "
        "correct it, or name the scale of the scores"
    ]


def test_a_damaged_item_does_not_hide_the_scale(pack, mp3):
    path = pack(
        "a.tar",
        [("0.mp3", mp3), ("0.json", b"{"), ("1.mp3", mp3), ("1.json", b'{"Anger": 1}'), ("2.mp3", mp3),
         ("2.json", b'{"Anger": 4}')],
    )  # fmt: skip
    errors = []
    clips = list(read_shard(path, on_bad=errors.append))
    assert [dict(clip.profile.emotions) for clip in clips] == [{"Anger": 0.25}, {"Anger": 1.0}]
    assert len(errors) == 1


def test_without_scores_it_is_an_error_for_the_reader_of_scores(pack, mp3):
    with pytest.raises(CorpusError, match="not those of a scored corpus"):
        list(read_scored(scored(pack, mp3, [{"transcript": "Hi"}])))
