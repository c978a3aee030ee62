"""Pictures for people: upright, in a size that serves its purpose, in a format that browsers know."""

import io
import math

import numpy as np
from PIL import Image

from pt4al.images.collection import Picture
from pt4al.images.opening import opened, upright

LARGEST = 1600  # pixels a side, on a screen
WHOLE = 16_000  # pixels a side: browsers draw no larger ones
WHOLE_AREA = 48_000_000  # pixels: a browser needs four bytes for each
PREVIEW = 160  # pixels a side of a pool's image on a page
EXACT = 256  # pixels a side up to which nothing is lost by compression
# Sizes of a picture.
THUMBNAIL = "thumbnail"
SCREEN = "screen"
ORIGINAL = "whole"
SIDES = {THUMBNAIL: EXACT, SCREEN: LARGEST}  # pixels


def viewable(picture: Picture, exact: bool = False, size: str = SCREEN) -> bytes:
    """Return a picture as a PNG file if it is small or must be exact, else as JPEG.

    Parameters
    ----------
    exact
        Whether every pixel must stay as it is; `size` does not matter then.
    size
        `thumbnail`, `screen`, or `whole`: all pixels that a browser can draw.

    Raises
    ------
    BadPicture
        If it can't be decoded.
    """
    with opened(picture) as image:
        if not exact:
            # JPEG files alone: they are decoded to an eighth, a quarter or a half at once.
            image.draft(None, _bounds(image.size, size))
        plain = upright(image)
        if plain.mode not in ("L", "RGB"):
            paper = Image.new("RGBA", plain.size, "white")
            plain = Image.alpha_composite(paper, plain.convert("RGBA")).convert("RGB")
        if not exact:
            plain.thumbnail(_bounds(plain.size, size))
        encoded = io.BytesIO()
        plain.save(encoded, "PNG" if exact or max(plain.size) <= EXACT else "JPEG", quality=90)
    return encoded.getvalue()


def pixels_png(pixels: np.ndarray) -> bytes:
    """Return an image of a pool, uint8 (C, H, W), as a PNG file of at most 160 pixels a side.

    Of larger ones every second, third ... pixel is shown.
    """
    step = math.ceil(max(pixels.shape[1:]) / PREVIEW)
    shown = np.ascontiguousarray(pixels[:, ::step, ::step].transpose(1, 2, 0))
    if shown.shape[2] == 1:
        shown = shown[:, :, 0]
    encoded = io.BytesIO()
    Image.fromarray(shown).save(encoded, "PNG")
    return encoded.getvalue()


def _bounds(pixels: tuple[int, int], size: str) -> tuple[int, int]:
    """Return width and height of a picture in that size, in its own proportions."""
    width, height = pixels
    if size == ORIGINAL:
        scale = min(WHOLE / max(pixels), math.sqrt(WHOLE_AREA / (width * height)))
    else:
        scale = SIDES[size] / max(pixels)
    scale = min(1, scale)
    return math.ceil(width * scale), math.ceil(height * scale)
