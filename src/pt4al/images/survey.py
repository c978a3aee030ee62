"""Infer the frame of a pool's images from its pictures, where settings leave it open."""

from collections import Counter

import numpy as np

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.decode import Frame, look
from pt4al.images.opening import BadPicture

LOOKED_AT = 200  # pictures
NEARLY_ALL = 0.95  # of them, that must share a size: a few others shall not decide
LARGEST_KEPT = 256  # pixels: pictures that share a size up to this keep it
USUAL = 64  # pixels, height and width of the images of all other pictures


def infer_frame(
    collection: Collection,
    size: str | int | list[int],
    channels: str | int,
    fit: str,
    background: int,
) -> Frame:
    """Return the frame of a pool; `auto` is inferred from some pictures, at even intervals.

    Raises
    ------
    InputError
        If something is `auto` and none of those pictures can be read.
    """
    if size == "auto":
        height, width = USUAL, USUAL
    else:
        height, width = (size, size) if isinstance(size, int) else size
    if "auto" in (size, channels):
        seen = _seen(collection)
        usual, share = _usual(seen)
        if size == "auto" and share >= NEARLY_ALL and max(usual) <= LARGEST_KEPT:
            height, width = usual
        if channels == "auto":
            channels = 1 if all(grey for *_, grey in seen) else 3
    return Frame(int(channels), height, width, fit, background)


def explain(collection: Collection, size: str | int | list[int]) -> str:
    """Say in a sentence why a pool's images have their size."""
    if size != "auto":
        return "`pool.size` says so."
    seen = _seen(collection)
    (height, width), share = _usual(seen)
    looked = f"{round(share * len(seen)):,} of {len(seen):,} pictures looked at"
    if share < NEARLY_ALL:
        return (
            f"Pictures have many sizes ({width} x {height} is that of {looked}); "
            f"`pool.size: auto` then makes images of {USUAL} x {USUAL}."
        )
    if max(height, width) > LARGEST_KEPT:
        return (
            f"{looked} have {width} x {height} pixels; of pictures larger than {LARGEST_KEPT} "
            f"pixels `pool.size: auto` makes images of {USUAL} x {USUAL}."
        )
    return f"{looked} have {width} x {height} pixels, which `pool.size: auto` keeps."


def _usual(seen: list[tuple[int, int, bool]]) -> tuple[tuple[int, int], float]:
    """Return the height and width that most pictures share, and their share."""
    (size, count), *_ = Counter((tall, wide) for tall, wide, _ in seen).most_common(1)
    return size, count / len(seen)


def _seen(collection: Collection) -> list[tuple[int, int, bool]]:
    number = min(LOOKED_AT, len(collection))
    rows = np.unique(np.linspace(0, len(collection) - 1, number).astype(int))
    seen = []
    reasons = []
    for picture in collection.pictures(rows):
        try:
            seen.append(look(picture))
        except BadPicture as bad:
            reasons.append(str(bad))
    if not seen:
        first = collection.index.iloc[0]
        raise InputError(
            f"none of {len(rows)} pictures looked at can be read; "
            f"the first, {first.source}: {reasons[0]}"
        )
    return seen
