"""Read pictures of equal size, one behind the other in a stream, without holding more than a few of them."""

from collections.abc import Iterator
from typing import IO

import numpy as np

BLOCK = 2**20  # bytes read at once


def stream_rows(
    stream: IO[bytes], wanted: np.ndarray, shape: tuple[int, ...]
) -> Iterator[np.ndarray]:
    """Yield the rows `wanted` (ascending) of a stream that stands at row 0; each is uint8 of `shape`.

    Raises
    ------
    EOFError
        If the stream ends before one of them does.
    """
    size = int(np.prod(shape))
    together = max(1, BLOCK // size)
    blocks = set(np.unique(wanted // together).tolist())
    # Blocks in between are read too: seeking in a zip reads as much, 16 MiB at once.
    for number in range(max(blocks, default=-1) + 1):
        raw = stream.read(together * size)
        if number in blocks:
            rows = wanted[wanted // together == number] - number * together
            if len(raw) < (rows[-1] + 1) * size:
                raise EOFError(f"it ends in row {number * together + len(raw) // size}")
            whole = np.frombuffer(raw, np.uint8, len(raw) // size * size)
            yield from whole.reshape(-1, *shape)[rows]
