"""A stored table gives what is asked for of it, and names its file where it is damaged."""

import errno
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pt4al.files import stored_table
from pt4al.files.digests import Damaged
from pt4al.files.stored_table import StoredTable


@pytest.fixture
def whole() -> pd.DataFrame:
    ids = pd.Series([f"image {row}" for row in range(23)], dtype="str")
    return pd.DataFrame({"id": ids, "loss": np.arange(23, dtype=np.float32), "batch": np.arange(23) // 5})


@pytest.fixture
def stored(whole: pd.DataFrame, tmp_path: Path) -> StoredTable:
    whole.to_parquet(tmp_path / "table.parquet", row_group_size=10)
    return StoredTable(tmp_path / "table.parquet")


def test_columns_are_read_whole_or_in_portions(stored, whole, monkeypatch):
    monkeypatch.setattr(stored_table, "PORTION", 4)
    assert len(stored) == 23
    pd.testing.assert_frame_equal(stored.read(["id", "batch"]), whole[["id", "batch"]])
    parts = list(stored.portions(["id", "loss"]))
    assert max(map(len, parts)) == 4
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole[["id", "loss"]])


def test_rows_of_some_ids_come_in_the_order_of_the_table(stored, whole, monkeypatch):
    monkeypatch.setattr(stored_table, "PORTION", 4)
    rows = stored.of(pd.Series(["image 20", "gone", "image 3"], dtype="str"), ["id", "loss"])
    pd.testing.assert_frame_equal(rows, whole[["id", "loss"]].iloc[[3, 20]].reset_index(drop=True))
    assert stored.of(pd.Series([], dtype="str"), ["id", "loss"]).empty


def test_a_table_whose_pages_are_damaged_is_named_however_it_is_read(stored):
    content = bytearray(stored.path.read_bytes())
    content[4:400] = bytes(396)
    stored.path.write_bytes(content)
    for read in (stored.read, lambda columns: list(stored.portions(columns))):
        with pytest.raises(Damaged, match=r"table\.parquet is damaged .it can't be read"):
            read(["id", "loss"])


def test_a_disk_that_fails_is_not_the_tables_fault(stored, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(pd, "read_parquet", fail)
    with pytest.raises(OSError, match="Input/output error"):
        stored.read(["id"])
