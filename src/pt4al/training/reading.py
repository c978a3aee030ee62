"""Minibatches of a pool on the device that computes."""

import math
from collections.abc import Callable

import numpy as np
import torch

from pt4al.images.pool import ImagePool
from pt4al.training.precision import Hardware

Take = Callable[[np.ndarray], tuple[torch.Tensor, ...]]


def reader(pool: ImagePool, rows: np.ndarray, targets: torch.Tensor | None, hardware: Hardware) -> Take:
    """Return what turns positions among `rows` into tensors on the device."""
    if hardware.device == "cpu":
        return lambda positions: (
            pool.gather(rows[positions]),
            *(() if targets is None else (targets[torch.from_numpy(positions)],)),
        )
    return _cuda_reader(pool, rows, targets)


def _cuda_reader(pool: ImagePool, rows: np.ndarray, targets: torch.Tensor | None) -> Take:
    """Images go to the device once if they fill at most half of its free memory, else minibatch by minibatch."""
    targets = None if targets is None else targets.cuda()
    resident = None
    if len(rows) * math.prod(pool.shape) <= torch.cuda.mem_get_info()[0] // 2:
        resident = torch.empty((len(rows), *pool.shape), dtype=torch.uint8, device="cuda")
        for first in range(0, len(rows), 8192):
            resident[first : first + 8192] = pool.gather(rows[first : first + 8192]).cuda()

    def take(positions: np.ndarray) -> tuple[torch.Tensor, ...]:
        index = torch.from_numpy(positions).pin_memory().cuda(non_blocking=True)
        images = resident[index] if resident is not None else _pinned(pool, rows[positions])
        return images, *(() if targets is None else (targets[index],))

    return take


def _pinned(pool: ImagePool, rows: np.ndarray) -> torch.Tensor:
    return pool.gather(rows).pin_memory().cuda(non_blocking=True)
