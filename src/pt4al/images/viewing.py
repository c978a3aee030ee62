"""Pictures for people to look at: upright, no larger than a screen, in a format that browsers know."""

import io

from PIL import Image

from pt4al.images.collection import Picture
from pt4al.images.opening import opened, upright

LARGEST = 1600  # pixels a side
EXACT = 256  # pixels a side up to which nothing is lost by compression


def viewable(picture: Picture, exact: bool = False) -> bytes:
    """Return a picture as a PNG file if it is small or must be exact, pixel for pixel; else as JPEG.

    Raises
    ------
    BadPicture
        If it can't be decoded.
    """
    with opened(picture) as image:
        turned = upright(image)
        plain = turned if turned.mode in ("L", "RGB") else turned.convert("RGBA")
        if plain.mode == "RGBA":
            plain = Image.alpha_composite(Image.new("RGBA", plain.size, "white"), plain).convert(
                "RGB"
            )
        if not exact:
            plain.thumbnail((LARGEST, LARGEST))
        encoded = io.BytesIO()
        plain.save(encoded, "PNG" if exact or max(plain.size) <= EXACT else "JPEG", quality=90)
    return encoded.getvalue()
