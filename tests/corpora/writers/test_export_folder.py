"""A folder is replaced only as far as it is ours."""

import json
from pathlib import Path

import pytest

from budew.corpora.writers.export_folder import RECORD, write_folder
from budew.errors import CorpusError


def names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir()}


def test_files_of_others_are_refused_and_with_overwrite_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CorpusError, match=rf"{tmp_path.name}\b.*'notes\.txt'.*--overwrite"):
        write(tmp_path, "a.txt")
    write(tmp_path, "a.txt", overwrite=True)
    assert names(tmp_path) == {"notes.txt", "a.txt", RECORD}
    with pytest.raises(CorpusError, match=r"notes\.txt"):
        write(tmp_path, "a.txt")
    write(tmp_path, "notes.txt", overwrite=True)
    assert names(tmp_path) == {"notes.txt", RECORD}


def test_leftovers_of_a_killed_export_are_removed(tmp_path):
    write(tmp_path, "a.txt", "old")
    for hidden in (".budew-export-unfinished", ".budew-export-replaced"):
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "a.txt").write_text("half")
    write(tmp_path, "b.txt")
    assert names(tmp_path) == {"b.txt", RECORD}


def test_of_two_concurrent_exports_into_one_folder_the_second_fails(tmp_path):
    def fill(folder: Path) -> int:
        (folder / "a.txt").write_text("first")
        with pytest.raises(CorpusError, match=r"another export is running in .*out: wait for it"):
            write(tmp_path / "out", "b.txt")
        return 1

    write_folder(tmp_path / "out", fill, format="test", overwrite=False)
    assert names(tmp_path / "out") == {"a.txt", RECORD}
    write(tmp_path / "out", "b.txt")
    assert names(tmp_path / "out") == {"b.txt", RECORD}


def write(out: Path, name: str, text: str = "new", *, overwrite: bool = False) -> None:
    def fill(folder: Path) -> int:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        return 1

    write_folder(out, fill, format="test", overwrite=overwrite)


def test_an_earlier_export_is_replaced_with_its_record(tmp_path):
    out = tmp_path / "deep" / "out"
    for name, text in (("a.txt", "old"), ("wavs/a.wav", ""), ("a.txt", "new")):
        write(out, name, text)
    assert names(out) == {"a.txt", RECORD}
    assert (out / "a.txt").read_text() == "new"
    record = json.loads((out / RECORD).read_text())
    assert record.pop("by").startswith("budew ")
    assert record == {"format": "test", "clips": 1, "entries": ["a.txt"]}


def test_a_file_or_broken_link_as_output_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "astray").symlink_to(tmp_path / "nowhere")
    for name in ("file", "astray"):
        with pytest.raises(CorpusError, match=f"{name} is not a folder"):
            write(tmp_path / name, "a.txt")


@pytest.mark.parametrize(
    "entries", [["../outside"], ["deep/../../outside"], ["{outside}"], [".."], ["."], [""], [3], {"deep": 1}]
)
def test_a_record_cannot_name_files_outside_of_its_folder(tmp_path, entries):
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.write_text("mine")
    (out / "deep").mkdir(parents=True)
    (out / RECORD).write_text(json.dumps({"entries": entries}).replace("{outside}", str(outside)))
    with pytest.raises(CorpusError, match="deep"):
        write(out, "a.txt")
    write(out, "a.txt", overwrite=True)
    assert outside.read_text() == "mine"
    assert names(out) == {"deep", "a.txt", RECORD}
