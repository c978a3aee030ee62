"""Open a picture, or say in words why it can't be opened."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from pt4al.images.collection import Picture

# Left out: formats that Pillow hands to other programs (EPS), and those without a signature (TGA), as which
# any bytes may pass.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM")
SIGNATURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
PILLOW = re.compile(r"PIL\.")


class BadPicture(ValueError):
    """Why a picture can't be decoded, in words for a person."""


@contextmanager
def opened(picture: Picture) -> Iterator[Image.Image]:
    """Open a picture; what Pillow raises about it, here or while it is in use, becomes BadPicture."""
    _silence()
    data = None if isinstance(picture, np.ndarray) else _read(picture)
    try:
        with Image.fromarray(picture) if data is None else Image.open(io.BytesIO(data), formats=_formats()) as image:
            yield image
    except (BadPicture, MemoryError):
        raise
    except Exception as error:  # Pillow raises nearly everything about a broken file
        raise BadPicture(_reason(error, data or b"")) from error


def _read(picture: Picture) -> bytes:
    try:
        data = picture() if callable(picture) else picture
    except OSError as error:
        raise BadPicture(f"can't be read ({error.strerror or error})") from error
    if not data:
        raise BadPicture("empty file")
    return data


def _reason(error: Exception, data: bytes) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {2 * Image.MAX_IMAGE_PIXELS // 10**6} million pixels"
    if isinstance(error, UnidentifiedImageError) and not data.startswith(SIGNATURES):
        return f"not a picture (starts with {data[:12].decode('latin-1')!a})"
    if isinstance(error, UnidentifiedImageError | EOFError) or "truncated" in str(error).lower():
        return "cut short"
    return f"damaged ({str(error) or type(error).__name__})"


def _silence() -> None:
    """Leave Pillow's warnings out: they name no file, and every thread would repeat them.

    Not `warnings.catch_warnings`: it changes the filters of all threads, and threads that leave it in
    another order than they came leave the wrong ones behind.
    """
    if ("ignore", None, Warning, PILLOW, 0) not in warnings.filters:
        warnings.filterwarnings("ignore", module=PILLOW.pattern)


@cache
def _formats() -> tuple[str, ...]:
    """Return the formats that this Pillow was built with."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def size_upright(image: Image.Image) -> tuple[int, int]:
    """Return width and height, upright, of a picture that isn't loaded."""
    # Pillow states a TIFF's size upright.
    return image.size[::-1] if image.format != "TIFF" and _orientation(image) > 4 else image.size


def upright(image: Image.Image) -> Image.Image:
    """Load a picture, turned as its EXIF says."""
    image.load()
    turn = UPRIGHT.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """Return which of the eight ways, 1 to 8, a picture's EXIF says that it was held."""
    # Image's own, for the one of PNG files decodes them first.
    try:
        return Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except Exception:  # EXIF data may be broken in as many ways as files; the picture is whole all the same
        return 1
