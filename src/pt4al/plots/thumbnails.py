"""Write images as small files within a page."""

import base64
import io
import math
from html import escape

import numpy as np
from PIL import Image

SHOWN = 96  # pixels of a page, about, that an image's longer side takes
PIXELATED = 48  # images up to this size are shown pixel by pixel
KEPT = 4 / 3  # pixels kept of a larger image, for each pixel of the page
ALWAYS_PNG = 3000  # bytes: what is smaller gains nothing from JPEG
QUALITY = 82


def thumbnail(image: np.ndarray, about: str, shown: int = SHOWN, exact: bool = False) -> str:
    """Return an image as an HTML element.

    Parameters
    ----------
    image
        uint8 (C, H, W), gray or RGB.
    about
        What it is, for those who don't see it.
    shown
        Pixels of a page, about, that its longer side takes.
    exact
        Whether each pixel is kept as it is: of a mask, say.

    Raises
    ------
    ValueError
        If it has neither 1 nor 3 channels.
    """
    if len(image) not in (1, 3):
        raise ValueError(
            f"images of shape {image.shape} have {len(image)} channels: 1 or 3 can be shown"
        )
    height, width = image.shape[1:]
    side = max(height, width)
    scale = shown_scale(side, shown)
    look = "image-rendering: pixelated; " if exact or side <= PIXELATED else ""
    return (
        f'<img src="{_address(image, round(KEPT * shown), exact)}" alt="{escape(about)}" '
        f'width="{max(1, round(scale * width))}" height="{max(1, round(scale * height))}" '
        f'style="{look}display: block; max-width: 100%; height: auto">'
    )


def shown_scale(side: int, shown: int = SHOWN) -> float:
    """Return by how much an image is enlarged: by a whole number where single pixels are seen."""
    scale = shown / side
    return max(1, math.floor(scale)) if side <= PIXELATED else scale


def _address(image: np.ndarray, largest: int, exact: bool) -> str:
    """Return a data URI: PNG, or JPEG where that is much smaller and it need not be exact."""
    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if max(picture.size) > largest and not exact:
        picture.thumbnail((largest, largest), Image.Resampling.BOX)
    file = _file(picture, "PNG")
    kind = "png"
    if len(file) > ALWAYS_PNG and not exact:
        file = _file(picture, "JPEG", quality=QUALITY)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(file).decode()}"


def _file(picture: Image.Image, form: str, **options: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()
