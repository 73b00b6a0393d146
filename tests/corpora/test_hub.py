"""A data set of the hub streams as clips, whole or shard by shard, and its files read; faults name it."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import soundfile

from budew.corpora import IMAGE, Clip, known_corpus, read, write_shard
from budew.corpora.hub import HubDataset, is_hub_dataset, parse_hub_name
from budew.corpora.sources import matches
from budew.errors import CorpusError
from budew.jobs import Convert, run
from tests.corpora.hub_server import hub, use_hub

pytest.importorskip("datasets")

CONFIGURATIONS = b"""---
license: mit
configs:
- {config_name: default, data_files: data/train-*}
- config_name: scored
  data_files: [{split: train, path: scored/a.parquet}, {split: test, path: scored/b.parquet}]
- {config_name: filmed, data_files: filmed/a.parquet}
---
"""


def parquet(rows, metadata=None):
    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows).replace_schema_metadata(metadata), out)
    return out.getvalue()


def found_at(source, **options):
    """What is read of a source: the error that ends it, or clips and errors."""
    errors = []
    try:
        clips = list(read(source, on_bad=lambda error: errors.append(str(error)), **options))
    except ValueError as error:
        return {"error": str(error)}
    rows = [
        [c.id, c.format, len(c.audio), c.transcript, c.profile and dict(c.profile.emotions)] for c in clips
    ]
    return {"clips": rows, "errors": errors}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder, found = tmp_path_factory.mktemp("sounds"), []
    for name in ("a.flac", "b.mp3"):
        soundfile.write(folder / name, np.full(800, 0.1), 16_000)
        found.append((folder / name).read_bytes())
    return found


@pytest.fixture(scope="module")
def found(sounds, tmp_path_factory):
    """What is read of each source."""
    (flac, mp3), folder = sounds, tmp_path_factory.mktemp("hub")
    write_shard(folder / "x.tar", [Clip("packed", mp3, "mp3", transcript="In a shard")])
    rows = [
        {"audio": {"bytes": flac, "path": "a.flac"}, "text": "one", "label": "[{'h': {'Shame': 1}}]"},
        {"audio": {"bytes": mp3, "path": "b.mp3"}, "text": "two", "label": "none"},
        {"audio": {"bytes": b"", "path": "c.mp3"}, "text": "three", "label": "none"},
    ]
    cells = {"face": {"bytes": b"\x89PNG", "path": "a.png"}, "utterance": rows[0]["audio"]}
    types = {"info": {"features": {"face": {"_type": "Image"}, "utterance": {"_type": "Audio"}}}}
    scored = parquet([{"wav": mp3, "anger": 2.0}])
    files = {
        "README.md": CONFIGURATIONS,
        "data/train-00000-of-00002.parquet": parquet(rows[:1]),
        "data/train-00001-of-00002.parquet": parquet(rows[1:]),
        "scored/a.parquet": scored,
        "scored/b.parquet": scored,
        "filmed/a.parquet": parquet([cells], {"huggingface": json.dumps(types)}),
        "tars/x.tar": (folder / "x.tar").read_bytes(),
    }
    (folder / "me" / "voices").mkdir(parents=True)  # a folder of this name is not what is meant
    with hub("me/voices", files) as address, pytest.MonkeyPatch.context() as patch:
        use_hub(patch, folder / "cache", address)
        patch.chdir(folder)
        found = {source: found_at(source) for source in (*SOURCES, *MISSING)}
        found["scaled"] = found_at("hf://me/voices:scored@train", scale="0-4")
        found["shards"] = [str(entry) for entry in matches("hf://me/voices@train")]
    return found


WHOLE, SECOND, PACKED, SCORED, SPLITS, FILMED = SOURCES = (
    "hf://me/voices",
    "hf://me/voices@train#00001-of-00002",
    "hf://datasets/me/voices/tars/*.tar",
    "hf://me/voices:scored@train",
    "hf://me/voices:scored",
    "hf://me/voices:filmed",
)
MISSING = ("hf://me/voices@nosplit", "hf://me/nothing")


def test_a_data_set_streams_and_its_files_read(found, sounds):
    flac, mp3 = sounds
    assert found[WHOLE]["clips"] == [
        ["train-00000-00000000", "flac", len(flac), "one", {"Shame": 0.5}],
        ["train-00001-00000000", "mp3", len(mp3), "two", None],
    ]
    (error,) = found[WHOLE]["errors"]
    assert error.startswith("hf://me/voices@train#00001-of-00002: row 1: it has 0 bytes of audio")
    assert found[SECOND]["clips"] == found[WHOLE]["clips"][1:]
    assert found["shards"] == [f"hf://me/voices@train#0000{n}-of-00002" for n in (0, 1)]
    assert found[PACKED]["clips"] == [["packed", "mp3", len(mp3), "In a shard", None]]
    assert all(f"{source}: cannot be downloaded" in str(found[source]) for source in MISSING)


def test_scores_in_a_stream_need_a_scale_and_splits_a_name(found):
    assert "row 0: the scale of the scores is not declared" in found[SCORED]["errors"][0]
    assert found["scaled"]["clips"][0][4] == {"Anger": 0.5}
    assert found[SPLITS]["error"].startswith(f"{SPLITS}: the dataset has the splits train, test")


def test_the_column_that_a_data_set_declares_as_audio_is_read(found, sounds):
    assert found[FILMED] == {
        "clips": [["train-00000-00000000", "flac", len(sounds[0]), None, None]],
        "errors": [],
    }


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("hf://a/b", HubDataset("a/b")),
        ("hf://a/b:c@d+e", HubDataset("a/b", "c", "d+e")),
        ("hf://a/b@train[:10%]", HubDataset("a/b", None, "train[:10%]")),
        ("hf://a/b@d#00002-of-00010", HubDataset("a/b", None, "d", 2, 10)),
    ],
)
def test_names_of_data_sets_are_read_and_written_alike(source, named):
    assert parse_hub_name(source) == named
    assert str(named) == source
    assert is_hub_dataset(source)
    assert not is_hub_dataset(source.replace("hf://", "hf://datasets/"))
    assert not is_hub_dataset(source.replace("hf://", "s3://"))


@pytest.mark.parametrize(
    "source",
    [
        "hf://a",
        "hf://a/b/c",
        "hf://../b@x",
        "hf://a/b:@x",
        "hf://user:hunter2@a/b",
        "hf://user:hun/ter2@a/b",
        "hf://a/b:c@d?token=hunter2",
        "hf://a/b#hunter2",
    ],
)
def test_invalid_dataset_names_are_refused_without_showing_secrets(source):
    with pytest.raises(CorpusError, match="name a dataset as hf://owner/name") as caught:
        list(read(source))
    assert "ter2" not in str(caught.value)


def test_known_corpora_are_read_from_the_hub_by_name_and_from_a_folder(sounds, tmp_path):
    rated = parquet(
        [
            {
                "audioId": {"bytes": sounds[1], "path": "0a1b2c3d_1.mp3"},
                "label": "[{'human-1': {'Shame': 1}}]",
            },
            {
                "audioId": {"bytes": sounds[1], "path": "fr_sage_awe_2.mp3"},
                "label": "[{'human-1': {'Awe': 2}}]",
            },
        ]
    )
    acted = [
        Clip("one", sounds[1], "mp3", metadata={"annotation": "<Anger>3#Strong anger is present.</Anger>"})
    ]
    write_shard(tmp_path / "de_onyx_anger.tar", acted)
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench/train-00000-of-00001.parquet").write_bytes(rated)
    found = {}
    for name, file, content in (
        ("emonet-voice-bench", "data/train-00000-of-00001.parquet", rated),
        ("laions-got-talent-raw", "de_onyx_anger.tar", (tmp_path / "de_onyx_anger.tar").read_bytes()),
    ):
        repository = known_corpus(name).address.partition("datasets/")[2]
        with hub(repository, {file: content}) as address, pytest.MonkeyPatch.context() as patch:
            use_hub(patch, tmp_path / f"{name}-cache", address)
            patch.chdir(tmp_path)
            found[name] = list(read(name))
            run(Convert(), name, tmp_path / f"{name}-shards", workers=0)
    shame, awe = found["emonet-voice-bench"]
    assert dict(shame.profile.emotions) == {"Shame": 0.5}
    assert (awe.speaker, awe.language, dict(awe.profile.traits)) == ("sage", "fr", {"gender": "female"})
    assert (awe.license, awe.source) == ("CC-BY-4.0", "EmoNet-Voice Bench")
    (angry,) = found["laions-got-talent-raw"]
    assert (angry.speaker, dict(angry.profile.traits), angry.license) == ("onyx", {"gender": "male"}, None)
    for name, folder in (("emonet-voice-bench", "bench"), ("laions-got-talent-raw", "de_onyx_anger.tar")):
        local = list(read(f"{name}:{tmp_path / folder}"))
        labels = [(clip.profile, clip.speaker, clip.license, clip.source) for clip in local]
        assert labels == [(c.profile, c.speaker, c.license, c.source) for c in found[name]]
        made = [(c.profile, c.speaker, c.license, c.source) for c in read(tmp_path / f"{name}-shards")]
        assert made == labels


def test_images_of_a_known_corpus_are_read_as_images_only(tmp_path):
    cells = [{"image": {"bytes": b"\x89PNG\r\n", "path": "a.png"}, "annotations": [{"Joy|Elation": 3}]}]
    (tmp_path / "hq.parquet").write_bytes(parquet(cells))
    source = f"emonet-face-hq:{tmp_path}"
    (clip,) = read(source, media=IMAGE)
    assert (clip.license, clip.metadata["annotations"]) == ("CC-BY-4.0", [{"Joy|Elation": 3}])
    with pytest.raises(CorpusError, match="budew face describe emonet-face-hq"):
        list(read(source))
    with pytest.raises(CorpusError, match="emodb:FOLDER"):
        list(read("emodb"))
