"""A file that breaks off is told from a whole one, also where the decoders read on in silence."""

from collections import Counter
from io import BytesIO
from random import Random

import av
import numpy as np
import pytest
import soundfile

from budew.audio.samples import AudioError, decode


def bare_mp3(*, bit_rate: int = 48_000, seconds: float = 3.0) -> bytes:
    """An mp3 of noise at a constant bit rate, without a tag that tells its length."""
    noise = np.random.default_rng(5).normal(0, 3_000, round(16_000 * seconds)).astype(np.int16)
    encoded = BytesIO()
    with av.open(encoded, "w", format="mp3", options={"write_xing": "0"}) as container:
        track = container.add_stream("libmp3lame", rate=16_000, layout="mono", options={"b": str(bit_rate)})
        frame = av.AudioFrame.from_ndarray(noise[None], format="s16p", layout="mono")
        frame.sample_rate = 16_000
        container.mux([*track.encode(frame), *track.encode(None)])
    return encoded.getvalue()


def told(content: bytes) -> str:
    """What `decode` makes of it: "whole", "broken off" or "no audio"."""
    try:
        damage = decode(content).damage
    except AudioError:
        return "no audio"
    assert damage is None or "it is truncated" in damage
    return "broken off" if damage else "whole"


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0])
def test_a_wav_that_was_written_to_a_pipe_is_whole_whatever_size_it_claims(size):
    encoded = BytesIO()
    soundfile.write(encoded, np.random.default_rng(2).normal(0, 0.1, 16_000), 16_000, format="WAV")
    content = bytearray(encoded.getvalue())
    data = content.index(b"data")
    content[data + 4 : data + 8] = content[4:8] = size.to_bytes(4, "little")
    decoded = decode(bytes(content))
    assert (len(decoded.samples), decoded.damage) == (16_000, None)


@pytest.mark.parametrize(
    ("name", "least"),
    [("a.ogg", 20), ("a.opus", 20), (24_000, 18), (48_000, 18)],  # between two frames nothing is to be seen
)
def test_audio_that_ends_within_a_page_or_a_frame_of_constant_bit_rate_is_reported(voice, name, least):
    if isinstance(name, str):
        content = voice(name, seconds=4.0).read_bytes()
    else:
        content = bare_mp3(bit_rate=name)
        assert not any(tag in content for tag in (b"Xing", b"Info"))
    assert told(content) == "whole"
    random = Random(3)
    cuts = Counter(told(content[: random.randrange(len(content) // 2, len(content))]) for _ in range(20))
    assert cuts["broken off"] >= least


TAILS = (
    b"TAG" + b"a title".ljust(125, b"\0"),
    b"APETAGEX" + b"\0" * 40,
    b"LYRICSBEGIN",
    b"\0" * 2_000,
)


def test_only_what_stands_between_frames_or_instead_of_them_is_damage():
    content = bare_mp3(seconds=3.0)
    middle = len(content) // 2
    assert {told(content + tail) for tail in TAILS} == {"whole"}
    assert "1 broken packet" in decode(content[:middle] + b"\0" * 500 + content[middle:]).damage
    assert decode(content[:middle] + b"\0" * middle).damage
    assert len(decode(content[:middle]).samples) == pytest.approx(1.5 * 16_000, rel=0.1)
