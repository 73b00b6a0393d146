"""Of each broken item one error is told, which names it, and every good item around it is read."""

import io
import os
import re
import tarfile
import tracemalloc

import pytest

from budew.corpora import read, read_shard
from budew.corpora.reading import ReadOptions
from budew.corpora.shards import LARGEST_AUDIO
from budew.corpora.text_files import LARGEST_JSON

GOOD = b'{"transcript": "Hello"}'


class Shard:
    """A tar that is made member by member."""

    def __init__(self, path, audio):
        self.path, self.audio = path, audio
        self.tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115  # closed by the test

    def file(self, name, content, **header):
        info = tarfile.TarInfo(name)
        info.size = len(content)
        for field, value in header.items():
            setattr(info, field, value)
        self.tar.addfile(info, io.BytesIO(content))

    def pair(self, key, description=GOOD):
        self.file(f"{key}.mp3", self.audio)
        self.file(f"{key}.json", description)

    def odd(self, name, kind):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "good-0.mp3"
        self.tar.addfile(info)


def sparse(shard):
    headers = {"major": "1", "minor": "0", "name": "k.mp3", "realsize": "400000000"}
    shard.file("k.mp3", b"0\n", pax_headers={f"GNU.sparse.{key}": value for key, value in headers.items()})


DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
WAYS = {
    "truncated JSON": lambda s: s.pair("k", b'{"transcript": "He'),
    "JSON in Latin-1": lambda s: s.pair("k", '{"transcript": "é"}'.encode("latin-1")),
    "deep JSON": lambda s: s.pair("k", DEEP),
    "a list": lambda s: s.pair("k", b"[1]"),
    "a key twice": lambda s: s.pair("k", b'{"transcript": "a", "transcript": "b"}'),
    "NaN": lambda s: s.pair("k", b'{"duration": NaN}'),
    "infinite": lambda s: s.pair("k", b'{"duration": 1e999}'),
    "a number of 5,000 digits": lambda s: s.pair("k", b'{"duration": ' + b"9" * 5_000 + b"}"),
    "a duration in words": lambda s: s.pair("k", b'{"duration": "long"}'),
    "too much JSON": lambda s: s.pair("k", b'{"a": "' + b"a" * LARGEST_JSON + b'"}'),
    "an unknown emotion": lambda s: s.pair("k", b'{"profile": {"emotions": {"Joyful": 1}}}'),
    "an intensity of 7": lambda s: s.pair("k", b'{"profile": {"emotions": {"Awe": 7}}}'),
    "an id that climbs": lambda s: s.pair("k", b'{"id": "../k"}'),
    "an id that is taken": lambda s: s.pair("k", b'{"id": "good-0"}'),
    "a score off its scale": lambda s: s.pair("k", b'{"annotation": "<Awe>9#k</Awe>"}'),
    "broken ratings": lambda s: s.pair("k", b"{\"label\": \"[{'k': {'Awe': 9}}]\"}"),
    "empty audio": lambda s: (s.file("k.mp3", b""), s.file("k.json", GOOD)),
    "JSON without audio": lambda s: s.file("k.json", GOOD),
    "the same audio twice": lambda s: (s.pair("k"), s.file("k.mp3", s.audio)),
    "the same JSON twice": lambda s: (s.pair("k"), s.file("k.json", GOOD)),
    "the same clip again": lambda s: (s.pair("k"), s.pair("good-9"), s.pair("k")),
    "a symbolic link": lambda s: s.odd("k.mp3", tarfile.SYMTYPE),
    "a device": lambda s: s.odd("k.mp3", tarfile.CHRTYPE),
    "a file with holes": sparse,
    "a name that climbs": lambda s: s.pair("../../k"),
    "a name with dots inside": lambda s: s.pair("a/../k"),
    "a name with a control character": lambda s: s.pair("k\x1b[2J"),
    "a name with a backslash": lambda s: s.pair("..\\k"),
    "a name of 3,000 characters": lambda s: s.pair("k" * 3_000),
}  # fmt: skip
KEPT = ("the same clip again",)
"""Here the first of the two is read; of two files for one clip nobody can say which is the right one."""


@pytest.mark.parametrize("way", WAYS)
def test_one_error_names_the_item_and_the_others_are_read(voice, tmp_path, way):
    shard = Shard(tmp_path / "s.tar", voice("a.mp3", seconds=0.05).read_bytes())
    shard.pair("good-0")
    WAYS[way](shard)
    shard.pair("good-1")
    shard.tar.close()
    errors = []
    clips = list(read(shard.path, on_bad=lambda error: errors.append(str(error))))
    good = [clip.id for clip in clips if clip.id.startswith("good") and clip.id != "good-9"]
    assert good == ["good-0", "good-1"]
    assert [clip.id for clip in clips if clip.id == "k"] == (["k"] if way in KEPT else [])
    assert len(errors) == 1
    assert errors[0].startswith(f"{shard.path}: ")
    assert "k" in errors[0].removeprefix(f"{shard.path}: ")[:120]
    assert "\n" not in errors[0]
    assert "\x1b" not in errors[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp3", "s.tar"]


def test_a_clip_whose_labels_may_be_cut_off_is_left_out_and_named(tmp_path):
    shard = Shard(tmp_path / "s.tar", b"audio")
    shard.pair("a")
    shard.pair("b")
    shard.tar.close()
    whole = shard.path.read_bytes()
    with tarfile.open(shard.path) as tar:
        last = tar.getmember("b.json")
    for length, read_ids in (
        (last.offset, ["a"]),
        (last.offset_data + 3, ["a"]),
        (last.offset_data + 512, ["a", "b"]),
    ):
        shard.path.write_bytes(whole[:length])
        errors = []
        clips = list(read_shard(shard.path, ReadOptions(on_bad=errors.append)))
        assert [clip.id for clip in clips] == read_ids
        assert len(errors) == 1
        assert "truncated" in str(errors[0])
        assert ("in or after 'b'" in str(errors[0])) is (read_ids == ["a"])


SIZES = (b"\xff" * 10 + b"\xfa\0", b"\x80" + b"\x7f" * 11, b"a lot of it\0")
"""Back to the member before, beyond any disk, and no number."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_size_that_makes_no_sense_ends_the_shard_at_once(tmp_path, size, kind):
    first, good, bad = (tarfile.TarInfo(f"{name}.mp3") for name in "0ab")
    first.size, good.size, bad.type = 1, 1, kind
    header = bytearray(bad.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path = tmp_path / "s.tar"
    content = b"1".ljust(512, b"\0")
    path.write_bytes(first.tobuf() + content + good.tobuf() + content + bytes(header) + bytes(2_048))
    errors = []
    clips = [
        clip.id
        for _, clip in zip(range(9), read_shard(path, ReadOptions(on_bad=errors.append)), strict=False)
    ]
    assert clips in (["0", "a"], ["0"])
    assert 1 <= len(errors) <= 2
    assert all(str(path) in str(error) for error in errors)


def test_a_long_clip_is_whole(tmp_path):
    shard = Shard(tmp_path / "s.tar", os.urandom(3 * 2**20 + 1))
    shard.pair("a")
    shard.tar.close()
    assert next(read_shard(shard.path)).audio == shard.audio


def test_a_claimed_size_costs_no_memory(tmp_path):
    claim = tarfile.TarInfo("a.mp3")
    claim.size = LARGEST_AUDIO
    path = tmp_path / "s.tar"
    path.write_bytes(claim.tobuf(tarfile.GNU_FORMAT) + bytes(2_000))
    tracemalloc.start()
    errors = []
    assert list(read_shard(path, ReadOptions(on_bad=errors.append))) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
    assert len(errors) == 1


def test_loose_files_too_cost_themselves_only(voice, tmp_path):
    folder = tmp_path / "c"
    for name in ("good", "empty", "twice", "latin"):
        voice(f"c/{name}.wav", seconds=0.05)
        (folder / f"{name}.json").write_bytes(GOOD)
    (folder / "empty.wav").write_bytes(b"")
    (folder / "twice.json").write_bytes(b'{"a": 1, "a": 2}')
    (folder / "latin.json").write_bytes(b'{"a": "\xe9"}')
    (folder / "lonely.json").write_bytes(GOOD)
    (folder / "sub").mkdir()
    (folder / "sub" / "settings.json").write_bytes(b"{}")
    os.symlink("nowhere.json", folder / "dangling.json")
    errors = []
    assert [clip.id for clip in read(folder, on_bad=lambda error: errors.append(str(error)))] == ["good"]
    told = sorted(re.split("[: ]", error.removeprefix(f"{folder}/"))[0] for error in errors)
    assert told == ["dangling.json", "empty.wav", "latin.wav", "lonely.json", "twice.wav"]
