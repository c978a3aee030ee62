"""Open a picture, or say why it can't be opened."""

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from pt4al.images.collection import Picture
from pt4al.images.png import PNG, bare

# Without formats that Pillow hands to other programs (EPS), and those without a signature (TGA),
# as which any bytes may pass.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM")
SIGNATURES = {
    PNG: "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
    b"\0\0\0\x0cjP  ": "JPEG2000",
}
ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}  # of files that are not cut short
# Pictures of kinds that are not decoded here: place and bytes of their signatures.
OTHERS = (
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypmsf1", "HEIF"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypcrx", "a camera's raw file"),
    (0, b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"8BPS", "a file of Photoshop"),
    (0, b"gimp xcf", "a file of GIMP"),
    (0, b"%!PS", "PostScript"),
    (0, b"<svg", "SVG"),
    (0, b"\0\0\1\0", "an icon"),
    (128, b"DICM", "DICOM"),
)
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
UNKNOWN = (
    "unknown",
    "unsupported",
    "not support",
    "not available",
    "not implement",
    "unrecognized",
)  # in messages
PILLOW = re.compile(r"PIL\.")


class BadPicture(ValueError):
    """Why a picture can't be decoded, in words for a person."""


@contextmanager
def opened(picture: Picture) -> Iterator[Image.Image]:
    """Open a picture; what Pillow raises, here or while it is in use, becomes BadPicture."""
    _silence()
    if isinstance(picture, np.ndarray) and not picture.size:
        raise BadPicture("has no pixels")
    data = None if isinstance(picture, np.ndarray) else _read(picture)
    try:
        with Image.fromarray(picture) if data is None else _open(data) as image:
            yield image
    except (BadPicture, MemoryError):
        raise
    except Exception as error:  # Pillow raises nearly everything about a broken file
        raise BadPicture(_reason(error, data or b"")) from error


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(bare(data)), formats=_formats())


def _read(picture: Picture) -> bytes:
    try:
        data = picture() if callable(picture) else picture
    except (OSError, ValueError) as error:  # ValueError: of a path that can't be one
        reason = getattr(error, "strerror", None) or error
        raise BadPicture(f"can't be read ({reason})") from error
    if not data:
        raise BadPicture("empty file")
    return data


def _reason(error: Exception, data: bytes) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {2 * Image.MAX_IMAGE_PIXELS // 10**6} million pixels"
    message = str(error)
    if isinstance(error, UnidentifiedImageError):
        other = next((name for start, sign, name in OTHERS if data[start:].startswith(sign)), None)
        if other is not None:
            return f"{other}, which is not read here: save it as PNG or JPEG"
        kind = next((name for sign, name in SIGNATURES.items() if data.startswith(sign)), None)
        if kind is None:
            return f"not a picture (starts with {data[:12].decode('latin-1')!a})"
        message = _refused(data, kind)
        if not message and kind in ENDS and data.endswith(ENDS[kind]):
            return "damaged (its head makes no sense)"
    if isinstance(error, AttributeError | TypeError | LookupError):  # of Pillow's own code
        return "damaged"
    if isinstance(error, EOFError) or "truncated" in message.lower() or not message:
        return "cut short"
    if any(word in message.lower() for word in UNKNOWN):
        return f"of a kind that is not read here ({message}): save it as PNG or JPEG"
    return f"damaged ({message})"


def _refused(data: bytes, kind: str) -> str:
    """Return why Pillow's reader of one format refuses a file; empty if it is cut short."""
    try:
        Image.OPEN[kind][0](io.BytesIO(data), "").close()
    except Exception as error:
        message = str(error)
        return message if any(word in message.lower() for word in UNKNOWN) else ""
    return ""


def _silence() -> None:
    """Silence Pillow's warnings and errors: they name no file, and every thread would repeat them.

    Not by `warnings.catch_warnings`, which changes the filters of all threads: threads that leave
    it in another order than they entered it leave the wrong filters behind.
    """
    if ("ignore", None, Warning, PILLOW, 0) not in warnings.filters:
        warnings.filterwarnings("ignore", module=PILLOW.pattern)
        logging.getLogger("PIL").setLevel(logging.CRITICAL)


@cache
def _formats() -> tuple[str, ...]:
    """Return the formats that this Pillow was built with."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def size_upright(image: Image.Image) -> tuple[int, int]:
    """Return width and height, upright, of a picture that isn't loaded."""
    # Pillow states a TIFF's size upright.
    turned = image.format != "TIFF" and _orientation(image) > 4
    return image.size[::-1] if turned else image.size


def upright(image: Image.Image) -> Image.Image:
    """Load a picture, turned as its EXIF says."""
    image.load()
    turn = UPRIGHT.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """Return the orientation that a picture's EXIF states, 1 to 8."""
    # Image.Image's method, since that of PNG files decodes them first.
    try:
        stated = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
        return stated if isinstance(stated, int) else 1
    except Exception:  # EXIF data may be broken in any way; the picture is whole all the same
        return 1
