"""A folder is replaced only as far as it is ours."""

import json
import os
from pathlib import Path

import pytest

from budew.corpora.writers.export_folder import RECORD, write_folder
from budew.errors import CorpusError


def one_file(name: str, text: str = "new"):
    def fill(folder: Path) -> int:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        return 1

    return fill


def write(out: Path, name: str, text: str = "new", *, overwrite: bool = False) -> None:
    write_folder(out, one_file(name, text), format="test", overwrite=overwrite)


def names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir()}


def test_an_earlier_export_is_replaced_whatever_its_format(tmp_path):
    out = tmp_path / "deep" / "out"
    write(out, "a.txt", "old")
    write(out, "wavs/a.wav")
    write(out, "a.txt")
    assert names(out) == {"a.txt", RECORD}
    assert (out / "a.txt").read_text() == "new"


def test_files_of_others_are_refused_and_with_overwrite_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CorpusError, match=r"holds 'notes.txt', which no export wrote: .*--overwrite"):
        write(tmp_path, "a.txt")
    write(tmp_path, "a.txt", overwrite=True)
    assert names(tmp_path) == {"notes.txt", "a.txt", RECORD}
    with pytest.raises(CorpusError, match=r"notes\.txt"):
        write(tmp_path, "a.txt")
    write(tmp_path, "notes.txt", overwrite=True)
    assert names(tmp_path) == {"notes.txt", RECORD}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(CorpusError, match="this is a file"):
        write(tmp_path / "out", "a.txt")
    (tmp_path / "astray").symlink_to(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="astray: this is a link that leads nowhere"):
        write(tmp_path / "astray", "a.txt")


@pytest.mark.parametrize("wrong", ["../outside", "deep/../../outside", "{outside}", "..", ".", "", 3, None])
def test_a_record_cannot_name_what_lies_outside(tmp_path, wrong):
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.write_text("mine")
    (out / "deep").mkdir(parents=True)
    entry = wrong.format(outside=outside) if isinstance(wrong, str) else wrong
    (out / RECORD).write_text(json.dumps({"entries": [entry]}))
    write(out, "a.txt", overwrite=True)
    assert outside.read_text() == "mine"
    assert names(out) == {"deep", "a.txt", RECORD}


@pytest.mark.parametrize("record", [{"entries": {"a": 1}}, {}])
def test_a_record_that_names_nothing_is_none(tmp_path, record):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / RECORD).write_text(json.dumps(record))
    with pytest.raises(CorpusError, match=r"notes\.txt"):
        write(tmp_path, "a.txt")


def test_what_a_run_killed_while_it_moved_files_left_is_cleared_away(tmp_path):
    write(tmp_path, "a.txt", "old")
    for hidden in (".budew-export-unfinished", ".budew-export-replaced"):
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "a.txt").write_text("half")
    write(tmp_path, "b.txt")
    assert names(tmp_path) == {"b.txt", RECORD}


def test_links_are_replaced_and_what_they_lead_to_stays(tmp_path):
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    (outside / "kept.txt").write_text("mine")
    write(out, "wavs/a.wav")
    (out / "wavs" / "a.wav").unlink()
    (out / "wavs").rmdir()
    os.symlink(outside, out / "wavs")
    write(out, "wavs/a.wav")
    assert (outside / "kept.txt").read_text() == "mine"
    assert not (out / "wavs").is_symlink()


def test_the_record_says_what_wrote_the_folder(tmp_path):
    write(tmp_path / "out", "a.txt")
    record = json.loads((tmp_path / "out" / RECORD).read_text())
    assert record.pop("by").startswith("budew ")
    assert record == {"format": "test", "clips": 1, "entries": ["a.txt"]}


def test_of_two_exports_into_one_folder_at_once_the_second_is_told_and_the_first_is_whole(tmp_path):
    def fill(folder: Path) -> int:
        (folder / "a.txt").write_text("first")
        with pytest.raises(CorpusError, match=r"another export is at work in .*out: wait for it"):
            write(tmp_path / "out", "b.txt")
        return 1

    write_folder(tmp_path / "out", fill, format="test", overwrite=False)
    assert names(tmp_path / "out") == {"a.txt", RECORD}
    write(tmp_path / "out", "b.txt")
    assert names(tmp_path / "out") == {"b.txt", RECORD}
