"""Decode one picture into an array of a stated shape."""

import io

import numpy as np
from PIL import Image

MODES = {1: "L", 3: "RGB"}


def decode(picture: bytes | np.ndarray, channels: int) -> np.ndarray:
    """Return a picture as uint8 (channels, height, width).

    Parameters
    ----------
    picture
        An encoded file's bytes, or a decoded array (height, width) or (height, width, 3).
    channels
        1 for grey, 3 for RGB.

    Raises
    ------
    OSError, ValueError
        If the bytes are not a whole picture.
    """
    with _opened(picture) as opened:
        pixels = np.asarray(opened.convert(MODES[channels]))
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _opened(picture: bytes | np.ndarray) -> Image.Image:
    return Image.fromarray(picture) if isinstance(picture, np.ndarray) else Image.open(io.BytesIO(picture))
