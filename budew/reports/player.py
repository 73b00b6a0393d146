"""Clips that a page plays: short, few, and encoded here.

The page gets an mp3 made of the decoded samples: no byte of a foreign file reaches the browser, and every
browser plays it. Ten seconds take about 50 kB.
"""

import base64
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import soundfile

from budew.audio.samples import windows
from budew.errors import AudioError

LONGEST = 30.0
"""Seconds of a clip that are played at most."""
LARGEST_TOTAL = 4_000_000
"""Bytes of mp3 in one page at most."""
_RATE = 16_000


def players(clips: Iterable[tuple[str, bytes | Path | None]]) -> Iterator[tuple[str, str]]:
    """Yield the audio of each clip as a data URI and "", or "" and the reason why it cannot be played.

    Args:
        clips: ids with encoded audio or a path; the first `LONGEST` seconds are played.
    """
    rest = LARGEST_TOTAL
    for id, audio in clips:
        if audio is None:
            yield "", "no audio"
            continue
        try:
            encoded = _mp3(audio, id)
        except AudioError as error:
            yield "", str(error)
            continue
        if len(encoded) > rest:
            yield "", f"audio left out: a page holds {LARGEST_TOTAL // 1_000_000} MB of it"
            continue
        rest -= len(encoded)
        yield "data:audio/mpeg;base64," + base64.b64encode(encoded).decode("ascii"), ""


def _mp3(audio: bytes | Path, id: str) -> bytes:
    samples = next(windows(audio, seconds=LONGEST, sampling_rate=_RATE, name=id)).samples
    out = io.BytesIO()
    soundfile.write(out, samples, _RATE, format="MP3")
    return out.getvalue()
