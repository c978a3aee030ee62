"""The index of rows: ids, sources and splits, and the row of an id; memory-mapped where on disk.

`index.arrow` has a column of text each, and `place` where rows have another order than shards;
`lookup.arrow` has the hash of each id beside its row, sorted by hash.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

INDEX = "index.arrow"
LOOKUP = "lookup.arrow"
COLUMNS = ["id", "source", "split"]
PLACE = "place"
SOME = 2**18  # ids that are hashed, sorted and compared at once
WORD = "pt4al"  # whose hash is kept, to notice a library that hashes otherwise
HASHED = b"hash of pt4al"  # its name


class Table:
    """An index in memory.

    Attributes
    ----------
    frame
        One row a picture, `id` among its columns.
    places
        Of each row among the shards, int64; None if the order is the same.
    """

    def __init__(self, frame: pd.DataFrame, places: np.ndarray | None = None):
        self.frame = frame
        self.places = places

    def find(self, ids: pd.Series) -> np.ndarray:
        """Return the row of each id, int64; -1 where there is none."""
        return self._rows.get_indexer(ids)

    @cached_property
    def _rows(self) -> pd.Index:
        return pd.Index(self.frame["id"])


class Files:
    """An index on disk, of which a process holds next to nothing.

    Attributes
    ----------
    table
        `id`, `source`, `split`, and perhaps `place`.
    places
        Of each row among the shards, int64; None if the order is the same.
    """

    def __init__(self, table: pa.Table, lookup: pa.Table):
        self.table = table
        self.places = None
        if PLACE in table.column_names:
            self.places = table[PLACE].chunk(0).to_numpy()
        hashes = lookup["hash"].chunks
        rows = lookup["row"].chunks
        self._parts = [
            (keys.to_numpy(), numbers.to_numpy())
            for keys, numbers in zip(hashes, rows, strict=True)
            if len(keys)
        ]
        self._firsts = np.array([keys[0] for keys, _ in self._parts], np.uint64)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a picture: `id`, `source`, `split`, which are read where they are indexed."""
        columns = {name: pd.array(self.table[name], dtype="str") for name in COLUMNS}
        return pd.DataFrame(columns, copy=False)

    def find(self, ids: pd.Series) -> np.ndarray:
        """Return the row of each id, int64; -1 where there is none."""
        found = [np.empty(0, np.int64)]
        found.extend(self.find_some(some) for some in portions(as_text(ids)))
        return np.concatenate(found)

    def find_some(self, ids: pa.Array) -> np.ndarray:
        """Return what `find` does for ids that are Arrow text; memory grows with their number."""
        rows = np.full(len(ids), -1, np.int64)
        hashes = hash_of(ids)
        # Sorted, so that each part of the lookup is read once and from start to end.
        order = np.argsort(hashes)
        part_of = np.searchsorted(self._firsts, hashes[order], side="right") - 1
        edges = np.searchsorted(part_of, np.arange(len(self._firsts) + 1))
        for number in np.unique(part_of[part_of >= 0]):
            wanted = order[edges[number] : edges[number + 1]]
            rows[wanted] = self._in_part(number, hashes[wanted], ids.take(pa.array(wanted)))
        return rows

    def _in_part(self, number: int, hashes: np.ndarray, ids: pa.Array) -> np.ndarray:
        keys, numbers = self._parts[number]
        rows = np.full(len(ids), -1, np.int64)
        at = np.searchsorted(keys, hashes)
        left = np.arange(len(ids))
        # Different ids may have one hash: they stand next to each other.
        while True:
            left = left[at[left] < len(keys)]
            left = left[keys[at[left]] == hashes[left]]
            if not len(left):
                return rows
            candidates = numbers[at[left]].astype(np.int64)
            there = self.table["id"].take(pa.array(candidates))
            same = compute.equal(there.combine_chunks(), ids.take(pa.array(left)))
            same = same.fill_null(False).to_numpy(zero_copy_only=False)
            rows[left[same]] = candidates[same]
            left = left[~same]
            at[left] += 1


def read(path: Path) -> pa.Table:
    """Return the table in an Arrow file, memory-mapped."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def index_of(table: pa.Table, lookup: pa.Table) -> Files | Table:
    """Return the index of two files; in memory if ids are not hashed any more as they were."""
    index = Files(table, lookup)
    if lookup.schema.metadata[HASHED] == hash_of_word():
        return index
    return Table(index.frame, index.places)


def hash_of(ids: pa.Array) -> np.ndarray:
    """Return the hash of each id, uint64: SipHash-2-4, as pandas computes it."""
    return pd.util.hash_array(ids.to_numpy(zero_copy_only=False), categorize=False)


def hash_of_word() -> bytes:
    """Return the hash of a certain word as text."""
    return str(hash_of(pa.array([WORD]))[0]).encode()


def as_text(ids: pd.Series) -> pa.ChunkedArray:
    """Return ids as Arrow text; nothing is copied of a Series of text."""
    text = pa.array(ids, from_pandas=True)
    if not isinstance(text, pa.ChunkedArray):
        text = pa.chunked_array([text])
    return text.cast(pa.large_string())


def portions(ids: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Yield ids in order, some at a time."""
    for first in range(0, len(ids), SOME):
        yield ids.slice(first, SOME).combine_chunks()
