"""Clips of EmoNet-Voice Bench: what is read of them, under which names, and what is refused."""

import random
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from budew.corpora import Clip
from budew.corpora.shards import write_shard
from budew.corpora.sources import read
from budew.errors import CorpusError
from budew.evaluation.benchmarks.emonet_voice_data import RatedClip, on_hub, read_rated_clips
from tests.corpora.hub_server import hub
from tests.evaluation.benchmarks import emonet_voice_set
from tests.evaluation.benchmarks.emonet_voice_set import rated_rows, write_set


def rated(source, **options):
    return sorted(read_rated_clips(source, **options), key=lambda clip: clip.id)


def as_clips(rows):
    return {
        row.file.removesuffix(".flac"): (row.category, row.answers, row.language, row.voice) for row in rows
    }


def fields(clip):
    return clip.category, dict(clip.answers), clip.language, clip.voice


@pytest.mark.parametrize("source", ["", "*.parquet", "train-{00000..00001}-of-00002.parquet"])
def test_shards_folders_and_patterns_give_every_clip(tmp_path, source):
    rows = rated_rows()
    clips = rated(str(write_set(tmp_path, rows) / source))
    assert {clip.id: fields(clip) for clip in clips} == as_clips(rows)
    assert {len(clip.answers) for clip in clips} == {2, 3, 4}


def test_names_are_those_of_budew_read_too(tmp_path):
    write_set(tmp_path, rated_rows(), shards=1)
    by_read = {clip.metadata["file_name"].removesuffix(".flac"): clip.id for clip in read(tmp_path)}
    assert {clip.id: clip.clip.id for clip in rated(tmp_path)} == by_read


def test_a_converted_corpus_reads_as_the_published_files_do(tmp_path):
    published = write_set(tmp_path / "published", rated_rows(2))
    write_shard(tmp_path / "shard.tar", read(published))
    expected = [(clip.id, *fields(clip)) for clip in rated(published)]
    for options in ({}, {"audio": True}):
        found = rated(tmp_path / "shard.tar", **options)
        assert [(clip.id, *fields(clip)) for clip in found] == expected
    with_audio = rated(published, audio=True)
    assert [(clip.id, *fields(clip)) for clip in with_audio] == expected
    assert all(clip.clip.audio for clip in with_audio)


def test_columns_of_language_and_voice_come_before_the_file_name(tmp_path):
    rows = rated_rows(1)
    columns = {"lang": {row.file: "Spanish" for row in rows}, "speaker_id": {row.file: "v1" for row in rows}}
    clips = rated(write_set(tmp_path, rows, **columns))
    assert {(clip.language, clip.voice) for clip in clips} == {("es", "v1")}


@pytest.mark.parametrize(
    ("answers", "majority", "unanimous"),
    [
        ((1,), 1, False),
        ((2, 2, 2), 2, True),
        ((1, 2), 1, False),
        ((0, 1, 2), 1, False),
        ((0, 2, 2), 2, False),
        ((2, 2), 2, False),
        ((0, 0, 2, 2), 0, False),
    ],
)
def test_the_majority_breaks_ties_towards_the_mean_and_then_downwards(answers, majority, unanimous):
    for _ in range(3):
        said = list(enumerate(answers))
        random.Random(len(said)).shuffle(said)
        clip = RatedClip(Clip("a", b"", ""), "Anger", {f"human-{rater}": answer for rater, answer in said})
        assert (clip.majority, clip.unanimous) == (majority, unanimous)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("[{'human-1': {'Anger': 3}}]", "emonet-voice"),
        ("[{'human-1': {'Anger': 1}}, {'human-2': {'Anger': 0.5}}]", "0, 1 or 2"),
        ("[{'human-1': {'Wrath': 1}}]", "Wrath"),
        ("[{'human-1': {'Anger': 1}}, {'human-2': {'Fear': 1}}]", "one category"),
        ("[{'human-1': {'Anger': 1}}, {'human-1': {'Anger': 2}}]", "human-1"),
        ("[]", "rating"),
        ("nothing", "no ratings"),
    ],
)
def test_a_bad_label_is_one_error_that_names_file_and_row(tmp_path, monkeypatch, label, said):
    rows = rated_rows(1)
    texts = {row.file: label if place == 3 else None for place, row in enumerate(rows)}
    genuine = emonet_voice_set.label_text
    monkeypatch.setattr(emonet_voice_set, "label_text", lambda row: texts[row.file] or genuine(row))
    write_set(tmp_path, rows, shards=1)
    with pytest.raises(CorpusError) as raised:
        rated(tmp_path)
    assert "row 3" in str(raised.value) or "00000003" in str(raised.value)
    assert ".parquet" in str(raised.value)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_two_clips_of_one_name_are_an_error(tmp_path):
    rows = rated_rows(1)
    write_set(tmp_path, [*rows, replace(rows[0], file=f"folder/{rows[0].file}")])
    with pytest.raises(CorpusError, match=rows[0].file.removesuffix(".flac")):
        rated(tmp_path)


def test_a_table_without_answers_and_a_corpus_without_ratings_are_errors(tmp_path):
    pq.write_table(pa.table({"audio": ["a.mp3"], "text": ["hello"]}), tmp_path / "a.parquet")
    with pytest.raises(CorpusError, match="no ratings"):
        rated(tmp_path / "a.parquet")
    clip = next(read(write_set(tmp_path / "set", rated_rows(1))))
    write_shard(tmp_path / "bare.tar", [replace(clip, metadata={})])
    with pytest.raises(CorpusError, match="ratings"):
        rated(tmp_path / "bare.tar")


@pytest.mark.parametrize(
    "change",
    [{"value": None}, {"value": "x"}, {"value": 3}, {"emotion": "Foo"}, {"emotion": ["Anger"]}, None],
)
def test_a_bad_rating_in_a_shard_is_one_error_that_names_file_and_clip(tmp_path, change):
    good = {"rater": "a", "emotion": "Anger", "value": 0.5}
    bad = {"rater": "a"} if change is None else {**good, **change}
    clips = [
        Clip(name, b"RIFF", "wav", metadata={"ratings": [one]}) for name, one in (("x", good), ("y", bad))
    ]
    write_shard(tmp_path / "rated.tar", clips)
    with pytest.raises(CorpusError, match=r"rated\.tar: clip 'y': .*correct"):
        rated(tmp_path / "rated.tar")


def test_names_of_the_hub_are_told_from_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bench").mkdir()
    assert on_hub("laion/EmoNet-Voice-Bench") == "hf://laion/EmoNet-Voice-Bench"
    for local in ("data/bench", "data/bench.parquet", "bench", "hf://laion/x", tmp_path / "no" / "thing"):
        assert on_hub(local) == local


def test_a_dataset_of_the_hub_reads_as_its_files_do(at_hub, tmp_path):
    pytest.importorskip("datasets")
    folder = write_set(tmp_path / "set", rated_rows(1))
    files = {f"data/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}
    with hub("me/bench", files) as address:
        at_hub(address)
        streamed = [(clip.id, *fields(clip)) for clip in rated("me/bench")]
    assert streamed == [(clip.id, *fields(clip)) for clip in rated(folder)]
