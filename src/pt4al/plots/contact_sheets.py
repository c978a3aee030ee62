"""Show images in rows, each above its caption."""

import math
from textwrap import wrap

import numpy as np
from matplotlib.figure import Figure

from pt4al.plots.style import DPI, INK, pixel_axes


def contact_sheet(
    images: np.ndarray, captions: list[str], columns: int = 10, title: str = ""
) -> Figure:
    """Show images in rows, each above its caption.

    Parameters
    ----------
    images
        uint8 (N, C, H, W), gray or RGB. Their pixels are enlarged by a whole number;
        of images above 160 pixels every second, third ... pixel is shown.
    captions
        One an image, of one or more lines; a long line is wrapped once, then cut.

    Returns
    -------
    A figure with one image of the size of `png(figure)` in pixels, and the captions as texts.

    Raises
    ------
    ValueError
        If there are not as many captions as images, or neither 1 nor 3 channels.
    """
    if len(images) != len(captions):
        raise ValueError(f"{len(captions)} captions for {len(images)} images")
    if images.shape[1] not in (1, 3):
        raise ValueError(
            f"images of shape {images.shape} have {images.shape[1]} channels: 1 or 3 can be shown"
        )
    step = math.ceil(max(images.shape[2:]) / 160)
    images = images[:, :, ::step, ::step]
    scale = max(1, round(140 / max(images.shape[2:])))
    text = 17  # pixels, as the gap
    gap = 12
    captions = [_wrap(caption, int(scale * images.shape[3] / (0.6 * text))) for caption in captions]
    lines = max((caption.count("\n") + 1 for caption in captions), default=1)
    strip = lines * int(1.25 * text) + gap + 8
    canvas, corners = tile(images, columns, scale, gap, strip, header=48 if title else gap)
    axes = pixel_axes(canvas)
    points = 72 / DPI
    for (x, y), caption in zip(corners, captions, strict=True):
        left = x + scale * images.shape[3] / 2
        below = y + scale * images.shape[2] + 5
        axes.text(left, below, caption, fontsize=text * points, color=INK, ha="center", va="top")
    axes.text(gap, 24, title, fontsize=22 * points, color=INK, weight="bold", va="center")
    return axes.figure


def _wrap(caption: str, width: int) -> str:
    """Break each line of a caption once, at `width` characters; cut what doesn't fit then."""
    lines = []
    for line in caption.splitlines():
        first, *rest = wrap(line, max(4, width), break_on_hyphens=False) or [""]
        second = [rest[0][: max(3, width - 1)] + "…"] if len(rest) > 1 else rest
        lines += [first, *second]
    return "\n".join(lines)


def tile(
    images: np.ndarray, columns: int, scale: int, gap: int, strip: int, header: int
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Return images (N, C, H, W) on one canvas (height, width, 3), and their corners (x, y)."""
    count, _, height, width = images.shape
    down = scale * height + strip
    across = scale * width + gap
    rows = max(1, math.ceil(count / columns))
    canvas = np.full((header + rows * down, gap + columns * across, 3), 255, np.uint8)
    corners = [(gap + i % columns * across, header + i // columns * down) for i in range(count)]
    for (x, y), image in zip(corners, images, strict=True):
        large = image.transpose(1, 2, 0).repeat(scale, axis=0).repeat(scale, axis=1)
        canvas[y : y + scale * height, x : x + scale * width] = large
    return canvas, corners
