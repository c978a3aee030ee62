"""Minibatches of a pool on the device that computes."""

import math
from collections.abc import Callable

import numpy as np
import torch

from pt4al.images.pool import ImagePool
from pt4al.training.precision import Hardware

Take = Callable[[np.ndarray], tuple[torch.Tensor, ...]]

CHUNK = 2**26  # bytes that go to the device at once


def reader(
    pool: ImagePool,
    rows: np.ndarray,
    targets: torch.Tensor | None,
    hardware: Hardware,
    again: bool = True,
) -> Take:
    """Return what turns positions among `rows` into tensors on the device.

    Parameters
    ----------
    again
        Whether images are read again and again: then a GPU keeps them, if they fill at most half of
        its free memory.
    """
    if hardware.device == "cpu":
        return lambda positions: (
            pool.gather(rows[positions]),
            *(() if targets is None else (targets[torch.from_numpy(positions)],)),
        )
    resident = (
        _resident(pool, rows) if again and len(rows) * _row_bytes(pool) <= _free() // 2 else None
    )
    return _cuda_reader(pool, rows, None if targets is None else targets.cuda(), resident)


def _cuda_reader(
    pool: ImagePool, rows: np.ndarray, targets: torch.Tensor | None, resident: torch.Tensor | None
) -> Take:
    """Nothing here waits for the device: while it computes, the next minibatch is gathered."""

    def take(positions: np.ndarray) -> tuple[torch.Tensor, ...]:
        index = _sent(torch.from_numpy(positions))
        images = _sent(pool.gather(rows[positions])) if resident is None else resident[index]
        return images, *(() if targets is None else (targets[index],))

    return take


def _resident(pool: ImagePool, rows: np.ndarray) -> torch.Tensor:
    images = torch.empty((len(rows), *pool.shape), dtype=_dtype(pool), device="cuda")
    step = max(1, CHUNK // _row_bytes(pool))
    for first in range(0, len(rows), step):
        images[first : first + step] = pool.gather(rows[first : first + step]).cuda()
    return images


def _dtype(pool: ImagePool) -> torch.dtype:
    """uint8 of images, float32 of features that stand in their place."""
    return pool.gather(np.empty(0, np.int64)).dtype


def _row_bytes(pool: ImagePool) -> int:
    return math.prod(pool.shape) * _dtype(pool).itemsize


def _free() -> int:
    """Bytes that the device has free, with those that torch holds for its next tensors."""
    return (
        torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    )


def _sent(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.pin_memory().cuda(non_blocking=True)
