"""Pictures for people: upright, flat, no larger than a screen."""

import io

import numpy as np
import pytest
from PIL import Image

from pt4al.images.opening import BadPicture
from pt4al.images.viewing import LARGEST, viewable


def shown(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_small_picture_keeps_every_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 20, 3), np.uint8)
    assert np.array_equal(np.array(shown(viewable(pixels))), pixels)


def test_a_large_one_fits_a_screen_unless_it_must_be_exact() -> None:
    pixels = np.zeros((10, LARGEST + 100), np.uint8)
    assert max(shown(viewable(pixels)).size) == LARGEST
    assert shown(viewable(pixels)).format == "JPEG"
    assert shown(viewable(pixels, exact=True)).size == (LARGEST + 100, 10)


def photo(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, "JPEG")
    return file.getvalue()


def test_a_photo_comes_as_a_thumbnail_for_a_screen_or_whole_and_keeps_its_proportions() -> None:
    data = photo(4800, 800)
    assert shown(viewable(data)).size == (LARGEST, 267)
    assert shown(viewable(data, size="thumbnail")).size == (256, 43)
    assert shown(viewable(data, size="whole")).size == (4800, 800)
    assert shown(viewable(photo(20, 30), size="whole")).size == (20, 30)


def test_a_whole_picture_is_no_larger_than_browsers_draw() -> None:
    width, height = shown(viewable(photo(30_000, 100), size="whole")).size
    assert (width, height) == (16_000, 53)
    width, height = shown(viewable(photo(8_000, 8_000), size="whole")).size
    assert width == height
    assert 47e6 < width * height <= 48.1e6


def test_a_turned_picture_is_turned_back_and_a_transparent_one_is_white_behind() -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20), "red").save(file, "JPEG", exif=exif)
    assert shown(viewable(file.getvalue())).size == (20, 30)
    file = io.BytesIO()
    Image.new("RGBA", (3, 3), (255, 0, 0, 0)).save(file, "PNG")
    assert shown(viewable(file.getvalue())).getpixel((0, 0)) == (255, 255, 255)


def test_what_is_no_picture_is_told() -> None:
    with pytest.raises(BadPicture, match="not a picture"):
        viewable(b"hello, world")
