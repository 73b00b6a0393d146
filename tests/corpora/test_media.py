"""The format of an image is that of its bytes, whatever its name."""

from io import BytesIO

import pytest
from PIL import Image

from budew.corpora.media import IMAGE


@pytest.mark.parametrize("format", ["png", "jpg", "webp", "gif", "bmp", "tiff"])
def test_the_format_of_an_image_is_recognized_by_its_first_bytes(format):
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, {"jpg": "jpeg"}.get(format, format))
    assert IMAGE.format_of(file.getvalue()[:16], named="tif") == format
    assert (IMAGE.format_of(b"text", named="tif"), IMAGE.format_of(b"text", named="mp3")) == ("tif", None)
