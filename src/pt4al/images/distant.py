"""Shards that a bucket keeps: each is brought when a row of it is read, and checked then."""

import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np

from pt4al.files import digests
from pt4al.files.shard_cache import make_room, used
from pt4al.files.storage import Storage

TRIES = 2  # of bringing a shard that does not arrive as it was written
BLOCK = 2**24  # bytes read at once


class Distant:
    """A shard that may be here or in a bucket, read by rows as an array is.

    Attributes
    ----------
    path
        Where it is, or will be once it is brought.
    shape, dtype
        As its manifest says.
    sha256
        Of its rows' bytes.
    """

    def __init__(
        self,
        path: Path,
        storage: Storage,
        shape: tuple[int, ...],
        dtype: np.dtype,
        sha256: str,
    ):
        self.path = path
        self.shape = shape
        self.dtype = dtype
        self.sha256 = sha256
        self._storage = storage
        self._map: np.ndarray | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Return rows; the shard is brought first if it is not here."""
        return self._mapped()[rows]

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine's disk."""
        return self.path.exists()

    def give_back(self) -> None:
        """Let go of the file: one that the cache has no room for is then gone from the disk."""
        self._map = None

    def _mapped(self) -> np.ndarray:
        array = self._map
        if array is not None:
            return array
        with self._lock:
            if self._map is None:
                self._map = self._opened()
            return self._map

    def _opened(self) -> np.ndarray:
        if self.is_here:
            used(self.path)
            return self._read()
        for _ in range(TRIES):
            self._storage.fetch(self.path)
            array = self._read()
            if _digest(array) == self.sha256:
                make_room(self._storage, self.path)
                return array
            self.path.unlink()
        raise digests.Damaged(
            self.path,
            f"the SHA-256 of its copy in {self._storage.address} is not the one noted when it was "
            "written",
            f"remove {self.path.parent.parent} here and there, and the same command makes it anew",
        )

    def _read(self) -> np.ndarray:
        array = digests.whole(self.path, _mapped, "it is brought again once it is removed")
        if array.shape != self.shape or array.dtype != self.dtype:
            raise digests.Damaged(
                self.path,
                f"it holds {array.dtype} {array.shape}, not {self.dtype} {self.shape}",
                "remove it: the same command brings it again",
            )
        return array


def _mapped(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _digest(array: np.ndarray) -> str:
    digest = hashlib.sha256()
    rows = max(1, BLOCK // max(1, array[0].nbytes))
    for first in range(0, len(array), rows):
        digest.update(np.ascontiguousarray(array[first : first + rows]))
    return digest.hexdigest()
