import re
from collections.abc import Iterator

import numpy as np
import pytest

from budew.audio.samples import Window
from budew.errors import AudioError
from budew.inference.captioned import Captioned, Failure
from budew.inference.recordings import Recording
from budew.inference.unfinished import Cleaned, Unfinished, clean

SAMPLES = np.zeros(16, np.float32)


def unfinished_of(error: Exception | None = None, *, damage: str | None = None) -> Unfinished:
    """Two windows, then the error of a reader."""

    def cut(seconds: float, rate: int) -> Iterator[Window]:
        yield Window(0, 8, SAMPLES)
        yield Window(8, 12, SAMPLES, damage)
        if error is not None:
            raise error

    return Unfinished(Recording("a.wav", cut))


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


def test_damage_and_removed_letters_are_reported():
    unfinished = unfinished_of(damage="a.wav: ends early: copy it again")
    list(unfinished.read(8, 16_000))
    unfinished.leave_silent(0)
    unfinished.caption(1, "A B The voice is calm.")
    result = unfinished.result()
    assert result.warnings == ("at 0:08: stray letters 'A B' before the caption removed",)
    assert result.damaged == "ends early: copy it again"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (AudioError("a.wav: samples are not numbers"), "samples are not numbers"),
        (OSError("disk gone"), "disk gone"),
        (ZeroDivisionError("division by zero"), r".*ZeroDivisionError \(division by zero\).*"),
    ],
)
def test_a_reader_that_fails_on_the_way_makes_a_failure_at_once(error, reason):
    unfinished = unfinished_of(error)
    assert len(list(unfinished.read(8, 16_000))) == 2
    assert unfinished.complete
    failure = unfinished.result()
    assert (type(failure), failure.source) == (Failure, "a.wav")
    assert re.fullmatch(reason, failure.reason)


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
