"""Read masks: the class of each pixel, in the geometry of the pool's images."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.images.collection import Collection, Picture
from pt4al.images.decode import Frame, decode_mask, look
from pt4al.images.opening import BadPicture
from pt4al.images.parallel import in_order
from pt4al.masks import ignore, unknown_values

COMPARED = 1_000  # masks, with their pictures


def read_masks(
    collection: Collection, ids: pd.Series, frame: Frame, ignored: list[int]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (id, mask) for each of `ids` that has a mask: uint8 (height, width), class numbers.

    Parameters
    ----------
    ignored
        Values that stand for no class; they become 255.

    Raises
    ------
    InputError
        If a mask can't be decoded, has another shape than its picture, or holds a value that is no
        class and isn't to be ignored. Shapes are compared of some masks, at even intervals.
    """
    rows = np.flatnonzero(collection.masked & collection.index["id"].isin(ids).to_numpy())
    names = collection.index["id"].array[rows]
    if len(rows):
        compared = np.unique(np.linspace(0, len(rows) - 1, COMPARED).astype(int))
        _check_shapes(collection, rows[compared])
    classes = len(collection.classes)
    tasks = (
        (name, mask, frame, classes, ignored)
        for name, mask in zip(names, collection.masks(rows), strict=True)
    )
    yield from zip(names, in_order(_read, tasks), strict=True)


def _check_shapes(collection: Collection, rows: np.ndarray) -> None:
    """Raise InputError if a mask and its picture differ in shape: they would not lie on each other."""
    pairs = zip(collection.pictures(rows), collection.masks(rows), strict=True)
    for name, (picture, mask) in zip(collection.index["id"].array[rows], pairs, strict=True):
        try:
            tall, wide, _ = look(picture)
            height, width, _ = look(mask)
        except BadPicture:  # reported where it is decoded
            continue
        # A mask may be smaller: one side is then as the other says, but for its rounding.
        if min(abs(width - height * wide / tall), abs(height - width * tall / wide)) > 1:
            raise InputError(
                f"the mask of {name!r} has {width} x {height} pixels, its picture {wide} x {tall}: "
                "they need the same shape; was one of them turned, or cropped?"
            )


def _read(name: str, mask: Picture, frame: Frame, classes: int, ignored: list[int]) -> np.ndarray:
    try:
        pixels = decode_mask(mask, frame)
    except BadPicture as bad:
        raise InputError(f"the mask of {name!r} can't be decoded: {bad}") from bad
    unknown = unknown_values(pixels, classes, ignored)
    if len(unknown):
        raise InputError(
            f"the mask of {name!r} holds the value {unknown[0]}, but there are {classes} classes: "
            "list it in `pool.ignore`, or name its class in `pool.classes`"
        )
    return ignore(pixels, ignored)
