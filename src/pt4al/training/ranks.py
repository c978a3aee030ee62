"""Ranks: processes that train one network together, each on its part of every minibatch."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from pt4al.training.checkpoints import Checkpoint, Checkpoints
from pt4al.training.networks import Network

# A minibatch's images, and their targets if there are any -> (B,).
Losses = Callable[..., torch.Tensor]


@dataclass(frozen=True)
class Ranks:
    """Which one of the processes this is that train a network together; by default it is alone.

    Attributes
    ----------
    rank, world
        Number of this process, from 0, and how many there are. If there are several, torch's
        default process group joins them.
    checkpoints
        Where rank 0 leaves a checkpoint at the end of each epoch, and finds the newest one; a
        process alone leaves none.
    """

    rank: int = 0
    world: int = 1
    checkpoints: Checkpoints | None = None

    @property
    def alone(self) -> bool:
        """Whether there is no other process."""
        return self.world == 1

    def part(self, positions: np.ndarray) -> np.ndarray:
        """Return this rank's part of a minibatch that all ranks have drawn alike.

        Any rank may read any image, so the cache of shards of each machine comes to hold the whole
        pool, and one that is bounded fetches shards again in each epoch. This is the price of
        minibatches that are those of one process. Parts by who holds an image would keep them, but
        differ in size: all wait for the largest, 1.4 times the mean with 8 ranks and 128 images,
        1.6 times with 64 and 1,024, and a label set from few shards leaves ranks without any. Ranks
        that draw from their own shards alone would train on other minibatches.
        """
        return positions if self.alone else positions[self.rank :: self.world]

    def join(self, network: Network, loss: Callable[..., torch.Tensor], size: int) -> Losses:
        """Return the losses of minibatches of a size; their gradient is that of all ranks' mean.

        To be called once, when all parameters that ever learn require a gradient. Sets the weights
        of all ranks to those of rank 0.
        """
        if self.alone:
            return partial(loss, network)
        part = len(range(self.rank, size, self.world))
        losses = _Losses(network, loss, part * self.world / size)
        # Looking for parameters that a loss leaves out keeps the order of sums, too: otherwise it
        # changes after the first step, and a training that has resumed would round otherwise.
        joined = DistributedDataParallel(losses, find_unused_parameters=True)
        joined.broadcast_buffers = False  # they are averaged once an epoch
        return joined

    def seed(self, generator: torch.Generator, seed: int, epoch: int) -> None:
        """Seed `generator`, and torch's global ones, for an epoch.

        Each rank draws in each epoch from a stream of its own, so that a checkpoint needs no
        states of generators.
        """
        if not self.alone:
            drawn = np.random.SeedSequence([seed, self.rank, epoch]).generate_state(1, np.uint64)
            generator.manual_seed(int(drawn[0] >> np.uint64(1)))
            torch.manual_seed(generator.initial_seed())

    def mean(self, number: torch.Tensor) -> torch.Tensor:
        """Return the mean of a number that each rank has; it is the same on all."""
        if self.alone:
            return number
        total = number.detach().clone()
        distributed.all_reduce(total)
        return total / self.world

    def settle(self, network: Network) -> None:
        """Give all ranks the mean of the statistics that their batch norms have seen."""
        if self.alone:
            return
        for module in network.modules():
            if (
                isinstance(module, nn.modules.batchnorm._BatchNorm)
                and module.training
                and module.track_running_stats
            ):
                module.running_mean.copy_(self.mean(module.running_mean))
                module.running_var.copy_(self.mean(module.running_var))

    def save(
        self, network: Network, optimiser: torch.optim.Optimizer, rows: list[tuple], steps: int
    ) -> None:
        """Leave a checkpoint, if there is a place for them; `rows` are those of the curve."""
        if not self.alone and self.rank == 0 and self.checkpoints is not None:
            self.checkpoints.write(Checkpoint.of(network, optimiser, rows, steps))

    def resume(self, network: Network, optimiser: torch.optim.Optimizer) -> tuple[list[tuple], int]:
        """Return rows of the curve and steps of the newest checkpoint, which is put in place."""
        if self.alone or self.checkpoints is None:
            return [], 0
        # Rank 0 alone reads: the others can't find another one.
        newest = [self.checkpoints.newest() if self.rank == 0 else None]
        distributed.broadcast_object_list(newest)
        if newest[0] is None:
            return [], 0
        newest[0].restore(network, optimiser)
        return newest[0].rows, newest[0].steps


ALONE = Ranks()


class _Losses(nn.Module):
    """A loss as a module, which is what DistributedDataParallel takes.

    It averages over ranks: a part that is larger than others counts more, by `weight`.
    """

    def __init__(self, network: Network, loss: Callable[..., torch.Tensor], weight: float):
        super().__init__()
        self.network = network
        self.loss = loss
        self.weight = weight

    def forward(self, *batch: torch.Tensor) -> torch.Tensor:
        """Return the losses of a part of a minibatch, (B,)."""
        return self.loss(self.network, *batch) * self.weight
