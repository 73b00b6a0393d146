"""EmoNet-Voice Bench reads as clips and as ratings, which say the same."""

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.corpora import read
from budew.corpora.labels.ratings import profiles_of
from budew.curation.human_ratings import read_ratings

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


def test_profiles_are_the_means_of_the_ratings_which_alone_give_the_same(tmp_path, mp3):
    path = shard(tmp_path, mp3, [*LABELS, "happy"])
    *clips, other = read(path)
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
    assert other.metadata["label"] == "happy"
    ratings = list(read_ratings(shard(tmp_path, mp3, LABELS)))
    assert len(ratings) == 9
    assert profiles_of(ratings) == {clip.id: clip.profile for clip in clips}


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("[{'human-1': {'Shame': 3}}]", "not on the scale"),
        ("[{'human-1': {'Shame': -0.1}}]", "not on the scale"),
        ("[{'human-1': {'Shame': 1}", "is not a list of plain values"),
    ],
)
def test_a_broken_label_costs_its_row_only(tmp_path, mp3, label, fault):
    path = shard(tmp_path, mp3, [LABELS[0], label, LABELS[1]])
    for reader, count in ((read, 2), (read_ratings, 4)):
        errors = []
        assert len(list(reader(path, on_bad=errors.append))) == count
        (error,) = map(str, errors)
        assert f"{path}: row 1: " in error
        assert fault in error
