"""Write the index of rows; memory stays small, however many there are."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pt4al.files.whole import replacing
from pt4al.images.index import (
    COLUMNS,
    HASHED,
    INDEX,
    LOOKUP,
    PLACE,
    Files,
    as_text,
    hash_of,
    hash_of_word,
    portions,
    read,
)

PART = 2**22  # rows of a part of the lookup, about, which are sorted at once
HASH_AND_ROW = np.dtype([("hash", "<u8"), ("row", "<u8")])


def write_index(folder: Path, tables: Iterable[pa.Table], ids: pd.Series | None = None) -> None:
    """Write the index of shards.

    Parameters
    ----------
    tables
        One a shard: `id`, `source`, `split`.
    ids
        All of them in the order that rows shall have; by default that of the shards.
    """
    _write(folder, tables, COLUMNS)
    if ids is None:
        return
    index = Files(read(folder / INDEX), read(folder / LOOKUP))
    if not index.table["id"].equals(as_text(ids)):
        _write(folder, _ordered(index, ids), [*COLUMNS, PLACE])


def _ordered(index: Files, ids: pd.Series) -> Iterator[pa.Table]:
    for some in portions(as_text(ids)):
        places = pa.array(index.find_some(some))
        yield index.table.take(places).append_column(PLACE, places)


def _write(folder: Path, tables: Iterable[pa.Table], names: list[str]) -> None:
    with _work(folder) as work, ExitStack() as files:
        columns = {name: _Text(work, name, files) for name in COLUMNS}
        if PLACE in names:
            columns[PLACE] = _Numbers(work, PLACE, files)
        for table in tables:
            for name, column in columns.items():
                column.add(table[name])
        # One part, so that rows of it can be taken without a copy of the rest.
        batch = pa.record_batch([column.array() for column in columns.values()], list(columns))
        with replacing(folder / INDEX) as temporary:
            _save(temporary, batch.schema, [batch])
        with replacing(folder / LOOKUP) as temporary:
            _write_lookup(temporary, work, batch["id"])


def _write_lookup(path: Path, work: Path, ids: pa.Array) -> None:
    """Write the lookup: ids are divided by the first bits of their hashes, then each part sorted."""
    bits = max(0, (len(ids) - 1) // PART).bit_length()
    starts = np.array([part << (64 - bits) for part in range(2**bits)], np.uint64)
    first = 0
    with ExitStack() as files:
        parts = [files.enter_context((work / str(part)).open("wb")) for part in range(2**bits)]
        for some in portions(pa.chunked_array([ids])):
            rows = np.empty(len(some), HASH_AND_ROW)
            rows["hash"] = hash_of(some)
            rows["row"] = np.arange(first, first + len(some))
            first += len(some)
            rows = rows[np.argsort(rows["hash"], kind="stable")]
            edges = np.searchsorted(rows["hash"], starts[1:])
            for part, inside in zip(parts, np.split(rows, edges), strict=True):
                inside.tofile(part)
    # Rows of up to 4e9 pictures fit four bytes.
    number = pa.uint32() if len(ids) < 2**32 else pa.uint64()
    schema = pa.schema([("hash", pa.uint64()), ("row", number)], {HASHED: hash_of_word()})
    _save(path, schema, (_sorted(work / part.name, schema) for part in parts))


def _sorted(path: Path, schema: pa.Schema) -> pa.RecordBatch:
    rows = np.fromfile(path, HASH_AND_ROW)
    # By row where hashes are equal: files that hold the same are the same.
    rows = rows[np.argsort(rows["hash"], kind="stable")]
    columns = [rows[field.name].astype(field.type.to_pandas_dtype()) for field in schema]
    return pa.record_batch([pa.array(column) for column in columns], schema=schema)


def _save(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    with pa.ipc.new_file(str(path), schema) as file:
        for batch in batches:
            file.write_batch(batch)


@contextmanager
def _work(folder: Path) -> Iterator[Path]:
    """Make a folder for what is written on the way, and remove it."""
    work = folder / ".index"
    shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
    work.mkdir()
    try:
        yield work
    finally:
        shutil.rmtree(work)


class _Numbers:
    """A column of int64 that is gathered on disk."""

    def __init__(self, work: Path, name: str, files: ExitStack):
        self._file = _Gathered(work / f"{name}.numbers", files)
        self._rows = 0

    def add(self, values: pa.ChunkedArray) -> None:
        """Append values."""
        self._rows += len(values)
        self._file.add(values.to_numpy())

    def array(self) -> pa.Array:
        """Return all of them, memory-mapped."""
        return pa.Array.from_buffers(pa.int64(), self._rows, [None, self._file.buffer()])


class _Text:
    """A column of text that is gathered on disk."""

    def __init__(self, work: Path, name: str, files: ExitStack):
        self._letters = _Gathered(work / f"{name}.letters", files)
        self._ends = _Gathered(work / f"{name}.ends", files)
        self._there = _Gathered(work / f"{name}.there", files)
        self._ends.add(np.zeros(1, np.int64))
        self._size = 0
        self._rows = 0
        self._missing = 0

    def add(self, texts: pa.ChunkedArray) -> None:
        """Append texts; some may be missing."""
        for text in texts.cast(pa.large_string()).chunks:
            _, ends, letters = text.buffers()
            if not len(text):
                continue
            ends = np.frombuffer(ends, np.int64, len(text) + 1, 8 * text.offset)
            size = int(ends[-1] - ends[0])
            if size:
                self._letters.add(np.frombuffer(letters, np.uint8, size, int(ends[0])))
            self._ends.add(ends[1:] - ends[0] + self._size)
            self._there.add(text.is_valid().to_numpy(zero_copy_only=False))
            self._size += size
            self._rows += len(text)
            self._missing += text.null_count

    def array(self) -> pa.Array:
        """Return all of them, memory-mapped."""
        there = None
        if self._missing:
            flags = np.frombuffer(self._there.buffer(), np.uint8)
            there = pa.py_buffer(np.packbits(flags, bitorder="little"))
        parts = [there, self._ends.buffer(), self._letters.buffer()]
        return pa.Array.from_buffers(pa.large_string(), self._rows, parts, self._missing)


class _Gathered:
    """Numbers that are added to a file, and then mapped."""

    def __init__(self, path: Path, files: ExitStack):
        self._path = path
        self._file = files.enter_context(path.open("wb"))

    def add(self, numbers: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(numbers).data)

    def buffer(self) -> pa.Buffer:
        self._file.close()
        if not self._path.stat().st_size:
            return pa.py_buffer(b"")
        return pa.memory_map(str(self._path)).read_buffer()
