"""Whatever a corpus lies in, it reads as the same clips."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.audio.samples import decode
from budew.corpora import Clip, read, write_shard
from budew.corpora.manifest import read_manifest
from budew.corpora.sidecar import LARGEST_JSON, read_json
from budew.corpora.sources import matches, read_one
from budew.curation.rating_files import read_ratings
from budew.curation.splits import read_splits
from budew.errors import CorpusError

WORDS = {"one": "Hello", "two": "Goodbye"}


def as_folder(files: dict[str, Path], place: Path) -> Path:
    for id, file in files.items():
        (place / f"{id}.flac").write_bytes(file.read_bytes())
        (place / f"{id}.json").write_text(json.dumps({"transcript": WORDS[id]}))
    return place


def as_shard(files: dict[str, Path], place: Path) -> Path:
    write_shard(place / "a.tar", [Clip(id, file, "flac", transcript=WORDS[id]) for id, file in files.items()])
    return place / "a.tar"


def as_folder_of_shards(files: dict[str, Path], place: Path) -> Path:
    for id, file in files.items():
        write_shard(place / "deep" / f"{id}.tar", [Clip(id, file, "flac", transcript=WORDS[id])])
    return place


def as_pattern(files: dict[str, Path], place: Path) -> str:
    return f"{as_folder_of_shards(files, place)}/deep/*.tar"


def as_parquet(files: dict[str, Path], place: Path) -> Path:
    audio = [{"bytes": file.read_bytes(), "path": f"{id}.flac"} for id, file in files.items()]
    table = pa.table({"id": list(files), "audio": audio, "text": list(WORDS.values())})
    pyarrow.parquet.write_table(table, place / "train-00000-of-00001.parquet")
    return place


def as_table(files: dict[str, Path], place: Path) -> Path:
    manifest = as_manifest(files, place)
    lines = [json.loads(line) for line in manifest.read_text().splitlines() if line]
    text = "".join(f"{line['id']},{line['audio_filepath']},{line['text']}\n" for line in lines)
    (place / "clips.csv").write_text("id,audio_filepath,text\n" + text)
    return place / "clips.csv"


def as_folder_with_metadata(files: dict[str, Path], place: Path) -> Path:
    as_table(files, place).rename(place / "metadata.csv")
    (place / "clips.jsonl").unlink()
    return place


def as_numbers(files: dict[str, Path], place: Path) -> str:
    for number, (id, file) in enumerate(files.items(), start=9):
        write_shard(place / f"s-{number:03d}.tar", [Clip(id, file, "flac", transcript=WORDS[id])])
    return f"{place}/s-{{009..010}}.tar"


def as_manifest(files: dict[str, Path], place: Path) -> Path:
    (place / "audio").mkdir()
    lines = []
    for id, file in files.items():
        (place / "audio" / f"{id}.flac").write_bytes(file.read_bytes())
        lines.append(json.dumps({"id": id, "audio_filepath": f"audio/{id}.flac", "text": WORDS[id]}))
    (place / "clips.jsonl").write_text("\n".join(lines) + "\n\n")
    return place / "clips.jsonl"


LAYOUTS = [
    as_folder,
    as_shard,
    as_folder_of_shards,
    as_pattern,
    as_numbers,
    as_parquet,
    as_manifest,
    as_table,
    as_folder_with_metadata,
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_clips(
    voice, tmp_path, layout: Callable[[dict[str, Path], Path], Path | str]
):
    files = {id: voice(f"made/{id}.flac", seconds=0.3) for id in WORDS}
    place = tmp_path / "corpus"
    place.mkdir()
    clips = list(read(layout(files, place)))
    assert [(clip.id, clip.transcript, clip.format) for clip in clips] == [
        ("one", "Hello", "flac"),
        ("two", "Goodbye", "flac"),
    ]
    assert all(len(decode(clip.audio).samples) == 4_800 for clip in clips)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_entry_by_entry_it_is_the_same_corpus(voice, tmp_path, layout):
    place = tmp_path / "corpus"
    place.mkdir()
    source = layout({id: voice(f"made/{id}.flac", seconds=0.05) for id in WORDS}, place)
    entries = matches(source)
    assert [clip for entry in entries for clip in read_one(entry)] == list(read(source))
    assert all(matches(entry) == [entry] for entry in entries)


def test_a_folder_of_shards_gives_its_shards_and_one_of_loose_files_itself(voice, tmp_path):
    files = {id: voice(f"made/{id}.flac", seconds=0.05) for id in WORDS}
    (tmp_path / "loose").mkdir()
    shards, loose = as_folder_of_shards(files, tmp_path / "shards"), as_folder(files, tmp_path / "loose")
    assert matches(shards) == [shards / "deep" / "one.tar", shards / "deep" / "two.tar"]
    assert matches(loose) == [loose]
    assert matches(f"{tmp_path}/[ls]*") == [loose, *matches(shards)]


def test_a_range_of_one_number_is_that_number(voice, tmp_path):
    write_shard(tmp_path / "s-007.tar", [Clip("a", voice("a.flac", seconds=0.05), "flac")])
    assert matches(tmp_path / "s-{007..007}.tar") == [tmp_path / "s-007.tar"]


@pytest.mark.parametrize("pattern", ["s-{9..1}.tar", "s-{0..999999}.tar", "s-{1..2}.tar"])
def test_numbers_that_stand_for_nothing_are_an_error(tmp_path, pattern):
    with pytest.raises(CorpusError, match=r"s-"):
        matches(tmp_path / pattern)


def test_a_single_file_that_is_empty_is_told_like_any_other(tmp_path):
    (tmp_path / "a.wav").touch()
    errors: list[CorpusError] = []
    assert list(read(tmp_path / "a.wav", on_bad=errors.append)) == []
    assert "a.wav: the file is empty" in str(errors[0])


def test_a_folder_that_cannot_be_listed_is_an_error_and_the_rest_is_read_where_errors_are_taken(
    voice, unlistable
):
    (unlistable / "a.flac").write_bytes(voice("one.flac", seconds=0.3).read_bytes())
    with pytest.raises(CorpusError, match="cannot be listed"):
        list(read(unlistable))
    bad: list[CorpusError] = []
    assert [clip.id for clip in read(unlistable, on_bad=bad.append)] == ["a"]
    assert len(bad) == 1


def test_a_line_that_is_too_long_costs_itself_only(voice, tmp_path):
    voice("one.flac", seconds=0.3)
    lines = [f'{{"audio": "one.flac", "text": "{"a" * LARGEST_JSON}"}}', '{"audio": "one.flac"}']
    (tmp_path / "clips.jsonl").write_text("\n".join(lines))
    bad: list[CorpusError] = []
    assert [clip.id for clip in read(tmp_path / "clips.jsonl", on_bad=bad.append)] == ["one"]
    assert [str(error).split(": ")[1][:24] for error in bad] == ["line 1 is longer than 83"]


def test_one_audio_file_is_one_clip(voice):
    path = voice("a.mp3")
    assert [(clip.id, clip.audio, clip.format) for clip in read(path)] == [("a", path, "mp3")]


def test_a_folder_reads_in_the_order_of_its_paths_and_skips_hidden_files(voice, tmp_path):
    for name in ("b/2.wav", "b/1.MP3", "a.ogg", "._a.ogg", ".cache/x.wav"):
        voice(f"c/{name}", seconds=0.1) if name[-1].islower() else voice("t.mp3", seconds=0.1).rename(
            tmp_path / "c" / name
        )
    (tmp_path / "c" / "notes.txt").write_text("no audio")
    assert [clip.id for clip in read(tmp_path / "c")] == ["a", "b/1", "b/2"]


def test_a_loop_of_links_ends(voice, tmp_path):
    voice("c/a.wav", seconds=0.1)
    os.symlink(tmp_path / "c", tmp_path / "c" / "again")
    os.symlink("self.wav", tmp_path / "c" / "self.wav")
    clips = list(read(tmp_path / "c"))
    assert [clip.id for clip in clips] == ["a", "self"]
    with pytest.raises(CorpusError, match=r"self\.wav: cannot be opened"):
        decode(clips[1].audio)


def test_two_files_of_one_id_are_told(voice, tmp_path):
    voice("c/a.wav", seconds=0.1), voice("c/a.flac", seconds=0.1)
    with pytest.raises(CorpusError, match=r"a\.wav: its id 'a' is that of .*a\.flac"):
        list(read(tmp_path / "c"))


def test_a_truncated_shard_does_not_hide_the_next_one(voice, tmp_path):
    file = voice("x.flac", seconds=0.1)
    for id in ("one", "two"):
        write_shard(tmp_path / "s" / f"{id}.tar", [Clip(id, file, "flac")])
    cut = tmp_path / "s" / "one.tar"
    cut.write_bytes(cut.read_bytes()[:700])
    errors: list[CorpusError] = []
    assert [clip.id for clip in read(tmp_path / "s", on_bad=errors.append)] == ["two"]
    assert "one.tar" in str(errors[0])
    with pytest.raises(CorpusError, match=r"one\.tar"):
        list(read(tmp_path / "s"))


@pytest.mark.parametrize("name", ["missing", "missing*.tar", "empty", "mixed", "notes.txt"])
def test_what_is_no_corpus_is_an_error_with_a_remedy(voice, tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    write_shard(tmp_path / "mixed" / "a.tar", [Clip("a", voice("mixed/a.wav"), "wav")])
    with pytest.raises(CorpusError, match=name.replace("*", r"\*")):
        list(read(tmp_path / name))
    with pytest.raises(CorpusError, match="is empty"):
        list(read(""))


@pytest.mark.parametrize(
    "path", ["../secret.wav", "/etc/passwd", "audio/../../secret.wav", "link.wav", "", None, 3]
)
def test_a_manifest_cannot_name_files_outside_of_its_folder(voice, tmp_path, path):
    voice("secret.wav", seconds=0.1)
    (tmp_path / "m").mkdir()
    os.symlink(tmp_path / "secret.wav", tmp_path / "m" / "link.wav")
    (tmp_path / "m" / "a.jsonl").write_text(json.dumps({"audio": path}))
    with pytest.raises(CorpusError, match=r"a\.jsonl: line 1: .*(leaves the folder|no path)"):
        list(read_manifest(tmp_path / "m" / "a.jsonl"))


def test_usual_columns_become_fields_and_others_go_to_the_metadata(voice, tmp_path):
    voice("a.wav", seconds=0.1)
    (tmp_path / "m.jsonl").write_text('{"wav": "a.wav", "sentence": "Hi", "caption": "Calm.", "snr": 20}')
    (clip,) = read(tmp_path / "m.jsonl")
    assert (clip.transcript, clip.captions[0].text, clip.metadata) == ("Hi", "Calm.", {"snr": 20})


@pytest.mark.parametrize("name", ["p.tar", "p.tgz", "p.parquet", "p.arrow", "p.jsonl", "p.csv", "p.mp3"])
def test_a_pipe_is_told_and_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    for source in (tmp_path / name, f"{tmp_path}/p.*"):
        errors: list[CorpusError] = []
        assert list(read(source, on_bad=errors.append)) == []
        assert [str(error).partition(": ")[2][:22] for error in errors] == ["this is not a file: re"]
        with pytest.raises(CorpusError, match=rf"{name}: this is not a file"):
            list(read(source))


def test_a_pipe_in_a_folder_is_told_and_costs_no_other_shard(voice, tmp_path):
    audio = voice("loose/a.flac", seconds=0.05)
    write_shard(tmp_path / "shards/a.tar", [Clip("a", audio, "flac")])
    for folder, name, ids in (("shards", "b.tar", ["a"]), ("loose", "clips.jsonl", [])):
        os.mkfifo(tmp_path / folder / name)
        errors: list[CorpusError] = []
        assert [clip.id for clip in read(tmp_path / folder, on_bad=errors.append)] == ids
        assert [f"{name}: this is not a file" in str(error) for error in errors] == [True]


def test_a_pipe_for_a_sidecar_the_splits_or_the_ratings_is_told(tmp_path):
    pipe = tmp_path / "p.csv"
    os.mkfifo(pipe)
    for reader in (read_json, read_splits, lambda path: list(read_ratings(path))):
        with pytest.raises(CorpusError, match=r"p\.csv: this is not a file"):
            reader(pipe)
