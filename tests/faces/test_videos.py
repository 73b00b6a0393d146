"""Videos are sampled at their own times, upright, and what is no video is an error."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from budew.errors import CorpusError
from budew.faces.images import open_image
from budew.faces.videos import read_frames


def film(path, *, seconds=3.0, rate=10, rotation=0, start=0.0, skip=(), sound=False):
    """Write a video whose lower half gets lighter by 5 of 255 with each frame; the upper is black."""
    with av.open(str(path), "w") as container:
        track = container.add_stream("mpeg4", rate=rate)
        track.width, track.height, track.pix_fmt = 64, 32, "yuv420p"
        track.time_base = track.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            track.set_display_rotation(rotation)
        voice = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for number in range(round(seconds * rate)):
            if number in skip:
                continue
            level = np.full((32, 64, 3), min(255, 60 + 5 * number), np.uint8)
            level[:16] = 0
            frame = av.VideoFrame.from_ndarray(level, "rgb24")
            frame.pts, frame.time_base = round((start + number / rate) * 1000), Fraction(1, 1000)
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
        if voice:
            wave = np.sin(np.arange(round(16_000 * seconds)) / 8).astype(np.float32)[None] / 4
            sounding = av.AudioFrame.from_ndarray(wave, "fltp", layout="mono")
            sounding.sample_rate, sounding.pts = 16_000, 0
            container.mux(voice.encode(sounding))
            container.mux(voice.encode(None))
    return path


def times(path, every):
    return [float(clip.id.rpartition("@")[2]) for clip in read_frames(path, "film", every=every)]


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4"])
def test_the_first_frame_of_each_interval_is_read_with_its_time(tmp_path, name):
    path = film(tmp_path / name)
    assert times(path, 1.0) == [0, 1, 2]
    assert times(path, 0.25) == pytest.approx([0, 0.3, 0.5, 0.8, 1, 1.3, 1.5, 1.8, 2, 2.3, 2.5, 2.8])
    for clip, number in zip(read_frames(path, "film"), (0, 10, 20), strict=True):
        pixels = np.asarray(open_image(clip))
        assert pixels.shape == (32, 64, 3)
        assert pixels[24:].mean() == pytest.approx(60 + 5 * number, abs=6)
        assert pixels[:12].mean() < 10


def test_gaps_are_not_filled_and_times_begin_at_the_first_frame(tmp_path):
    assert times(film(tmp_path / "gap.mkv", skip=range(5, 22)), 1.0) == [0, 2.2]
    assert times(film(tmp_path / "late.mkv", start=5.0), 1.0) == [0, 1, 2]


def test_a_turned_video_is_read_upright(tmp_path):
    (clip, *_) = read_frames(film(tmp_path / "turned.mp4", rotation=90), "film")
    pixels = np.asarray(open_image(clip))
    assert pixels.shape == (64, 32, 3)
    upright = np.asarray(
        Image.fromarray(np.repeat([[0], [60]], 16, 0).repeat(64, 1).astype(np.uint8)).rotate(90, expand=True)
    )
    assert np.abs(pixels.mean(2) - upright).mean() < 8


def test_what_is_no_video_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "text.mkv").write_text("no video")
    with pytest.raises(CorpusError, match=r"text\.mkv.*cannot be decoded"):
        times(tmp_path / "text.mkv", 1.0)
    path = film(tmp_path / "voice.mp4", sound=True)
    with av.open(str(path)) as source, av.open(str(tmp_path / "only.m4v"), "w", format="mp4") as out:
        track = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = track
                out.mux(packet)
    with pytest.raises(CorpusError, match="no video track"):
        times(tmp_path / "only.m4v", 1.0)
