"""The pools that are measured: the one that ships, and random bytes of any size."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from configuration import ROOT
from pt4al.images import pool as images
from pt4al.images.pool import ImagePool, open_pool
from pt4al.images.sources import SOURCES
from pt4al.parameters import Pool
from pt4al.training.tasks import classification

SHAPE = (3, 64, 64)  # of the random pool's images
ID = "pictures/{:09d}.png"


def shipped(settings: Pool, folder: Path) -> tuple[ImagePool, torch.Tensor]:
    """Build the training split in `folder`; return it and its labels as numbers."""
    collection = SOURCES[settings.source.kind](ROOT / settings.source.path, "train")
    images.build(collection, folder, settings.channels, settings.noise, np.random.default_rng(0))
    return open_pool(folder), classification.targets(collection.labels["label"], collection.classes)


def random_bytes(gigabytes: float, folder: Path) -> int:
    """Write a pool of random RGB images as `images.pool.build` lays one out; return how many images it has.

    Straight into the files, since building it from pictures would take minutes. The digest is left out.
    """
    count, rng = round(gigabytes * 1e9 / np.prod(SHAPE)), np.random.default_rng(0)
    folder.mkdir(parents=True)
    array = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, *SHAPE))
    for rows in _chunks(count):
        array[rows] = np.frombuffer(rng.bytes(len(array[rows]) * array[0].size), np.uint8).reshape(-1, *SHAPE)
    array.flush()
    ids = [ID.format(row) for row in range(count)]
    pd.DataFrame({"id": ids, "source": "random bytes", "split": "train"}).to_parquet(
        folder / "index.parquet", index=False
    )
    facts = {"shape": list(array.shape), "sha256": "", "mean": [127.5] * 3, "std": [73.9] * 3}
    (folder / "pool.json").write_text(json.dumps(facts))
    return count


def _chunks(count: int, size: int = 4096) -> Iterator[slice]:
    return (slice(first, min(first + size, count)) for first in range(0, count, size))
