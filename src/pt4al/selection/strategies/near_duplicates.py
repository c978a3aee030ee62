"""Choose in a given order, leaving out what is nearly a copy of something chosen."""

import numpy as np
import torch

from pt4al.selection.strategies.distances import (
    OTHERS,
    median_squared,
    nearest,
    read_on_grid,
    squared,
)

NEAR = 0.01  # of the median squared distance: a tenth of the distance that two images have


def leave_out(
    features: np.ndarray, order: np.ndarray, budget: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the first `budget` positions of an order of which no two are near duplicates.

    Near duplicates are images whose features, divided by their length, are at a squared distance
    below a hundredth of the pool's median (ours). They follow at the end, in order, if there are
    not enough others.
    """
    limit = NEAR * median_squared(features, features[:0], rng)
    chosen: list[int] = []
    kept = read_on_grid(features, order[:0])
    for start in range(0, len(order), OTHERS):
        some = order[start : start + OTHERS]
        rows = read_on_grid(features, some)
        free = nearest(rows, kept)[0] >= limit
        near = squared(rows, rows) < limit
        own = []
        while len(chosen) + len(own) < budget and free.any():
            place = int(free.int().argmax())  # the first
            own.append(place)
            free &= ~near[place]
            free[place] = False
        chosen += some[own].tolist()
        kept = torch.cat([kept, rows[own]])
        if len(chosen) == budget:
            return np.array(chosen, np.int64)
    rest = order[~np.isin(order, chosen)]
    return np.concatenate([np.array(chosen, np.int64), rest[: budget - len(chosen)]])
