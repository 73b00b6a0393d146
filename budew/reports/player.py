"""Clips that can be played inside a page: short, few, and encoded here.

Whatever the audio was, the page gets an mp3 that this module made of the decoded samples, so no byte of a
foreign file reaches the reader's browser, and every browser plays it. Ten seconds take about 50 kB.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from budew.audio.samples import warn_of_damage, windows
from budew.errors import AudioError
from budew.evaluation.results import Pair

LONGEST = 30.0
"""Seconds of a clip that are played at most."""

LARGEST_TOTAL = 4_000_000
"""Bytes of mp3 in one page at most."""

_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Player:
    """A clip to show; `source` is its audio as a data URI, or empty, and then `why` says so."""

    pair: Pair
    source: str
    why: str = ""


def players(pairs: Sequence[Pair], *, limit: int) -> list[Player]:
    """Choose at most `limit` pairs, those with audio first, and encode their audio."""
    chosen = sorted(pairs, key=lambda pair: pair.audio is None)[: max(limit, 0)]
    shown: list[Player] = []
    total = 0
    for pair in chosen:
        player = _player(pair, room=LARGEST_TOTAL - total)
        total += encoded_size(player.source)
        shown.append(player)
    return shown


def embedded(audio: bytes | Path, name: str, *, room: int) -> tuple[str, str]:
    """Return the audio of a clip as a data URI, or "" and then why there is none.

    Args:
        audio: encoded bytes or a path; its first `LONGEST` seconds are played.
        name: what a reason calls the clip.
        room: bytes of mp3 that may be added.
    """
    try:
        encoded = _mp3(audio, name)
    except AudioError as error:
        return "", str(error)
    if len(encoded) > room:
        return "", f"audio left out: a page holds {LARGEST_TOTAL // 1_000_000} MB of it"
    return "data:audio/mpeg;base64," + base64.b64encode(encoded).decode("ascii"), ""


def encoded_size(source: str) -> int:
    """Return how many bytes of mp3 are in what `embedded` gave."""
    return len(source) * 3 // 4


def _player(pair: Pair, *, room: int) -> Player:
    if pair.audio is None:
        return Player(pair, "", "no audio")
    return Player(pair, *embedded(pair.audio, pair.id, room=room))


def _mp3(audio: bytes | Path, clip_id: str) -> bytes:
    window = next(windows(audio, seconds=LONGEST, sampling_rate=_RATE, name=clip_id))
    warn_of_damage(window.damage)
    out = io.BytesIO()
    soundfile.write(out, window.samples, _RATE, format="MP3")
    return out.getvalue()
