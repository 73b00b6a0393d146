"""Any corpus that is read is exported with the captions that are asked for, and what is left out is told."""

from pathlib import Path

import pytest

from budew.corpora import Caption, Clip, CorpusError, export, read, write_shard


@pytest.fixture
def shard(tmp_path, voice) -> Path:
    captions = tuple(Caption(text) for text in ("one", "two", "three"))
    audio = voice("a.flac", seconds=0.1)
    clips = [Clip(f"{number:02}", audio, "flac", captions=captions, transcript="x") for number in range(30)]
    write_shard(tmp_path / "in.tar", clips)
    return tmp_path / "in.tar"


def captions(folder: Path) -> list[tuple[str, ...]]:
    return [tuple(caption.text for caption in clip.captions) for clip in read(folder)]


@pytest.mark.parametrize("to", ["parquet", "jsonl", "webdataset", "parler"])
def test_captions_are_all_the_first_or_drawn_by_seed_and_clip(tmp_path, shard, to):
    for which, seed in (("first", 0), ("random", 1), ("random", 2)):
        export(shard, tmp_path / f"{which}{seed}", to=to, caption=which, seed=seed)
    assert captions(tmp_path / "first0") == [("one",)] * 30
    drawn = captions(tmp_path / "random1")
    assert {len(some) for some in drawn} == {1}
    assert {text for (text,) in drawn} == {"one", "two", "three"}
    assert drawn != captions(tmp_path / "random2")
    export(tmp_path / "first0", tmp_path / "again", to=to)
    assert captions(tmp_path / "again") == [("one",)] * 30


def test_left_out_all_captions_are_kept_but_for_parler(tmp_path, shard):
    for to, wanted in (("parquet", 3), ("parler", 1)):
        assert export(shard, tmp_path / to, to=to) == 30
        assert [len(some) for some in captions(tmp_path / to)] == [wanted] * 30
    assert export(shard, tmp_path / "every", to="parler", caption="all") == 30
    assert len(captions(tmp_path / "every")) == 90


def test_which_caption_is_drawn_does_not_depend_on_the_other_clips(tmp_path, shard):
    export(shard, tmp_path / "all", to="parquet", caption="random")
    write_shard(tmp_path / "some.tar", list(read(shard))[10:20])
    export(tmp_path / "some.tar", tmp_path / "some", to="parquet", caption="random")
    assert captions(tmp_path / "some") == captions(tmp_path / "all")[10:20]


def test_files_are_of_the_size_asked_for(tmp_path, shard):
    export(shard, tmp_path / "out", to="parquet", clips_per_file=12)
    assert len(list((tmp_path / "out").glob("clips-0000[012].parquet"))) == 3


def test_a_corpus_can_be_converted_in_its_own_place(tmp_path, shard):
    before = list(read(shard))
    export(shard, tmp_path / "out", to="webdataset")
    export(tmp_path / "out", tmp_path / "out", to="parquet")
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name[0] != "."] == [
        "clips-00000.parquet"
    ]
    assert list(read(tmp_path / "out")) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "mp4"}, "no format 'mp4': use one of parquet"),
        ({"to": "jsonl", "clips_per_file": 3}, "jsonl has no clips per file"),
        ({"to": "parquet", "sampling_rate": 8_000}, "parquet has no sampling rate"),
        ({"to": "ljspeech", "caption": "first"}, "ljspeech holds no captions"),
        ({"to": "parquet", "caption": "last"}, "no choice of captions 'last'"),
        ({"to": "parquet", "clips_per_file": 0}, "a part of 0 clips"),
    ],
)
def test_options_that_a_format_does_not_have_are_refused(tmp_path, shard, options, message):
    with pytest.raises(ValueError, match=message):
        export(shard, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_progress_is_told_for_each_clip_that_was_read(tmp_path, shard):
    told: list[int] = []
    export(shard, tmp_path / "out", to="parquet", progress=told.append)
    assert told == list(range(1, 31))


def test_bad_items_of_the_source_are_told_and_the_rest_is_exported(tmp_path, shard):
    shard.write_bytes(shard.read_bytes()[:8_000])
    errors: list[CorpusError] = []
    count = export(shard, tmp_path / "out", to="parquet", on_bad=errors.append)
    assert 0 < count < 30
    assert "truncated" in str(errors[0])
    with pytest.raises(CorpusError, match="truncated"):
        export(shard, tmp_path / "strict", to="parquet")
    assert not (tmp_path / "strict").exists()
