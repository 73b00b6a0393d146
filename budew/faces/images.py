"""Read images of faces as RGB pictures, with Pillow.

Reads the formats in `FORMATS`, up to `LARGEST` bytes and `MOST_PIXELS` pixels. Images are rotated as their
EXIF data say, 16-bit values are reduced to 8 bits, and transparency becomes white. Of an animation, the first
frame is read.
"""

import struct
import warnings
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budew.corpora.clip import LONGEST_ID, Clip
from budew.corpora.media import IMAGE
from budew.corpora.reading import ReadOptions
from budew.corpora.sources import matches, read_one
from budew.errors import CorpusError, OnBad, first_line, require
from budew.faces.videos import VIDEOS, read_frames

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Image: Any = require("PIL.Image", extra="faces", purpose="reading images")
ImageOps: Any = require("PIL.ImageOps", extra="faces", purpose="reading images")
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
LARGEST = 64 * 2**20
"""Largest size of a file in bytes."""
MOST_PIXELS = 64 * 2**20
SMALLEST = 8
"""Smallest length of the shorter side in pixels."""
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, struct.error, zlib.error)
"""Errors that Pillow raises for damaged files, or files that are not images."""


def open_image(clip: Clip) -> "Picture":
    """Open the image of a clip, converted to RGB.

    Raises:
        CorpusError: the image cannot be read, or is damaged, too small or too large; the error names the
            image.
    """
    size = clip.audio.stat().st_size if isinstance(clip.audio, Path) else len(clip.audio)
    if size > LARGEST:
        raise _fault(clip, f"{size:,} bytes are more than {LARGEST:,}: make it smaller")
    try:
        with warnings.catch_warnings(), Image.open(BytesIO(clip.encoded()), formats=FORMATS) as image:
            warnings.simplefilter("ignore")  # on damaged metadata, and on large sizes, which are checked here
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise _fault(clip, f"{width:,} × {height:,} pixels are too many: make it smaller")
            if min(width, height) < SMALLEST:
                raise _fault(clip, f"{width} × {height} pixels are too few for a face: leave it out")
            return _rgb(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError as error:
        raise _fault(clip, f"too large ({first_line(error)[:100]}): make it smaller") from error
    except _DAMAGE as error:
        reason = first_line(error)[:100] or type(error).__name__
        raise _fault(clip, f"cannot be read as an image ({reason}): copy or export it again") from error


def image_uri(clip: Clip, side: int | None = None, *, quality: int | None = None) -> str:
    """Return the image of a clip as a data URI: a JPEG of quality `quality`, or a PNG if this is None.

    No side is longer than `side` pixels, if it is given. Raises CorpusError if the image cannot be read.
    """
    image, file = open_image(clip), BytesIO()
    if side is not None:
        image.thumbnail((side, side))
    format = "png" if quality is None else "jpeg"
    image.save(file, format, quality=quality)
    return f"data:image/{format};base64,{b64encode(file.getvalue()).decode()}"


def _rgb(image: "Picture") -> "Picture":
    """Return the first frame in 8-bit RGB."""
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits, or more
        image = image.convert("F").point(lambda value: value * (255 / 65535)).convert("L")
    if "A" in image.mode or "transparency" in image.info:
        flat = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(flat, image.convert("RGBA"))
    return image.convert("RGB")


def _fault(clip: Clip, what: str) -> CorpusError:
    return CorpusError(f"image {clip.id!r}: {what}")


def read_images(sources: Iterable[str], *, on_bad: OnBad, every: float = 1.0) -> Iterator[Clip]:
    """Read corpora of images. The id of a loose file is its path without suffix, since names may occur twice.

    Args:
        sources: files, folders, shards, Parquet files or hub ids (see `budew.corpora.read`), or videos.
        on_bad: called with the error of each item that cannot be read.
        every: seconds between the frames that are read of a video, see `budew.faces.videos`.
    """
    options = ReadOptions(media=IMAGE, on_bad=on_bad)
    for source in sources:
        for entry in matches(source, options):
            if isinstance(entry, Path) and entry.suffix.lower() in VIDEOS:
                try:
                    yield from read_frames(entry, _id_of(entry), every=every)
                except CorpusError as error:
                    on_bad(error)
                continue
            for clip in read_one(entry, options):
                is_image = isinstance(entry, Path) and IMAGE.owns(entry)
                yield replace(clip, id=_id_of(Path(entry))) if is_image else clip


def _id_of(path: Path) -> str:
    parts = [part for part in path.with_suffix("").parts if part not in (path.anchor, "..")]
    return "/".join(parts)[-LONGEST_ID:].lstrip("/")
