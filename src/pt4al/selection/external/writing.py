"""Write the ranking of a pool whose losses lie in a table on disk."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from pt4al.cluster.seam import Cluster
from pt4al.files.stored_table import StoredTable
from pt4al.selection.external.sorting import SIGNS, sort_file
from pt4al.selection.ranking import ORDERS, batches_of, check_numbers

IN_MEMORY = 2**21  # images, of 120 bytes each there: 250 MB, which files take for any number
WRITTEN = 2**20  # rows of a row group, as pandas has them


@dataclass(frozen=True)
class Rules:
    """How a pool is ranked, and the ranking cut into batches: see `rank` and `split`."""

    order: str
    batches: int
    kind: str
    drop: float
    rng: np.random.Generator


def write_ranking(
    path: Path,
    work: Path,
    losses: StoredTable,
    rows: np.ndarray | None,
    rules: Rules,
    cluster: Cluster,
) -> None:
    """Write the table that `ranking.rank` and `ranking.split` make of one in memory.

    Parameters
    ----------
    path
        Where to write it, a Parquet file.
    work
        A folder for what is written on the way, some 50 bytes an image; it is removed, and so is
        one that a killed process left. Workers on other machines must see it.
    losses
        `id` and `pretext_loss`, float32, in the order of the pool.
    rows
        Those of the table that are ranked, in its order; None: all of them.

    Raises
    ------
    InputError
        If a loss is not a number, named with its id, or if there are more batches than images.

    Memory: some hundred MB, whatever N; orders that don't go by the loss are drawn in memory.
    """
    with _folder(work):
        held = _Held(work)
        held.write(losses, rows)
        if rules.order in SIGNS:
            order = sort_file(held.losses, work / "order.npy", cluster, rules.order)
        else:
            order = ORDERS[rules.order](held.values, rules.rng)
        batches = batches_of(len(order), rules.batches, rules.kind, rules.drop, rules.rng)
        schema = pa.schema(
            {
                "id": pa.large_string(),
                "pretext_loss": pa.float32(),
                "rank": pa.int64(),
                "batch": pa.int64(),
            }
        )
        with parquet.ParquetWriter(path, schema) as file:
            for start in range(0, len(order), WRITTEN):
                some = order[start : start + WRITTEN]
                stop = start + len(some)
                columns = [held.ids(some), held.values[some], np.arange(start, stop)]
                file.write_table(pa.table([*columns, batches(start, stop)], schema=schema))


class _Held:
    """The ids and losses that are ranked, in files."""

    def __init__(self, folder: Path):
        self.losses = folder / "losses.npy"
        self._ids = folder / "ids.arrow"

    def write(self, table: StoredTable, rows: np.ndarray | None) -> None:
        """Take them from a table."""
        schema = pa.schema({"id": pa.large_string()})
        shape = (len(table) if rows is None else len(rows),)
        losses = np.lib.format.open_memmap(self.losses, "w+", np.float32, shape)
        first = 0
        with pa.ipc.new_file(str(self._ids), schema) as ids:
            for part in _some_rows(table, rows):
                values = part["pretext_loss"].to_numpy()
                check_numbers(part["id"], values)
                losses[first : first + len(part)] = values
                ids.write_table(pa.table({"id": part["id"]}, schema=schema))
                first += len(part)
        losses.flush()

    @cached_property
    def values(self) -> np.ndarray:
        """The losses, memory-mapped."""
        return np.load(self.losses, mmap_mode="r")

    @cached_property
    def _chunks(self) -> list[pa.Array]:
        table = pa.ipc.open_file(pa.memory_map(str(self._ids))).read_all()
        return table["id"].chunks

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.cumsum([0, *(len(chunk) for chunk in self._chunks)])

    def ids(self, rows: np.ndarray) -> pa.Array:
        """Return the ids of rows, in their order; Arrow would copy all chunks to take some."""
        order = np.argsort(rows)
        ascending = rows[order]
        edges = np.searchsorted(ascending, self._starts)
        taken = []
        for number, chunk in enumerate(self._chunks):
            some = ascending[edges[number] : edges[number + 1]]
            taken.append(chunk.take(pa.array(some - self._starts[number])))
        place = np.empty(len(rows), np.int64)
        place[order] = np.arange(len(rows))
        return pa.concat_arrays(taken).take(pa.array(place))


def _some_rows(table: StoredTable, rows: np.ndarray | None) -> Iterator[pd.DataFrame]:
    """Yield the rows of a table, or some of them, in its order."""
    first = 0
    for part in table.portions(["id", "pretext_loss"]):
        if rows is None:
            yield part
        else:
            start, stop = np.searchsorted(rows, [first, first + len(part)])
            yield part.iloc[rows[start:stop] - first]
        first += len(part)


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Make an empty folder, and remove it."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)
