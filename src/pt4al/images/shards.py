"""Shards of rows on disk, one row a picture: written whole or not at all."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from pt4al.files.digests import note
from pt4al.files.whole import replacing
from pt4al.images.index import COLUMNS, INDEX, LOOKUP
from pt4al.images.index_writing import write_index

KEPT = ["id", "source", "split", "stamp"]  # columns of the source's index that are kept


@dataclass(frozen=True)
class Kind:
    """Layout of a folder of shards.

    Attributes
    ----------
    manifest
        Name of the manifest: `pool.json`.
    dtype
        Of the rows, as numpy writes it: `|u1`.
    planned
        Facts that the manifest has from the first shard on.
    shard_facts
        Facts that the manifest has of each shard.
    beside
        Stems of other files in the folder.
    """

    manifest: str
    dtype: str
    planned: frozenset[str]
    shard_facts: frozenset[str] = frozenset({"file", "rows", "sha256"})
    beside: frozenset[str] = frozenset()


class Writer:
    """Writes shards, each whole or not at all, and the manifest after each: a build can resume.

    Parameters
    ----------
    plan
        Facts of the manifest from the first shard on; `shape` is that of a row.
    shards
        Shards that are kept, as the manifest has them.
    index
        The source's: one row a picture, `id`, `source`, `split`, `stamp`.
    most
        Rows of a full shard.
    """

    def __init__(
        self,
        folder: Path,
        kind: Kind,
        plan: dict[str, Any],
        shards: list[dict[str, Any]],
        index: pd.DataFrame,
        most: int,
    ):
        self._folder = folder
        self._kind = kind
        self._plan = plan
        self._shards = list(shards)
        self._index = index[KEPT]
        self._most = most
        self._open()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, rows: np.ndarray, array: np.ndarray, **columns: Any) -> None:
        """Append an array (N, ...) for rows of the index, and further columns of their table."""
        if not self._added:
            self._file.write(self._header(0))
        self._added.append((rows, columns))
        self._rows += len(array)
        self._file.write(array.data)
        self._digest.update(array.data)
        self._count(array)
        if self._rows >= self._most:
            self._close()
            self._open()

    def flush(self) -> None:
        """Write the open shard, though it is not full."""
        self._close()
        self._open()

    def finish(self, ids: pd.Series | None = None, **facts: Any) -> None:
        """Write the last shard, the index and the manifest; remove all other files.

        Parameters
        ----------
        ids
            In the order that rows shall have; by default that of the shards.
        facts
            More facts of the manifest.
        """
        self._close()
        write_index(self._folder, map(self._indexed, self._shards), ids)
        self._save(**facts, **self._whole())
        named = {Path(shard["file"]).stem for shard in self._shards}
        named |= {Path(self._kind.manifest).stem, *self._kind.beside}
        named |= {Path(name).stem for name in (INDEX, LOOKUP)}
        for path in self._folder.iterdir():
            if path.stem not in named:
                path.unlink()

    def _indexed(self, shard: dict[str, Any]) -> pa.Table:
        table = (self._folder / shard["file"]).with_suffix(".parquet")
        return parquet.read_table(table, columns=COLUMNS)

    def _count(self, array: np.ndarray) -> None:
        """Update what `_facts` returns; by default nothing."""

    def _facts(self) -> dict[str, Any]:
        """Return the facts of the open shard."""
        return {"rows": self._rows, "sha256": self._digest.hexdigest()}

    def _whole(self) -> dict[str, Any]:
        """Return the facts of all rows."""
        digest = hashlib.sha256("".join(shard["sha256"] for shard in self._shards).encode())
        return {"sha256": digest.hexdigest()}

    def _open(self) -> None:
        self._rows = 0
        self._digest = hashlib.sha256()
        self._added = []
        self._file = (self._folder / ".shard").open("wb")

    def _close(self) -> None:
        if self._rows:
            # The header was written for no rows; numpy leaves room in it for more.
            self._file.seek(0)
            self._file.write(self._header(self._rows))
        self._file.close()
        written = self._folder / ".shard"
        if not self._rows:
            written.unlink()
            return
        table = self._table()
        # Two shards may hold the same rows, but not the same ids.
        content = self._digest.hexdigest() + "\n".join(table["id"])
        name = hashlib.sha256(content.encode()).hexdigest()[:16]
        index = self._folder / f"{name}.parquet"
        table.to_parquet(index, index=False)
        note(index, index)
        written.replace(self._folder / f"{name}.npy")
        self._shards.append({"file": f"{name}.npy", **self._facts()})
        self._save()

    def _table(self) -> pd.DataFrame:
        table = self._index.iloc[np.concatenate([rows for rows, _ in self._added])]
        columns = {}
        for name in self._added[0][1]:
            values = np.concatenate([columns[name] for _, columns in self._added])
            if values.dtype.kind in "UO":
                values = pd.Series(values, dtype="str").array
            columns[name] = values
        return table.assign(**columns)

    def _header(self, rows: int) -> bytes:
        header = io.BytesIO()
        shape = (rows, *self._plan["shape"])
        facts = {"descr": self._kind.dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, facts)
        return header.getvalue()

    def _save(self, **more: Any) -> None:
        manifest = self._folder / self._kind.manifest
        with replacing(manifest) as temporary:
            text = json.dumps({**self._plan, **more, "shards": self._shards}, indent=2) + "\n"
            temporary.write_text(text, encoding="utf-8")
            note(manifest, temporary)  # needed to resume alone, and removed at the end
