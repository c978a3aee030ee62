"""Choose the highest scores of a pool whose scores lie in files."""

from functools import partial
from pathlib import Path

import numpy as np

from pt4al.cluster.seam import Cluster, in_shards
from pt4al.selection.external import pieces
from pt4al.selection.ranking import sorted_rows


def top_of_files(files: list[Path], number: int, cluster: Cluster) -> np.ndarray:
    """Return the row numbers of the highest scores, highest first; ties to the first row.

    Each piece gives its own highest, and of all these the highest are taken: scores are never
    gathered.

    Parameters
    ----------
    files
        Scores of the pool in its order: `.npy` files of float32 (n,), one after another.
    number
        How many; all if there are fewer.

    Returns
    -------
    (number,) int64, as `strategies.top.best` of all scores in one array.

    Raises
    ------
    InputError
        If a score is not a number.
    """
    best = np.zeros(0, np.uint64)
    shards = [[piece] for piece in pieces.cut(files)]
    for _, keys in in_shards(partial(_highest, number=number), shards, cluster, title="top"):
        best = _lowest(np.concatenate([best, keys]), number)
    return sorted_rows(np.sort(best)).astype(np.int64)


def _highest(prepared: None, shard: list[pieces.Piece], number: int) -> np.ndarray:
    keys = [_lowest(pieces.keys_of(piece, highest_first=True), number) for piece in shard]
    return np.concatenate(keys)


def _lowest(keys: np.ndarray, number: int) -> np.ndarray:
    """Return the lowest keys, in no order."""
    return np.partition(keys, number)[:number] if number < len(keys) else keys
