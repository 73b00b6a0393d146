"""Any recording becomes the same kind of samples; a bad one becomes one clear sentence."""

import contextlib
import io
import signal
import tracemalloc

import numpy as np
import pytest
import soundfile

from budew.audio.decoders import RATES
from budew.audio.samples import decode, is_silent, probe_audio, windows
from budew.errors import AudioError, BudewWarning, InputError


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_windows_join_to_the_whole(voice, rate):
    path = voice("a.wav", seconds=4.7, rate=rate)
    found = list(windows(path, seconds=1.2))
    assert np.array_equal(np.concatenate([window.samples for window in found]), decode(path).samples)
    assert [window.start for window in found] == pytest.approx([0, 1.2, 2.4, 3.6])
    assert [window.end for window in found] == pytest.approx([1.2, 2.4, 3.6, 4.7])


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


@pytest.mark.parametrize("read", [decode, probe_audio])
def test_recordings_longer_than_allowed_are_refused(voice, read):
    with pytest.raises(AudioError, match=r"a\.wav: longer than 1 s"):
        read(voice("a.wav", seconds=2), max_seconds=1)
    read(voice("a.wav", seconds=1), max_seconds=1)


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.wav", "a.aiff", "a.au"])
def test_a_truncated_file_gives_its_samples_and_the_damage(voice, name):
    path = voice(name, seconds=4.0)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    decoded = decode(path)
    assert 0.8 < len(decoded.samples) / RATE < 3.0
    assert decoded.damage.startswith(f"{path}: ")
    assert "of 4.0 s" in decoded.damage
    *before, last = windows(path, seconds=0.5)
    assert last.damage == decoded.damage == probe_audio(path, max_seconds=9).damage
    assert not any(window.damage for window in before)
    with pytest.warns(BudewWarning) as caught:
        assert np.array_equal(decode(path).usable, decoded.samples)
    assert [(str(warning.message), warning.filename) for warning in caught] == [(decoded.damage, __file__)]


def test_broken_frames_in_the_middle_cost_themselves_only(voice):
    path = voice("a.mp3", seconds=4.0)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 300] = bytes(range(256))[:150] * 2
    path.write_bytes(content)
    assert len(decode(path).samples) > 3.3 * RATE


def test_an_mp3_without_a_length_tag_is_not_called_truncated(tmp_path):
    noise = np.random.default_rng(1).normal(0, 0.3, 3 * RATE)
    samples = np.concatenate([np.zeros(RATE), noise])
    soundfile.write(tmp_path / "a.mp3", samples, RATE, bitrate_mode="VARIABLE", compression_level=0.0)
    content = (tmp_path / "a.mp3").read_bytes()
    bare = content[content.index(content[:2], 4) :]  # without its first frame, which holds the tag
    decoded = decode(bare)  # FFmpeg's guess from the bit rate of the silence at the start is more than 4.5 s
    assert decoded.damage is None
    assert len(decoded.samples) == pytest.approx(4 * RATE, rel=0.05)


def test_a_flac_of_unknown_length_is_decoded_to_its_end(voice):
    path = voice("a.flac", seconds=1.2)
    piped = bytearray(path.read_bytes())
    piped[21] &= 0xF0  # the 36 bits that count the samples
    piped[22:26] = bytes(4)
    decoded = decode(bytes(piped))
    assert decoded.damage is None
    assert np.array_equal(decoded.samples, decode(path).samples)


def _tone(dbfs: float, seconds: float) -> np.ndarray:
    """A 200 Hz tone whose mean square is `dbfs`."""
    time = np.arange(round(seconds * RATE)) / RATE
    return (np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * 200 * time)).astype(np.float32)


RATE = 16_000


@pytest.mark.parametrize(
    ("name", "rate", "channels"),
    [
        ("a.wav", 8_000, 1),
        ("a.wav", 192_000, 2),
        ("a.wav", 16_000, 32),
        ("a.flac", 44_100, 2),
        ("a.mp3", 44_100, 2),
        ("a.mp3", 8_000, 1),
        ("a.ogg", 48_000, 1),
        ("a.opus", 48_000, 2),
        ("a.m4a", 44_100, 1),
        ("a.webm", 48_000, 1),
        ("a.aiff", 22_050, 1),
    ],
)
def test_every_format_rate_and_channel_count_becomes_the_same_mono_at_16_khz(
    voice, tmp_path, name, rate, channels
):
    path = voice(name, seconds=1.2, rate=rate, channels=channels, pitch=200.0)
    decoded = decode(path)
    assert (decoded.samples.dtype, decoded.samples.ndim) == (np.float32, 1)
    assert (decoded.sampling_rate, decoded.damage) == (RATE, None)
    assert len(decoded.samples) / RATE == pytest.approx(1.2, abs=0.08)  # lossy encoders pad
    assert 0.1 < np.abs(decoded.samples).max() <= 1.0
    spectrum = np.abs(np.fft.rfft(decoded.samples[2_000:6_000], n=1 << 16))
    band = spectrum[round(120 / RATE * (1 << 16)) : round(260 / RATE * (1 << 16))]
    assert 150 < 120 + band.argmax() * RATE / (1 << 16) < 205  # the pitch falls
    measured = probe_audio(path, max_seconds=2)
    assert measured.sampling_rate == rate or name.endswith((".opus", ".webm"))
    assert measured.seconds == pytest.approx(1.2, abs=0.08)
    for other in (path.read_bytes(), path.rename(tmp_path / "of_another_name.flac")):
        assert np.array_equal(decode(other).samples, decoded.samples)


def test_without_a_rate_samples_have_that_of_the_file(voice):
    decoded = decode(voice("a.wav", rate=44_100), sampling_rate=None)
    for rate in RATES:
        assert decode(_wav([0.1] * 4_000, rate=rate), sampling_rate=None).sampling_rate == rate
        with pytest.raises(AudioError, match="outside"):
            decode(_wav([0.1] * 4_000, rate=rate + (1 if rate > RATE else -1)))
    assert (decoded.sampling_rate, len(decoded.samples)) == (44_100, 44_100)


@pytest.mark.parametrize("name", ["a.flac", "a.mp3"])
def test_channels_are_averaged(tmp_path, name):
    tone = np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)
    soundfile.write(tmp_path / name, np.stack([0.6 * tone, -0.2 * tone], axis=1), RATE)
    samples = decode(tmp_path / name).samples
    assert np.abs(samples[4_000:12_000]).max() == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize(("seconds", "count"), [(4.3, 2), (4.9999, 2), (5.0, 3), (4.0, 2), (0.1, 1)])
def test_a_tail_too_short_to_hold_a_word_is_left_out_but_a_short_recording_is_not(voice, seconds, count):
    path = voice("a.wav", seconds=seconds)
    assert len(list(windows(path, seconds=2))) == count
    with pytest.raises(InputError):
        list(windows(path, seconds=0))


def _wav(samples: list[float], rate: int = RATE, subtype: str = "DOUBLE") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, np.array(samples), rate, format="WAV", subtype=subtype)
    return out.getvalue()


BROKEN = {
    "is empty": b"",
    "is not audio": b"This is a text, whatever its name says.\n" * 30,
    "not audio that can be decoded": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "check that it plays": b"#EXTM3U\n#EXTINF:5,\nsecret.mp3\n#EXT-X-ENDLIST\n",  # would open other files
    "convert it": b"ffconcat version 1.0\nfile secret.mp3\n",
    "bad.mp3": bytes(4_000),
    "": _wav([])[:40],
    "samples": _wav([]),
    "samples near 0.0 s are NaN": _wav([0.1, np.nan, 0.2] * 3_000),
    "infinite": _wav([0.1, np.inf] * 3_000),
    "sampling rate of 10 Hz": _wav([0.0] * 4_000, rate=10),
    "no such file": None,
}


@pytest.mark.parametrize("reason", BROKEN)
def test_files_without_audio_are_named_in_the_error(voice, reason):
    path = voice("secret.mp3").with_name("bad.mp3")
    if BROKEN[reason] is not None:
        path.write_bytes(BROKEN[reason])
    for attempt in (decode, lambda path: list(windows(path, seconds=1))):
        with pytest.raises(AudioError) as caught:
            attempt(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        assert reason.lower() in message.lower()
    with pytest.raises(AudioError, match="not a file"):
        decode(path.parent)


def test_nothing_is_written_to_the_terminal(voice, capfd):
    content = voice("a.mp3", seconds=2.0).read_bytes()
    for piece in (content[:100], content[: len(content) // 2], content[150:]):
        with contextlib.suppress(AudioError):
            decode(piece)
    assert capfd.readouterr() == ("", "")


ZEROS = np.zeros(8 * RATE, np.float32)


@pytest.mark.parametrize(
    ("samples", "silent"),
    [
        (ZEROS, True),
        (ZEROS + 0.3, True),  # an offset
        (np.random.default_rng(1).integers(-1, 2, 8 * RATE).astype(np.float32) / 32_768, True),  # dither
        (_tone(-76, 1.0), True),
        (_tone(-74, 1.0), False),
        (np.concatenate([ZEROS, _tone(-70, 0.1), ZEROS]), False),  # one faint syllable
        (_tone(-20, 0.03), False),
        (np.zeros(400, np.float32), True),
    ],
)
def test_silence_stays_below_the_floor_everywhere(samples, silent):
    assert is_silent(samples, RATE) is silent


@pytest.mark.parametrize("at", [0, 5], ids=["opening", "reading"])
def test_an_interrupt_while_libsndfile_reads_is_not_lost(voice, monkeypatch, at):
    class Interrupted(io.BytesIO):
        reads = 0

        def readinto(self, buffer):
            Interrupted.reads += 1
            if Interrupted.reads > at:
                signal.raise_signal(signal.SIGINT)
            return super().readinto(buffer)

    audio = voice("a.wav", seconds=60).read_bytes()
    monkeypatch.setattr("budew.audio.decoders.BytesIO", Interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            decode(audio)
        assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
