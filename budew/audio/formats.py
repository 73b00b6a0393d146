"""Audio formats: detect the format of a file from its content, and whether the file is truncated.

The content decides how a file is decoded: an mp3 named `.wav` is decoded, a text file named `.wav` is
rejected. Most decoders do not report truncated audio. Of files cut at random places, libsndfile reports no
wav, aiff, au or ogg, and FFmpeg only 2 of 200 mp3 without a length tag.
"""

import re
from os import SEEK_END
from typing import BinaryIO

SUFFIXES = (
    "flac", "mp3", "wav", "ogg", "opus", "oga", "m4a", "mp4", "mov", "aac", "webm", "mkv", "aif",
    "aiff", "au", "caf"
)  # fmt: skip
"""Suffixes that count as audio in folders and shards; if a clip has several, the first of them is used."""

LARGEST_AUDIO = 512 * 2**20
"""Largest encoded clip in a shard or a parquet file, in bytes."""


def sniff_format(head: bytes, *, named: str = "") -> str | None:
    """Detect the format of a file; return its usual suffix, None if it is not a known audio format.

    Args:
        head: first bytes of the file; 16 are enough.
        named: suffix of the file; returned if it fits the content, as `ogg` and `opus` have the same
            container.
    """
    for suffix, offset, magic in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return named if named in _OTHER_NAMES.get(suffix, ()) else suffix
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # the sync word of an MPEG frame
        return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"
    return None


_MAGIC = (
    ("flac", 0, b"fLaC"),
    ("ogg", 0, b"OggS"),
    ("wav", 8, b"WAVE"),
    ("mp3", 0, b"ID3"),
    ("m4a", 4, b"ftyp"),
    ("webm", 0, b"\x1a\x45\xdf\xa3"),
    ("aiff", 8, b"AIFF"),
    ("aiff", 8, b"AIFC"),
    ("au", 0, b".snd"),
    ("caf", 0, b"caff"),
)
_OTHER_NAMES = {"ogg": ("opus", "oga"), "m4a": ("mp4", "mov"), "webm": ("mkv",), "aiff": ("aif",)}
_CORRECTED = re.compile(r": (\d+) \(should be (\d+)\)")
_UNKNOWN = 2**31 - 2**16
"""Sizes from this on mean unknown: programs that write to a pipe put 2**31 or 2**32 into the header."""
_LONGEST_PAGE = 27 + 255 + 255 * 255  # header, table of segments, segments


def claimed_share(log: str) -> float:
    """Return the ratio of the size that a file's header claims to the real size; usually 1.

    Args:
        log: libsndfile's log of the header; `data : 32000 (should be 19957)` in it shows a truncated file.
    """
    sizes = [(int(claimed), int(real)) for claimed, real in _CORRECTED.findall(log)]
    return max([1.0, *(claimed / real for claimed, real in sizes if 0 < real < claimed < _UNKNOWN)])


def ogg_breaks_off(file: BinaryIO) -> bool:
    """Return whether an Ogg file is truncated: it ends within its last page. Moves the file position."""
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - _LONGEST_PAGE))
    tail = file.read(_LONGEST_PAGE)
    start = tail.rfind(b"OggS")
    page = tail[start:]
    if start < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return start >= 0
    return len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


class FrameSizes:
    """Sizes of the frames of an mp3, from which a truncated last frame is detected.

    This works only for a constant bit rate, where frames differ by at most one byte of padding. An mp3 with a
    variable bit rate and without a length tag is rare.
    """

    def __init__(self) -> None:
        self._least = self._most = self._last = 0
        self._sync = b""

    def add(self, frame: bytes) -> bool:
        """Add the next frame; return whether it is valid: it has the same first two bytes as the first."""
        if self._sync and frame[:2] != self._sync:
            return False
        if self._last:
            self._least = min(self._least or self._last, self._last)
            self._most = max(self._most, self._last)
        self._sync, self._last = frame[:2], len(frame)
        return True

    @property
    def last_is_cut(self) -> bool:
        """Whether the last frame is smaller than the others, which have the same size (up to one byte)."""
        return self._most - self._least <= 1 and 0 < self._last < self._least
