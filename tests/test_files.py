"""A file is replaced when the new one is complete, and never otherwise."""

import errno
import os

import pytest

from budew.files import check_writable, whole_file


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(UnicodeDecodeError), whole_file(path) as file:
        file.write("cut off" + b"\xff".decode())
    assert path.read_text() == "old"
    with whole_file(path) as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with whole_file(tmp_path / "link.txt") as file:
        file.write("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_pipe_known_by_its_descriptor_is_written_to(tmp_path):
    end, pipe = os.pipe()
    path = tmp_path / "link"
    path.symlink_to(f"/dev/fd/{pipe}")
    check_writable(path)
    with whole_file(path) as file:
        file.write("through")
    assert os.read(end, 100) == b"through"
    os.close(end)
    os.close(pipe)


def test_what_cannot_be_written_is_named_and_not_the_file_that_nobody_asked_for(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "a.txt"
    with pytest.raises(NotADirectoryError) as late, whole_file(path):
        pass
    with pytest.raises(NotADirectoryError) as early:
        check_writable(path)
    assert late.value.filename == early.value.filename == str(path)
    with pytest.raises(IsADirectoryError):
        check_writable(tmp_path)
    with pytest.raises(OSError, match="full") as full, whole_file(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "full")
    assert full.value.filename == str(tmp_path / "a.txt")
    with pytest.raises(OSError, match="other") as other, whole_file(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "full", "other")
    assert other.value.filename == "other"
    assert os.listdir(tmp_path) == ["file"]


def test_whether_a_place_can_be_written_to_leaves_nothing_there(tmp_path):
    (tmp_path / "old.txt").write_text("old")
    for name in ("old.txt", "new.txt", "deep/deeper/new.txt"):
        check_writable(tmp_path / name)
    assert os.listdir(tmp_path) == ["old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"
