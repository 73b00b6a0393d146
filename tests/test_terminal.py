"""What a person reads of an error: one sentence, whatever was raised."""

from pathlib import Path

import pytest
from rich.table import Table

from budew.errors import MissingExtraError
from budew.terminal import one_line_for, print_table, refuse_to_replace, say_error, visible


def raised(function) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # any kind: what it is called is tested
        function()
    return caught.value


def test_an_error_of_the_system_names_the_file():
    assert (
        one_line_for(raised(Path("/nowhere/a.wav").read_bytes)) == "/nowhere/a.wav: No such file or directory"
    )


@pytest.mark.parametrize("kind", [ValueError, MissingExtraError])
def test_a_foreseen_error_is_its_own_sentence(kind):
    assert one_line_for(kind("a.wav: is empty: record it again")) == "a.wav: is empty: record it again"


def test_an_unforeseen_error_is_its_kind_its_first_line_and_how_to_see_more():
    told = one_line_for(RuntimeError("mat1 and mat2\n\nsee the manual"))
    assert told == "RuntimeError: mat1 and mat2 (BUDEW_DEBUG=1 shows where: please report it)"


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


def test_a_lack_of_memory_is_no_fault_to_report():
    assert one_line_for(raised(lambda: bytearray(2**62))).startswith("out of memory: give it smaller files")
    told = one_line_for(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has …"))
    assert told.startswith("out of memory (CUDA out of memory. Tried to allocate 2.00 GiB.): use a smaller")
