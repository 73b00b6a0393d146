"""Only speech is believed."""

import pytest

from budew.synthesis.acting.answer import LONGEST, AnswerError, as_take

from .conftest import tone


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3"])
def test_speech_is_taken_as_it_comes_with_its_rate_and_length(format):
    audio = tone(1.5, format=format)
    take = as_take(audio)
    assert take.audio == audio
    assert take.format == format.lower()
    assert take.sampling_rate == 24_000
    assert take.duration == pytest.approx(1.5, abs=0.1)


def test_a_wav_of_unknown_length_as_servers_stream_it_is_speech():
    audio = bytearray(tone())
    audio[4:8] = audio[40:44] = b"\xff\xff\xff\xff"
    assert as_take(bytes(audio)).duration == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("audio", "match"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "no audio but text/html: '<!DOCTYPE html>"),
        (b'{"error": "busy"}', "no audio"),
        (b"\x00\x01\x02\xff" * 100, "no audio"),
        (b"RIFF\x00\x00\x00\x00WAVE" + b"\x07" * 50, "not audio that can be decoded"),
        (b"\xff\xfb" + bytes(range(256)) * 4, "answer"),
        (tone(1.0)[:20_000], "ends early|is damaged"),
        (tone(3.0, format="FLAC")[:-5_000], "is damaged|ends early"),
        (tone(2.0, level=0.0), "nothing is said"),
        (tone(0.05), "nothing is said"),
        (tone(LONGEST + 1, rate=8_000), "longer than 60 s"),
    ],
)
def test_what_is_no_speech_is_told(audio, match):
    with pytest.raises(AnswerError, match=match):
        as_take(audio, content_type="text/html")


def test_what_a_server_writes_is_shown_short_and_without_control_characters():
    with pytest.raises(AnswerError) as error:
        as_take(b"\x1b[31mred\x00" + b"x" * 10_000, content_type="text/plain")
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 200
