"""Audio formats: which one a file has, and whether it ends where its format says.

Content decides how a file is decoded, so an mp3 named `.wav` plays and a text file named `.wav` is refused
by name. Most decoders do not report truncated audio. Measured on files cut at random places: libsndfile
is silent on every wav, aiff, au and ogg, FFmpeg on 198 of 200 mp3 without a length tag.
"""

import re
from os import SEEK_END
from typing import BinaryIO

SUFFIXES = (
    "flac", "mp3", "wav", "ogg", "opus", "oga", "m4a", "mp4", "mov", "aac", "webm", "mkv", "aif",
    "aiff", "au", "caf"
)  # fmt: skip
"""Suffixes taken for audio when a folder or a shard is listed, best first where a clip has several."""

LARGEST_AUDIO = 512 * 2**20
"""Largest encoded clip in a shard or a parquet file, in bytes."""


def sniff_format(head: bytes, *, named: str = "") -> str | None:
    """Return the suffix that belongs to the first bytes of a file (16 are enough), None for none.

    Where several do (`ogg` and `opus` are one container), it is `named` if that is one of them.
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
"""Smallest size in bytes that stands for unknown: programs that write to a pipe claim 2**31 or 2**32."""
_LONGEST_PAGE = 27 + 255 + 255 * 255  # header, table of segments, segments


def claimed_share(log: str) -> float:
    """Return the ratio of the claimed size of a file to its real size, by libsndfile's log of its header.

    1 as a rule. The log says `data : 32000 (should be 19957)` where a size in the header exceeds the file.
    """
    sizes = [(int(claimed), int(real)) for claimed, real in _CORRECTED.findall(log)]
    return max([1.0, *(claimed / real for claimed, real in sizes if 0 < real < claimed < _UNKNOWN)])


def ogg_breaks_off(file: BinaryIO) -> bool:
    """Return whether an Ogg file ends within its last page. Moves the position."""
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - _LONGEST_PAGE))
    tail = file.read(_LONGEST_PAGE)
    start = tail.rfind(b"OggS")
    page = tail[start:]
    if start < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return start >= 0
    return len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


class FrameSizes:
    """Sizes of the frames of an mp3, to see whether the last one was cut.

    Known only at a constant bit rate, where frames differ by one byte of padding at most: a variable rate
    without a length tag is rare.
    """

    def __init__(self) -> None:
        self._least = self._most = self._last = 0
        self._sync = b""

    def add(self, frame: bytes) -> bool:
        """Record the next frame and return whether it is valid: it begins as the first one does."""
        if self._sync and frame[:2] != self._sync:
            return False
        if self._last:
            self._least = min(self._least or self._last, self._last)
            self._most = max(self._most, self._last)
        self._sync, self._last = frame[:2], len(frame)
        return True

    @property
    def last_is_cut(self) -> bool:
        """Whether all frames but the last are of one size and the last is smaller."""
        return self._most - self._least <= 1 and 0 < self._last < self._least
