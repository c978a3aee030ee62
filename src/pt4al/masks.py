"""Masks: one class number a pixel, kept as PNG files of 8 bits; 255 stands for no class."""

import io
from collections.abc import Collection

import numpy as np
from PIL import Image, UnidentifiedImageError

from pt4al.errors import InputError

IGNORED = 255  # value of pixels that have no class, or are to be left out
LARGEST = 50_000_000  # pixels of a mask that people hand in
VALUES = 256


def encode(mask: np.ndarray, compress_level: int = -1) -> bytes:
    """Return a mask (height, width), uint8, as a PNG file; the same mask gives the same bytes.

    Parameters
    ----------
    compress_level
        zlib's: 1 is fastest, 9 smallest, -1 between them.
    """
    file = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(mask, np.uint8))
    image.save(file, "PNG", compress_level=compress_level)
    return file.getvalue()


def decode(file: bytes) -> np.ndarray:
    """Return a PNG file's mask (height, width), uint8, as `encode` took it.

    Raises
    ------
    InputError
        If the file can't be read, or isn't grey with 8 bits.
    """
    try:
        mask = np.array(Image.open(io.BytesIO(file)))
    except (UnidentifiedImageError, OSError, SyntaxError, TypeError) as error:
        raise InputError(f"can't be read: {error}") from error
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise InputError(
            f"has the shape {mask.shape} and numbers {mask.dtype}: it must be grey, 8 bit"
        )
    return mask


def ignore(mask: np.ndarray, values: Collection[int]) -> np.ndarray:
    """Return a mask with 255 in place of each of `values`."""
    return np.where(np.isin(mask, list(values)), np.uint8(IGNORED), mask)


def unknown_values(mask: np.ndarray, classes: int, ignored: Collection[int] = ()) -> np.ndarray:
    """Return the values of a mask that are neither a class nor ignored, in order.

    Parameters
    ----------
    classes
        Number of classes: they have the values below it.
    ignored
        Values that stand for no class, beside 255.
    """
    values = np.flatnonzero(np.bincount(mask.ravel()))
    return np.setdiff1d(values[values >= classes], [*ignored, IGNORED])


def count(numbers: np.ndarray, classes: int) -> np.ndarray:
    """Return how many pixels each class has, (classes,); ignored pixels count for none.

    Numbers of the classes of whole images are counted likewise.
    """
    return np.bincount(numbers.ravel(), minlength=classes)[:classes]
