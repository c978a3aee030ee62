"""Datasets of tables and arrays."""

from pathlib import Path

import numpy as np
import pandas as pd

from pt4al.project.datasets.files import FileDataset, ReadOnly, WholeDataset


class KnownTableDataset(ReadOnly, FileDataset):
    """The newest version of a table, to make the next from; empty if there is none."""

    def load(self) -> pd.DataFrame:
        """Return the table."""
        return pd.DataFrame() if self._newest() is None else super().load()


class ArraysDataset(WholeDataset):
    """A few arrays by name, as npz without pickle."""

    def _read(self, path: Path) -> dict[str, np.ndarray]:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)

    def _write(self, data: dict[str, np.ndarray], path: Path) -> None:
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **data)
