"""Distances between many features and few, read from the many chunk by chunk."""

from collections.abc import Iterator

import numpy as np
import torch

ROWS = 4096  # features read at once: 8 MB of 512 numbers
OTHERS = 1024  # features that they are compared with at once: 16 MB of distances


def read(features: np.ndarray, rows: slice | np.ndarray, unit: bool = False) -> torch.Tensor:
    """Return a copy of some rows as float32; `unit`: each divided by its length."""
    taken = torch.from_numpy(np.array(features[rows], np.float32))
    return torch.nn.functional.normalize(taken) if unit else taken


def chunks(features: np.ndarray, unit: bool = False) -> Iterator[tuple[slice, torch.Tensor]]:
    """Yield all rows, ROWS at a time, with where they are from."""
    for start in range(0, len(features), ROWS):
        rows = slice(start, start + ROWS)
        yield rows, read(features, rows, unit)


def squared(rows: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Return squared Euclidean distances, (rows, others)."""
    products = rows @ others.T
    return (rows.square().sum(1)[:, None] + others.square().sum(1) - 2 * products).clamp_(min=0)


def nearest(rows: torch.Tensor, others: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the squared distance of each row to the nearest of the others, and which it is; ties to the first."""
    best, which = torch.full((len(rows),), torch.inf), torch.zeros(len(rows), dtype=torch.int64)
    for start in range(0, len(others), OTHERS):
        found = squared(rows, others[start : start + OTHERS]).min(1)
        which = torch.where(found.values < best, found.indices + start, which)
        best = torch.minimum(best, found.values)
    return best, which
