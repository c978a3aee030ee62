"""Small images in sheets: each is where its number says, and all of them stay within their bytes."""

import io

import numpy as np
import pytest
from PIL import Image

from pt4al.plots.map_preview import map_preview
from pt4al.plots.sprites import sprites


def plain(channels: int = 3, height: int = 96, width: int = 64):
    """Images of one grey level each: that of their row."""

    def read(rows: np.ndarray) -> np.ndarray:
        levels = np.asarray(rows, np.uint8)[:, None, None, None]
        return np.broadcast_to(levels, (len(rows), channels, height, width)).copy()

    return read


@pytest.mark.parametrize("channels", [1, 3])
def test_each_image_lies_where_its_number_says(channels: int) -> None:
    made = sprites(plain(channels), np.arange(250, 0, -1), 10**6)
    assert (made.count, made.width, made.height, made.cell) == (250, 32, 48, 48)
    sheet = np.asarray(Image.open(io.BytesIO(made.sheets[0])).convert("L"), int)
    for number in (0, 15, 16, 249):
        line, column = divmod(number, 16)
        top, left = line * made.cell, column * made.cell
        seen = sheet[top : top + made.height, left : left + made.width]
        assert np.abs(seen - (250 - number)).max() <= 4


def test_images_end_where_the_bytes_do_and_the_first_sheet_is_always_there() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 3, 16, 16), np.uint8)
    everything = sprites(noise.__getitem__, np.arange(600), 10**7)
    assert everything.count == 600
    assert len(everything.sheets) == 3
    budget = len(everything.sheets[0]) + len(everything.sheets[1])
    some = sprites(noise.__getitem__, np.arange(600), budget)
    assert some.count == 512
    assert sum(map(len, some.sheets)) <= budget
    assert sprites(noise.__getitem__, np.arange(600), 1).count == 256
    assert sprites(noise.__getitem__, np.arange(0), 10**6).sheets == []


def test_images_of_other_channels_are_named() -> None:
    with pytest.raises(ValueError, match="2 channels"):
        sprites(plain(2), np.arange(3), 1000)


def test_a_preview_shows_dots_above_grey_squares_and_no_ground() -> None:
    points = np.array([[0, 0], [0, 0], [65535, 30000]], np.uint16)
    colours = np.array([[0, 0, 0], [0, 0, 0], [200, 30, 30]], np.uint8)
    pixels = np.asarray(Image.open(io.BytesIO(map_preview(points, colours))).convert("RGBA"), int)
    assert pixels.shape[1] == 720
    assert pixels[0, 0, 3] == 0
    red = np.argwhere((pixels[..., 0] > 190) & (pixels[..., 1] < 40) & (pixels[..., 3] == 255))
    grey = np.argwhere((pixels[..., 3] > 0) & (np.abs(pixels[..., 0] - 125) < 8))
    assert red[:, 1].mean() > 700 > 20 > grey[:, 1].mean()
    assert red[:, 0].mean() < grey[:, 0].mean()  # y points upwards
    assert map_preview(points[:1], colours[:1]).startswith(b"\x89PNG")
