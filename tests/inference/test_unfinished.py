import numpy as np
import pytest

from budew.audio.samples import Window
from budew.errors import AudioError
from budew.inference.clean import Cleaned
from budew.inference.result import Captioned, Failure
from budew.inference.unfinished import Unfinished

SAMPLES = np.zeros(16, np.float32)


def _cut(error: Exception | None = None, *, damage: str | None = None):
    """Two windows, then the error of a reader."""
    yield Window(0, 8, SAMPLES)
    yield Window(8, 12, SAMPLES, damage)
    if error is not None:
        raise error


def test_it_is_complete_when_all_windows_are_captioned_in_any_order():
    unfinished = Unfinished("a.wav")
    for place, _ in unfinished.read(_cut()):
        assert not unfinished.complete
        assert place < 2
    unfinished.caption(1, Cleaned("a sad voice"))
    assert not unfinished.complete
    unfinished.caption(0, Cleaned("an angry voice"))
    assert unfinished.complete
    result = unfinished.result()
    assert isinstance(result, Captioned)
    assert [window.text for window in result.windows] == ["an angry voice", "a sad voice"]
    assert (result.duration, result.warnings) == (12, ())


def test_letters_that_were_removed_are_told_with_their_time():
    unfinished = Unfinished("a.wav")
    list(unfinished.read(_cut()))
    unfinished.leave_silent(0)
    unfinished.caption(1, Cleaned("The voice is calm.", "A B"))
    result = unfinished.result()
    assert result.warnings == ("at 0:08: stray letters 'A B' before the caption removed",)
    assert result.damaged is None


def test_damage_is_told_in_the_result_and_not_beside_it():
    unfinished = Unfinished("a.wav")
    list(unfinished.read(_cut(damage="a.wav: ends early: copy it again")))
    unfinished.leave_silent(0)
    unfinished.leave_silent(1)
    result = unfinished.result()
    assert (result.damaged, result.warnings) == ("ends early: copy it again", ())


@pytest.mark.parametrize("error", [AudioError("a.wav: samples are not numbers"), OSError("disk gone")])
def test_a_reader_that_fails_on_the_way_makes_a_failure_at_once(error):
    unfinished = Unfinished("a.wav")
    assert len(list(unfinished.read(_cut(error)))) == 2
    assert unfinished.complete
    assert unfinished.result() == Failure("a.wav", str(error).removeprefix("a.wav: "))


def test_an_error_that_nobody_foresaw_ends_its_recording_alone_and_is_told_by_name():
    unfinished = Unfinished("a.wav")
    list(unfinished.read(_cut(ZeroDivisionError("division by zero"))))
    assert unfinished.complete
    assert "ZeroDivisionError (division by zero)" in unfinished.result().reason
