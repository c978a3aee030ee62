"""Features on disk: float16 in memory-mapped shards, read as float32, in place of a pool."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from pt4al.files.storage import keeper
from pt4al.images.folder import Folder
from pt4al.images.index import Files, Table
from pt4al.images.mapped import Mapped, reopened
from pt4al.images.shards import Kind

FACTS = {"network", "digest", "size", "precision", "shape", "sha256", "shards"}  # in a manifest
ORDER = "order.parquet"  # of stores that have no index.arrow
DTYPE = "<f2"
SAMPLE = 4096  # pictures that moments are computed from
LEAST_STD = 1e-6  # for a number that is always the same
VECTORS = Kind(
    "features.json",
    DTYPE,
    planned=frozenset(FACTS - {"sha256"}),
)


class Features(Mapped):
    """The features of pictures in one fixed order, each with a stable id.

    Attributes
    ----------
    shards
        float16 arrays (rows, width) or (rows, views, width), memory-mapped, read only.
    index
        One row a picture: `id`, `source`, `split`, all text.
    facts
        What they were computed with: `network`, `digest` (of its weights), `size` ([height,
        width]), `precision`.
    sha256
        SHA-256 of the bytes of all features.
    """

    what = "pictures"
    called = "feature store"

    def __init__(
        self,
        shards: np.ndarray | Sequence[np.ndarray],
        index: pd.DataFrame | Files | Table,
        sha256: str,
        folder: Path | None = None,
        facts: dict[str, Any] | None = None,
    ):
        super().__init__(shards, index, sha256, folder)
        self.facts = facts or {}
        self._places = self._index.places

    def __reduce_ex__(self, protocol: int) -> Any:
        # Another process opens the folder: its bytes need not travel.
        if self.folder is None:
            return super().__reduce_ex__(protocol)
        return reopened, (open_features, self.folder, self.sha256, keeper(self.folder))

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return rows as a float16 array (len(rows), ...)."""
        return super().read(rows if self._places is None else self._places[rows])

    def gather(self, rows: np.ndarray) -> torch.Tensor:
        """Return features as a float32 tensor (len(rows), ...)."""
        return torch.from_numpy(self.read(rows)).float()  # in a third of numpy's time

    def view(self, rows: np.ndarray | None = None) -> "View":
        """Return rows (all by default) as an array-like that is read where it is indexed."""
        return View(self, np.arange(len(self)) if rows is None else np.asarray(rows))

    def verify(self) -> None:
        """Raise InputError if the features are not the bytes that were computed."""
        self._verify(_on_disk(self.folder).manifest["shards"])


class View:
    """Features as a float32 array-like (N, ...), read from disk where it is indexed by rows."""

    dtype = np.dtype(np.float32)

    def __init__(self, features: Features, rows: np.ndarray):
        self.features = features
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, which: int | slice | np.ndarray | list[int]) -> np.ndarray:
        rows = self.rows[which]
        read = self.features.gather(np.atleast_1d(rows)).numpy()
        return read[0] if np.ndim(rows) == 0 else read

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return len(self), *self.features.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)


def moments(features: Features) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each feature, from up to 4,096 pictures."""
    rows = np.unique(np.linspace(0, len(features) - 1, SAMPLE).astype(np.int64))
    vectors = features.gather(rows).double().flatten(0, -2)
    return vectors.mean(0).tolist(), vectors.std(0, correction=0).clamp(min=LEAST_STD).tolist()


def open_features(folder: Path) -> Features:
    """Open features that `store.compute` wrote; nothing is read but their manifest."""
    files = _on_disk(folder)
    facts = files.manifest
    index = files.index()
    if isinstance(index, Table) and (folder / ORDER).exists():
        index = _ordered(files, index)
    made_by = {name: facts[name] for name in sorted(FACTS - {"sha256", "shards", "shape"})}
    return Features(files.maps(DTYPE), index, facts["sha256"], folder, made_by)


def _ordered(files: Folder, index: Table) -> Table:
    """Return the index of a store of older versions, which wrote its order into a file apart."""
    places = files.whole(ORDER, pd.read_parquet)["place"].to_numpy()
    if len(places) != len(index.frame):
        raise files.damaged(ORDER, f"it orders {len(places)} rows, there are {len(index.frame)}")
    return Table(index.frame.iloc[places].reset_index(drop=True), places)


def _on_disk(folder: Path) -> Folder:
    return Folder(folder, VECTORS.manifest, FACTS, "computes the features again")
