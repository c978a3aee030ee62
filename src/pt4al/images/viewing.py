"""Pictures for people: upright, no larger than a screen, in a format that browsers know."""

import io

from PIL import Image

from pt4al.images.collection import Picture
from pt4al.images.opening import opened, upright

LARGEST = 1600  # pixels a side
EXACT = 256  # pixels a side up to which nothing is lost by compression


def viewable(picture: Picture, exact: bool = False) -> bytes:
    """Return a picture as a PNG file if it is small or must be exact, else as JPEG.

    Raises
    ------
    BadPicture
        If it can't be decoded.
    """
    with opened(picture) as image:
        plain = upright(image)
        if plain.mode not in ("L", "RGB"):
            paper = Image.new("RGBA", plain.size, "white")
            plain = Image.alpha_composite(paper, plain.convert("RGBA")).convert("RGB")
        if not exact:
            plain.thumbnail((LARGEST, LARGEST))
        encoded = io.BytesIO()
        plain.save(encoded, "PNG" if exact or max(plain.size) <= EXACT else "JPEG", quality=90)
    return encoded.getvalue()
