"""Benchmark `decoding`: pictures a second from files to a pool, beside a plain loop with Pillow."""

import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

import photos
from document import Section
from pt4al.images.building import Recipe, build
from pt4al.images.sources import SOURCES
from pt4al.training.precision import Hardware
from timing import Variant, interleaved, rate, ratio

SIZE, LARGE = 64, 1024  # pixels: of the pool's images; the longer side of the enlarged photos
RECIPE = Recipe(size=SIZE, fit="crop", channels=3, background=255, noise=0, bad_share=0)
TEXT = f"""
From class folders of JPEG files to a pool of {SIZE}x{SIZE} RGB images: photos of Caltech-101, at most 112 pixels a
side, and some of them enlarged to {LARGE} pixels and encoded again. *Ours* is the whole way, from listing the folders
to shards with index, digests and fingerprints, on {{cores}} cores. *Plain* is one thread that opens, turns upright,
converts to RGB, scales the shorter side, crops the centre and writes into an array on disk. What is gained has two
sources: the cores, and a decoder that is told the size that is needed, so that it decodes a large JPEG at a half, a
quarter or an eighth (`draft`). *Plain with draft* has the second without the first. Goal: 1.8 times plain on 2 cores.
"""


def measure(hardware: Hardware, quick: bool) -> Section:
    """Build pools of small and of large photos, several times."""
    repeats, small, large = (1, 24, 8) if quick else (5, 8677, 400)
    collection = photos.collection(quick)
    with tempfile.TemporaryDirectory() as folder:
        photos.write(collection, Path(folder, "small"), small)
        photos.write(collection, Path(folder, "large"), large, LARGE)
        rows = [
            _row("at most 112 pixels", Path(folder, "small"), repeats),
            _row(f"{LARGE} pixels", Path(folder, "large"), repeats),
        ]
    return Section("decoding", pd.DataFrame(rows), TEXT.format(cores=os.cpu_count()))


def _row(title: str, folder: Path, repeats: int) -> dict[str, str]:
    count = sum(1 for _ in folder.glob("*/*.jpg"))
    ways = {"ours": _ours, "plain": partial(_plain, draft=False), "draft": partial(_plain, draft=True)}
    rates = interleaved({name: Variant(partial(way, folder), count) for name, way in ways.items()}, repeats)
    return {
        "photos": title,
        "ours / plain": ratio(rates, "ours", "plain"),
        "ours / plain with draft": ratio(rates, "ours", "draft"),
        "ours, pictures/s": rate(rates, "ours"),
        "plain, pictures/s": rate(rates, "plain"),
        "plain with draft, pictures/s": rate(rates, "draft"),
        "measured": f"{repeats} rounds of {count:,} pictures",
    }


def _ours(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as pool:
        build(SOURCES["folders"](str(folder)), Path(pool), RECIPE)


def _plain(folder: Path, draft: bool) -> None:
    paths = sorted(folder.glob("*/*.jpg"))
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        shape = (len(paths), SIZE, SIZE, 3)
        array = np.lib.format.open_memmap(Path(made, "images.npy"), "w+", np.uint8, shape)
        for row, path in enumerate(paths):
            with Image.open(path) as image:
                array[row] = _square(image, draft)
        array.flush()


def _square(image: Image.Image, draft: bool) -> np.ndarray:
    if draft:
        image.draft("RGB", (2 * SIZE, 2 * SIZE))  # twice the size, as ours: finer than the JPEG's own shrinking
    whole = ImageOps.exif_transpose(image).convert("RGB")
    scale = SIZE / min(whole.size)
    width, height = (round(scale * side) for side in whole.size)
    left, top = (width - SIZE) // 2, (height - SIZE) // 2
    scaled = whole.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(scaled.crop((left, top, left + SIZE, top + SIZE)))
