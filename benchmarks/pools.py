"""The pools that are measured: the one that ships, and random bytes of any size."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from configuration import ROOT
from pt4al.images.building import build
from pt4al.images.decode import Frame
from pt4al.images.pixels import PixelWriter
from pt4al.images.pool import ImagePool, open_pool
from pt4al.images.sources import SOURCES
from pt4al.images.splits import divide
from pt4al.project.configuration.parameters import Pool
from pt4al.training.tasks import classification

FRAME = Frame(channels=3, height=64, width=64)
SHAPE = (3, 64, 64)  # of its images
CHUNK = 4096  # images held in memory


def shipped(
    settings: Pool, folder: Path, limit: int | None = None, split: str = "train"
) -> tuple[ImagePool, torch.Tensor]:
    """Build the pool, or the test split, in `folder`, of `limit` images; return it and its labels as numbers."""
    collection = SOURCES[settings.source.kind](str(ROOT / settings.source.path))
    pictures = divide(collection, settings.test)[split].sample(limit or getattr(settings.limit, split))
    build(pictures, folder, settings)
    return open_pool(folder), classification.targets(pictures.labels["label"], pictures.classes)


def made(count: int, shape: tuple[int, int, int]) -> tuple[ImagePool, torch.Tensor]:
    """Return a pool of random images in memory, and as random labels of ten classes."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, *shape), np.uint8)
    index = pd.DataFrame({"id": [f"image {row}" for row in range(count)]})
    pool = ImagePool(images, index, [127.5] * shape[0], [73.9] * shape[0], "made")
    return pool, torch.from_numpy(rng.integers(0, 10, count))


def random_bytes(gigabytes: float, folder: Path) -> int:
    """Write a pool of random RGB images; return how many it has. Building it from pictures would take minutes."""
    count, rng = round(gigabytes * 1e9 / np.prod(SHAPE)), np.random.default_rng(0)
    sizes = (min(CHUNK, count - first) for first in range(0, count, CHUNK))
    write(folder, count, (rng.integers(0, 256, (size, *SHAPE), np.uint8) for size in sizes))
    return count


def write(folder: Path, count: int, chunks: Iterator[np.ndarray]) -> None:
    """Write `count` images (N, 3, 64, 64) that are there already as `building.build` lays out those that it decodes."""
    folder.mkdir(parents=True)
    facts = {"source": "made", "split": "train", "stamp": ""}
    index = pd.DataFrame({"id": [f"pictures/{row:09d}.png" for row in range(count)], **facts})
    first = 0
    with PixelWriter(folder, {"frame": asdict(FRAME), "shape": list(SHAPE), "noise": 0}, [], index) as writer:
        for images in chunks:
            rows = np.arange(first, first + len(images))
            writer.add(rows, images, digest=[""] * len(rows), hash=np.zeros(len(rows), np.uint64))
            first += len(images)
        writer.finish(signature="")
