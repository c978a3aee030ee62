"""Draw a map of the pool as one small picture, for pages without scripts and for print."""

import io

import numpy as np
from PIL import Image

WIDTH = 720  # pixels
LEAST_HEIGHT = 240
MARGIN = 8  # pixels
BLOCK = 3  # pixels of a square whose shade says how many images lie in it
RADIUS = 4  # pixels of a dot that stands out
GREY = (125, 133, 144)
FAINTEST = 70  # opacity of a square with one image, of 255


def map_preview(points: np.ndarray, colours: np.ndarray) -> bytes:
    """Return a map as a PNG file without ground, for light and dark paper.

    Parameters
    ----------
    points
        (N, 2) uint16, as of `statistics.pool_map`.
    colours
        (N, 3) uint8, of the dots that stand out; 0 0 0 for those that are grey alone.
    """
    low = points.min(0).astype(float)
    span = np.maximum(points.max(0) - low, 1)
    inner = WIDTH - 2 * MARGIN
    scale = inner / span.max()
    height = max(LEAST_HEIGHT, round(span[1] * scale) + 2 * MARGIN)
    x = MARGIN + (points[:, 0] - low[0]) * scale + (inner - span[0] * scale) / 2
    y = (height + span[1] * scale) / 2 - (points[:, 1] - low[1]) * scale
    places = np.stack([y, x], 1)
    pixels = _shades(places, height)
    stands_out = np.flatnonzero(colours.any(1))
    _dots(pixels, places[stands_out], colours[stands_out])
    file = io.BytesIO()
    Image.fromarray(pixels).quantize(128).save(file, "PNG", optimize=True)
    return file.getvalue()


def _shades(places: np.ndarray, height: int) -> np.ndarray:
    """Return grey squares, the more opaque the more images lie in them: (height, WIDTH, 4) uint8."""
    lines = -(-height // BLOCK)
    columns = -(-WIDTH // BLOCK)
    squares = (places // BLOCK).astype(np.int64)
    numbers = np.bincount(squares[:, 0] * columns + squares[:, 1], minlength=lines * columns)
    strength = np.log1p(numbers) / np.log1p(max(1, numbers.max()))
    opacity = np.where(numbers > 0, FAINTEST + (255 - FAINTEST) * strength, 0).astype(np.uint8)
    small = np.empty((lines, columns, 4), np.uint8)
    small[..., :3] = GREY
    small[..., 3] = opacity.reshape(lines, columns)
    return np.repeat(np.repeat(small, BLOCK, 0), BLOCK, 1)[:height, :WIDTH].copy()


def _dots(pixels: np.ndarray, places: np.ndarray, colours: np.ndarray) -> None:
    """Draw round dots, the last ones on top."""
    height, width = pixels.shape[:2]
    centres = np.rint(places).astype(np.int64)
    for down in range(-RADIUS, RADIUS + 1):
        for right in range(-RADIUS, RADIUS + 1):
            if down**2 + right**2 <= RADIUS**2:
                lines = np.clip(centres[:, 0] + down, 0, height - 1)
                columns = np.clip(centres[:, 1] + right, 0, width - 1)
                pixels[lines, columns, :3] = colours
                pixels[lines, columns, 3] = 255
