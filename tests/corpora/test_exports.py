"""Any corpus that is read is exported with the captions that are asked for, and what is left out is told."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from budew.corpora import Caption, Clip, ExportOptions, export_corpus, read, write_shard
from budew.corpora.exports import FORMATS
from budew.errors import CorpusError, InputError


def captions(folder: Path) -> list[tuple[str, ...]]:
    return [tuple(caption.text for caption in clip.captions) for clip in read(folder)]


CAPTIONS = {"given": "person", "drawn": "render", "one": "paraphrase", "two": "paraphrase"}


@pytest.fixture
def shard(tmp_path, voice) -> Path:
    captions = tuple(Caption(text, {"by": by}) for text, by in CAPTIONS.items())
    audio = voice("a.flac", seconds=0.1)
    clips = [Clip(f"{number:02}", audio, "flac", captions=captions, transcript="x") for number in range(30)]
    write_shard(tmp_path / "in.tar", clips)
    return tmp_path / "in.tar"


@pytest.mark.parametrize("to", FORMATS)
def test_captions_are_the_newest_or_the_first_of_them_by_default_for_parler(tmp_path, shard, to):
    told: list[int] = []
    result = export_corpus(shard, tmp_path / "out", ExportOptions(to), progress=told.append)
    kept = ("one",) if to == "parler" else ("one", "two")
    assert captions(tmp_path / "out") == [kept] * 30
    assert (result.clips, result.written, told) == (30, {"paraphrase": 30 * len(kept)}, [*range(1, 31)])
    assert +result.left_out == Counter(paraphrase=60 - 30 * len(kept), render=30, original=30)
    assert export_corpus(shard, tmp_path / "all", ExportOptions(to, pick="all")).clips == 30
    rows = [text for texts in captions(tmp_path / "all") for text in texts]
    assert rows == ["one", "two"] * 30


@pytest.mark.parametrize(
    ("caption", "kept"),
    [("paraphrase", ("one", "two")), ("render", ("drawn",)), ("original", ("given",)), ("all", (*CAPTIONS,))],
)
def test_captions_are_chosen_by_what_wrote_them(tmp_path, shard, caption, kept):
    export_corpus(shard, tmp_path / "out", ExportOptions("jsonl", caption=caption))
    assert captions(tmp_path / "out") == [kept] * 30
    export_corpus(shard, tmp_path / "out", ExportOptions("jsonl", caption=caption, pick="first"))
    assert captions(tmp_path / "out") == [kept[:1]] * 30


def test_a_clip_without_paraphrases_has_its_rendered_captions_and_else_the_original_ones(tmp_path, shard):
    clips = [replace(clip, captions=clip.captions[:number]) for number, clip in enumerate(read(shard))]
    write_shard(tmp_path / "some.tar", clips[:4])
    result = export_corpus(tmp_path / "some.tar", tmp_path / "out", ExportOptions("jsonl"))
    assert captions(tmp_path / "out") == [(), ("given",), ("drawn",), ("one",)]
    assert result.written == {"original": 1, "render": 1, "paraphrase": 1}
    assert result.left_out == {"original": 2, "render": 1}


def test_which_caption_is_drawn_depends_on_the_seed_and_the_clip_alone(tmp_path, shard):
    export_corpus(shard, tmp_path / "all", ExportOptions("parquet", pick="random", clips_per_file=12))
    assert len(list((tmp_path / "all").glob("data/clips-0000[012].parquet"))) == 3
    drawn = captions(tmp_path / "all")
    assert set(drawn) == {("one",), ("two",)}
    write_shard(tmp_path / "some.tar", list(read(shard))[10:20])
    export_corpus(tmp_path / "some.tar", tmp_path / "some", ExportOptions("jsonl", pick="random"))
    assert captions(tmp_path / "some") == drawn[10:20]
    export_corpus(shard, tmp_path / "all", ExportOptions("parquet", pick="random", seed=1))
    assert captions(tmp_path / "all") != drawn


def test_a_clip_without_captions_is_exported_without_any_however_they_are_picked():
    for pick in (None, "all", "first", "random"):
        assert ExportOptions("jsonl", pick=pick).captions_of(Clip("a", b"", "wav")) == ()


@pytest.mark.parametrize("out", ["s3://u:secret@bucket/x", Path("s3://u:secret@bucket/x")])
def test_an_address_is_no_folder_to_export_to(tmp_path, shard, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError, match=r"^s3://bucket/x is a URL"):
        export_corpus(shard, out, ExportOptions("parquet"))
    assert not Path("s3:").exists()


@pytest.mark.parametrize(
    "options",
    [
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
        export_corpus(shard, tmp_path / "out", ExportOptions(**options))
    assert not (tmp_path / "out").exists()
