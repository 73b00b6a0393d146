import numpy as np
import pytest

from budew.audio.samples import Window
from budew.errors import AudioError
from budew.inference.captioned import Captioned, Failure
from budew.inference.recordings import Recording
from budew.inference.unfinished import Cleaned, Unfinished, clean

SAMPLES = np.zeros(16, np.float32)


def unfinished_of(error: Exception | None = None, *, damage: str | None = None) -> Unfinished:
    return Unfinished(Recording("a.wav", lambda seconds, rate: _cut(error, damage)))


def _cut(error: Exception | None, damage: str | None):
    """Two windows, then the error of a reader."""
    yield Window(0, 8, SAMPLES)
    yield Window(8, 12, SAMPLES, damage)
    if error is not None:
        raise error


def test_it_is_complete_when_all_windows_are_captioned_in_any_order():
    unfinished = unfinished_of()
    for place, _ in unfinished.read(8, 16_000):
        assert not unfinished.complete
        assert place < 2
    unfinished.caption(1, "a sad voice")
    assert not unfinished.complete
    unfinished.caption(0, "an angry voice")
    assert unfinished.complete
    result = unfinished.result()
    assert isinstance(result, Captioned)
    assert [window.text for window in result.windows] == ["an angry voice", "a sad voice"]
    assert (result.duration, result.warnings) == (12, ())


def test_letters_that_were_removed_are_reported_with_their_time():
    unfinished = unfinished_of()
    list(unfinished.read(8, 16_000))
    unfinished.leave_silent(0)
    unfinished.caption(1, "A B The voice is calm.")
    result = unfinished.result()
    assert result.warnings == ("at 0:08: stray letters 'A B' before the caption removed",)
    assert result.damaged is None


def test_damage_is_part_of_the_result():
    unfinished = unfinished_of(damage="a.wav: ends early: copy it again")
    list(unfinished.read(8, 16_000))
    unfinished.leave_silent(0)
    unfinished.leave_silent(1)
    result = unfinished.result()
    assert (result.damaged, result.warnings) == ("ends early: copy it again", ())


@pytest.mark.parametrize("error", [AudioError("a.wav: samples are not numbers"), OSError("disk gone")])
def test_a_reader_that_fails_on_the_way_makes_a_failure_at_once(error):
    unfinished = unfinished_of(error)
    assert len(list(unfinished.read(8, 16_000))) == 2
    assert unfinished.complete
    assert unfinished.result() == Failure("a.wav", str(error).removeprefix("a.wav: "))


def test_an_unexpected_error_ends_its_recording_only_and_is_reported_by_name():
    unfinished = unfinished_of(ZeroDivisionError("division by zero"))
    list(unfinished.read(8, 16_000))
    assert unfinished.complete
    assert "ZeroDivisionError (division by zero)" in unfinished.result().reason


@pytest.mark.parametrize(
    ("written", "caption", "removed"),
    [
        ("A B The speaker is calm.", "The speaker is calm.", "A B"),
        ("AB. The speaker is calm.", "The speaker is calm.", "AB."),
        ("TThe speaker is calm.", "The speaker is calm.", "T"),
        ("XQThis voice is calm.", "This voice is calm.", "XQ"),
        ("T Deep, sad voice.", "Deep, sad voice.", "T"),
        ("A A deep voice.", "A deep voice.", "A"),
    ],
)
def test_stray_capitals_are_removed_and_reported(written, caption, removed):
    cleaned = clean(written)
    assert (cleaned.text, cleaned.removed) == (caption, removed)


@pytest.mark.parametrize(
    "caption",
    [
        "A deep voice, amused.",
        "A German woman, weary.",
        "I hear a calm voice.",
        "ASMR-like and intimate.",
        "The speaker is calm.",
        "very warm, slightly slow, relief",
        "An American man shouts in anger.",
        "[silence]",
        "",
    ],
)
def test_a_caption_stays_as_it_is(caption):
    assert clean(caption) == Cleaned(caption, "")


def test_special_tokens_and_control_characters_are_removed():
    written = (
        "<|startoftranscript|><|en|> A calm\n\n voice\x1b[2J, \x00deeply\tsad.\ufffd <|0.00|><|endoftext|>"
    )
    assert clean(written).text == "A calm voice[2J, deeply sad."
