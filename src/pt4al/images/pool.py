"""The pool: every picture decoded once, then a row of memory-mapped shards of uint8."""

import hashlib
import json
import mmap
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from pt4al import digests
from pt4al.errors import InputError
from pt4al.images.decode import Frame

RESIDENT = 256 * 2**20  # bytes read through the maps before their pages are given back
MAPPED = 64 * 2**10  # bytes that reading one row can map
BLOCK = 2**24  # bytes read at once
FACTS = {"frame", "shape", "signature", "mean", "std", "sha256", "shards"}  # of a manifest
SHARD_FACTS = {"file", "rows", "sha256"}


class ImagePool:
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
        Of the bytes of all images.
    folder
        Where `building.build` wrote it; None for images in memory.
    """

    def __init__(
        self,
        images: np.ndarray | list[np.ndarray],
        index: pd.DataFrame,
        mean: list[float],
        std: list[float],
        sha256: str,
        folder: Path | None = None,
    ):
        self.shards = [images] if isinstance(images, np.ndarray) else images
        self.index, self.mean, self.std, self.sha256, self.folder = index, mean, std, sha256, folder
        self._ends = np.cumsum([len(shard) for shard in self.shards])
        self._rows = pd.Index(index["id"])
        self._read = 0

    def __len__(self) -> int:
        return int(self._ends[-1])

    @property
    def ids(self) -> pd.Series:
        return self.index["id"]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width of every image."""
        return self.shards[0].shape[1:]

    @property
    def problems(self) -> pd.DataFrame:
        """Pictures of the source that could not be decoded: `id`, `source`, `reason`."""
        return _whole(self.folder / "problems.parquet", pd.read_parquet)

    @property
    def fingerprints(self) -> pd.DataFrame:
        """`id`, `split`, `digest` (equal for equal images), `hash` (of what they look like), in pool order."""
        return _index(self.folder, ["id", "split", "digest", "hash"])

    @property
    def frame(self) -> Frame:
        """How pictures were fitted."""
        return Frame(**_manifest(self.folder)["frame"])

    @property
    def signature(self) -> str:
        """Of what the source held when the pool was built: see `building.signature`."""
        return _manifest(self.folder)["signature"]

    def rows(self, ids: pd.Series) -> np.ndarray:
        """Return the row numbers of ids."""
        rows = self._rows.get_indexer(ids)
        if (rows < 0).any():
            raise InputError(f"id {list(ids)[int(np.argmax(rows < 0))]!r} is not in the pool of {len(self)} images")
        return rows

    def gather(self, rows: np.ndarray) -> torch.Tensor:
        """Return images as a uint8 tensor (len(rows), channels, height, width).

        Pages of the maps count as this process's memory until they are given back, which
        costs next to nothing: so that memory does not grow with the pool, that is done every
        256 MiB. A row counts for the 64 KiB that Linux maps around it.
        """
        gathered = torch.from_numpy(self._gathered(rows))
        self._read += max(gathered.nbytes, MAPPED * len(rows))
        if self._read > RESIDENT:
            for shard in self.shards:
                _give_back(shard)
            self._read = 0
        return gathered

    def verify(self) -> None:
        """Raise InputError if the images are not the bytes that were built."""
        shards = _manifest(self.folder)["shards"]
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            found = threads.map(_digest, self.shards if shards else [])
        for shard, digest in zip(shards, found, strict=True):
            if digest != shard["sha256"]:
                raise InputError(
                    f"{self.folder / shard['file']}: the pool's bytes have changed since it was built "
                    f"(sha256 {digest[:12]}, was {shard['sha256'][:12]}): remove {self.folder} and run again"
                )

    def _gathered(self, rows: np.ndarray) -> np.ndarray:
        if len(self.shards) == 1:
            return self.shards[0][rows]
        images = np.empty((len(rows), *self.shape), np.uint8)
        where = np.searchsorted(self._ends, rows, side="right")
        for number in np.unique(where):
            positions = np.flatnonzero(where == number)
            shard = self.shards[number]
            images[positions] = shard[rows[positions] - (self._ends[number] - len(shard))]
        return images


def open_pool(folder: Path) -> ImagePool:
    """Open a pool that `building.build` wrote; nothing is read but its index."""
    facts = _manifest(folder)
    shards = [_whole(folder / shard["file"], _mapped) for shard in facts["shards"]]
    for shard, images in zip(facts["shards"], shards, strict=True):
        told = (shard["rows"], *facts["shape"])
        if images.shape != told:
            why = f"it holds {images.shape}, pool.json says {told}"
            raise digests.Damaged(folder / shard["file"], why, _way_out(folder))
    images = shards or np.empty((0, *facts["shape"]), np.uint8)
    index = _index(folder, ["id", "source", "split"])
    return ImagePool(images, index, facts["mean"], facts["std"], facts["sha256"], folder)


def _manifest(folder: Path) -> dict:
    return _whole(folder / "pool.json", _facts)


def _facts(path: Path) -> dict:
    facts = json.loads(path.read_text(encoding="utf-8"))
    lacking = FACTS - facts.keys() or set().union(*(SHARD_FACTS - shard.keys() for shard in facts["shards"]))
    if lacking:
        raise ValueError(f"it lacks {', '.join(sorted(lacking))}")
    return facts


def _mapped(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _whole(path: Path, read: Callable[[Path], Any]) -> Any:
    return digests.whole(path, read, _way_out(path.parent))


def _way_out(folder: Path) -> str:
    return f"remove {folder} and type the command again, which decodes the pictures again"


def _index(folder: Path, columns: list[str]) -> pd.DataFrame:
    files = [(folder / shard["file"]).with_suffix(".parquet") for shard in _manifest(folder)["shards"]]
    tables = [_whole(file, partial(pd.read_parquet, columns=columns)) for file in files]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns, dtype="str")


def _digest(images: np.ndarray) -> str:
    digest, rows = hashlib.sha256(), max(1, BLOCK // max(1, images[0].nbytes))
    for first in range(0, len(images), rows):
        digest.update(np.ascontiguousarray(images[first : first + rows]))
        _give_back(images)
    return digest.hexdigest()


def _give_back(images: np.ndarray) -> None:
    """Let go of a map's pages; the operating system keeps them cached."""
    if isinstance(images, np.memmap):
        images._mmap.madvise(mmap.MADV_DONTNEED)
