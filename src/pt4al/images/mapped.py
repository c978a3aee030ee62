"""Rows on disk, one a picture: memory-mapped shards, read as if they were one array."""

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

from pt4al.errors import InputError
from pt4al.files import digests

RESIDENT = 256 * 2**20  # bytes read through the maps before their pages are given back
MAPPED = 64 * 2**10  # bytes that reading one row can map
BLOCK = 2**24  # bytes read at once
SHARD_FACTS = {"file", "rows", "sha256"}


class Mapped:
    """Shards in one fixed order, each row with a stable id.

    Attributes
    ----------
    shards
        Arrays (rows, ...), memory-mapped, read only; one after the other.
    index
        One row a picture: `id` among others, all text.
    sha256
        SHA-256 of the bytes of all rows.
    folder
        Where the shards lie; None for those in memory.
    """

    what = "rows"  # in messages
    called = "store"

    def __init__(
        self,
        shards: np.ndarray | list[np.ndarray],
        index: pd.DataFrame,
        sha256: str,
        folder: Path | None = None,
    ):
        self.shards = [shards] if isinstance(shards, np.ndarray) else shards
        self.index = index
        self.sha256 = sha256
        self.folder = folder
        self._ends = np.cumsum([len(shard) for shard in self.shards])
        self._rows = pd.Index(index["id"])
        self._read = 0

    def __len__(self) -> int:
        return int(self._ends[-1])

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
        rows = self._rows.get_indexer(ids)
        if (rows < 0).any():
            stranger = list(ids)[int(np.argmax(rows < 0))]
            raise InputError(
                f"id {stranger!r} is not in the {self.called} of {len(self)} {self.what}"
            )
        return rows

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return rows as an array (len(rows), ...), in their own type.

        Pages of the maps count as this process's memory until they are given back, which costs
        next to nothing. That is done every 256 MiB, so that memory does not grow with the pool. A
        row counts for the 64 KiB that Linux maps around it.
        """
        array = self._gathered(rows)
        self._read += max(array.nbytes, MAPPED * len(rows))
        if self._read > RESIDENT:
            for shard in self.shards:
                _give_back(shard)
            self._read = 0
        return array

    def _verify(self, shards: list[dict[str, Any]]) -> None:
        """Raise InputError if the rows' bytes don't have the digests in the manifest."""
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            digests_now = threads.map(_digest, self.shards if shards else [])
        for shard, digest in zip(shards, digests_now, strict=True):
            if digest != shard["sha256"]:
                raise InputError(
                    f"{self.folder / shard['file']}: the {self.called}'s bytes have changed "
                    f"since it was built (sha256 {digest[:12]}, was {shard['sha256'][:12]}): "
                    f"remove {self.folder} and run again"
                )

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


class Folder:
    """A folder of shards: its manifest, its shards and their tables; damage is an error.

    Parameters
    ----------
    name
        Name of the manifest.
    facts
        Keys of a finished manifest.
    way_out
        What follows `remove <folder> and type the command again, which` in errors.
    """

    def __init__(self, folder: Path, name: str, facts: set[str], way_out: str):
        self.path = folder
        self._name = name
        self._facts = facts
        self._again = way_out

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest's facts."""
        return self.whole(self._name, self._read_manifest)

    def whole(self, name: str, read: Callable[[Path], Any]) -> Any:
        """Return what `read` returns for a file, or raise `digests.Damaged`."""
        return digests.whole(self.path / name, read, self._way_out())

    def maps(self, dtype: str) -> list[np.ndarray]:
        """Return the shards, memory-mapped; an empty one if there are none."""
        facts = self.manifest
        shards = [self.whole(shard["file"], _mapped) for shard in facts["shards"]]
        for shard, array in zip(facts["shards"], shards, strict=True):
            shape = (shard["rows"], *facts["shape"])
            if array.shape != shape:
                raise self.damaged(
                    shard["file"], f"it holds {array.shape}, {self._name} says {shape}"
                )
            if array.dtype != np.dtype(dtype):
                raise self.damaged(shard["file"], f"it holds {array.dtype}, not {np.dtype(dtype)}")
        return shards or [np.empty((0, *facts["shape"]), dtype)]

    def table(self, columns: list[str]) -> pd.DataFrame:
        """Return the shards' tables, one below the other."""
        tables = [pd.DataFrame(columns=columns, dtype="str")]
        for shard in self.manifest["shards"]:
            name = Path(shard["file"]).with_suffix(".parquet").name
            tables.append(self.whole(name, partial(pd.read_parquet, columns=columns)))
        return pd.concat(tables[1:] or tables, ignore_index=True)

    def damaged(self, name: str, why: str) -> digests.Damaged:
        """Return the error for a file that is not as it was written."""
        return digests.Damaged(self.path / name, why, self._way_out())

    def _read_manifest(self, path: Path) -> dict[str, Any]:
        facts = json.loads(path.read_text(encoding="utf-8"))
        lacking = self._facts - facts.keys()
        if not lacking:
            lacking = set().union(*(SHARD_FACTS - shard.keys() for shard in facts["shards"]))
        if lacking:
            raise ValueError(f"it lacks {', '.join(sorted(lacking))}")
        return facts

    def _way_out(self) -> str:
        return f"remove {self.path} and type the command again, which {self._again}"


def _mapped(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _digest(array: np.ndarray) -> str:
    digest = hashlib.sha256()
    rows = max(1, BLOCK // max(1, array[0].nbytes))
    for first in range(0, len(array), rows):
        digest.update(np.ascontiguousarray(array[first : first + rows]))
        _give_back(array)
    return digest.hexdigest()


def _give_back(array: np.ndarray) -> None:
    """Give a map's pages back; the operating system keeps them cached."""
    if isinstance(array, np.memmap) and array._mmap is not None:  # a copy that was sent has none
        array._mmap.madvise(mmap.MADV_DONTNEED)
