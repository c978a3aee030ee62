"""A table in a Parquet file, of which no more is read than what is asked for."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from pt4al.files.digests import Damaged

PORTION = 2**16  # rows that are read at once: 60 MB with all that Arrow needs


class StoredTable:
    """A table on disk; `len` is its number of rows. Raises Damaged where it can't be read."""

    def __init__(self, path: Path):
        self.path = path
        self._rows = parquet.read_metadata(path).num_rows

    def __len__(self) -> int:
        return self._rows

    def read(self, columns: list[str]) -> pd.DataFrame:
        """Return whole columns."""
        with self._reading():
            return pd.read_parquet(self.path, columns=columns)

    def portions(self, columns: list[str]) -> Iterator[pd.DataFrame]:
        """Yield the rows in their order, some at a time; memory is that of a row group."""
        with self._reading(), parquet.ParquetFile(self.path, memory_map=True) as file:
            for batch in file.iter_batches(PORTION, columns=columns):
                yield batch.to_pandas(ignore_metadata=True)

    def of(self, ids: pd.Series, columns: list[str]) -> pd.DataFrame:
        """Return the rows of some ids, in the order of the table; `id` is one of the columns."""
        rows = [some[some["id"].isin(ids)] for some in self.portions(columns)]
        return pd.concat(rows, ignore_index=True)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            if getattr(error, "errno", None) not in (None, errno.ENOENT):
                raise  # the fault is not the file's
            raise Damaged(self.path, f"it can't be read: {error}") from error
        finally:
            pa.default_memory_pool().release_unused()  # Arrow would keep what it has read with
