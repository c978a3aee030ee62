"""Open a picture, or say in words why it can't be opened."""

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from pt4al.images.collection import Picture

# Left out: formats that Pillow hands to other programs (EPS), and those without a signature (TGA), as which
# any bytes may pass.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM")
PNG = b"\x89PNG\r\n\x1a\n"
SIGNATURES = {
    PNG: "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
    b"\0\0\0\x0cjP  ": "JPEG2000",
}
# Pictures, but of kinds that are not decoded here: what stands at which byte.
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
# Of a PNG file's chunks those that decide what it shows; profiles and texts, however large or broken, do not.
SHOWN = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"}
HELD = {b"eXIf"}  # says how it was held
XMP, RAW = b"XML:com.adobe.xmp\0", b"Raw profile type exif\0"  # and so may texts of these names
LARGEST_TEXT = 2**20  # bytes
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
UNKNOWN = ("unknown", "unsupported", "not support", "not available", "not implement", "unrecognized")  # in messages
PILLOW = re.compile(r"PIL\.")


class BadPicture(ValueError):
    """Why a picture can't be decoded, in words for a person."""


@contextmanager
def opened(picture: Picture) -> Iterator[Image.Image]:
    """Open a picture; what Pillow raises about it, here or while it is in use, becomes BadPicture."""
    _silence()
    if isinstance(picture, np.ndarray) and not picture.size:
        raise BadPicture("has no pixels")
    data = None if isinstance(picture, np.ndarray) else _read(picture)
    try:
        with (
            Image.fromarray(picture)
            if data is None
            else Image.open(io.BytesIO(bare(data)), formats=_formats()) as image
        ):
            yield image
    except (BadPicture, MemoryError):
        raise
    except Exception as error:  # Pillow raises nearly everything about a broken file
        raise BadPicture(_reason(error, data or b"")) from error


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(bare(data)), formats=_formats())


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
    said = str(error)
    if isinstance(error, UnidentifiedImageError):
        other = next((name for start, sign, name in OTHERS if data[start:].startswith(sign)), None)
        if other is not None:
            return f"{other}, which is not read here: save it as PNG or JPEG"
        kind = next((name for sign, name in SIGNATURES.items() if data.startswith(sign)), None)
        if kind is None:
            return f"not a picture (starts with {data[:12].decode('latin-1')!a})"
        said = _refused(data, kind)
    if isinstance(error, EOFError) or "truncated" in said.lower() or not said:
        return "cut short"
    if any(word in said.lower() for word in UNKNOWN):
        return f"of a kind that is not read here ({said}): save it as PNG or JPEG"
    return f"damaged ({said})"


def _refused(data: bytes, kind: str) -> str:
    """Return why Pillow's reader of one format refuses a file; empty if it is cut short."""
    try:
        Image.OPEN[kind][0](io.BytesIO(data), "").close()
    except Exception as error:
        said = str(error)
        return said if any(word in said.lower() for word in UNKNOWN) else ""
    return ""


def bare(data: bytes) -> bytes:
    """Return a PNG file without what does not decide about its pixels; any other file as it is."""
    if not data.startswith(PNG):
        return data
    kept, place = [PNG], len(PNG)
    while place + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            break
        if name in SHOWN or (_says_how_held(name, data[place + 8 : end - 4]) and _whole(data, place, end)):
            kept.append(data[place:end])
        place = end
    return b"".join([*kept, data[place:]])  # of a file that is cut short, or no such thing, the rest


def _says_how_held(name: bytes, content: bytes) -> bool:
    """Tell whether a chunk may say how a picture was held, and is small enough for Pillow."""
    if len(content) > LARGEST_TEXT:
        return False
    if name in (b"tEXt", b"zTXt"):
        return content.startswith(RAW) and (name == b"tEXt" or _unpacks_to_little(content[len(RAW) + 1 :]))
    return name in HELD or (name == b"iTXt" and content.startswith(XMP + b"\0"))  # not compressed


def _unpacks_to_little(packed: bytes) -> bool:
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(packed, LARGEST_TEXT)
    except zlib.error:
        return False
    return not unpacking.unconsumed_tail


def _whole(data: bytes, place: int, end: int) -> bool:
    return zlib.crc32(data[place + 4 : end - 4]) == int.from_bytes(data[end - 4 : end])


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
        stated = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
        return stated if isinstance(stated, int) else 1
    except Exception:  # EXIF data may be broken in as many ways as files; the picture is whole all the same
        return 1
