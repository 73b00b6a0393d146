"""The file of training clips gives back what was written, is bounded, and a damaged one is refused."""

import numpy as np
import pytest
from safetensors.numpy import load, save

from budew.curation.fingerprints import NO_CODES, SKETCH
from budew.curation.overlap import ClipKeys, KnownClips
from budew.errors import CheckpointError
from budew.model import trained_clips
from budew.model.trained_clips import (
    TRAINED_CLIPS,
    TrainingOverlap,
    joined_clips,
    read_trained_clips,
    write_trained_clips,
)


def clips(*contents: int, sketches: bool = False) -> KnownClips:
    names = np.array([(1000 + one, 2000 + one) for one in contents], np.uint64)
    codes = np.random.default_rng(1).integers(0, 2**31, (len(contents) * sketches, SKETCH, 2))
    return KnownClips(names, np.array(contents, np.uint64), codes.astype(np.uint32))


@pytest.mark.parametrize("sketches", [False, True])
def test_clips_are_read_as_they_were_written(tmp_path, sketches):
    write_trained_clips(tmp_path, clips(5, 3, 5, sketches=sketches))
    found = read_trained_clips(tmp_path)
    assert found.contents.tolist() == [3, 5]
    assert found.find(ClipKeys((1, 2), 5, NO_CODES)) == {1: "samples"}
    assert found.find(ClipKeys((1003, 2003), 9, NO_CODES)) == {0: "name"}
    assert len(found.codes) == (2 if sketches else 0)
    assert read_trained_clips(tmp_path / "nowhere") is None


def test_too_many_clips_are_cut_to_those_with_the_smallest_hashes(tmp_path, monkeypatch):
    monkeypatch.setattr(trained_clips, "MOST_CLIPS", 3)
    write_trained_clips(tmp_path, clips(9, 2, 7, 4, sketches=True))
    found = read_trained_clips(tmp_path)
    assert found.contents.tolist() == [2, 4, 7]
    assert "at least 0 of 0" in str(TrainingOverlap(found))
    (tmp_path / TRAINED_CLIPS).write_bytes(bytes(5_000))
    with pytest.raises(CheckpointError, match="too large"):
        read_trained_clips(tmp_path)


@pytest.mark.parametrize("fault", ["bytes", "empty", "shape", "type", "missing", "extra", "scalar"])
def test_a_damaged_file_is_refused(tmp_path, fault):
    write_trained_clips(tmp_path, clips(5, 3, sketches=True))
    file = tmp_path / TRAINED_CLIPS
    arrays = load(file.read_bytes())
    if fault in ("bytes", "empty"):
        file.write_bytes(file.read_bytes()[: 40 if fault == "bytes" else 0])
    else:
        other = {
            "shape": {"codes": arrays["codes"][:1]},
            "type": {"contents": arrays["contents"].astype(np.int64)},
        }
        other |= {"extra": {"more": arrays["names"]}, "scalar": {"contents": np.array(3, np.uint64)}}
        arrays |= other.get(fault, {})
        if fault == "missing":
            del arrays["names"]
        file.write_bytes(save(arrays))
    with pytest.raises(CheckpointError, match=TRAINED_CLIPS):
        read_trained_clips(tmp_path)


def test_joined_clips_have_sketches_where_one_part_has_them():
    both = joined_clips([clips(5, 3), clips(7, sketches=True)])
    assert (both.contents.tolist(), len(both.codes)) == ([5, 3, 7], 3)
    assert joined_clips([clips(5), None]) is joined_clips([]) is None
