"""A file that breaks off is told from a whole one, also where the decoders read on in silence."""

from collections import Counter
from io import BytesIO
from random import Random

import av
import numpy as np
import pytest
import soundfile

from budew.audio.formats import FrameSizes, claimed_share, ogg_breaks_off, sniff_format
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


def test_only_data_between_or_instead_of_frames_is_damage():
    content = bare_mp3(seconds=3.0)
    middle = len(content) // 2
    assert {told(content + tail) for tail in TAILS} == {"whole"}
    assert "1 broken packet" in decode(content[:middle] + b"\0" * 500 + content[middle:]).damage
    assert decode(content[:middle] + b"\0" * middle).damage
    assert len(decode(content[:middle]).samples) == pytest.approx(1.5 * 16_000, rel=0.1)


@pytest.mark.parametrize("length", [0, 200, 40_000, 2**21 + 2**14 + 2**7 + 1])
def test_the_length_tag_of_an_mp3_is_found_behind_a_title_of_any_length(voice, length):
    content = voice("a.mp3", seconds=4.0).read_bytes()
    size = bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
    damage = decode(b"ID3\x04\0\0" + size + bytes(length) + content[: len(content) // 2]).damage
    assert "of 4.0 s" in damage


@pytest.mark.parametrize(
    ("sizes", "cut"),
    [
        ([], False), ([9], False), ([9, 9], False), ([9, 8], True), ([9, 10, 9, 9], False),
        ([9, 10, 9, 8], True), ([9, 11, 9, 8], False), ([9, 10, 10, 9], False), ([9, 9, 10], False),
    ],
)  # fmt: skip
def test_a_last_frame_that_is_shorter_than_all_before_it_is_cut(sizes, cut):
    frames = FrameSizes()
    assert all(frames.add(b"\xff\xfb" + bytes(size)) for size in sizes)
    assert frames.last_is_cut is cut
    assert not sizes or not frames.add(b"TAG")


def ogg_page(*segments: int) -> bytes:
    return b"OggS" + bytes(22) + bytes([len(segments), *segments]) + b"x" * sum(segments)


@pytest.mark.parametrize(
    ("content", "broken"),
    [
        (ogg_page(5, 7), False), (ogg_page(5, 7)[:-1], True), (ogg_page(*[255] * 255), False),
        (b"no page", False), (ogg_page(5) + ogg_page(), False), (ogg_page(5) + ogg_page()[:-1], True),
        (ogg_page(*[255] * 255)[:-1], True), (ogg_page(5) + ogg_page(3, 4)[:28], True),
        (b"", False), (ogg_page(5) + b"OggS", True),
    ],
)  # fmt: skip
def test_an_ogg_file_breaks_off_where_its_last_page_is_not_whole(content, broken):
    assert ogg_breaks_off(BytesIO(content)) is broken


@pytest.mark.parametrize(
    ("claimed", "real", "share"),
    [
        (32_000, 16_000, 2.0),
        (100, 100, 1.0),
        (50, 100, 1.0),
        (100, 0, 1.0),
        (2**31 - 2**16, 100, 1.0),
        (3, 1, 3.0),
    ],
)
def test_a_header_may_claim_more_than_there_is_or_an_unknown_size(claimed, real, share):
    assert claimed_share(f"data : {claimed} (should be {real})") == share
    assert claimed_share("data : 100") == 1.0


@pytest.mark.parametrize(
    ("head", "named", "suffix"),
    [
        (b"fLaC", "", "flac"), (b"OggS", "opus", "opus"), (b"OggS", "mp3", "ogg"),
        (b"RIFF....WAVE", "", "wav"), (b"....ftyp", "mp4", "mp4"), (b"FORM....AIFC", "aif", "aif"),
        (b"\xff\xfb", "", "mp3"), (b"\xff\xf1", "", "aac"), (b"\xff\xe3", "", "mp3"),
        (b"\xff\xf9", "", "aac"), (b"\xff\xdf", "", None), (b"\xff", "", None), (b"", "", None),
        (b"\xfe\xfb", "", None), (b"\xff\xf3", "", "mp3"), (b".ftyp", "", None),
    ],
)  # fmt: skip
def test_a_format_is_known_by_its_first_bytes(head, named, suffix):
    assert sniff_format(head, named=named) == suffix
