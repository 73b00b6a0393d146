"""Audio formats: by file name where a folder is listed, by content where bytes are opened.

Content decides how a file is decoded, so an mp3 named `.wav` plays and a text file named `.wav` is refused
by name.
"""

from pathlib import PurePath

SUFFIXES = (
    "flac",
    "mp3",
    "wav",
    "ogg",
    "opus",
    "oga",
    "m4a",
    "mp4",
    "aac",
    "webm",
    "aif",
    "aiff",
    "au",
    "caf",
)
"""Suffixes taken for audio when a folder or a shard is listed, best first where a clip has several."""

LARGEST_AUDIO = 512 * 2**20
"""Bytes of one encoded clip in a shard or a parquet file."""


def is_audio_name(name: str | PurePath) -> bool:
    """Return whether the file name has the suffix of an audio format, in any case."""
    return PurePath(name).suffix[1:].lower() in SUFFIXES


def sniff_format(head: bytes, *, named: str = "") -> str | None:
    """Return the suffix that belongs to the first bytes of a file (16 are enough), None for none.

    Where several do (`ogg` and `opus` are one container), it is `named` if that is one of them.
    """
    for suffix, offset, magic in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return named if named in _OTHER_NAMES.get(suffix, ()) else suffix
    if (
        len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    ):  # the 11 set bits of an MPEG frame's sync word
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
_OTHER_NAMES = {"ogg": ("opus", "oga"), "m4a": ("mp4",), "aiff": ("aif",)}
