"""Tables and arrays come back as they were."""

from pathlib import Path

import numpy as np

from pt4al.project.datasets.tables import ArraysDataset, KnownTableDataset


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = {"maps": np.arange(12, dtype=np.uint8).reshape(3, 4), "none": np.empty((0, 2))}
    dataset = ArraysDataset(filepath=str(tmp_path / "maps.npz"))
    dataset.save(arrays)
    result = dataset.load()
    assert result.keys() == arrays.keys()
    assert all(np.array_equal(result[name], arrays[name]) for name in arrays)


def test_table_that_is_not_there_yet_is_known_as_empty(tmp_path: Path) -> None:
    table = KnownTableDataset(filepath=str(tmp_path / "t.parquet"), dataset={"type": "pandas.ParquetDataset"})
    assert table.load().empty
