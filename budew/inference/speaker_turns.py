"""Speaker turns of a recording, from an RTTM file, as diarization programs write them."""

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
"""Bytes of an RTTM file."""
SHORTEST = 0.3
"""Seconds of a turn that is captioned."""
_BLOCK = 10.0
"""Seconds that are decoded at once."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says between two times, in seconds."""

    start: float
    end: float
    speaker: str


def read_turns(path: Path) -> dict[str, list[Turn]]:
    """Return the turns of each recording in an RTTM file, by its name there, in the order of their starts.

    Where two speak at a time, the turn that began first is kept whole, and the other from its end on.

    Raises:
        InputError: no such file, too large, or a line of another form.
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
                    f"{path}, line {number} is no turn: write SPEAKER, recording, channel, start, seconds, "
                    "two more fields and the speaker"
                ) from None
    if not found:
        raise InputError(f"{path} has no line that begins with SPEAKER: give an RTTM file")
    return {name: _one_at_a_time(turns) for name, turns in found.items()}


def turns_of(source: str, turns: Mapping[str, Sequence[Turn]]) -> Sequence[Turn]:
    """Return the turns of a recording, which an RTTM file calls by its file name, as a rule without suffix.

    Raises:
        AudioError: it has none.
    """
    path = Path(source)
    name = next((name for name in (path.stem, path.name) if name in turns), None)
    if name is None:
        known = ", ".join(list(turns)[:3])
        raise AudioError(f"{source}: the RTTM file has no turns of {path.stem!r}, but of {known}")
    return turns[name]


def speaker_at(turns: Sequence[Turn], window: Window) -> str | None:
    """Return who speaks in the middle of a window."""
    middle = (window.start + window.end) / 2
    place = bisect_right(turns, middle, key=lambda turn: turn.start) - 1
    return turns[place].speaker if place >= 0 and middle < turns[place].end else None


def cut_turns(
    audio: Path | bytes, name: str, turns: Sequence[Turn], seconds: float, sampling_rate: int
) -> Iterator[Window]:
    """Cut a recording into its turns, those longer than `seconds` into equal parts; no samples between them.

    Memory holds a window and a block.
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
