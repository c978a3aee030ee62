"""Pictures of a source that can't be decoded: left out and listed, unless there are too many."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.files.whole import replacing
from pt4al.images.collection import Collection


class Problems:
    """Pictures that can't be decoded; too many of them are an error."""

    def __init__(self, folder: Path, collection: Collection, share: float):
        self._path = folder / "problems.parquet"
        self._index = collection.index
        self._share = share
        self._rows: list[int] = []
        self._reasons: list[str] = []

    def add(self, rows: np.ndarray, reasons: list[str | None]) -> None:
        """Note rows of the collection whose reason is not None; InputError if they are too many."""
        for row, reason in zip(rows, reasons, strict=True):
            if reason is not None:
                self._rows.append(row)
                self._reasons.append(reason)
        if len(self._rows) > self._share * len(self._index):
            raise InputError(self._message())

    def save(self) -> None:
        """Write `problems.parquet`: `id`, `source`, `reason`."""
        reasons = pd.Series(self._reasons, dtype="str").array
        table = self._index.iloc[self._rows][["id", "source"]].assign(reason=reasons)
        with replacing(self._path) as temporary:
            table.to_parquet(temporary, index=False)

    def _message(self) -> str:
        common = Counter(self._reasons).most_common(5)
        counts = ", ".join(f"{count} {reason}" for reason, count in common)
        number = f"{len(self._rows)} of {len(self._index)}"
        lines = [f"{number} pictures can't be decoded so far ({counts}):"]
        sources = self._index["source"].iloc[self._rows[:5]]
        for source, reason in zip(sources, self._reasons, strict=False):
            lines.append(f"  {source}: {reason}")
        lines.append(f"`pool.bad_share` allows {self._share:.0%}: mend or remove them, or raise it")
        return "\n".join(lines)
