"""Distances between many features and few, read from the many chunk by chunk."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

ROWS = 4096  # features read at once: 8 MB of 512 numbers
OTHERS = 1024  # features that they are compared with at once: 16 MB of distances
TYPICAL = 2000  # features whose distances to each other are typical of a pool
STEPS = 4096  # of the grid, from 0 to 1


def read(features: np.ndarray, rows: slice | np.ndarray, unit: bool = False) -> torch.Tensor:
    """Return a copy of some rows as float32; `unit`: each divided by its length."""
    taken = torch.from_numpy(np.array(features[rows], np.float32))
    return torch.nn.functional.normalize(taken) if unit else taken


def read_on_grid(features: np.ndarray, rows: slice | np.ndarray) -> torch.Tensor:
    """Return a copy of rows at length 1, on a grid of steps of 1 / 4,096; float32.

    Products of such numbers, and sums of them up to 1, are exact in float32. So inner products are
    the same whatever the processor, the number of threads and how many rows are compared at once,
    and copies are at distance 0. Length is 63 / 64, lest rounding carry a sum beyond 1; it moves a
    feature of 1,280 numbers by some 0.003.
    """
    taken = read(features, rows)
    lengths = torch.linalg.vector_norm(taken, dim=1, keepdim=True, dtype=torch.float64)
    factors = (STEPS * 63 / 64 / lengths.clamp(min=1e-12)).float()
    return taken.mul_(factors).round_().div_(STEPS)


@dataclass(frozen=True)
class Part:
    """Some rows of features, in an order of its own, read only when they are asked for."""

    features: np.ndarray
    positions: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        return self.features[self.positions[rows]]


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
    """Return each row's squared distance to the nearest other, and which; ties to the first."""
    best = torch.full((len(rows),), torch.inf)
    which = torch.zeros(len(rows), dtype=torch.int64)
    for start in range(0, len(others), OTHERS):
        nearest = squared(rows, others[start : start + OTHERS]).min(1)
        which = torch.where(nearest.values < best, nearest.indices + start, which)
        best = torch.minimum(best, nearest.values)
    return best, which


def median_squared(features: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> float:
    """Return the median squared distance of two different images; 1 if all are alike.

    Features are divided by their length; of more than 2,000 images so many are drawn.
    """
    images = len(features) + len(others)
    drawn = np.arange(images)
    if images > TYPICAL:
        drawn = np.sort(rng.choice(images, TYPICAL, replace=False))
    own = read_on_grid(features, drawn[drawn < len(features)])
    other = read_on_grid(others, drawn[drawn >= len(features)] - len(features))
    sample = torch.cat([own, other])
    pairs = torch.triu(squared(sample, sample), diagonal=1)
    pairs = pairs[pairs > 0]
    return float(pairs.median()) if len(pairs) else 1.0
