"""Rows on disk, one a picture: memory-mapped shards, read as if they were one array."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.files.storage import Storage
from pt4al.images.distant import Distant
from pt4al.images.folder import Maps, give_back
from pt4al.images.index import Files, Table

RESIDENT = 256 * 2**20  # bytes read through the maps before their pages are given back
MAPPED = 64 * 2**10  # bytes that reading one row can map
BLOCK = 2**24  # bytes read at once
REOPENED = 8  # folders that a process to which they were sent keeps open


class Mapped:
    """Shards in one fixed order, each row with a stable id.

    Attributes
    ----------
    shards
        Arrays (rows, ...), memory-mapped, read only; one after the other.
    sha256
        SHA-256 of the bytes of all rows.
    folder
        Where the shards lie; None for those in memory.
    """

    what = "rows"  # in messages
    called = "store"

    def __init__(
        self,
        shards: np.ndarray | Sequence[np.ndarray],
        index: pd.DataFrame | Files | Table,
        sha256: str,
        folder: Path | None = None,
    ):
        self.shards = [shards] if isinstance(shards, np.ndarray) else shards
        self.sha256 = sha256
        self.folder = folder
        self._index = Table(index) if isinstance(index, pd.DataFrame) else index
        self._ends = np.cumsum([len(shard) for shard in self.shards])
        self._read = 0

    def __len__(self) -> int:
        return int(self._ends[-1])

    @property
    def index(self) -> pd.DataFrame:
        """One row a picture: `id` among others, all text; on disk where the shards are."""
        return self._index.frame

    @property
    def ids(self) -> pd.Series:
        """The id of each row."""
        return self.index["id"]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a row."""
        return self.shards[0].shape[1:]

    def rows(self, ids: pd.Series) -> np.ndarray:
        """Return the row numbers of ids; InputError if one is not there."""
        rows = self.find(ids)
        if (rows < 0).any():
            stranger = list(ids)[int(np.argmax(rows < 0))]
            raise InputError(
                f"id {stranger!r} is not in the {self.called} of {len(self)} {self.what}"
            )
        return rows

    def find(self, ids: pd.Series) -> np.ndarray:
        """Return the row numbers of ids; -1 where one is not there."""
        return self._index.find(ids)

    def same(self, other: "Mapped", rows: np.ndarray) -> np.ndarray:
        """Return the row numbers of the images that have these rows in another store."""
        if other is self or self.ids.equals(other.ids):
            return rows
        return self.rows(other.ids.iloc[rows])

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return rows as an array (len(rows), ...), in their own type.

        Pages of the maps count as this process's memory until they are given back, which costs
        next to nothing. That is done every 256 MiB, so that memory does not grow with the pool. A
        row counts for the 64 KiB that Linux maps around it.
        """
        array = self._gathered(rows)
        self._read += max(array.nbytes, MAPPED * len(rows))
        if self._read > RESIDENT:
            if isinstance(self.shards, Maps):
                self.shards.give_back()
            self._read = 0
        return array

    def _verify(self, shards: list[dict[str, Any]]) -> None:
        """Raise InputError if the rows' bytes don't have the digests in the manifest.

        Shards that are not here are checked when they are brought.
        """
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            digests_now = threads.map(self._digest, range(len(shards)))
        for shard, digest in zip(shards, digests_now, strict=True):
            if digest != shard["sha256"]:
                raise InputError(
                    f"{self.folder / shard['file']}: the {self.called}'s bytes have changed "
                    f"since it was built (sha256 {digest[:12]}, was {shard['sha256'][:12]}): "
                    f"remove {self.folder} and run again"
                )

    def _digest(self, number: int) -> str:
        shard = self.shards[number]
        if isinstance(shard, Distant) and not shard.is_here:
            return shard.sha256
        return _digest(shard)

    def _gathered(self, rows: np.ndarray) -> np.ndarray:
        if len(self.shards) == 1:
            return self.shards[0][rows]
        array = np.empty((len(rows), *self.shape), self.shards[0].dtype)
        where = np.searchsorted(self._ends, rows, side="right")
        for number in np.unique(where):
            positions = np.flatnonzero(where == number)
            shard = self.shards[number]
            array[positions] = shard[rows[positions] - (self._ends[number] - len(shard))]
        return array


def _digest(array: np.ndarray) -> str:
    digest = hashlib.sha256()
    rows = max(1, BLOCK // max(1, array[0].nbytes))
    for first in range(0, len(array), rows):
        digest.update(np.ascontiguousarray(array[first : first + rows]))
        give_back(array)
    return digest.hexdigest()


@lru_cache(maxsize=REOPENED)
def reopened(
    open_folder: Callable[[Path], Any], folder: Path, sha256: str, storage: Storage | None
) -> Any:
    """Return what `open_folder` returns for a folder; it is opened once in a process.

    Parameters
    ----------
    storage
        The bucket that keeps the folder, which a machine may see for the first time: it brings what
        is read from there. None: there is none.

    Raises
    ------
    InputError
        If other rows lie there than those of this digest.
    """
    if storage is not None:
        storage.attach()
    rows = open_folder(folder)
    if rows.sha256 != sha256:
        raise InputError(
            f"{folder}: other {rows.what} lie there now (sha256 {rows.sha256[:12]}, was "
            f"{sha256[:12]}): type the command again"
        )
    return rows
