"""Whatever a corpus lies in, it reads as the same clips."""

import json
import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.audio.samples import decode
from budew.corpora import Clip, ExportOptions, export_corpus, read, write_shard
from budew.corpora.manifests import AUDIO_ROOT, named_audio
from budew.corpora.sources import matches, read_one
from budew.corpora.text_files import LARGEST_JSON, read_json_object
from budew.curation.rating_tables import read_ratings
from budew.curation.splits import read_splits
from budew.errors import BudewWarning, CorpusError

WORDS = {"one": "Hello", "two": "Goodbye"}


def as_folder(files: dict[str, Path], place: Path) -> Path:
    for id, file in files.items():
        (place / f"{id}.flac").write_bytes(file.read_bytes())
        (place / f"{id}.json").write_text(json.dumps({"transcript": WORDS[id]}))
    return place


def as_shard(files: dict[str, Path], place: Path) -> Path:
    write_shard(place / "a.tar", [Clip(id, file, "flac", transcript=WORDS[id]) for id, file in files.items()])
    return place / "a.tar"


def as_parquet(files: dict[str, Path], place: Path) -> Path:
    audio = [{"bytes": file.read_bytes(), "path": f"{id}.flac"} for id, file in files.items()]
    table = pa.table({"id": list(files), "audio": audio, "text": list(WORDS.values())})
    pyarrow.parquet.write_table(table, place / "train-00000-of-00001.parquet")
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


def test_a_loop_of_links_ends(voice, tmp_path):
    voice("c/a.wav", seconds=0.1)
    os.symlink(tmp_path / "c", tmp_path / "c" / "again")
    os.symlink("self.wav", tmp_path / "c" / "self.wav")
    clips = list(read(tmp_path / "c"))
    assert [clip.id for clip in clips] == ["a", "self"]
    with pytest.raises(CorpusError, match=r"self\.wav: "):
        decode(clips[1].audio)


def test_two_files_with_one_id_are_reported(voice, tmp_path):
    voice("c/a.wav", seconds=0.1), voice("c/a.flac", seconds=0.1)
    with pytest.raises(CorpusError, match=r"a\.wav: the clip 'a' occurs twice"):
        list(read(tmp_path / "c"))


def as_folder_of_shards(files: dict[str, Path], place: Path) -> Path:
    for id, file in files.items():
        as_shard({id: file}, place).rename(place / f"{id}.tar")
    return place


def as_csv(files: dict[str, Path], place: Path) -> Path:
    manifest = as_manifest(files, place)
    lines = "".join(f"{id},audio/{id}.flac,{WORDS[id]}\n" for id in files)
    manifest.with_suffix(".csv").write_text("id,audio_filepath,text\n" + lines)
    return manifest.with_suffix(".csv")


def as_folder_with_metadata(files: dict[str, Path], place: Path) -> Path:
    as_csv(files, place).rename(place / "metadata.csv")
    (place / "clips.jsonl").unlink()
    return place


@pytest.mark.parametrize(
    "layout",
    [
        as_folder,
        as_shard,
        as_folder_of_shards,
        lambda files, place: f"{as_folder_of_shards(files, place / 'deep').parent}/*/*.tar",
        as_numbers,
        as_parquet,
        as_manifest,
        as_csv,
        as_folder_with_metadata,
    ],
)
def test_every_layout_gives_the_same_clips_whole_and_entry_by_entry(voice, tmp_path, layout):
    files = {id: voice(f"made/{id}.flac", seconds=0.3) for id in WORDS}
    (tmp_path / "corpus" / "deep").mkdir(parents=True)
    source = layout(files, tmp_path / "corpus")
    clips = list(read(source))
    assert [(clip.id, clip.transcript, clip.format) for clip in clips] == [
        ("one", "Hello", "flac"),
        ("two", "Goodbye", "flac"),
    ]
    assert all(len(decode(clip.audio).samples) == 4_800 for clip in clips)
    entries = matches(source)
    assert [clip for entry in entries for clip in read_one(entry)] == clips
    assert all(matches(entry) == [entry] for entry in entries)


@pytest.mark.parametrize("packed", [True, False])
def test_text_beside_audio_is_the_transcript_where_the_json_has_none(mp3, pack, tmp_path, packed):
    members = [
        ("README.txt", b"\xff"),
        ("bom.mp3", mp3), ("bom.txt", "\ufeff Grüße \n".encode()),
        ("both.de.txt", b"\xff"), ("both.json", b'{"text": "JSON"}'), ("both.mp3", mp3),
        ("both.txt", b"\xff"),
        ("empty.mp3", mp3), ("empty.txt", b" \n"),
        ("latin.mp3", mp3), ("latin.txt", b"\xff"),
        ("long.mp3", mp3), ("long.txt", b"a" * (LARGEST_JSON + 1)),
        ("null.json", b'{"text": null}'), ("null.txt", b"first"), ("null.zh.txt", b"\xff"), ("null.mp3", mp3),
        ("text.en.txt", b"\xff"), ("text.txt", b"before"), ("text.mp3", mp3),
    ]  # fmt: skip
    source = pack("corpus/a.tar", members) if packed else tmp_path / "loose"
    for name, content in () if packed else members:
        source.mkdir(exist_ok=True)
        (source / name).write_bytes(content)
    errors: list[CorpusError] = []
    assert {clip.id: clip.transcript for clip in read(source, on_bad=errors.append)} == {
        "bom": "Grüße",
        "both": "JSON",
        "empty": None,
        "null": "first",
        "text": "before",
    }
    assert len(errors) == 2
    for error, name, fault in zip(errors, ("latin", "long"), ("is not UTF-8", "bytes"), strict=True):
        assert name in str(error)
        assert fault in str(error)


def test_one_file_is_one_clip_and_an_empty_one_is_reported(voice, tmp_path):
    path = voice("a.mp3")
    assert [(clip.id, clip.audio, clip.format) for clip in read(path)] == [("a", path, "mp3")]
    (tmp_path / "a.wav").touch()
    errors: list[CorpusError] = []
    assert list(read(tmp_path / "a.wav", on_bad=errors.append)) == []
    assert "a.wav: the file is empty" in str(errors[0])


def test_a_folder_reads_in_the_order_of_its_paths_and_skips_hidden_files(voice, tmp_path):
    for name in ("b/2.wav", "b/1.mp3", "a.ogg", "._a.ogg", ".cache/x.wav"):
        voice(f"c/{name}", seconds=0.1)
    (tmp_path / "c/b/1.mp3").rename(tmp_path / "c/b/1.MP3")
    (tmp_path / "c/notes.txt").write_text("no audio")
    assert [clip.id for clip in read(tmp_path / "c")] == ["a", "b/1", "b/2"]


@pytest.mark.parametrize(
    "name",
    [
        "missing",
        "missing*.tar",
        "empty",
        "mixed",
        "notes.txt",
        "s-{9..1}.tar",
        "s-{0..999999}.tar",
        "s-{1..2}.tar",
    ],
)
def test_a_source_that_is_no_corpus_is_named_in_the_error(voice, tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    write_shard(tmp_path / "mixed" / "a.tar", [Clip("a", voice("mixed/a.wav"), "wav")])
    with pytest.raises(CorpusError, match=re.escape(name.partition("{")[0])):
        list(read(tmp_path / name))
    with pytest.raises(CorpusError, match="is empty"):
        list(read(""))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
@pytest.mark.parametrize(
    "path",
    [
        "../secret.wav",
        "/etc/passwd",
        "audio/../../secret.wav",
        "link.wav",
        ".",
        "a.wav\0.wav",
        "",
        None,
        3,
        "x" * 300,
    ],
)
def test_a_manifest_cannot_name_files_outside_of_its_folder(voice, tmp_path, name, path):
    voice("secret.wav", seconds=0.1)
    (tmp_path / "m").mkdir()
    os.symlink(tmp_path / "secret.wav", tmp_path / "m" / "link.wav")
    lines = json.dumps({"audio": path}) if name == "a.jsonl" else f"audio,text\n{path or ''},x\n"
    (tmp_path / "m" / name).write_text(lines)
    with pytest.raises(CorpusError, match=rf"{name}: line [12]: .*(outside the folder|no path|no file)"):
        list(read(tmp_path / "m" / name))


@pytest.mark.parametrize("lhotse", [False, True])
@pytest.mark.parametrize("value", ["{root}/a/1.wav", "../audio/a/1.wav", "a/1.wav", "{root}/a/../a/1.wav"])
def test_a_manifest_may_name_audio_below_the_folder_that_is_allowed(
    voice, tmp_path, monkeypatch, value, lhotse
):
    root, path = voice("audio/a/1.wav", seconds=0.1).parent.parent, tmp_path / "m" / "clips.jsonl"
    voice("audio/2.wav", seconds=0.1), voice("secret.wav", seconds=0.1)
    (root / "link.wav").symlink_to(tmp_path / "secret.wav")
    path.parent.mkdir()
    values = (value, "../secret.wav", "{root}/link.wav")
    rows = [{"audio_filepath": one.format(root=root)} for one in values]
    if lhotse:
        about = {"start": 0, "duration": 0.1, "sampling_rate": 16_000, "channel": 0, "supervisions": []}
        rows = [{"id": f"a/{n}", **about, "recording": {**about, "sources": [
            {"type": "file", "channels": [0], "source": row["audio_filepath"]}
        ]}} for n, row in enumerate(rows, start=1)]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)))
    errors: list[CorpusError] = []
    assert list(read(path, on_bad=errors.append)) == []
    assert "--audio-root, BUDEW_AUDIO_ROOT or read" in str(errors[1])
    (clip,) = read(path, audio_root=root, on_bad=errors.append)
    assert (clip.id, clip.audio, len(errors)) == ("a/1", root / "a" / "1.wav", 5)
    monkeypatch.setenv(AUDIO_ROOT, str(root))
    assert list(read(path, on_bad=errors.append)) == [clip]
    assert named_audio(path) == [clip.audio]
    with pytest.raises(CorpusError, match="is in the output folder"):
        export_corpus(path, root, ExportOptions("jsonl"))


@pytest.mark.parametrize(
    "name",
    ["p.tar", "p.parquet", "p.arrow", "p.jsonl", "p.csv", "p.mp3", "b/p.tar", "b/clips.jsonl"],
)
def test_a_pipe_is_reported_and_not_waited_for_and_costs_no_other_file(voice, tmp_path, name):
    path = tmp_path / name
    (tmp_path / "b").mkdir()
    good = voice("b/a.flac", seconds=0.05)
    if name == "b/p.tar":
        write_shard(tmp_path / "b" / "a.tar", [Clip("a", good, "flac")])
        good.unlink()
    os.mkfifo(path)
    for source in (path, f"{path.parent}/p.*" if "b/" not in name else path.parent):
        errors: list[CorpusError] = []
        clips = [clip.id for clip in read(source, on_bad=errors.append)]
        assert clips == (["a"] if source == tmp_path / "b" and name == "b/p.tar" else [])
        assert [f"{name}: this is not a file" in str(error) for error in errors] == [True]
    with pytest.raises(CorpusError, match=rf"{name}: this is not a file"):
        list(read(path))
    for reader in (read_json_object, read_splits, lambda path: list(read_ratings(path))):
        with pytest.raises(CorpusError, match=r"this is not a file"):
            reader(path)


def test_one_warning_a_corpus_lists_the_labels_that_are_not_understood(voice, tmp_path):
    labels = ("joyfull", "joyfull", "angry", "wut")
    for number, label in enumerate(labels):
        beside = voice(f"{number}.wav", seconds=0.1).with_suffix(".json")
        beside.write_text(json.dumps({"emotion": label, "Hapiness": 0.5, "age": 34}))
    with pytest.warns(BudewWarning) as warned:
        clips = list(read(tmp_path))
    assert len(clips) == len(labels)
    (text,) = (str(one.message) for one in warned)
    listed = text.partition("metadata: ")[2].split("; ")
    assert listed == [
        "Hapiness: a number: is it Elation? (4 clips)",
        "emotion: joyfull (nearest: Elation) (2 clips)",
        "emotion: wut (1 clips)",
    ]
