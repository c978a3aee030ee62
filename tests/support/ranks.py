"""Processes that train one network, joined by gloo, and what they train."""

import copy
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import distributed

from pt4al.cluster.seam import Cluster
from pt4al.images.augment import Augmentation
from pt4al.images.pool import open_pool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.randomness import stream, torch_generator
from pt4al.training import networks
from pt4al.training.checkpoints import Checkpoints
from pt4al.training.engine import Training, fit
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.ranks import Ranks
from pt4al.training.schedule import Schedule

WORLD = 2
TOGETHER = Hardware(cluster=Cluster("ray"), ranks=WORLD)
Learnt = tuple[dict[str, bytes], pd.DataFrame]


@contextmanager
def joined(folder: Path, world: int = WORLD):
    """Yield what calls a function in processes at once and returns what each answers, rank 0's first."""
    context = get_context("spawn")
    executors = []
    try:
        for rank in range(world):
            begin = partial(_join, rank, world, str(folder / "rendezvous"))
            executors.append(ProcessPoolExecutor(1, context, begin))

        def call(function: Callable[..., Any], *given: Any) -> list[Any]:
            futures = [executor.submit(function, *given) for executor in executors]
            return [future.result() for future in futures]

        yield call
    finally:
        for executor in executors:
            executor.shutdown()


def _join(rank: int, world: int, rendezvous: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{rendezvous}", rank=rank, world_size=world)


def fit_as_rank(folder: Path | None, network, loss, pool, training, hardware, targets=None) -> Learnt:
    """Train as one of the ranks; leave checkpoints in a folder."""
    network = copy.deepcopy(network)  # torch sends tensors to all processes as shared memory
    checkpoints = folder and Checkpoints(folder)
    ranks = Ranks(distributed.get_rank(), distributed.get_world_size(), checkpoints)
    curve = fit(network, loss, pool, replace(training, ranks=ranks), hardware, targets=targets)
    return weights(network), curve


def weights(network: Network) -> dict[str, bytes]:
    """Bytes of all weights and buffers, by name."""
    return {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}


def watched(network: Network, images: torch.Tensor, folder: Path, event: int) -> torch.Tensor:
    """Return the loss of rotation; rank 1 notes its calls in a folder, where something may wait for one of them.

    At call `event` a file `kill` there ends the process, once; a file `hold` lets it wait until it is gone.
    """
    if distributed.get_rank() == 1:
        with (folder / "calls").open("a") as file:
            file.write(f"{os.getpid()}\n")
        if len(calls(folder)) == event and (folder / "kill").exists():
            (folder / "kill").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        while len(calls(folder)) == event and (folder / "hold").exists():
            time.sleep(0.05)
    return PRETEXT_TASKS["rotation"].loss(network, images)


def calls(folder: Path) -> list[str]:
    """Processes that have called `watched`, one a call."""
    return (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []


def watched_training(pool: Path, notes: Path, event: int = 7) -> dict[str, Any]:
    """Arguments of `fit`: nine steps, four an epoch, of a pool on disk, watched."""
    schedule = Schedule(
        epochs=2.5,
        minimum_steps=0,
        minibatch=15,
        learning_rate=0.05,
        shape="one_cycle",
        momentum=0.9,
        weight_decay=5e-4,
    )
    generator = torch_generator(stream(0, "network"))
    return {
        "network": networks.build("resnet8_w16", 4, ([120.0] * 3, [70.0] * 3), generator),
        "loss": partial(watched, folder=notes, event=event),
        "pool": open_pool(pool),
        "training": Training(schedule, stream(0, "fit"), Augmentation(crop_padding=2, flip=True, smallest_crop=1)),
    }


@dataclass(frozen=True)
class Interrupted:
    """The loss of rotation, which fails at a call of each rank."""

    call: int
    calls: list

    def __call__(self, network: Network, images: torch.Tensor) -> torch.Tensor:
        self.calls.append(1)
        if len(self.calls) == self.call:
            raise KeyError("interrupted")
        return PRETEXT_TASKS["rotation"].loss(network, images)
