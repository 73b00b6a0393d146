"""Whatever lies in a folder of images becomes an RGB picture, or one line that names it."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from budew.corpora import Clip
from budew.errors import CorpusError
from budew.faces import images
from budew.faces.images import open_image

from .conftest import drawn, encoded


def opened(data: bytes, format: str = "png"):
    return np.asarray(open_image(Clip("odd", data, format)))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_common_formats_show_the_same_face(format):
    assert np.abs(opened(encoded(drawn(1), format)).astype(int) - np.asarray(drawn(1))).mean() < 8


def test_cmyk_grey_palette_and_transparency_become_rgb():
    face = drawn(1)
    for image in (face.convert("CMYK"), face.convert("L"), face.convert("P"), face.convert("LA")):
        format = "TIFF" if image.mode == "CMYK" else "PNG"
        assert opened(encoded(image, format)).shape == (64, 64, 3)
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert (opened(encoded(clear)) == 255).all()


def test_16_bits_keep_the_upper_8():
    grey = np.asarray(drawn(1).convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    assert np.abs(opened(encoded(deep))[:, :, 0].astype(int) - grey).max() <= 1


def test_a_photo_is_turned_as_its_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    turned = opened(encoded(drawn(1), "JPEG", exif=exif, quality=95), "jpg")
    assert np.abs(turned.astype(int) - np.rot90(np.asarray(drawn(1)), -1)).mean() < 8


def bomb() -> bytes:
    """A PNG that claims 60,000 × 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        encoded(drawn())[:300],
        encoded(drawn(), "JPEG")[:500],
        encoded(Image.new("RGB", (1, 1))),
        encoded(Image.new("RGB", (9_000, 9_000))),
        bomb(),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(20),
    ],
    ids=["truncated png", "truncated jpeg", "1 x 1", "large", "bomb", "no header", "svg", "broken gif"],
)
def test_damaged_odd_or_hostile_images_give_one_line_with_their_name(data):
    with pytest.raises(CorpusError, match="odd") as error:
        opened(data)
    assert "\n" not in str(error.value)


def test_a_file_that_is_too_large_is_not_opened(monkeypatch):
    monkeypatch.setattr(images, "LARGEST", 100)
    with pytest.raises(CorpusError, match="odd"):
        opened(encoded(drawn()))
