"""Real photos to measure with: Caltech-101, where it lies beside the project."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from configuration import ROOT
from document import Skipped
from pt4al.images.collection import Collection
from pt4al.images.sources import SOURCES

CALTECH101 = ROOT.parent / "shared" / "data" / "caltech101"
QUALITY = 90  # of JPEGs encoded again


def caltech101() -> Collection:
    """Return Caltech-101's 101 categories; Skipped where they are not."""
    if not CALTECH101.exists():
        raise Skipped("there is no Caltech-101 at ../shared/data/caltech101 from the project's root")
    return SOURCES["caltech101"](str(CALTECH101))


def write(collection: Collection, folder: Path, count: int, longer: int | None = None) -> None:
    """Write `count` of its pictures as class folders of JPEG files; enlarged to `longer` pixels, or as they are."""
    rows = np.unique(np.linspace(0, len(collection) - 1, count).astype(int))
    for name, picture in zip(collection.index["id"].iloc[rows], collection.pictures(rows), strict=True):
        encoded = picture() if longer is None else _enlarged(picture(), longer)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded)


def _enlarged(encoded: bytes, longer: int) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(encoded)) as image:
        size = [round(side * longer / max(image.size)) for side in image.size]
        image.resize(size, Image.Resampling.BICUBIC).save(buffer, format="JPEG", quality=QUALITY)
    return buffer.getvalue()
