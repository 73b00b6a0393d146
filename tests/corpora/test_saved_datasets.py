"""What `datasets` writes, reads: saved folders of one or several splits, parquet; nothing else in them."""

import json

import pyarrow as pa
import pytest

from budew.corpora import read
from budew.corpora.folders import saved_tables
from budew.corpora.sources import matches, read_one
from budew.corpora.tables import class_names
from budew.errors import CorpusError
from budew.profile import VoiceProfile

datasets = pytest.importorskip("datasets")


@pytest.fixture
def dataset(voice):
    flac = voice("made/a.flac", seconds=0.05).read_bytes()
    rows = {
        "audio": [{"bytes": flac, "path": f"{number}.flac"} for number in range(3)],
        "text": ["one", "two", "three"],
        "anger": [0.0, 2.0, 4.0],
    }
    datasets.disable_progress_bars()
    return datasets.Dataset.from_dict(rows).cast_column("audio", datasets.Audio(decode=False))


def test_splits_have_ids_of_their_own(dataset, tmp_path):
    datasets.DatasetDict(train=dataset, test=dataset).save_to_disk(tmp_path / "saved")
    ids = [clip.id for clip in read(tmp_path / "saved")]
    assert len(ids) == len(set(ids)) == 6
    assert ids[0] == "train/data-00000-of-00001-00000000"


def test_rows_that_the_hub_made_of_shards_read_as_the_shards_do(voice, tmp_path):
    mp3 = voice("a.mp3", seconds=0.05).read_bytes()
    row = {
        "mp3": {"bytes": mp3, "path": "a.mp3"},
        "json": {"annotation": "<Anger>3#x</Anger><transcription_start>Non<transcription_end>", "n": None},
        "__key__": "fr_alloy_anger/1",
        "__url__": "hf://datasets/x/y@0/fr_alloy_anger.tar",
    }
    pa.parquet.write_table(pa.Table.from_pylist([row]), tmp_path / "0.parquet")
    (clip,) = read(tmp_path / "0.parquet")
    assert (clip.id, clip.language, clip.speaker) == ("fr_alloy_anger/1", "fr", "alloy")
    assert (clip.transcript, dict(clip.profile.emotions)) == ("Non", {"Anger": 0.75})


@pytest.mark.parametrize("name", ["../other.arrow", "/etc/passwd", "missing.arrow", "..", 3, None])
def test_its_json_cannot_name_files_elsewhere(tmp_path, name):
    (tmp_path / "other.arrow").write_bytes(b"x")
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    with pytest.raises(CorpusError, match="which is not in its folder"):
        saved_tables(folder)


def test_splits_that_link_to_their_own_folder_end(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).symlink_to(".", target_is_directory=True)
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["a", "b"]}))
    assert saved_tables(tmp_path) == []


def test_saved_datasets_and_parquet_of_datasets_are_read_shard_by_shard(dataset, tmp_path):
    folder = tmp_path / "saved"
    dataset.save_to_disk(folder, num_shards=2)
    (folder / "cache-0123456789abcdef.arrow").write_bytes(b"of map")
    dataset.to_parquet(tmp_path / "p" / "train-00000-of-00001.parquet")
    for source in (folder, tmp_path / "p"):
        found = [(one.transcript, one.profile.emotions) for one in read(source, scale="0-4")]
        assert found == [
            ("one", {}),
            ("two", {"Anger": 0.5}),
            ("three", {"Anger": 1}),
        ]
    entries = matches(folder)
    assert [entry.name for entry in entries] == ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    assert [len(list(read_one(entry))) for entry in entries] == [2, 1]


def test_a_damaged_arrow_file_is_an_error_that_names_it_and_offsets_that_lie_are_not_followed(tmp_path):
    table = pa.table({"wav": [b"RIFF" * 99] * 2, "text": ["aaaa", "bbbb"]})
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as out:
        out.write_table(table)
    honest, lying = (b"".join(n.to_bytes(4, "little") for n in (0, 4, last)) for last in (8, 2**30))
    whole = (tmp_path / "t.arrow").read_bytes()
    assert whole.count(honest) == 1
    for content in (b"", whole[:4], whole[:100], whole[:-200], whole.replace(honest, lying)):
        (tmp_path / "t.arrow").write_bytes(content)
        with pytest.raises(CorpusError, match=r"t\.arrow: the arrow file cannot be read"):
            list(read(tmp_path / "t.arrow"))


@pytest.mark.parametrize("saved", ["parquet", "disk"])
def test_numbers_of_class_labels_are_read_by_their_names(voice, tmp_path, saved):
    names, audio = ["neu", "joy", "ang", "other"], voice("a.wav", seconds=0.1).read_bytes()
    features = {
        "label": datasets.ClassLabel(names=names),
        "gender": datasets.ClassLabel(names=["female", "male"]),
        "emotions": datasets.Sequence(datasets.ClassLabel(names=["sad", "afraid"])),
        "audio": datasets.Audio(decode=False),
    }
    rows = {
        "audio": [{"bytes": audio, "path": None}] * 4,
        "label": [0, 1, 2, -1],
        "gender": [1, 0, 1, 0],
        "emotions": [[], [], [], [0, 1]],
    }
    datasets.disable_progress_bars()
    dataset = datasets.Dataset.from_dict(rows)
    for column, feature in features.items():
        dataset = dataset.cast_column(column, feature)
    if saved == "disk":
        dataset.save_to_disk(tmp_path / "out")
    else:
        (tmp_path / "out").mkdir()
        dataset.to_parquet(tmp_path / "out" / "t.parquet")
    clips = list(read(tmp_path / "out"))
    neutral, joyful, angry, both = (clip.profile for clip in clips)
    assert neutral == VoiceProfile(traits={"gender": "male"})
    assert joyful == VoiceProfile({"Elation": 0.5}, traits={"gender": "female"}, rated=["Elation", "Anger"])
    assert angry.rated == joyful.rated
    assert both.emotions == {"Fear": 0.5, "Sadness": 0.5}
    assert [clip.metadata.get("label") for clip in clips] == ["neu", "joy", "ang", None]
    assert class_names(dataset.features) == {
        "label": tuple(names), "gender": ("female", "male"), "emotions": ("sad", "afraid"),
    }  # fmt: skip
