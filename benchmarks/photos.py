"""Photos to measure with: Caltech-101, where it lies beside the project, or made-up ones to try things with."""

import io
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from configuration import ROOT
from document import Skipped
from pt4al.images.collection import Collection
from pt4al.images.sources import SOURCES

CALTECH101 = ROOT.parent / "shared" / "data" / "caltech101"
QUALITY = 90  # of JPEGs encoded again


def collection(quick: bool) -> Collection:
    """Return Caltech-101's 101 categories, or a few made-up pictures; Skipped where there are none."""
    return _made() if quick else _caltech101()


def _caltech101() -> Collection:
    if not CALTECH101.exists():
        raise Skipped("there is no Caltech-101 at ../shared/data/caltech101 from the project's root")
    return SOURCES["caltech101"](str(CALTECH101))


def _made(pictures: int = 24) -> Collection:
    """Noise in two classes."""
    rng = np.random.default_rng(0)
    labels = ["ant" if row % 2 else "bass" for row in range(pictures)]
    ids = [f"{label}/image_{row:04d}.jpg" for row, label in enumerate(labels)]
    index = pd.DataFrame({"id": ids, "source": ids, "split": None, "label": labels, "stamp": ""}, dtype="str")
    encoded = [_encoded(Image.fromarray(rng.integers(0, 256, (75, 100, 3), np.uint8))) for _ in ids]
    return Collection(index, ["ant", "bass"], lambda rows: (partial(encoded.__getitem__, row) for row in rows))


def write(collection: Collection, folder: Path, count: int, longer: int | None = None) -> None:
    """Write `count` of its pictures as class folders of JPEG files; enlarged to `longer` pixels, or as they are."""
    rows = np.unique(np.linspace(0, len(collection) - 1, count).astype(int))
    for name, picture in zip(collection.index["id"].iloc[rows], collection.pictures(rows), strict=True):
        encoded = picture() if longer is None else _enlarged(picture(), longer)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded)


def _enlarged(encoded: bytes, longer: int) -> bytes:
    with Image.open(io.BytesIO(encoded)) as image:
        size = [round(side * longer / max(image.size)) for side in image.size]
        return _encoded(image.resize(size, Image.Resampling.BICUBIC))


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=QUALITY)
    return buffer.getvalue()
