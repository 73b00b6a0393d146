"""Any recording becomes the same kind of samples; a bad one becomes one clear sentence."""

import contextlib
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.audio.samples import AudioError, AudioWarning, decode, duration, windows

# format, sampling rate, channels
RECORDINGS = [
    ("a.wav", 8_000, 1),
    ("a.wav", 192_000, 2),
    ("a.wav", 16_000, 32),
    ("a.flac", 44_100, 2),
    ("a.flac", 96_000, 1),
    ("a.mp3", 44_100, 2),
    ("a.mp3", 8_000, 1),
    ("a.ogg", 48_000, 1),
    ("a.opus", 48_000, 2),
    ("a.m4a", 44_100, 1),
    ("a.webm", 48_000, 1),
    ("a.aiff", 22_050, 1),
]


@pytest.mark.parametrize(("name", "rate", "channels"), RECORDINGS)
def test_every_format_rate_and_channel_count_becomes_mono_at_16_khz(voice, name, rate, channels):
    path = voice(name, seconds=1.2, rate=rate, channels=channels)
    samples = decode(path)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert len(samples) / 16_000 == pytest.approx(1.2, abs=0.08)  # lossy encoders pad
    assert 0.1 < np.abs(samples).max() <= 1.0
    assert duration(path) == pytest.approx(1.2, abs=0.08)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.m4a"])
def test_the_pitch_survives(voice, name):
    samples = decode(voice(name, seconds=1.0, rate=44_100, pitch=200.0))
    spectrum = np.abs(np.fft.rfft(samples[2_000:6_000], n=1 << 16))
    band = spectrum[round(120 / 16_000 * (1 << 16)) : round(260 / 16_000 * (1 << 16))]
    found = 120 + band.argmax() * 16_000 / (1 << 16)
    assert 150 < found < 205


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a"])
def test_bytes_and_path_give_the_same_samples(voice, name):
    path = voice(name, rate=44_100)
    assert np.array_equal(decode(path), decode(path.read_bytes()))


@pytest.mark.parametrize("name", ["a.flac", "a.mp3"])
def test_channels_are_averaged(tmp_path, name):
    tone = np.sin(2 * np.pi * 300 * np.arange(16_000) / 16_000)
    soundfile.write(tmp_path / name, np.stack([0.6 * tone, -0.2 * tone], axis=1), 16_000)
    assert np.abs(decode(tmp_path / name)[4_000:12_000]).max() == pytest.approx(0.2, abs=0.02)


def test_the_content_decides_not_the_name(voice, tmp_path):
    path = voice("a.mp3")
    disguised = path.rename(tmp_path / "a.wav")
    assert len(decode(disguised)) == pytest.approx(16_000, abs=200)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_windows_join_to_the_whole(voice, rate):
    path = voice("a.wav", seconds=2.5, rate=rate)
    found = list(windows(path, seconds=0.7))
    assert np.array_equal(np.concatenate([window.samples for window in found]), decode(path))
    assert [window.start for window in found] == pytest.approx([0, 0.7, 1.4, 2.1])
    assert [window.end for window in found] == pytest.approx([0.7, 1.4, 2.1, 2.5])


def test_a_tail_too_short_to_hold_a_word_is_left_out_but_a_short_recording_is_not(voice):
    assert len(list(windows(voice("a.wav", seconds=2.1), seconds=1))) == 2
    assert len(list(windows(voice("b.wav", seconds=0.1), seconds=1))) == 1


def test_a_window_must_hold_something(voice):
    with pytest.raises(ValueError, match="holds no sample"):
        list(windows(voice("a.wav"), seconds=0))


def test_half_an_hour_is_cut_in_the_memory_of_some_windows(tmp_path):
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 8_000, 2, "PCM_16") as file:
        for _ in range(180):
            file.write(np.zeros((80_000, 2), np.int16))
    tracemalloc.start()
    count = sum(1 for _ in windows(tmp_path / "long.wav", seconds=8))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 225
    assert peak < 8e6  # the whole would be 115 MB


def test_decode_refuses_what_is_longer_than_asked_for(voice):
    with pytest.raises(AudioError, match=r"a\.wav: longer than 1 s.*windows"):
        decode(voice("a.wav", seconds=2), max_seconds=1)


def _broken(tmp_path: Path) -> dict[str, bytes]:
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16_000)
    soundfile.write(tmp_path / "nan.wav", np.array([0.1, np.nan, 0.2] * 3000), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "inf.wav", np.array([0.1, np.inf] * 3000), 16_000, subtype="DOUBLE")
    soundfile.write(tmp_path / "slow.wav", np.zeros(4_000), 10)
    return {
        "empty": b"",
        "text": b"This is a text, whatever its name says.\n" * 30,
        "image": b"\x89PNG\r\n\x1a\n" + bytes(500),
        "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nother.mp3\n#EXT-X-ENDLIST\n",
        "zeros": bytes(4_000),
        "wav header only": (tmp_path / "none.wav").read_bytes()[:40],
        "no samples": (tmp_path / "none.wav").read_bytes(),
        "samples near 0.0 s are not numbers": (tmp_path / "nan.wav").read_bytes(),
        "are not numbers": (tmp_path / "inf.wav").read_bytes(),
        "sampling rate of 10 Hz": (tmp_path / "slow.wav").read_bytes(),
    }


def test_what_holds_no_audio_is_one_sentence_that_names_the_file(tmp_path):
    for reason, content in _broken(tmp_path).items():
        path = tmp_path / "bad.wav"
        path.write_bytes(content)
        for attempt in (decode, lambda path: list(windows(path, seconds=1))):
            with pytest.raises(AudioError) as caught:
                attempt(path)
            message = str(caught.value)
            assert message.startswith(f"{path}: "), reason
            assert message.count("\n") == 0
        if " " in reason and "samples" in reason:
            assert "number" in message or "sample" in message


@pytest.mark.parametrize("what", ["missing.wav", "."])
def test_a_path_that_is_no_file_is_an_audio_error(tmp_path, what):
    with pytest.raises(AudioError, match=r"cannot be opened|not a file"):
        decode(tmp_path / what)


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.wav", "a.aiff", "a.au"])
def test_a_truncated_file_gives_what_there_is_and_one_warning(voice, name):
    path = voice(name, seconds=4.0)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.warns(AudioWarning) as caught:
        samples = decode(path)
    assert 0.8 < len(samples) / 16_000 < 3.0
    assert len(caught) == 1
    assert str(caught[0].message).startswith(f"{path}: ")
    assert "of 4.0 s" in str(caught[0].message)


def test_broken_frames_in_the_middle_cost_themselves_only(voice):
    path = voice("a.mp3", seconds=4.0)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 300] = bytes(range(256))[:150] * 2
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        assert len(decode(path)) > 3.3 * 16_000


def test_an_mp3_without_a_length_tag_is_not_called_truncated(tmp_path):
    noise = np.random.default_rng(1).normal(0, 0.3, 3 * 16_000)
    samples = np.concatenate([np.zeros(16_000), noise])
    soundfile.write(tmp_path / "a.mp3", samples, 16_000, bitrate_mode="VARIABLE", compression_level=0.0)
    content = (tmp_path / "a.mp3").read_bytes()
    bare = tmp_path / "bare.mp3"
    bare.write_bytes(content[content.index(content[:2], 4) :])  # without its first frame, which holds the tag
    assert duration(bare) > 4.5  # FFmpeg's guess from the bit rate of the silence at the start
    with warnings.catch_warnings():
        warnings.simplefilter("error", AudioWarning)
        assert len(decode(bare)) == pytest.approx(4 * 16_000, rel=0.05)


@pytest.mark.parametrize(
    "kind", ["ffconcat version 1.0\nfile {}\n", "#EXTM3U\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n"]
)
def test_a_list_of_files_cannot_make_the_decoder_open_them(voice, tmp_path, kind):
    voice("secret.mp3")
    playlist = tmp_path / "list.mp3"
    playlist.write_text(kind.format("secret.mp3"))
    with pytest.raises(AudioError, match=r"list\.mp3: this is not audio"):
        decode(playlist)


def test_a_flac_of_unknown_length_is_decoded_to_its_end(voice):
    path = voice("a.flac", seconds=1.2)
    piped = bytearray(path.read_bytes())
    piped[21] &= 0xF0  # the 36 bits that count the samples
    piped[22:26] = bytes(4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(decode(bytes(piped)), decode(path))


def test_nothing_is_written_to_the_terminal(voice, tmp_path, capfd):
    content = voice("a.mp3", seconds=2.0).read_bytes()
    for place, piece in enumerate((content[:100], content[: len(content) // 2], content[150:])):
        path = tmp_path / f"{place}.mp3"
        path.write_bytes(piece)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(AudioError):
                decode(path)
    assert capfd.readouterr() == ("", "")
