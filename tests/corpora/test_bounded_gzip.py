"""A gzip file reads as what it holds, in any order; one that holds a hundred times its size does not."""

import gzip
import tarfile
import time
import tracemalloc

import numpy as np
import pytest

from budew.corpora import read_shard
from budew.corpora.bounded_gzip import ALWAYS, Inflated, InflationError

MEGABYTE = 2**20
ZEROS = gzip.compress(bytes(64 * MEGABYTE))
"""64 kB; files of gzip behind one another are one."""


def test_pieces_and_places_are_those_of_the_content(tmp_path):
    content = np.random.default_rng(0).integers(0, 9, 3 * MEGABYTE, dtype=np.uint8).tobytes()
    (tmp_path / "a.gz").write_bytes(gzip.compress(content[:MEGABYTE]) + gzip.compress(content[MEGABYTE:]))
    with (tmp_path / "a.gz").open("rb") as packed:
        file = Inflated(packed)
        for place in (0, 10, 5, 2 * MEGABYTE, MEGABYTE - 3, 3 * MEGABYTE - 2):
            assert file.seek(place) == place
            assert file.read(7) == content[place : place + 7]
            assert file.tell() == min(place + 7, len(content))
        assert file.seek(9 * MEGABYTE) == len(content)


def test_silence_may_shrink_and_nothing_else_without_end(tmp_path):
    (tmp_path / "a.gz").write_bytes(ZEROS)
    with (tmp_path / "a.gz").open("rb") as packed:
        assert Inflated(packed).seek(64 * MEGABYTE) == 64 * MEGABYTE
    (tmp_path / "a.gz").write_bytes(100 * ZEROS)
    with (tmp_path / "a.gz").open("rb") as packed:
        file = Inflated(packed)
        with pytest.raises(InflationError, match="100 times its size"):
            file.seek(6_400 * MEGABYTE)
        assert file.tell() < 1.2 * ALWAYS


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
    monkeypatch.setattr("budew.corpora.bounded_gzip.ALWAYS", allowed)
    good = pack("a.tar", [("good.mp3", mp3), ("good.json", b"{}")]).read_bytes().rstrip(b"\0")
    good, path, errors = good + bytes(-len(good) % 512), tmp_path / "a.tar.gz", []
    path.write_bytes(gzip.compress(good) + BOMBS[kind])
    start = time.process_time()
    if kind == "a clip":  # of the others every header would be traced
        tracemalloc.start()
    assert [clip.id for clip in read_shard(path, on_bad=errors.append)] == ["good"]
    assert tracemalloc.get_traced_memory()[1] < 1.5 * allowed + 100 * path.stat().st_size
    tracemalloc.stop()
    assert time.process_time() - start < 5
    (told,) = map(str, errors)
    assert told.startswith(f"{path}: ")
    assert "it inflates to more than 100 times its size" in told
