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
    assert damage is None or "it breaks off" in damage
    return "broken off" if damage else "whole"


@pytest.mark.parametrize("name", ["a.ogg", "a.opus"])
def test_an_ogg_that_ends_within_a_page_is_told(voice, name):
    content = voice(name, seconds=4.0).read_bytes()
    assert told(content) == "whole"
    random = Random(3)
    cuts = Counter(told(content[: random.randrange(len(content) // 2, len(content))]) for _ in range(20))
    assert cuts["broken off"] == 20


@pytest.mark.parametrize("bit_rate", [24_000, 48_000])
def test_an_mp3_of_constant_bit_rate_that_ends_within_a_frame_is_told(bit_rate):
    content = bare_mp3(bit_rate=bit_rate)
    assert b"Xing" not in content
    assert b"Info" not in content
    assert told(content) == "whole"
    random = Random(3)
    cuts = Counter(told(content[: random.randrange(len(content) // 3, len(content))]) for _ in range(20))
    assert cuts["broken off"] >= 18  # a cut between two frames leaves nothing to see


def test_what_could_be_decoded_before_the_cut_is_not_lost():
    content = bare_mp3(seconds=3.0)
    decoded = decode(content[: len(content) // 2])
    assert "breaks off" in decoded.damage
    assert len(decoded.samples) == pytest.approx(1.5 * 16_000, rel=0.1)


@pytest.mark.parametrize(
    "tail",
    [
        b"TAG" + b"a title".ljust(125, b"\0"),
        b"APETAGEX" + b"\0" * 40,
        b"LYRICSBEGIN a song LYRICS200",
        b"\0" * 2_000,
    ],
)
def test_a_tag_or_padding_behind_the_last_frame_is_no_damage(tail):
    assert told(bare_mp3() + tail) == "whole"


def test_a_copy_that_ends_in_nothing_but_zeros_is_damaged():
    content = bare_mp3()
    assert decode(content[: len(content) // 2] + b"\0" * (len(content) // 2)).damage


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0])
def test_a_wav_that_was_written_to_a_pipe_is_whole_whatever_size_it_claims(size):
    encoded = BytesIO()
    soundfile.write(encoded, np.random.default_rng(2).normal(0, 0.1, 16_000), 16_000, format="WAV")
    content = bytearray(encoded.getvalue())
    data = content.index(b"data")
    content[data + 4 : data + 8] = content[4:8] = size.to_bytes(4, "little")
    decoded = decode(bytes(content))
    assert (len(decoded.samples), decoded.damage) == (16_000, None)


def test_what_is_no_frame_between_frames_is_damage():
    content = bare_mp3()
    middle = len(content) // 2
    assert "1 broken packet" in decode(content[:middle] + b"\0" * 500 + content[middle:]).damage
