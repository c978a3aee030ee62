"""Score images with and without invisible noise: a network may read traces of compression."""

from typing import Any

import numpy as np
import torch

from pt4al.images.noise import noisy
from pt4al.images.pool import ImagePool
from pt4al.pretext.task import PretextTask
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware

LEVELS = 4.0  # grey levels of 255: invisible, and as much as compression leaves


class NoisyPool(ImagePool):
    """A pool as it would look with faint noise on top; nothing is written."""

    def __init__(self, pool: ImagePool):
        super().__init__(pool.shards, pool.index, pool.mean, pool.std, pool.sha256, pool.folder)
        self._pool = pool

    def __reduce_ex__(self, protocol: int) -> Any:
        return NoisyPool, (self._pool,)

    def gather(self, rows: np.ndarray) -> torch.Tensor:
        """See ImagePool.gather."""
        images = super().gather(rows).numpy()
        # A purpose of its own: the noise that `pool.noise` may have added would not be new.
        return torch.from_numpy(noisy(images, list(self.ids.iloc[rows]), LEVELS, "shortcut"))


def score_twice(
    task: PretextTask, network: Network, pool: ImagePool, hardware: Hardware, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pretext losses of rows as they are and with noise, (N,) float32 each."""
    clean = task.score(network, pool, hardware, rows)
    noisy_losses = task.score(network, NoisyPool(pool), hardware, rows)
    return clean, noisy_losses
