"""Losses that the network has not memorised: cross-fitted, or averaged over epochs."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from pt4al.images.pool import ImagePool
from pt4al.pretext.task import PretextTask
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware

Train = Callable[..., tuple[Network, pd.DataFrame]]


def cross_fitted(
    task: PretextTask, train: Train, pool: ImagePool, hardware: Hardware, rng: np.random.Generator
) -> np.ndarray:
    """Return each image's loss under a network that has not seen it, (N,) float32.

    Two networks are trained, each on a random half for as many epochs, and score each other's half
    (Chernozhukov et al. 2018). Together they cost as much as training on the whole pool.

    Parameters
    ----------
    train
        `train(rows, turn)`, with `turn` 1 and 2; returns a network and its training curve.
    """
    halves = [np.sort(half) for half in np.array_split(rng.permutation(len(pool)), 2)]
    losses = np.empty(len(pool), np.float32)
    for turn, (seen, unseen) in enumerate((halves, halves[::-1]), 1):
        network, _ = train(rows=seen, turn=turn)
        losses[unseen] = task.score(network, pool, hardware, unseen)
    return losses


def mean_over_epochs(
    task: PretextTask, train: Train, pool: ImagePool, hardware: Hardware
) -> np.ndarray:
    """Return the mean of each image's losses at the end of each epoch, (N,) float32.

    Images that a network learns late are hard (Jiang et al. 2021), which the last epoch's losses no
    longer show. Costs a scoring of the pool an epoch, beside the training.

    Parameters
    ----------
    train
        `train(each_epoch)`; returns a network and its training curve, one row a call of
        `each_epoch`.
    """
    total = np.zeros(len(pool))

    def measure(network: Network) -> None:
        total[:] += task.score(network, pool, hardware)

    _, curve = train(each_epoch=measure)
    return (total / len(curve)).astype(np.float32)
