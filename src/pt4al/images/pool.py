"""The pool: every picture decoded once, then a row of a memory-mapped shard of uint8."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from pt4al.files.storage import keeper
from pt4al.images.decode import Frame
from pt4al.images.folder import Folder
from pt4al.images.index import Files, Table
from pt4al.images.mapped import Mapped, reopened

FACTS = {"frame", "shape", "signature", "mean", "std", "sha256", "shards"}  # in a manifest


class ImagePool(Mapped):
    """Images in one fixed order, each with a stable id.

    Attributes
    ----------
    shards
        uint8 arrays (rows, channels, height, width), memory-mapped, read only; one after the other.
    index
        One row an image: `id`, `source`, `split`, all text.
    mean, std
        Of the pixels, one number a channel, in grey levels.
    sha256
        SHA-256 of the bytes of all images.
    folder
        Where `building.build` wrote the pool; None for images in memory.
    """

    what = "images"
    called = "pool"

    def __init__(
        self,
        images: np.ndarray | Sequence[np.ndarray],
        index: pd.DataFrame | Files | Table,
        mean: list[float],
        std: list[float],
        sha256: str,
        folder: Path | None = None,
    ):
        super().__init__(images, index, sha256, folder)
        self.mean = mean
        self.std = std

    def __reduce_ex__(self, protocol: int) -> Any:
        # Another process opens the folder: its bytes need not travel.
        if self.folder is None:
            return super().__reduce_ex__(protocol)
        return reopened, (open_pool, self.folder, self.sha256, keeper(self.folder))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width of every image."""
        return super().shape

    @property
    def problems(self) -> pd.DataFrame:
        """Pictures of the source that could not be decoded: `id`, `source`, `reason`."""
        return _on_disk(self.folder).whole("problems.parquet", pd.read_parquet)

    @property
    def fingerprints(self) -> pd.DataFrame:
        """`id`, `split`, `digest` (equal for equal images), `hash` (perceptual), in pool order."""
        return _on_disk(self.folder).table(["id", "split", "digest", "hash"])

    @property
    def frame(self) -> Frame:
        """The frame that pictures were fitted into."""
        return Frame(**_on_disk(self.folder).manifest["frame"])

    @property
    def signature(self) -> str:
        """Signature of the source when the pool was built: see `building.signature`."""
        return _on_disk(self.folder).manifest["signature"]

    def gather(self, rows: np.ndarray) -> torch.Tensor:
        """Return images as a uint8 tensor (len(rows), channels, height, width)."""
        return torch.from_numpy(self.read(rows))

    def verify(self) -> None:
        """Raise InputError if the images are not the bytes that were built."""
        self._verify(_on_disk(self.folder).manifest["shards"])


def open_pool(folder: Path) -> ImagePool:
    """Open a pool that `building.build` wrote; nothing is read but its manifest."""
    files = _on_disk(folder)
    facts = files.manifest
    maps = files.maps("|u1")
    return ImagePool(maps, files.index(), facts["mean"], facts["std"], facts["sha256"], folder)


def _on_disk(folder: Path) -> Folder:
    return Folder(folder, "pool.json", FACTS, "decodes the pictures again")
