"""Show images in rows that wrap, each above its caption, as a part of a page."""

from collections.abc import Sequence
from html import escape

import numpy as np

from pt4al.plots.thumbnails import SHOWN, shown_scale, thumbnail

# Part of each sheet, so that it looks alike in a notebook, whose style sheet is another one.
FIGURE = '<figure style="margin: 0; min-width: 0">'
CAPTION = (
    '<figcaption style="font-size: .75rem; line-height: 1.3; overflow-wrap: anywhere; '
    'margin-top: .2rem; color: var(--ink)">'
)
GAP = "gap: .75rem .6rem"


def contact_sheet(images: np.ndarray, captions: Sequence[str], title: str = "") -> bytes:
    """Show images in rows, each above its caption.

    Parameters
    ----------
    images
        uint8 (N, C, H, W), gray or RGB. Small ones are enlarged by a whole number, large ones
        reduced.
    captions
        One an image, of one or more lines.
    title
        A line above them.

    Returns
    -------
    A part of an HTML page, in ASCII, whose captions can be selected.

    Raises
    ------
    ValueError
        If there are not as many captions as images, or neither 1 nor 3 channels.
    """
    if len(images) != len(captions):
        raise ValueError(f"{len(captions)} captions for {len(images)} images")
    figures = [
        captioned(thumbnail(image, caption.replace("\n", ", ") or "without a name"), caption)
        for image, caption in zip(images, captions, strict=True)
    ]
    return sheet(figures, column_width(images), title)


def captioned(pictures: str, caption: str) -> str:
    """Return pictures above a caption, of one or more lines, as an HTML element."""
    first, *rest = [escape(line) for line in caption.splitlines()] or [""]
    more = f'<br><span style="color: var(--soft)">{"<br>".join(rest)}</span>' if rest else ""
    return f"{FIGURE}{pictures}{CAPTION}{first}{more}</figcaption></figure>"


def sheet(figures: Sequence[str], width: str, title: str = "") -> bytes:
    """Return HTML elements in columns of a width (of CSS), below a title, as one element."""
    columns = f"display: grid; grid-template-columns: repeat(auto-fill, {width}); "
    columns += f"justify-content: space-between; {GAP}"
    above = f'<p style="margin: 0 0 .6rem">{escape(title)}</p>' if title else ""
    whole = f'<div>{above}<div style="{columns}">{"".join(figures)}</div></div>'
    return whole.encode("ascii", "xmlcharrefreplace")


def column_width(images: np.ndarray, shown: int = SHOWN, beside: int = 1) -> str:
    """Return the width (of CSS) that columns take of images (N, C, H, W), so many beside another."""
    side = max(*images.shape[2:], 1)
    return f"{round(beside * shown_scale(side, shown) * images.shape[3]) + 4 * (beside - 1)}px"


def differing(values: Sequence[float], fewest: int = 2, most: int = 6) -> list[str]:
    """Return numbers with as few significant digits as tell them apart, if so many can."""
    for digits in range(fewest, most + 1):
        texts = [f"{value:#.{digits}g}" for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts
