"""A shard gives back what was put in, in the same bytes each time, and is never taken for whole when cut."""

import gzip
import json
import os
import re
import tarfile
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
import webdataset

from budew.corpora import Caption, Clip, read_shard, write_shard
from budew.corpora.reading import ReadOptions
from budew.corpora.shards import LARGEST_READ, MOST_PADDING, trace_shard
from budew.errors import CorpusError
from budew.profile import VoiceProfile


def test_the_bytes_depend_on_the_clips_alone(tmp_path, clips):
    write_shard(tmp_path / "a.tar", clips)
    turned = [replace(clip, metadata=dict(reversed(clip.metadata.items()))) for clip in clips]
    old = os.umask(0o077)
    try:
        write_shard(tmp_path / "b.tar", iter(turned))
    finally:
        os.umask(old)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


@pytest.mark.parametrize("fault", ["twice", "file", "metadata", "generator"])
def test_a_failed_write_leaves_no_file_and_keeps_the_old_one(tmp_path, clips, fault):
    path = tmp_path / "out" / "a.tar"
    write_shard(path, clips[:1])
    before = path.read_bytes()
    bad = {
        "twice": [clips[1], clips[1]],
        "file": [Clip("x", tmp_path / "missing.wav", "wav")],
        "metadata": [Clip("x", b"x", "wav", metadata={"a": {1, 2}})],
        "generator": (clips[1] if i < 1 else 1 / 0 for i in range(2)),
    }[fault]
    with pytest.raises((CorpusError, ZeroDivisionError)):
        write_shard(path, bad)
    assert [file.name for file in path.parent.iterdir()] == ["a.tar"]
    assert path.read_bytes() == before


def test_a_tar_truncated_anywhere_is_an_error_that_names_it(tmp_path, clips):
    write_shard(tmp_path / "whole.tar", clips)
    whole = (tmp_path / "whole.tar").read_bytes()
    with tarfile.open(tmp_path / "whole.tar") as tar:
        headers = [member.offset for member in tar] + [member.offset_data for member in tar]
    cut = tmp_path / "cut.tar"
    end = max(i for i in range(len(whole)) if whole[i]) + 1
    end += -end % 512
    for length in sorted({0, 100, *headers, *(h + 200 for h in headers), end // 2, end - 300, end}):
        cut.write_bytes(whole[:length])
        with pytest.raises(CorpusError, match=r"cut\.tar: .*(truncated|cannot be read)"):
            list(read_shard(cut))


@pytest.fixture
def clips(voice) -> list[Clip]:
    flac, mp3 = (voice(name, seconds=0.3).read_bytes() for name in ("a.flac", "b.mp3"))
    said = (Caption("Ruhig.", {"seed": 1}),)
    return [
        Clip("one", flac, "flac", profile=VoiceProfile({"Anger": 0.5}), metadata={"b": 1, "a": [2]}),
        Clip("zwei/drei.vier", mp3, "mp3", language="de", captions=said),
        Clip("100% ä", flac, "flac", transcript="Grüße"),
    ]


@pytest.fixture
def whole(tmp_path, clips) -> bytes:
    write_shard(tmp_path / "whole.tar", clips)
    return (tmp_path / "whole.tar").read_bytes()


def damaged(path: Path, content: bytes | None = None) -> tuple[list[Clip], str]:
    """Read a shard, packed where its name says so; return its clips and its one error, which names it."""
    if content is not None:
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    errors: list[str] = []
    clips = list(read_shard(path, ReadOptions(on_bad=lambda error: errors.append(str(error)))))
    (error,) = errors
    assert error.startswith(f"{path}: the shard is damaged or truncated")
    with pytest.raises(CorpusError, match=re.escape(error)):
        list(read_shard(path))
    return clips, error


def test_clips_come_back_equal_in_their_order_packed_or_not_and_webdataset_reads_them(tmp_path, clips, voice):
    path = voice("file.flac")
    clips.append(Clip("file", path, "flac"))
    assert write_shard(tmp_path / "a.tar", clips) == 4
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress((tmp_path / "a.tar").read_bytes()))
    for name in ("a.tar", "a.tar.gz"):
        assert list(read_shard(tmp_path / name)) == [*clips[:3], replace(clips[3], audio=path.read_bytes())]
    samples = list(webdataset.WebDataset(str(tmp_path / "a.tar"), shardshuffle=False))
    assert [set(sample) & {"flac", "mp3"} for sample in samples] == [{"flac"}, {"mp3"}, {"flac"}, {"flac"}]
    assert json.loads(samples[1]["json"])["id"] == "zwei/drei.vier"


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
def test_a_hole_of_zeros_or_a_second_tar_is_reported_and_the_clips_before_it_are_read(
    tmp_path, clips, whole, suffix
):
    with tarfile.open(tmp_path / "whole.tar") as tar:
        start, stop = (tar.getmembers()[place].offset for place in (2, 4))
    path = tmp_path / f"odd.{suffix}"
    hole = whole[:start] + bytes(stop - start) + whole[stop:]
    for content, before in ((hole, clips[:1]), (whole + whole, clips)):
        found, error = damaged(path, content)
        assert found == before
        assert "more than padding follows the end mark at byte" in error


def test_an_empty_shard_is_valid_and_a_file_of_zeros_is_not(tmp_path, clips, whole):
    write_shard(tmp_path / "none.tar", [])
    assert list(read_shard(tmp_path / "none.tar")) == []
    (tmp_path / "padded.tar").write_bytes(whole + bytes(MOST_PADDING - 20_000))
    assert list(read_shard(tmp_path / "padded.tar")) == clips
    for content in (whole + bytes(MOST_PADDING + 512), bytes(50_000), bytes(2 * MOST_PADDING)):
        assert "more than padding" in damaged(tmp_path / "zeros.tar", content)[1]


def test_a_truncated_gzip_or_no_tar_at_all_is_damaged(tmp_path, whole):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(whole)[:-200])
    damaged(path)
    for content in (b"not a tar at all " * 100, bytes(300)):
        damaged(tmp_path / "a.tar", content)


def test_unusual_member_names_are_read(pack):
    members = [
        ("./en_0.5_x.mp3", b"1"),
        ("./en_0.5_x.json", b'{"annotation": "sad"}'),
        ("./en_0.7_x.json", b"{}"),
        ("./en_0.7_x.mp3", b"2"),
        ("alone.FLAC", b"3"),
        ("README.md", b"hello"),
        ("._alone.flac", b"AppleDouble"),
    ]
    found = [
        (clip.id, clip.format, clip.audio, clip.metadata) for clip in read_shard(pack("en.tar", members))
    ]
    assert found == [
        ("en_0.5_x", "mp3", b"1", {"annotation": "sad"}),
        ("en_0.7_x", "mp3", b"2", {}),
        ("alone", "flac", b"3", {}),
    ]


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
@pytest.mark.parametrize(
    "kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]
)
def test_an_enormous_header_is_damage_before_it_is_read(tmp_path, kind, suffix):
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = kind, LARGEST_READ + 1
    record = header.tobuf(tarfile.GNU_FORMAT) + bytes(LARGEST_READ + 2**16)
    found, error = damaged(tmp_path / f"odd.{suffix}", record)
    assert found == []
    assert "a header of 1049088 bytes" in error


MEGABYTE = 2**20
ZEROS = gzip.compress(bytes(64 * MEGABYTE))
"""64 kB; files of gzip behind one another are one."""


def header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


BOMBS = {
    "a clip": gzip.compress(header("big.wav", 500 * MEGABYTE)) + 200 * ZEROS,
    "something else": gzip.compress(header("big.bin", 10**10)) + 200 * ZEROS,
    "members without end": gzip.compress(header("none.bin", 0) * 20_000) * 1_000,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_shard_that_inflates_without_end_gives_what_is_before_and_one_reason(
    mp3, pack, tmp_path, kind, monkeypatch
):
    allowed = 10 * MEGABYTE  # a tenth, for a tenth of the time
    monkeypatch.setattr("budew.corpora.shards.ALWAYS_INFLATED", allowed)
    good = pack("a.tar", [("good.mp3", mp3), ("good.json", b"{}")]).read_bytes().rstrip(b"\0")
    good, path, errors = good + bytes(-len(good) % 512), tmp_path / "a.tar.gz", []
    path.write_bytes(gzip.compress(good) + BOMBS[kind])
    if kind == "a clip":  # of the others every header would be traced
        tracemalloc.start()
    assert [clip.id for clip in read_shard(path, ReadOptions(on_bad=errors.append))] == ["good"]
    assert tracemalloc.get_traced_memory()[1] < 1.5 * allowed + 100 * path.stat().st_size
    tracemalloc.stop()
    (told,) = map(str, errors)
    assert told.startswith(f"{path}: ")
    assert "100 times its size" in told


def test_the_audio_of_each_clip_stands_where_its_trace_says(mp3, pack):
    path = pack(
        "a.tar",
        [("a.mp3", mp3), ("a.json", b"{}"), ("b.json", b"{}"), ("b.wav", b"no audio"), ("b.txt", b"?")],
    )
    content = path.read_bytes()
    traced = list(trace_shard(path))
    assert [found.clip.id for found in traced] == ["a", "b"]
    for clip, start, size in traced:
        assert content[start : start + size] == clip.audio
