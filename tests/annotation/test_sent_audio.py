"""What is sent can be heard, is bounded, and is never larger than plain 16 kHz speech."""

import io

import numpy as np
import pytest
import soundfile

from budew.annotation.llm import audio_to_send
from budew.audio.samples import decode
from budew.corpora import Clip
from budew.errors import AudioError, BudewWarning

from .conftest import wav


def encoded(format: str, *, rate: int = 16_000, channels: int = 1, seconds: float = 0.5) -> bytes:
    file = io.BytesIO()
    time = np.arange(round(rate * seconds)) / rate
    sound = np.stack([0.5 * np.sin(2 * np.pi * 220 * time)] * channels, axis=1)
    soundfile.write(file, sound, rate, format=format)
    return file.getvalue()


def sent(audio, *, max_seconds=10.0):
    return audio_to_send(Clip("a", audio, "wav"), max_seconds=max_seconds)


@pytest.mark.parametrize("audio", [wav(1), wav(1, rate=8_000), encoded("MP3")])
def test_a_small_wav_or_mp3_is_sent_as_it_is(audio):
    assert sent(audio).data == audio
    assert sent(audio).format == ("wav" if audio[:4] == b"RIFF" else "mp3")


@pytest.mark.parametrize(
    "audio",
    [
        encoded("FLAC"),
        encoded("OGG"),
        encoded("AIFF"),
        wav(1, rate=44_100),
        encoded("WAV", channels=2),
        encoded("FLAC", rate=48_000, channels=2),
    ],
)
def test_anything_else_becomes_a_wav_with_the_same_sound(audio):
    result = sent(audio)
    assert result.format == "wav"
    heard, rate = soundfile.read(io.BytesIO(result.data), dtype="float32")
    assert rate == 16_000
    assert np.abs(heard - decode(audio).samples).max() < 1e-4
    assert len(result.data) == 44 + 2 * len(heard)


def test_a_path_is_sent_like_its_bytes(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(3))
    assert sent(path) == sent(wav(3))


def test_the_same_audio_is_sent_the_same_every_time():
    audio = encoded("FLAC", rate=44_100)
    assert sent(audio) == sent(audio)


def test_a_float_wav_is_sent_as_integers():
    file = io.BytesIO()
    soundfile.write(file, np.zeros(100, np.float32), 4_000, format="WAV", subtype="FLOAT")
    assert sent(file.getvalue()).data[20:22] == b"\x01\x00"


def test_what_is_too_long_is_not_sent():
    with pytest.raises(AudioError, match="clip 'a': longer than 1 s"):
        sent(wav(1, seconds=1.2), max_seconds=1.0)


def test_of_a_damaged_file_what_can_be_heard_is_sent_and_told():
    audio = wav(1, seconds=2.0)[: 44 + 32_000]
    with pytest.warns(BudewWarning, match="clip 'a'"):
        result = sent(audio)
    assert result.data[:4] == b"RIFF"
    assert result.data != audio
    assert len(decode(result.data).samples) == 16_000


@pytest.mark.parametrize("audio", [b"", b"nonsense", wav(1)[:44]])
def test_what_cannot_be_heard_is_an_error_that_names_the_clip(audio):
    with pytest.raises(AudioError, match="clip 'a'"):
        sent(audio)
