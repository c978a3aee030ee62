"""Pictures as the files that they were: what a source holds of them, byte for byte."""

import io
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from PIL import Image

from pt4al.errors import InputError, counted
from pt4al.images.collection import Collection, Picture
from pt4al.images.opening import BadPicture, opened, size_upright

# Suffixes of a format, the usual one first.
SUFFIXES = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "MPO": (".jpg", ".jpeg"),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".j2k"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
}


def originals(collection: Collection, ids: pd.Series) -> Iterator[tuple[str, str, bytes]]:
    """Yield id, suffix and bytes of pictures' files, one after another, in the source's order.

    A picture that the source holds as pixels alone becomes a PNG file. The suffix is that of the
    id where it fits what the file is, else the usual one of its format.

    Raises
    ------
    InputError
        If an id is not in the source, at once, or a picture can't be read.
    """
    rows = _rows(collection, ids)
    names = collection.index["id"].to_numpy()[rows]
    return (_file(*both) for both in zip(names, collection.pictures(rows), strict=True))


def sizes(collection: Collection, ids: pd.Series) -> Iterator[tuple[str, int, int]]:
    """Yield id, width and height of pictures, upright; see `originals`."""
    rows = _rows(collection, ids)
    names = collection.index["id"].to_numpy()[rows]
    return (_size(*both) for both in zip(names, collection.pictures(rows), strict=True))


def _rows(collection: Collection, ids: pd.Series) -> np.ndarray:
    rows = pd.Index(collection.index["id"]).get_indexer(pd.Index(ids))
    gone = np.flatnonzero(rows < 0)
    if len(gone):
        raise InputError(
            f"{counted(len(gone), 'labelled image')} not in the source any more, the first is "
            f"{list(ids)[gone[0]]!r}: put them back, or export to a table"
        )
    return np.sort(rows)


def _file(image: str, picture: Picture) -> tuple[str, str, bytes]:
    try:
        if isinstance(picture, np.ndarray):
            encoded = io.BytesIO()
            Image.fromarray(picture).save(encoded, "PNG")
            return image, ".png", encoded.getvalue()
        content = picture() if callable(picture) else picture
        with opened(content) as image_file:
            suffixes = SUFFIXES[image_file.format]
    except (BadPicture, OSError) as error:
        raise InputError(f"picture {image!r} can't be read: {error}") from None
    own = PurePosixPath(image).suffix
    return image, own if own.lower() in suffixes else suffixes[0], content


def _size(image: str, picture: Picture) -> tuple[str, int, int]:
    try:
        with opened(picture) as image_file:
            return image, *size_upright(image_file)
    except BadPicture as error:
        raise InputError(f"picture {image!r} can't be read: {error}") from None
