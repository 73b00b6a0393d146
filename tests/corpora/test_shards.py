"""A shard gives back what was put in, in the same bytes each time, and is never taken for whole when cut."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import webdataset

from budew.corpora import Caption, Clip, read_shard, write_shard
from budew.corpora.shards import LARGEST_HEADER, MOST_PADDING
from budew.errors import CorpusError
from budew.profile import VoiceProfile


@pytest.fixture
def clips(voice) -> list[Clip]:
    flac, mp3 = voice("a.flac", seconds=0.3), voice("b.mp3", seconds=0.3)
    return [
        Clip(
            "one",
            flac.read_bytes(),
            "flac",
            profile=VoiceProfile({"Anger": 0.5}),
            metadata={"b": 1, "a": [2]},
        ),
        Clip(
            "zwei/drei.vier",
            mp3.read_bytes(),
            "mp3",
            language="de",
            captions=(Caption("Ruhig.", {"seed": 1}),),
        ),
        Clip("100% ä", flac.read_bytes(), "flac", transcript="Grüße"),
    ]


def pack(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_clips_come_back_equal_in_their_order(tmp_path, clips):
    assert write_shard(tmp_path / "a.tar", clips) == 3
    assert list(read_shard(tmp_path / "a.tar")) == clips


def test_audio_in_a_file_is_copied_into_the_shard(tmp_path, voice):
    path = voice("a.flac")
    write_shard(tmp_path / "a.tar", [Clip("a", path, "flac")])
    assert next(read_shard(tmp_path / "a.tar")).audio == path.read_bytes()


def test_the_bytes_depend_on_the_clips_alone(tmp_path, clips):
    write_shard(tmp_path / "a.tar", clips)
    turned = [replace(clip, metadata=dict(reversed(clip.metadata.items()))) for clip in clips]
    old = os.umask(0o077)
    try:
        write_shard(tmp_path / "b.tar", iter(turned))
    finally:
        os.umask(old)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_another_process_with_another_hash_seed_writes_the_same_bytes(tmp_path):
    program = (
        "import sys; from budew.corpora import Clip, write_shard; "
        "write_shard(sys.argv[1], [Clip(str(i), b'x', 'wav', metadata={'b': 1, 'a': i}) for i in range(9)])"
    )
    hashes = set()
    for seed in ("1", "2"):
        path = tmp_path / f"{seed}.tar"
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", program, str(path)], check=True, env=environment)
        hashes.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(hashes) == 1


def test_plain_webdataset_reads_it(tmp_path, clips):
    write_shard(tmp_path / "a.tar", clips)
    samples = list(webdataset.WebDataset(str(tmp_path / "a.tar"), shardshuffle=False))
    assert [set(sample) & {"flac", "mp3", "json"} for sample in samples] == [
        {"flac", "json"},
        {"mp3", "json"},
        {"flac", "json"},
    ]
    assert json.loads(samples[1]["json"])["id"] == "zwei/drei.vier"


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


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
def test_a_hole_of_zeros_is_told_and_the_clips_before_it_are_read(tmp_path, clips, suffix):
    write_shard(tmp_path / "whole.tar", clips)
    content = bytearray((tmp_path / "whole.tar").read_bytes())
    with tarfile.open(tmp_path / "whole.tar") as tar:
        start, stop = (tar.getmembers()[place].offset for place in (2, 4))
    content[start:stop] = bytes(stop - start)
    path = tmp_path / f"hole.{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == "tar.gz" else content)
    problems: list[str] = []
    assert list(read_shard(path, on_bad=lambda error: problems.append(str(error)))) == clips[:1]
    assert len(problems) == 1
    assert f"{path}: the shard is damaged" in problems[0]
    assert "data follows the end mark at byte" in problems[0]


def test_of_two_tars_joined_the_second_is_not_passed_over_in_silence(tmp_path, clips):
    write_shard(tmp_path / "a.tar", clips[:2])
    write_shard(tmp_path / "b.tar", clips[2:])
    joined = tmp_path / "joined.tar"
    joined.write_bytes((tmp_path / "a.tar").read_bytes() + (tmp_path / "b.tar").read_bytes())
    problems: list[str] = []
    assert list(read_shard(joined, on_bad=lambda error: problems.append(str(error)))) == clips[:2]
    assert "two tars joined" in problems[0]


def test_an_empty_shard_is_one_and_a_file_of_zeros_is_not(tmp_path, clips):
    write_shard(tmp_path / "none.tar", [])
    assert list(read_shard(tmp_path / "none.tar")) == []
    write_shard(tmp_path / "some.tar", clips)
    some = (tmp_path / "some.tar").read_bytes()
    padded, unfinished, zeros = (tmp_path / f"{name}.tar" for name in ("padded", "unfinished", "zeros"))
    padded.write_bytes(some + bytes(MOST_PADDING - 20_000))
    assert list(read_shard(padded)) == clips
    unfinished.write_bytes(some + bytes(MOST_PADDING + 512))
    zeros.write_bytes(bytes(20_480))
    for path in (unfinished, zeros):
        with pytest.raises(CorpusError, match=rf"{path.name}.*nothing but zeros"):
            list(read_shard(path))


def test_a_truncated_gzip_is_an_error_and_a_whole_one_reads(tmp_path, clips):
    write_shard(tmp_path / "a.tar", clips)
    packed = gzip.compress((tmp_path / "a.tar").read_bytes())
    (tmp_path / "a.tar.gz").write_bytes(packed)
    assert list(read_shard(tmp_path / "a.tar.gz")) == clips
    (tmp_path / "a.tar.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(CorpusError, match=r"a\.tar\.gz"):
        list(read_shard(tmp_path / "a.tar.gz"))


@pytest.mark.parametrize("content", [b"not a tar at all " * 100, bytes(300)])
def test_what_is_no_tar_is_an_error(tmp_path, content):
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(CorpusError, match=r"a\.tar"):
        list(read_shard(tmp_path / "a.tar"))


def test_names_of_the_wild_read(tmp_path):
    path = pack(
        tmp_path / "en_voice.tar",
        [
            ("./en_0.5_x.mp3", b"1"),
            ("./en_0.5_x.json", b'{"annotation": "sad"}'),
            ("./en_0.7_x.json", b"{}"),
            ("./en_0.7_x.mp3", b"2"),
            ("alone.FLAC", b"3"),
            ("README.md", b"hello"),
        ],
    )
    found = list(read_shard(path))
    assert [(clip.id, clip.format, clip.audio) for clip in found] == [
        ("en_0.5_x", "mp3", b"1"),
        ("en_0.7_x", "mp3", b"2"),
        ("alone", "flac", b"3"),
    ]
    assert found[0].metadata == {"annotation": "sad"}


def test_without_a_handler_the_first_bad_item_is_raised(tmp_path):
    path = pack(tmp_path / "a.tar", [("a.mp3", b"1"), ("a.json", b"{"), ("b.mp3", b"2")])
    with pytest.raises(CorpusError, match=r"a\.json: is not JSON"):
        list(read_shard(path))


@pytest.mark.parametrize(
    "headers", [{"GNU.sparse.size": "abc"}, {"GNU.sparse.map": "1,x", "GNU.sparse.size": "9"}]
)
def test_headers_that_make_no_sense_are_damage_that_names_the_shard(tmp_path, headers):
    path = tmp_path / "odd.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("a.flac")
        member.pax_headers = headers
        tar.addfile(member)
    problems: list[Exception] = []
    assert list(read_shard(path, on_bad=problems.append)) == []
    assert len(problems) == 1
    assert str(path) in str(problems[0])


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
@pytest.mark.parametrize(
    "kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]
)
def test_an_enormous_header_is_damage_before_it_is_read(tmp_path, kind, suffix):
    path = tmp_path / f"odd.{suffix}"
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = kind, LARGEST_HEADER + 1
    record = header.tobuf(tarfile.GNU_FORMAT) + bytes(LARGEST_HEADER + 2**16)
    path.write_bytes(gzip.compress(record) if suffix == "tar.gz" else record)
    problems: list[str] = []
    assert list(read_shard(path, on_bad=lambda error: problems.append(str(error)))) == []
    assert len(problems) == 1
    assert "a header of 1049088 bytes" in problems[0]
