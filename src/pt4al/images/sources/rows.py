"""Sources that keep pictures as rows of files: their tables, and one way to read rows in order."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.images.collection import Collection, Picture
from pt4al.images.sources.stamps import stamp

BLOCK = 2**20  # bytes read at once


def table(
    file: Path, split: str, labels: Sequence[str], prefix: str, digits: int = 5
) -> pd.DataFrame:
    """Return a collection's index of one file, whose rows have these labels.

    An id is the prefix and the row number in so many digits: `train/00042`.
    """
    columns = {
        "id": [f"{prefix}/{row:0{digits}d}" for row in range(len(labels))],
        "source": str(file),
        "split": split,
        "label": labels,
        "stamp": stamp(file.stat()),
    }
    return pd.DataFrame(columns, dtype="str")


def check_labels(file: Path, labels: Sequence[object], classes: int) -> None:
    """Raise InputError if a label is none of the numbers 0 to `classes` - 1."""
    for row, label in enumerate(labels):
        if label not in range(classes):
            raise InputError(
                f"{file}: row {row} has label {label}, but there are {classes} classes"
            )


def from_files(
    files: Sequence[Path],
    tables: Sequence[pd.DataFrame],
    classes: list[str],
    read: Callable[[Path, np.ndarray], Iterator[Picture]],
) -> Collection:
    """Return the pictures of several files, one behind the other.

    Parameters
    ----------
    tables
        One a file, as `table` returns it.
    read
        Called with a file and ascending row numbers in it, yields their pictures.
    """
    ends = np.cumsum([len(rows) for rows in tables])

    def pictures(rows: np.ndarray) -> Iterator[Picture]:
        for file, first, end in zip(files, [0, *ends[:-1]], ends, strict=True):
            inside = rows[(rows >= first) & (rows < end)] - first
            if len(inside):
                yield from read(file, inside)

    return Collection(pd.concat(tables, ignore_index=True), classes, pictures)


def stream_rows(
    stream: IO[bytes], rows: np.ndarray, shape: tuple[int, ...]
) -> Iterator[np.ndarray]:
    """Yield `rows` (ascending) of a stream that stands at row 0; each is uint8 of `shape`.

    A few rows are held at a time.

    Raises
    ------
    EOFError
        If the stream ends before one of them does.
    """
    size = int(np.prod(shape))
    together = max(1, BLOCK // size)
    blocks = set(np.unique(rows // together).tolist())
    # Blocks in between are read too: seeking in a zip reads as much, 16 MiB at once.
    for number in range(max(blocks, default=-1) + 1):
        raw = stream.read(together * size)
        if number in blocks:
            inside = rows[rows // together == number] - number * together
            if len(raw) < (inside[-1] + 1) * size:
                raise EOFError(f"it ends in row {number * together + len(raw) // size}")
            whole = np.frombuffer(raw, np.uint8, len(raw) // size * size)
            yield from whole.reshape(-1, *shape)[inside]
