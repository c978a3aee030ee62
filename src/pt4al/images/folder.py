"""Folder of shards on disk: its manifest, its index and its shards, mapped when they are read."""

import json
import mmap
import resource
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from pt4al.files import digests
from pt4al.files.storage import fetched, keeper
from pt4al.images.distant import Distant
from pt4al.images.index import COLUMNS, INDEX, LOOKUP, Files, Table, index_of, read

SHARD_FACTS = {"file", "rows", "sha256"}
MAPS = 2**14  # of 65,530 that Linux allows a process


def _most_open() -> int:
    """Return how many shards of a folder are mapped at once: some folders share a process."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)  # a map keeps its file open
    if files == resource.RLIM_INFINITY:
        return MAPS
    return min(MAPS, max(1, files // 4))


OPEN = _most_open()  # a quarter of `ulimit -n`


class Maps(Sequence):
    """Shards that are mapped when they are read; of many, those mapped first are closed."""

    def __init__(self, read: Callable[[int], np.ndarray], number: int):
        self._read = read
        self._number = number
        self.opened: dict[int, np.ndarray] = {}
        self._changing = Lock()

    def __len__(self) -> int:
        return self._number

    def __getitem__(self, number: int) -> np.ndarray:
        shard = self.opened.get(number)
        if shard is None:
            if not -len(self) <= number < len(self):
                raise IndexError(f"there are {len(self)} shards, none of number {number}")
            shard = self._read(number)
            with self._changing:
                self.opened[number] = shard
                if len(self.opened) > OPEN:
                    self.opened.pop(next(iter(self.opened)))
        return shard

    def give_back(self) -> None:
        """Give the maps' pages back; the operating system keeps them cached."""
        with self._changing:
            opened = list(self.opened.values())
        for shard in opened:
            give_back(shard)


def give_back(array: np.ndarray | Distant) -> None:
    """Give a map's pages back; the operating system keeps them cached."""
    if isinstance(array, np.memmap) and array._mmap is not None:  # a copy that was sent has none
        array._mmap.madvise(mmap.MADV_DONTNEED)
    elif isinstance(array, Distant):
        array.give_back()


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
        """Return what `read` returns for a file, or raise `digests.Damaged`.

        One that is not here is brought from the bucket that keeps the folder, if one does.
        """
        return digests.whole(self._here(name), read, self._way_out())

    def maps(self, dtype: str) -> Sequence[np.ndarray]:
        """Return the shards, memory-mapped; an empty one if there are none."""
        facts = self.manifest
        shards = facts["shards"]
        if not shards:
            return [np.empty((0, *facts["shape"]), dtype)]
        storage = keeper(self.path)

        def read(number: int) -> np.ndarray | Distant:
            shape = (shards[number]["rows"], *facts["shape"])
            file = shards[number]["file"]
            if storage is None:
                return self._shard(file, shape, np.dtype(dtype))
            sha256 = shards[number]["sha256"]
            return Distant(self.path / file, storage, shape, np.dtype(dtype), sha256)

        return Maps(read, len(shards))

    def index(self) -> Files | Table:
        """Return the index; of folders that older versions wrote, it is held in memory."""
        if not self._here(INDEX).exists():
            return Table(self.table(COLUMNS))
        rows = sum(shard["rows"] for shard in self.manifest["shards"])
        tables = []
        for name in (INDEX, LOOKUP):
            tables.append(self.whole(name, read))
            if len(tables[-1]) != rows:
                raise self.damaged(name, f"it has {len(tables[-1])} rows, {self._name} says {rows}")
        return index_of(*tables)

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

    def _here(self, name: str) -> Path:
        path = self.path / name
        if not path.exists():
            fetched(digests.beside(path))
            fetched(path)
        return path

    def _shard(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        array = self.whole(name, _mapped)
        if array.shape != shape:
            raise self.damaged(name, f"it holds {array.shape}, {self._name} says {shape}")
        if array.dtype != dtype:
            raise self.damaged(name, f"it holds {array.dtype}, not {dtype}")
        return array

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
