"""Decide what the images of a pool look like, where the person left it open."""

import numpy as np

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.decode import BadPicture, Frame, look

LOOKED_AT = 200  # pictures
LARGEST_KEPT = 256  # pixels: pictures that share a size up to this keep it
USUAL = 64  # pixels, height and width of the images of all other pictures


def survey(
    collection: Collection, size: str | int | list[int], channels: str | int, fit: str, background: int
) -> Frame:
    """Return the frame of a pool; `auto` is decided by some of the pictures, at even intervals.

    Raises
    ------
    InputError
        If something is `auto` and none of those pictures can be read.
    """
    height, width = (size, size) if isinstance(size, int) else size if size != "auto" else (USUAL, USUAL)
    if "auto" in (size, channels):
        seen = _seen(collection)
        sizes = {(tall, wide) for tall, wide, _ in seen}
        if size == "auto" and len(sizes) == 1 and max(seen[0][:2]) <= LARGEST_KEPT:
            height, width = sizes.pop()
        if channels == "auto":
            channels = 1 if all(grey for *_, grey in seen) else 3
    return Frame(int(channels), height, width, fit, background)


def _seen(collection: Collection) -> list[tuple[int, int, bool]]:
    rows = np.unique(np.linspace(0, len(collection) - 1, min(LOOKED_AT, len(collection))).astype(int))
    seen, reasons = [], []
    for picture in collection.pictures(rows):
        try:
            seen.append(look(picture))
        except BadPicture as bad:
            reasons.append(str(bad))
    if not seen:
        first = collection.index.iloc[0]
        raise InputError(f"none of {len(rows)} pictures looked at can be read; the first, {first.source}: {reasons[0]}")
    return seen
