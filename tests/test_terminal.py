"""What a person reads of an error: one sentence, whatever was raised."""

from pathlib import Path

import pytest
from rich.table import Table

from budew.errors import MissingExtraError
from budew.terminal import one_line_for, print_table, refuse_to_replace, say_error, visible


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileNotFoundError(2, "No such file", "/a.wav"), "/a.wav: No such file"),
        (MissingExtraError("a.wav: is empty: record it again"), "a.wav: is empty: record it again"),
        (
            RuntimeError("mat1 and mat2\n\nsee the manual"),
            "RuntimeError: mat1 and mat2 (BUDEW_DEBUG=1 shows where: please report it)",
        ),
        (MemoryError(), "out of memory: use smaller files or batches, or another --device"),
        (
            RuntimeError("CUDA out of memory. Tried 2.\nGPU 0 …"),
            "out of memory (CUDA out of memory. Tried 2.): use smaller files or batches, or another --device",
        ),
    ],
)
def test_an_error_is_one_line(error, line):
    assert one_line_for(error) == line


def test_what_is_shown_is_no_command_to_the_terminal(capsys):
    table = Table("clip")
    table.add_row("\x1b[2Ja\x9b1m\u202eb\x07")
    print_table(table)
    say_error("\x1b]0;x\x07.wav: is empty")
    shown = "".join(capsys.readouterr())
    assert not any(mark in shown for mark in "\x1b\x9b\x07\u202e")
    assert "␛[2Ja\ufffd1m\ufffdb" in shown
    assert "budew: ␛]0;x␇.wav: is empty" in shown


def test_visible_text_stays_as_it_is():
    assert visible("naïve “quotes”\tand\n悲しい") == "naïve “quotes”\tand\n悲しい"


def test_results_replace_neither_what_they_are_made_of_nor_each_other(tmp_path):
    read, link, new = tmp_path / "read", tmp_path / "link", tmp_path / "new"
    read.write_text("x")
    link.symlink_to(read)
    refuse_to_replace([read], new, None, Path("-"))
    refuse_to_replace(["-", tmp_path], Path("/dev/null"))
    for written in (read, link):
        with pytest.raises(ValueError, match="is an input file"):
            refuse_to_replace([new, read], written)
        with pytest.raises(ValueError, match="is an input file"):
            refuse_to_replace(iter([read]), tmp_path, written)  # once, for all results
    with pytest.raises(ValueError, match="new: is an input file"):
        refuse_to_replace([new], tmp_path / ".." / tmp_path.name / "new")
    for both in ((new, tmp_path / "." / "new"), (Path("-"), Path("-"))):
        with pytest.raises(ValueError, match="two outputs have the same file"):
            refuse_to_replace([], *both)
