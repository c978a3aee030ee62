"""Decode one picture of any kind into an array of a stated shape."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pt4al.images.collection import Picture
from pt4al.images.opening import BadPicture, opened, size_upright, upright
from pt4al.images.parallel import Room
from pt4al.masks import IGNORED

MODES = {1: "L", 3: "RGB"}
BITS = (8, 10, 12, 14, 16)  # of cameras, scanners and microscopes
PHOTOMETRIC = 262  # TIFF's tag: 0 is white, or black
ROOM = Room(2 * Image.MAX_IMAGE_PIXELS)  # pixels that all threads together hold, whole: about 1 GB


@dataclass(frozen=True)
class Frame:
    """What every image of a pool looks like.

    Attributes
    ----------
    channels
        1 for grey, 3 for RGB.
    height, width
        In pixels.
    fit
        `crop`: scaled until the frame is covered, then its centre; `letterbox`: scaled until it
        fits, then bars.
    background
        Grey level (0 to 255) under transparency and of letterbox bars.
    """

    channels: int
    height: int
    width: int
    fit: str = "crop"
    background: int = 255


def decode(
    picture: Picture, frame: Frame, resampling: Image.Resampling = Image.Resampling.BILINEAR
) -> np.ndarray:
    """Return a picture as uint8 (channels, height, width).

    Turned upright as its EXIF says, the first frame of an animation, 16 bits scaled to 8, what is
    transparent on the background. A picture of the frame's size keeps its pixels.

    Raises
    ------
    BadPicture
        If it can't be read, is no picture, not whole, or has more than 178 million pixels.
    """
    with opened(picture) as image:
        size = _drafted(image, frame)
        dark = _white_is_zero(image)
        with ROOM.taken(math.prod(image.size)):
            mixable = _mixable(upright(image), dark)
            fitted = _fitted(mixable, size or mixable.size, frame, resampling, frame.background)
        if fitted.mode != MODES[frame.channels]:
            fitted = fitted.convert(MODES[frame.channels])
        pixels = np.asarray(fitted)
    if frame.channels == 1:
        return pixels[None]
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def decode_mask(mask: Picture, frame: Frame) -> np.ndarray:
    """Return a mask as uint8 (height, width) of class numbers as they stand in it, never mixed.

    The geometry is `decode`'s. Letterbox bars get 255. A palette's indices are the numbers, not its
    colours.

    Raises
    ------
    BadPicture
        As `decode`, and if it has colours or numbers above 255.
    """
    with opened(mask) as image, ROOM.taken(math.prod(image.size)):
        numbers = np.asarray(upright(image))
        if numbers.ndim == 3:
            colours = numbers[:, :, : {"LA": 1, "PA": 1}.get(image.mode, 3)]
            if (colours != colours[:, :, :1]).any():
                raise BadPicture(
                    f"a mask in colours ({image.mode}): it needs one channel of class numbers"
                )
            numbers = colours[:, :, 0]
        if numbers.size and not 0 <= numbers.min() <= numbers.max() <= 255:
            raise BadPicture(
                f"a mask with the number {numbers.max()}: class numbers go from 0 to 255"
            )
        plain = Image.fromarray(np.ascontiguousarray(numbers, np.uint8))
        return np.asarray(_fitted(plain, plain.size, frame, Image.Resampling.NEAREST, IGNORED))


def look(picture: Picture) -> tuple[int, int, bool]:
    """Return height and width, upright, and whether it is grey; read from its header.

    Raises
    ------
    BadPicture
        If it can't be read or is no picture.
    """
    if isinstance(picture, np.ndarray):
        return picture.shape[0], picture.shape[1], picture.ndim == 2
    with opened(picture) as image:
        width, height = size_upright(image)
        return height, width, _grey(image)


def _grey(image: Image.Image) -> bool:
    if image.mode == "P" and image.palette.rawmode in (None, "RGB"):
        colours = np.frombuffer(bytes(image.palette.palette), np.uint8)
        colours = colours[: len(colours) // 3 * 3].reshape(-1, 3)
        return bool((colours == colours[:, :1]).all())
    return image.mode.startswith(("1", "L", "I", "F")) and image.mode != "LAB"


def _drafted(image: Image.Image, frame: Frame) -> tuple[int, int] | None:
    """Scale a huge JPEG down as it is read; return its whole size, None for other kinds."""
    if image.format not in ("JPEG", "MPO"):
        return None
    size = size_upright(image)
    # Twice the size that is needed, since a JPEG's own shrinking is coarse.
    scale = 2 * _scale(size, frame)
    image.draft(None, tuple(math.ceil(scale * side) for side in image.size))
    return size


def _white_is_zero(image: Image.Image) -> bool:
    """Tell whether a TIFF's smallest number is white: Pillow heeds that only with 8 bits."""
    return (
        image.format == "TIFF" and image.tag_v2.get(PHOTOMETRIC) == 0 and image.mode.startswith("I")
    )


def _mixable(image: Image.Image, dark: bool) -> Image.Image:
    """Return a picture in a mode whose pixels can be averaged: L, RGB, LA or RGBA.

    `dark`: whether the largest number is black, of pictures of more than 8 bits.
    """
    if image.mode.startswith(("I", "F")):
        levels = _eight_bits(np.asarray(image))
        return Image.fromarray(255 - levels if dark else levels)
    if image.mode in ("LA", "RGBA"):
        return image
    if "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        return image.convert("RGBA")
    if image.mode == "P" and image.palette.mode == "RGBA":
        return image.convert("RGBA")
    if image.mode in ("1", "L"):
        return image.convert("L")
    return image.convert("RGB")


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Return grey levels of 16 bits, 32 bits or floating point as uint8.

    Which number is white is not said in the file, so the largest decides: of whole numbers the
    highest of the bits that a camera or scanner has (8, 10, 12, 14, 16; 15 beside a sign), of
    floating point 1, or else one of these, or else the largest itself. Black is 0, or the smallest
    number where some are negative.
    """
    if values.dtype.itemsize == 2 and values.dtype.kind == "u":
        bits = next(bits for bits in BITS if values.max() < 2**bits)
        return (values >> (bits - 8)).astype(np.uint8)
    levels = [2.0**bits - 1 for bits in BITS]
    if values.dtype.kind == "f":
        levels = [1.0, *levels]
    with np.errstate(invalid="ignore"):  # of a NaN that signals
        values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    black = min(0.0, values.min())
    if black < 0:
        levels = sorted([*levels, 2.0**15 - 1])
    largest = values.max()
    white = next((level for level in levels if largest <= level), largest)
    if white <= black:
        return np.zeros(values.shape, np.uint8)
    return np.rint((values - black) * (255 / (white - black))).astype(np.uint8)


def _scale(size: tuple[int, int], frame: Frame) -> float:
    ratios = frame.width / size[0], frame.height / size[1]
    return max(ratios) if frame.fit == "crop" else min(ratios)


def _fitted(
    image: Image.Image, size: tuple[int, int], frame: Frame, resampling: int, bars: int
) -> Image.Image:
    """Return a picture, whose file says `size`, in the frame's size and without transparency."""
    outer = frame.width, frame.height
    if image.size == outer:
        return _flat(image, frame.background)
    if frame.fit == "crop":
        box = _centre(image.size, size, frame)
        return _flat(image.resize(outer, resampling, box, 3), frame.background)
    scale = _scale(size, frame)
    width = min(frame.width, max(1, round(scale * size[0])))
    height = min(frame.height, max(1, round(scale * size[1])))
    fitted = _flat(image.resize((width, height), resampling, reducing_gap=3), frame.background)
    barred = Image.new(fitted.mode, outer, (bars,) * len(fitted.getbands()))
    barred.paste(fitted, ((frame.width - width) // 2, (frame.height - height) // 2))
    return barred


def _centre(
    drafted: tuple[int, int], size: tuple[int, int], frame: Frame
) -> tuple[float, float, float, float]:
    """Return the box (left, top, right, bottom) of a drafted picture that the frame shows."""
    scale = _scale(size, frame)
    sides = frame.width / scale, frame.height / scale
    corner = [(whole - side) / 2 for whole, side in zip(size, sides, strict=True)]
    if scale == 1:
        # A shift of half a pixel would blur what needs no scaling.
        corner = [math.floor(left) for left in corner]
    ends = [left + side for left, side in zip(corner, sides, strict=True)]
    shrunk = [now / whole for now, whole in zip(drafted, size, strict=True)]
    across, down = (
        [max(0, a * by), min(b * by, now)]
        for a, b, by, now in zip(corner, ends, shrunk, drafted, strict=True)
    )
    return across[0], down[0], across[1], down[1]


def _flat(image: Image.Image, background: int) -> Image.Image:
    """Lay a picture with transparency on the background."""
    if image.mode not in ("LA", "RGBA"):
        return image
    paper = Image.new("RGBA", image.size, (background,) * 3 + (255,))
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")
