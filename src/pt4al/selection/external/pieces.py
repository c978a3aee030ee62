"""Numbers of a pool in files: cut into pieces that fit in memory, read as keys that sort."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pt4al.errors import InputError
from pt4al.selection.ranking import ROWS, sort_keys

PIECE = 2**23  # rows held at once: 64 MB of keys, some 300 MB while they are made


@dataclass(frozen=True)
class Piece:
    """Some rows of a file, and the row number of the first of them in the pool."""

    path: Path
    start: int
    stop: int
    first: int

    def __len__(self) -> int:
        return self.stop - self.start


def cut(files: list[Path]) -> list[Piece]:
    """Cut the rows of all files into pieces, in the order of the pool.

    Raises
    ------
    InputError
        If a file isn't one column of float32, or if there are no rows, or 2^32 of them.
    """
    pieces = []
    images = 0
    for path in map(Path.resolve, files):  # workers stand elsewhere
        held = np.load(path, mmap_mode="r")
        if held.dtype != np.float32 or held.ndim != 1:
            raise InputError(
                f"{path} holds {held.dtype} {held.shape}: it must be one column of float32"
            )
        for start in range(0, len(held), PIECE):
            stop = min(start + PIECE, len(held))
            pieces.append(Piece(path, start, stop, images + start))
        images += len(held)
    if not 0 < images < ROWS:
        raise InputError(
            f"files of numbers to rank hold {images} rows: it must be at least 1, and fewer than "
            f"{ROWS:,}"
        )
    return pieces


def keys_of(piece: Piece, highest_first: bool) -> np.ndarray:
    """Return keys that sort as the numbers of a piece do, ties in pool order, (n,) uint64.

    Raises
    ------
    InputError
        If one is not a number, named with its row.
    """
    values = np.array(np.load(piece.path, mmap_mode="r")[piece.start : piece.stop])
    missing = np.isnan(values)
    if missing.any():
        at = int(missing.argmax())
        raise InputError(
            f"the number of row {piece.first + at} is not a number: it is number "
            f"{piece.start + at} of {piece.path}, from 0"
        )
    if highest_first:
        np.negative(values, out=values)
    return sort_keys(values, piece.first)
