"""Datasets of tables and arrays."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from pt4al.files.stored_table import StoredTable
from pt4al.project.datasets.files import FileDataset, ReadOnly, WholeDataset


class KnownTableDataset(ReadOnly, FileDataset):
    """The newest version of a table, to make the next from; empty if there is none."""

    def load(self) -> pd.DataFrame:
        """Return the table."""
        return pd.DataFrame() if self._newest() is None else super().load()


class StoredTableDataset(FileDataset):
    """A table of a row an image, loaded as `StoredTable`: nodes read what they need of it.

    Saves a table, or what a function writes that is given the path, and a folder to work in: the
    same whatever the version, so that what a killed run left there is found.
    """

    def _read(self, path: Path) -> StoredTable:
        return StoredTable(path)

    def _write(self, data: pd.DataFrame | Callable[[Path, Path], None], path: Path) -> None:
        if isinstance(data, pd.DataFrame):
            super()._write(data, path)
        else:
            data(path, Path(self._filepath).with_name(f".{self._filepath.name}.partial"))


class ArraysDataset(WholeDataset):
    """A few arrays by name, as npz without pickle."""

    def _read(self, path: Path) -> dict[str, np.ndarray]:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)

    def _write(self, data: dict[str, np.ndarray], path: Path) -> None:
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **data)
