"""Frames of videos as images, one at each interval of time. FFmpeg decodes them, with the formats of audio.

All frames are decoded, as later ones depend on earlier ones, but only samples are converted: 100 times real
time for 640 × 360 pixels at 25 frames a second. Each sample is scored alone: onset, duration and movement of
an expression are not seen.
"""

from collections.abc import Iterator
from io import BytesIO
from math import floor
from pathlib import Path

import av
import av.error

from budew.audio.decoders import DEMUXERS
from budew.corpora.clip import LONGEST_ID, Clip
from budew.errors import CorpusError

VIDEOS = (".mkv", ".mp4", ".mov", ".webm", ".m4v")
"""Suffixes of files that are read as videos."""
_ROUNDING = 1e-3
"""Seconds; Matroska rounds times to milliseconds, so the frame at 1 s may be stored slightly before."""


def read_frames(path: Path, id: str, *, every: float = 1.0) -> Iterator[Clip]:
    """Read the first frame of each interval of a video; upright, if the video says how it was turned.

    Args:
        path: video file.
        id: id of the video; that of the frame after 2.5 s is `id@2.500`.
        every: interval in seconds.

    Raises:
        CorpusError: the file is not a video, or is damaged, after the frames that could be decoded.
    """
    last, time = -1, 0.0
    try:
        with path.open("rb") as file, av.open(file, "r", options={"format_whitelist": DEMUXERS}) as container:
            start = (container.start_time or 0) / av.time_base
            for frame in container.decode(container.streams.video[0]):
                time = max(0.0, (frame.time or 0.0) - start)
                if (interval := floor((time + _ROUNDING) / every)) <= last:
                    continue
                last, encoded = interval, BytesIO()
                image = frame.to_image()  # type: ignore[no-untyped-call]
                image.rotate(getattr(frame, "rotation", 0), expand=True).save(encoded, "BMP")
                yield Clip(f"{id[-LONGEST_ID + 16 :]}@{time:.3f}", encoded.getvalue(), "bmp")
    except (av.error.FFmpegError, OSError) as error:
        fault = f"the video cannot be decoded after {time:.1f} s ({error.strerror or error})"
        raise CorpusError(f"{path}: {fault}: copy it again") from error
    except IndexError as error:
        raise CorpusError(f"{path}: the file has no video track: give a video") from error
