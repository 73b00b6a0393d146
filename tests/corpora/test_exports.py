"""Any corpus that is read is exported with the captions that are asked for, and what is left out is told."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest

from budew.corpora import Caption, Clip, export, read, write_shard
from budew.errors import CorpusError, InputError

CAPTIONS = [
    ("given", "person"),
    ("drawn", "render"),
    ("one", "paraphrase"),
    ("two", "paraphrase"),
    ("three", "paraphrase"),
]


@pytest.fixture
def shard(tmp_path, voice) -> Path:
    captions = tuple(Caption(text, {"by": by}) for text, by in CAPTIONS)
    audio = voice("a.flac", seconds=0.1)
    clips = [Clip(f"{number:02}", audio, "flac", captions=captions, transcript="x") for number in range(30)]
    write_shard(tmp_path / "in.tar", clips)
    return tmp_path / "in.tar"


def captions(folder: Path) -> list[tuple[str, ...]]:
    return [tuple(caption.text for caption in clip.captions) for clip in read(folder)]


TEXTS = ("parquet", "jsonl", "parler", "ljspeech", "lhotse")


@pytest.mark.parametrize("to", TEXTS)
def test_captions_are_the_newest_all_of_them_the_first_or_drawn_by_seed_and_clip(tmp_path, shard, to):
    for pick, seed in (("first", 0), ("random", 1), ("random", 2)):
        export(shard, tmp_path / f"{pick}{seed}", to=to, pick=pick, seed=seed)
    assert captions(tmp_path / "first0") == [("one",)] * 30
    drawn = captions(tmp_path / "random1")
    assert {len(some) for some in drawn} == {1}
    assert {text for (text,) in drawn} == {"one", "two", "three"}
    assert drawn != captions(tmp_path / "random2")


def test_all_of_the_newest_are_written_but_for_parler(tmp_path, shard):
    for to in TEXTS:
        result = export(shard, tmp_path / to, to=to)
        count = 1 if to == "parler" else 3
        assert (result.clips, result.written) == (30, {"paraphrase": 30 * count})
        assert +result.left_out == Counter(paraphrase=90 - 30 * count, render=30, original=30)
        assert [len(some) for some in captions(tmp_path / to)] == [count] * 30
    assert export(shard, tmp_path / "every", to="parler", pick="all").clips == 30
    assert len(captions(tmp_path / "every")) == 90


@pytest.mark.parametrize(
    ("caption", "kept"),
    [
        ("paraphrase", ("one", "two", "three")),
        ("render", ("drawn",)),
        ("original", ("given",)),
        ("all", ("given", "drawn", "one", "two", "three")),
    ],
)
def test_captions_are_chosen_by_what_wrote_them(tmp_path, shard, caption, kept):
    export(shard, tmp_path / "out", to="jsonl", caption=caption)
    assert captions(tmp_path / "out") == [kept] * 30


def test_a_clip_without_paraphrases_has_its_rendered_captions_and_else_the_original_ones(tmp_path, shard):
    clips = [replace(clip, captions=clip.captions[:number]) for number, clip in enumerate(read(shard))]
    write_shard(tmp_path / "some.tar", clips[:4])
    result = export(tmp_path / "some.tar", tmp_path / "out", to="jsonl")
    assert captions(tmp_path / "out") == [(), ("given",), ("drawn",), ("one",)]
    assert result.written == {"original": 1, "render": 1, "paraphrase": 1}
    assert result.left_out == {"original": 2, "render": 1}


def test_which_caption_is_drawn_does_not_depend_on_the_other_clips(tmp_path, shard):
    export(shard, tmp_path / "all", to="parquet", pick="random")
    write_shard(tmp_path / "some.tar", list(read(shard))[10:20])
    export(tmp_path / "some.tar", tmp_path / "some", to="parquet", pick="random")
    assert captions(tmp_path / "some") == captions(tmp_path / "all")[10:20]


def test_files_are_of_the_size_asked_for(tmp_path, shard):
    export(shard, tmp_path / "out", to="parquet", clips_per_file=12)
    assert len(list((tmp_path / "out").glob("clips-0000[012].parquet"))) == 3


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("jsonl", "jsonl"),
        ("jsonl", "link"),
        ("link", "jsonl"),
        ("jsonl", "."),
        ("jsonl/audio", "jsonl"),
        ("all.jsonl", "jsonl"),
        ("shards/*.tar", "shards"),
        ("shards/clips-{00000..00001}.tar", "shards"),
        ("loose", "loose/out"),
        ("loose/*", "loose/out"),
        ("loose/**/0*.flac", "loose/out"),
        ("tables/**/*.parquet", "tables/out"),
    ],
)
def test_an_export_neither_replaces_its_source_nor_is_read_by_the_next(tmp_path, shard, source, out):
    export(shard, tmp_path / "jsonl", to="jsonl")
    write_shard(tmp_path / "shards" / "clips-00000.tar", list(read(shard))[:20])
    write_shard(tmp_path / "shards" / "clips-00001.tar", list(read(shard))[20:])
    export(shard, tmp_path / "tables" / "a", to="parquet")
    (tmp_path / "link").symlink_to("jsonl")
    (tmp_path / "loose").mkdir()
    for audio in (tmp_path / "jsonl" / "audio").iterdir():
        copy(audio, tmp_path / "loose")
    (tmp_path / "all.jsonl").write_text('{"audio": "jsonl/audio/00.flac"}\n')
    before = everything(tmp_path)
    with pytest.raises(CorpusError, match="choose a"):
        export(tmp_path / source, tmp_path / out, to="parquet" if "tables" in source else "jsonl")
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    ("source", "out"), [("jsonl/*.jsonl", "out"), ("*.tar", "out"), ("jsonl/clips.jsonl", "beside")]
)
def test_an_export_beside_its_source_gives_the_same_again(tmp_path, shard, source, out):
    export(shard, tmp_path / "jsonl", to="jsonl")
    for _ in range(2):
        assert export(tmp_path / source, tmp_path / out, to="parquet").clips == 30


@pytest.mark.parametrize("out", ["s3://u:secret@bucket/x", Path("s3://u:secret@bucket/x")])
def test_an_address_is_no_folder_to_export_to(tmp_path, shard, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError, match="s3://bucket/x: is an address: write to a folder here"):
        export(shard, out, to="parquet")
    assert not Path("s3:").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"to": "mp4"},
        {"to": "webdataset"},
        {"to": "jsonl", "clips_per_file": 3},
        {"to": "parquet", "sampling_rate": 8_000},
        {"to": "parquet", "caption": "last"},
        {"to": "parquet", "pick": "last"},
        {"to": "parquet", "clips_per_file": 0},
    ],
)
def test_options_that_a_format_does_not_have_are_refused(tmp_path, shard, options):
    with pytest.raises(InputError):
        export(shard, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_progress_is_told_for_each_clip_that_was_read(tmp_path, shard):
    told: list[int] = []
    export(shard, tmp_path / "out", to="parquet", progress=told.append)
    assert told == list(range(1, 31))


def test_bad_items_of_the_source_are_told_and_the_rest_is_exported(tmp_path, shard):
    shard.write_bytes(shard.read_bytes()[:8_000])
    errors: list[CorpusError] = []
    count = export(shard, tmp_path / "out", to="parquet", on_bad=errors.append).clips
    assert 0 < count < 30
    assert "truncated" in str(errors[0])
    with pytest.raises(CorpusError, match="truncated"):
        export(shard, tmp_path / "strict", to="parquet")
    assert not (tmp_path / "strict").exists()
