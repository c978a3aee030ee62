"""Show pictures that occur more than once, each beside the one it repeats."""

import numpy as np
from matplotlib.figure import Figure

from pt4al.plots.contact_sheets import contact_sheet

SIDES = (("id", "split"), ("other", "other_split"))


def pairs(images: np.ndarray, duplicates: list[dict]) -> Figure:
    """Draw pairs of images, three pairs a row.

    Parameters
    ----------
    images
        uint8 (2 N, C, H, W): of each pair the picture, then the other one.
    duplicates
        N dicts with `id`, `other`, `split`, `other_split`.
    """
    captions = [f"{pair[name]}\n{pair[split]}" for pair in duplicates for name, split in SIDES]
    return contact_sheet(images, captions, columns=6)
