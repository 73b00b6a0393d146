"""Speaker turns of a recording, read from an RTTM file of a diarization program."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path

import numpy as np

from budew.audio.samples import Window, windows
from budew.errors import AudioError, InputError

LARGEST = 100_000_000
"""Largest RTTM file in bytes."""
SHORTEST = 0.3
"""Seconds. Shorter turns are not captioned."""
_BLOCK = 10.0
"""Seconds of audio that are decoded at once."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A speaker turn: `start` and `end` in seconds, and the name of the speaker."""

    start: float
    end: float
    speaker: str


def read_turns(path: Path) -> dict[str, list[Turn]]:
    """Read an RTTM file; return the turns of each recording by the name of the recording, sorted by start.

    Where turns overlap, the turn that begins first is kept whole, and the other begins at its end.

    Raises:
        InputError: the file is missing, too large, has an invalid line, or has no turns.
    """
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise InputError(f"{path} is missing or larger than {LARGEST // 1_000_000} MB: give an RTTM file")
    found: dict[str, list[Turn]] = defaultdict(list)
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            words = line.split()
            if words[:1] != ["SPEAKER"]:
                continue
            try:
                start, seconds = float(words[3]), float(words[4])
                if not (0 <= start < 1e6 and 0 < seconds < 1e6):
                    raise ValueError
                found[words[1]].append(Turn(start, start + seconds, words[7]))
            except (ValueError, IndexError):
                raise InputError(
                    f"{path}, line {number} is not a turn: write SPEAKER, recording, channel, start, "
                    "seconds, two more fields and the speaker"
                ) from None
    if not found:
        raise InputError(f"{path} has no line that begins with SPEAKER: give an RTTM file")
    return {name: _one_at_a_time(turns) for name, turns in found.items()}


def turns_of(source: str, turns: Mapping[str, Sequence[Turn]]) -> Sequence[Turn]:
    """Return the turns of a recording, which an RTTM file names by the file name with or without suffix.

    Args:
        source: path of the recording.
        turns: turns by name of the recording, as `read_turns` returns them.

    Raises:
        AudioError: the recording has no turns.
    """
    path = Path(source)
    name = next((name for name in (path.stem, path.name) if name in turns), None)
    if name is None:
        known = ", ".join(list(turns)[:3])
        raise AudioError(f"{source}: the RTTM file has no turns of {path.stem!r}, only of {known}")
    return turns[name]


def speaker_at(turns: Sequence[Turn], window: Window) -> str | None:
    """Return the name of the speaker in the middle of a window; None if nobody speaks then."""
    middle = (window.start + window.end) / 2
    place = bisect_right(turns, middle, key=lambda turn: turn.start) - 1
    return turns[place].speaker if place >= 0 and middle < turns[place].end else None


def cut_turns(
    audio: Path | bytes, name: str, turns: Sequence[Turn], seconds: float, sampling_rate: int
) -> Iterator[Window]:
    """Cut a recording at its speaker turns, lazily; pauses between turns are windows without samples.

    Args:
        audio: path or encoded bytes.
        name: name of the recording, for errors.
        turns: speaker turns sorted by start.
        seconds: longest window; longer turns are cut into equal parts.
        sampling_rate: rate of the samples in Hz.
    """
    spans = [span for turn in turns for span in _parts(turn, seconds)]
    held, first, last, damage = np.zeros(0, np.float32), 0, 0.0, None
    blocks = windows(audio, seconds=_BLOCK, sampling_rate=sampling_rate, name=name)
    at_end = False
    for start, end in spans:
        low, high = (round(time * sampling_rate) for time in (start, end))
        while not at_end and first + len(held) < high:
            block = next(blocks, None)
            at_end = block is None
            if block is not None:
                drop = max(0, min(low - first, len(held)))
                held, first = np.concatenate([held[drop:], block.samples]), first + drop
                damage = block.damage
        samples = held[max(0, low - first) : max(0, high - first)]
        if len(samples) < SHORTEST * sampling_rate:
            break
        start = low / sampling_rate
        if start > last:
            yield Window(last, start, samples[:0])
        last = (low + len(samples)) / sampling_rate
        yield Window(start, last, samples)
    whole = (first + len(held)) / sampling_rate
    for block in blocks:
        whole, damage = block.end, block.damage
    if whole > last or damage:
        yield Window(last, max(whole, last), held[:0], damage)


def _one_at_a_time(turns: Sequence[Turn]) -> list[Turn]:
    kept: list[Turn] = []
    for turn in sorted(turns, key=lambda one: (one.start, one.end)):
        start = max(turn.start, kept[-1].end if kept else 0.0)
        if turn.end - start >= SHORTEST:
            kept.append(Turn(start, turn.end, turn.speaker))
    return kept


def _parts(turn: Turn, seconds: float) -> list[tuple[float, float]]:
    number = ceil((turn.end - turn.start) / seconds - 1e-9)
    edges = [turn.start + (turn.end - turn.start) * part / number for part in range(number + 1)]
    return list(pairwise(edges))
