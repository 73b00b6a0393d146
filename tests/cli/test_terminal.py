"""What a person reads of an error: one sentence, whatever was raised."""

import errno
import io
import os
import sys
import unicodedata
from contextlib import nullcontext
from pathlib import Path

import pytest
from rich.table import Table

from budew.cli.terminal import (
    finish_output,
    one_line_for,
    opened,
    output,
    print_table,
    progress_bar,
    refuse_to_replace,
    say_error,
    tolerant_output,
)
from budew.errors import MissingExtraError
from budew.reports.formatting import visible, visible_name


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileNotFoundError(2, "No such file", "/a.wav"), "/a.wav: No such file"),
        (PermissionError(errno.EACCES, "Denied", "/a"), "/a: Denied: check its permissions"),
        (OSError(errno.ENOSPC, "Full"), "Full: free some space there"),
        (ValueError(), "ValueError"),
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


def test_control_characters_in_tables_and_errors_are_made_visible(capsys):
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


def test_results_replace_neither_inputs_nor_each_other(tmp_path):
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
    with pytest.raises(ValueError, match="new is an input file"):
        refuse_to_replace([new], tmp_path / ".." / tmp_path.name / "new")
    for both in ((new, tmp_path / "." / "new"), (Path("-"), Path("-"))):
        with pytest.raises(ValueError, match="two outputs have the same file"):
            refuse_to_replace([], *both)


def test_exactly_control_characters_and_direction_overrides_are_replaced():
    turning = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    for letter in map(chr, range(0x11000)):
        is_control = unicodedata.category(letter) in ("Cc", "Cs")
        hidden = is_control or unicodedata.bidirectional(letter) in turning
        assert (visible_name(letter) != letter) == hidden
        assert (visible(letter) != letter) == (hidden and letter not in "\t\n")
    assert (visible("a\r\nb\r"), visible_name("\t\n\x7f")) == ("a\nb␍", "␉␊␡")


def test_a_reader_that_has_ended_is_status_1_and_a_full_disk_names_stdout(monkeypatch):
    end, pipe = os.pipe()
    os.close(end)
    for file, expected in ((pipe, SystemExit), ("/dev/full", OSError)):
        with open(file, "w") as out:
            monkeypatch.setattr(sys, "stdout", out)
            out.write("result")
            with pytest.raises(expected) as caught:
                finish_output()
            finish_output()  # nothing is left to flush
    assert caught.value.filename == "stdout"


@pytest.mark.parametrize("closed", [("stderr",), ("stdin", "stdout", "stderr")])
def test_what_goes_to_a_closed_stream_goes_nowhere(monkeypatch, capsys, closed):
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    tolerant_output()
    say_error("for stderr")
    with output(None) as file:
        file.write("for stdout")
    finish_output()
    with opened(Path("-")) if "stdin" in closed else nullcontext(io.BytesIO()) as file:
        assert file.read() == b""
    for name in closed:
        getattr(sys, name).close()
    assert capsys.readouterr() == ("" if "stdout" in closed else "for stdout", "")


def test_progress_bars_are_drawn_only_on_terminals(monkeypatch):
    def drawn(*, terminal: bool, shown: bool = True, kind: str = "xterm") -> str:
        stderr = io.StringIO()
        stderr.isatty = lambda: terminal
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setenv("TERM", kind)
        with progress_bar("work", shown=shown) as move:
            move(2, 3, "further")
        return stderr.getvalue()

    assert "2/3" in drawn(terminal=True)
    for nowhere in ({"terminal": False}, {"terminal": True, "shown": False}):
        assert drawn(**nowhere) == ""
    assert drawn(terminal=True, kind="dumb") == ""


def test_a_dash_is_the_standard_stream_and_anything_else_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"piped")))
    for path in (None, Path("-"), Path("/dev/stdout"), tmp_path / "new" / "a"):
        with output(path) as file:
            file.write("result ")
    assert capsys.readouterr().out == "result " * 3
    with opened(Path("-")) as piped, opened(tmp_path / "new" / "a") as file:
        assert (piped.read(), file.read()) == (b"piped", b"result ")
