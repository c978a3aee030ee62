"""One picture, whatever its file, becomes uint8 (channels, height, width)."""

import io

import numpy as np
import pytest
from PIL import Image

from pt4al.images.decode import decode


def encoded(pixels: np.ndarray, kind: str, mode: str | None = None) -> bytes:
    picture = Image.fromarray(pixels)
    file = io.BytesIO()
    (picture.convert(mode) if mode else picture).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_pixels_are_those_that_pillow_reads(pixels, kind):
    picture = encoded(pixels[0], kind)
    expected = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).transpose(2, 0, 1)
    found = decode(picture, channels=3)
    assert found.dtype == np.uint8
    assert found.shape == (3, 8, 12)
    np.testing.assert_array_equal(found, expected)


def test_array_is_taken_as_it_is(pixels):
    np.testing.assert_array_equal(decode(pixels[0], 3), pixels[0].transpose(2, 0, 1))
    np.testing.assert_array_equal(decode(pixels[0, :, :, 0], 1), pixels[0, None, :, :, 0])


def test_grey_picture_in_a_colour_pool_has_three_equal_channels(pixels):
    found = decode(encoded(pixels[0, :, :, 0], "PNG"), 3)
    np.testing.assert_array_equal(found, np.repeat(pixels[0, None, :, :, 0], 3, axis=0))


def test_colour_picture_in_a_grey_pool_has_pillows_luminance(pixels):
    expected = np.asarray(Image.fromarray(pixels[0]).convert("L"))[None]
    np.testing.assert_array_equal(decode(encoded(pixels[0], "PNG"), 1), expected)


@pytest.mark.parametrize("mode", ["RGBA", "P", "CMYK", "1"])
def test_other_modes_become_rgb(pixels, mode):
    assert decode(encoded(pixels[0], "TIFF", mode), 3).shape == (3, 8, 12)


@pytest.mark.parametrize("broken", [b"", b"no picture", "half"])
def test_bytes_that_are_not_a_whole_picture_are_refused(pixels, broken):
    whole = encoded(pixels[0], "PNG")
    with pytest.raises((OSError, ValueError)):
        decode(whole[: len(whole) // 2] if broken == "half" else broken, 3)
