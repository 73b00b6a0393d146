"""What a person reads of an error: one sentence, whatever was raised."""

from pathlib import Path

import pytest

from budew.extras import MissingExtraError
from budew.terminal import one_line_for


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


def test_a_lack_of_memory_is_no_fault_to_report():
    assert one_line_for(raised(lambda: bytearray(2**62))).startswith("out of memory: use a smaller batch")
    told = one_line_for(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has …"))
    assert told.startswith("out of memory (CUDA out of memory. Tried to allocate 2.00 GiB.): use a smaller")
