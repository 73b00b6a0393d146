"""Page of captioned recordings: waveform, emotions over time, captions, and a player in step with these."""

import io
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from budew.audio.samples import windows
from budew.captions import parse
from budew.corpora.column_names import number_in
from budew.errors import AudioError, BudewWarning, InputError
from budew.evaluation.prediction_files import by_id
from budew.evaluation.prediction_rows import read_rows
from budew.inference.captioned_recording import clock
from budew.inference.outputs import captioned_windows
from budew.inference.recordings import Recording
from budew.reports.explanation import marks_of, pieces
from budew.reports.page import audio_uri, render_page, strongest_first, trait_words

LANES, FACE_LANES = 8, 4
"""Number of emotions of voice and face drawn over time; the strongest ones are chosen."""
MOST_RECORDINGS = 100
LARGEST_AUDIO = 48_000_000
"""Largest size of all mp3 in one page in bytes: about four hours."""
WIDTH, HEIGHT = 1000, 100
"""Size of the drawings, in units of their coordinates."""

_RATE = 16_000
_BLOCK = 10.0
"""Seconds that are decoded at once."""
_COMPRESSION = 0.7
"""Compression level of libsndfile; about 27 kbit/s of speech."""


Course = list[dict[str, Any]]
"""Scores of a face over time: windows with `start`, `end` (seconds) and `emotions` (intensities)."""


def face_courses(scores: Path) -> dict[str, Course]:
    """Read the scores of the frames of videos, which `budew face score` wrote, by the id of the video.

    Raises:
        InputError: the file cannot be read, or has no scores of frames.
    """
    frames: dict[str, dict[float, dict[str, float]]] = {}
    for row in read_rows(scores):
        video, _, time = row.id.rpartition("@")
        if video and number_in(time) is not None:
            known = {name: value for name, value in (row.scores or {}).items() if value is not None}
            frames.setdefault(video, {})[float(time)] = known
    if not frames:
        raise InputError(f"{scores}: no scores of a video: make them with budew face score film.mkv")
    found = {}
    for video, by_time in frames.items():
        starts = sorted(by_time)
        last = starts[-1] - starts[-2] if len(starts) > 1 else 1.0
        spans = pairwise([*starts, starts[-1] + last])
        found[video] = [{"start": start, "end": end, "emotions": by_time[start]} for start, end in spans]
    return found


def captions_html(
    records: Sequence[Mapping[str, Any]],
    recordings: Iterable[Recording],
    faces: Mapping[str, Course] | None = None,
) -> str:
    """Return a page of captioned recordings as HTML.

    Args:
        records: results of a captioner as JSON values; the first `MOST_RECORDINGS` are shown.
        recordings: the captioned recordings, in the order of `records`, for the audio of the players.
        faces: scores of the faces in the recordings, by file name, drawn below those of the voice.

    The audio of recordings that failed is not read.
    """
    room, found, shown = LARGEST_AUDIO, iter(recordings), []
    for record in records[:MOST_RECORDINGS]:
        recording = next((one for one in found if one.source == record["source"]), None)
        entry = {"source": record["source"], "error": record.get("error"), "damaged": record.get("damaged")}
        if "error" not in record:
            entry |= _course(record, by_id(faces or {}, record["source"]) or [])
            encoded, outline, why = _heard(recording, record["duration"], room)
            room -= len(encoded)
            entry |= {"audio": audio_uri(encoded) if encoded else "", "why": why, "outline": outline}
        shown.append(entry)
    if faces and not any(by_id(faces, record["source"]) for record in records):
        fault = f"no recording is named as a video with scores of faces, such as {next(iter(faces))!r}"
        warnings.warn(BudewWarning(f"{fault}: score the recording itself"), stacklevel=2)
    more = len(records) - len(shown)
    return render_page("captions_page", sheets=["marks"], recordings=shown, more=more)


def _course(record: Mapping[str, Any], face: Course) -> dict[str, Any]:
    """Return the contents shown for a recording, without its audio."""
    seconds = record["duration"]
    cut = captioned_windows(record)
    emotions = record["emotions"] or {}
    return {
        "seconds": seconds,
        "length": clock(seconds),
        "lanes": [*_lanes("", cut, seconds, emotions, LANES), *_lanes("face", face, seconds, {}, FACE_LANES)],
        "ticks": _ticks(seconds),
        "windows": [_window(window) for window in cut],
        "words": _words(record),
    }


def _window(window: Mapping[str, Any]) -> dict[str, Any]:
    emotions, presence = window["emotions"] or {}, window.get("presence", {})
    return {
        "start": window["start"],
        "end": window["end"],
        "at": clock(window["start"]),
        "speaker": window.get("speaker"),
        "caption": list(pieces(window["caption"], marks_of(parse(window["caption"])))),
        "emotions": [(name, emotions[name], presence.get(name)) for name in strongest_first(emotions)],
        "words": _words(window),
    }


def _words(profile: Mapping[str, Any]) -> list[str]:
    return [*(trait_words(*trait) for trait in profile["traits"].items()), *profile["bursts"]]


def _lanes(
    of: str, cut: Sequence[Mapping[str, Any]], seconds: float, pooled: Mapping[str, float], most: int
) -> list[tuple[str, str, str]]:
    """Return name, `of` and course of the strongest emotions: by `pooled`, then by their peaks."""
    peaks: dict[str, float] = {}
    for window in cut:
        for name, intensity in (window["emotions"] or {}).items():
            peaks[name] = max(intensity, peaks.get(name, 0.0))
    shown = (name for name, peak in peaks.items() if peak)
    strongest = sorted(shown, key=lambda name: (-pooled.get(name, 0.0), -peaks[name], name))[:most]
    return [(name, of, _lane(name, cut, seconds)) for name in sorted(strongest, key=list(peaks).index)]


def _lane(name: str, cut: Sequence[Mapping[str, Any]], seconds: float) -> str:
    """Return the course of an emotion as an SVG path: a step for each window, 0 between them."""
    steps = []
    for window in cut:
        height = HEIGHT * (1 - (window["emotions"] or {}).get(name, 0.0))
        left, right = (WIDTH * min(window[at] / seconds, 1.0) for at in ("start", "end"))
        steps.append(f"H{left:.1f}V{height:.0f}H{right:.1f}V{HEIGHT}")
    return f"M0 {HEIGHT}{''.join(steps)}H{WIDTH}Z"


def _ticks(seconds: float) -> list[tuple[str, float]]:
    """Return the label of some times and their places in per cent."""
    steps = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
    step = next((step for step in steps if seconds / step <= 8), 3600 * max(1, round(seconds / 3600 / 8)))
    times = range(0, int(seconds) + 1, step)
    return [(clock(time), 100 * time / seconds) for time in times if time < 0.96 * seconds]


def _heard(recording: Recording | None, seconds: float, room: int) -> tuple[bytes, str, str]:
    """Return an mp3 of at most `room` bytes, the waveform as an SVG path, and why there is no mp3."""
    if recording is None or recording.file is None:
        return b"", "", "the audio is not there any more"
    peaks, encoded = np.zeros(WIDTH, np.float32), io.BytesIO()
    with soundfile.SoundFile(encoded, "w", _RATE, 1, format="MP3", compression_level=_COMPRESSION) as out:
        try:
            for window in windows(recording.file, seconds=_BLOCK, sampling_rate=_RATE, name=recording.source):
                if encoded.getbuffer().nbytes <= room:
                    out.write(window.samples)
                times = window.start + np.arange(len(window.samples)) / _RATE
                places = np.minimum(times / seconds * WIDTH, WIDTH - 1).astype(int)
                np.maximum.at(peaks, places, np.abs(window.samples))
        except (AudioError, OSError) as error:
            return b"", "", str(error)
    full = encoded.getbuffer().nbytes > room
    why = f"no player: a page holds {LARGEST_AUDIO // 1_000_000} MB of audio" if full else ""
    return b"" if full else encoded.getvalue(), "".join(_outline(peaks)), why


def _outline(peaks: np.ndarray[Any, np.dtype[np.float32]]) -> Iterator[str]:
    """Yield a line of the waveform for each place, the loudest as high as the drawing."""
    middle, scale = HEIGHT / 2, (HEIGHT / 2) / max(float(peaks.max()), 1e-6)
    for place, peak in enumerate(peaks):
        yield f"M{place + 0.5} {middle - peak * scale:.1f}V{middle + max(peak * scale, 0.5):.1f}"
