"""EmoNet-Voice Bench reads as clips and as ratings, which say the same."""

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.audio.samples import decode
from budew.corpora import read
from budew.corpora.ratings import profiles_of
from budew.curation.rating_files import read_ratings

LABELS = [
    "[{'human-1': {'Shame': 1}}, {'human-4': {'Shame': 2}}]",
    "[{'h-1': {'Impatience%20and%20Irritability': 2}}, {'h-2': {'Impatience%20and%20Irritability': 2}}]",
    "[{'human-2': {'Authenticity': 1}}, {'human-3': {'Authenticity': 2}}]",
    "[{'human-2': {'Pain': 0}}, {'human-3': {'Pain': 0}}, {'human-5': {'Pain': 0}}]",
]


def shard(tmp_path, mp3, labels):
    audio = [{"bytes": mp3, "path": f"{number:08x}_segment.mp3"} for number in range(len(labels))]
    path = tmp_path / "bench" / "train-00000-of-00003.parquet"
    path.parent.mkdir(exist_ok=True)
    pyarrow.parquet.write_table(pa.table({"audioId": audio, "label": labels}), path)
    return path


def test_profiles_are_the_means_of_the_ratings(tmp_path, mp3):
    clips = list(read(shard(tmp_path, mp3, LABELS)))
    assert [dict(clip.profile.emotions) for clip in clips] == [
        {"Shame": 0.75},
        {"Impatience and Irritability": 1.0},
        {},
        {},
    ]
    assert dict(clips[2].profile.traits) == {"Authenticity": 3.0}
    assert [clip.profile.emotions_known for clip in clips] == [True, True, False, True]
    assert [clip.metadata["asked_for"] for clip in clips][2:] == [["Authenticity"], ["Pain"]]
    assert clips[0].id == "train-00000-of-00003-00000000"
    assert clips[0].metadata == {
        "file_name": "00000000_segment.mp3",
        "asked_for": ["Shame"],
        "ratings": [
            {"rater": "human-1", "emotion": "Shame", "value": 0.5},
            {"rater": "human-4", "emotion": "Shame", "value": 1.0},
        ],
        "profile_from": {"form": "emonet-voice", "scale": "emonet-voice", "raters": 2},
    }
    assert len(decode(clips[0].audio).samples) > 1_000


def test_the_ratings_alone_give_the_same_profiles_under_the_same_names(tmp_path, mp3):
    path = shard(tmp_path, mp3, LABELS)
    ratings = list(read_ratings(path))
    assert len(ratings) == 9
    assert profiles_of(ratings) == {clip.id: clip.profile for clip in read(path)}


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("[{'human-1': {'Shame': 3}}]", "Shame is 3, which is not on the scale emonet-voice"),
        ("[{'human-1': {'Shame': -0.1}}]", "not on the scale"),
        ("[{'human-1': {'Sham': 1}}]", "'Sham' is no emotion"),
        ("[{'human-1': {'Shame': 1}", "is not a list of plain values"),
        ("[{'human-1': {'Shame': __import__('os')}}]", "is not a list of plain values"),
    ],
)
def test_a_broken_label_costs_its_row_only(tmp_path, mp3, label, fault):
    path = shard(tmp_path, mp3, [LABELS[0], label, LABELS[1]])
    for reader in (read, read_ratings):
        errors = []
        assert len(list(reader(path, on_bad=errors.append))) == (2 if reader is read else 4)
        assert len(errors) == 1
        assert f"{path}: row 1: " in str(errors[0])
        assert fault in str(errors[0])


def test_another_parquet_is_not_taken_for_it(tmp_path, mp3):
    assert [clip.metadata["label"] for clip in read(shard(tmp_path, mp3, ["happy"]))] == ["happy"]
