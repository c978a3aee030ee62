"""Shards of a pool: its images, and the sums for their mean and standard deviation."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pt4al.images.shards import Kind, Writer

SHARD = 256 * 2**20  # bytes
PIXELS = Kind(
    "pool.json",
    "|u1",
    frozenset({"frame", "shape", "noise", "shards"}),
    frozenset({"file", "rows", "sha256", "sum", "squares"}),
    frozenset({"problems"}),
)


def room(shape: list[int]) -> int:
    """Return how many images of a shape (channels, height, width) fill a shard."""
    return max(1, -(-SHARD // int(np.prod(shape))))


class PixelWriter(Writer):
    """Writes the shards of a pool's images (N, channels, height, width), uint8."""

    def __init__(
        self, folder: Path, plan: dict[str, Any], shards: list[dict[str, Any]], index: pd.DataFrame
    ):
        super().__init__(folder, PIXELS, plan, shards, index, room(plan["shape"]))

    def _open(self) -> None:
        channels = self._plan["shape"][0]
        self._sum = np.zeros(channels, np.uint64)
        self._squares = np.zeros(channels, np.uint64)
        super()._open()

    def _count(self, array: np.ndarray) -> None:
        self._sum += array.sum((0, 2, 3), dtype=np.uint64)
        self._squares += np.square(array, dtype=np.uint16).sum((0, 2, 3), dtype=np.uint64)

    def _facts(self) -> dict[str, Any]:
        return {**super()._facts(), "sum": self._sum.tolist(), "squares": self._squares.tolist()}

    def _whole(self) -> dict[str, Any]:
        channels, height, width = self._plan["shape"]
        rows = sum(shard["rows"] for shard in self._shards)
        count = max(1, rows * height * width)
        total = np.sum([shard["sum"] for shard in self._shards] or [[0] * channels], axis=0)
        squares = np.sum([shard["squares"] for shard in self._shards] or [[0] * channels], axis=0)
        mean = total / count
        # At least 1: images without contrast are divided by it too.
        std = np.sqrt(np.maximum(squares / count - mean**2, 1.0))
        return {"images": rows, "mean": mean.tolist(), "std": std.tolist(), **super()._whole()}
