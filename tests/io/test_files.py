"""A file is replaced when the new one is complete, and never otherwise."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from budew.errors import JobError
from budew.io.disk import check_writable, disk_errors, fingerprint, remove_temporary_folders, temporary_folder
from budew.io.files import claimed, whole_file, whole_folder


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


def test_the_old_folder_stays_until_the_new_one_is_complete(tmp_path):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "old").touch()
    with pytest.raises(FileNotFoundError), whole_folder(folder) as made:
        (made / "missing").unlink()
    assert os.listdir(folder) == ["old"]
    with whole_folder(folder) as made:
        (made / "new").touch()
        assert os.listdir(folder) == ["old"]
    assert os.listdir(folder) == ["new"]
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_a_folder_is_claimed_once_at_a_time(tmp_path):
    with claimed(tmp_path, JobError("busy")) as is_locked:
        assert is_locked
        with pytest.raises(JobError, match="busy"), claimed(tmp_path, JobError("busy")):
            pass
    with claimed(tmp_path, JobError("busy")):
        pass


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with whole_file(tmp_path / "link.txt") as file:
        file.write("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_link_to_a_pipe_is_written_to(tmp_path):
    end, pipe = os.pipe()
    path = tmp_path / "link"
    path.symlink_to(f"/dev/fd/{pipe}")
    check_writable(path)
    with whole_file(path) as file:
        file.write("through")
    assert os.read(end, 100) == b"through"
    os.close(end)
    os.close(pipe)


def test_an_error_names_the_requested_file_and_not_its_temporary_name(tmp_path):
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


def test_checking_whether_a_file_can_be_written_leaves_no_file(tmp_path):
    (tmp_path / "old.txt").write_text("old")
    for name in ("old.txt", "new.txt", "deep/deeper/new.txt"):
        check_writable(tmp_path / name)
    assert os.listdir(tmp_path) == ["old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"


@pytest.mark.parametrize("size", [1, 256, 1000])
def test_a_fingerprint_changes_with_name_order_size_and_content(tmp_path, monkeypatch, size):
    monkeypatch.setattr("budew.io.disk.BLOCK", 4)
    one, other = tmp_path / "one", tmp_path / "other"
    content = bytes(range(250)) * 5
    one.write_bytes(content[:size])
    other.write_bytes(content[:size])
    seen = [fingerprint(files) for files in ([one], [other], [one, other], [other, one])]
    for changed in (content[: size + 1], b"\xff" + content[1:size], content[: size - 1] + b"\xff"):
        one.write_bytes(changed)
        seen.append(fingerprint([one]))
    assert len({*seen}) == len(seen) - (size == 1)  # its first byte is its last
    assert {len(text) for text in seen} == {16}


def test_a_full_disk_is_an_error_that_names_the_output_or_the_path_outside_it(tmp_path):
    for named, place in ((None, tmp_path), (str(tmp_path / "x.part"), tmp_path), ("/else", "/else")):
        with pytest.raises(JobError, match=f"^{place}: Full: free some space there, "), disk_errors(tmp_path):
            raise OSError(errno.ENOSPC, "Full", named)
    with pytest.raises(PermissionError), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Denied")


def test_temporary_folders_are_removed_after_use_by_sigterm_or_all_at_once():
    with temporary_folder() as outer, temporary_folder() as inner:
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        remove_temporary_folders()
        assert not outer.exists()
        assert not inner.exists()
        outer.mkdir()
        inner.mkdir()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    program = (
        "import os, signal; from budew.io.disk import *\n"
        "with temporary_folder() as outer:\n with temporary_folder(): pass\n"
        " print(outer, flush=True); os.kill(os.getpid(), signal.SIGTERM)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGTERM
    assert not Path(ended.stdout.strip()).exists()
