"""Show pictures that occur more than once, each beside the one it repeats."""

import numpy as np

from pt4al.plots.contact_sheets import captioned, column_width, sheet
from pt4al.plots.thumbnails import thumbnail


def pairs(images: np.ndarray, duplicates: list[dict]) -> bytes:
    """Show pairs of images as a part of an HTML page.

    Parameters
    ----------
    images
        uint8 (2 N, C, H, W): of each pair the picture, then the other one.
    duplicates
        N dicts with `id`, `other`, `split`, `other_split`.
    """
    figures = []
    for one, other, pair in zip(images[::2], images[1::2], duplicates, strict=True):
        both = thumbnail(one, pair["id"]) + thumbnail(other, pair["other"])
        names = f"{pair['id']} ({pair['split']})\n{pair['other']} ({pair['other_split']})"
        figures.append(captioned(f'<div style="display: flex; gap: 4px">{both}</div>', names))
    return sheet(figures, column_width(images, beside=2))
