"""Pack many small images into few JPEG files, for a page that shows any of them."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

SIDE = 48  # pixels that an image's longer side takes, at most
COLUMNS = 16  # images in a row of a sheet, and rows of a sheet
SHEET = COLUMNS * COLUMNS  # images
UNIT = 16  # pixels: JPEG blends colours within squares of this side
TOGETHER = 32  # images read at once
QUALITY = 75


@dataclass(frozen=True)
class Sprites:
    """Small images in sheets of 16 rows of 16, one after the other.

    Attributes
    ----------
    sheets
        JPEG files.
    count
        How many images there are.
    width, height
        Of each, in pixels.
    cell
        Pixels from one image's left upper corner to the next one's, both ways.
    """

    sheets: list[bytes]
    count: int
    width: int
    height: int
    cell: int


def sprites(read: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, budget: int) -> Sprites:
    """Return as many images, in their order, as fit into so many bytes.

    Parameters
    ----------
    read
        Returns rows as uint8 (n, C, H, W), gray or RGB; it is given some at once.
    rows
        Row numbers, what matters most first.
    budget
        Bytes of all sheets; the first one is there whatever it takes.

    Raises
    ------
    ValueError
        If images have neither 1 nor 3 channels.
    """
    sheets: list[bytes] = []
    count = 0
    width = height = cell = 1
    for first in range(0, len(rows), SHEET):
        pictures = _small(read, rows[first : first + SHEET])
        width, height = pictures[0].size
        cell = -(-max(width, height) // UNIT) * UNIT
        sheet = _sheet(pictures, cell)
        if sheets and sum(map(len, sheets)) + len(sheet) > budget:
            break
        sheets.append(sheet)
        count += len(pictures)
    return Sprites(sheets, count, width, height, cell)


def _small(read: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> list[Image.Image]:
    pictures = []
    for first in range(0, len(rows), TOGETHER):
        images = read(rows[first : first + TOGETHER])
        if images.shape[1] not in (1, 3):
            raise ValueError(
                f"images of shape {images.shape[1:]} have {images.shape[1]} channels: "
                "1 or 3 can be shown"
            )
        pictures += [_picture(image) for image in images]
    return pictures


def _picture(image: np.ndarray) -> Image.Image:
    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if max(picture.size) > SIDE:
        picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return picture


def _sheet(pictures: list[Image.Image], cell: int) -> bytes:
    columns = min(COLUMNS, len(pictures))
    lines = -(-len(pictures) // COLUMNS)
    sheet = Image.new(pictures[0].mode, (columns * cell, lines * cell))
    for number, picture in enumerate(pictures):
        line, column = divmod(number, COLUMNS)
        sheet.paste(_filled(picture, cell), (column * cell, line * cell))
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()


def _filled(picture: Image.Image, cell: int) -> Image.Image:
    """Continue a picture's last pixels to the end of its cell, so that JPEG sees no edge there."""
    pixels = np.asarray(picture)
    height, width = pixels.shape[:2]
    more = [(0, cell - height), (0, cell - width), (0, 0)][: pixels.ndim]
    return Image.fromarray(np.pad(pixels, more, mode="edge"))
