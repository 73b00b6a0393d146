"""Kinds of media in a corpus: audio or images. The suffix of a file decides whether it is one of them."""

from dataclasses import dataclass
from pathlib import PurePath

from budew.audio.formats import SUFFIXES, sniff_format

_IMAGE_MAGIC = (
    ("png", 0, b"\x89PNG"),
    ("jpg", 0, b"\xff\xd8\xff"),
    ("webp", 8, b"WEBP"),
    ("gif", 0, b"GIF8"),
    ("bmp", 0, b"BM"),
    ("tiff", 0, b"II*\0"),
    ("tiff", 0, b"MM\0*"),
)


@dataclass(frozen=True, slots=True)
class Media:
    """Kind of media files.

    Attributes:
        name: "audio" or "image".
        suffixes: suffixes of its files, without dot; if an item has several files, the first is preferred.
    """

    name: str
    suffixes: tuple[str, ...]

    def owns(self, name: str | PurePath) -> bool:
        """Return whether a file name has one of the suffixes, in any case."""
        return PurePath(name).suffix[1:].lower() in self.suffixes

    def format_of(self, head: bytes, *, named: str = "") -> str | None:
        """Return the format of a file as a suffix, such as "flac"; None if it is unknown.

        Args:
            head: first bytes of the file; 16 are enough.
            named: suffix in the name of the file, used if the bytes are not recognized.
        """
        if self == AUDIO:
            found = sniff_format(head, named=named)
        else:
            found = next(
                (one for one, at, magic in _IMAGE_MAGIC if head[at : at + len(magic)] == magic), None
            )
        return found or (named if named in self.suffixes else None)


AUDIO = Media("audio", SUFFIXES)
"""Audio files, the default."""
IMAGE = Media("image", ("png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "gif"))
"""Image files."""
