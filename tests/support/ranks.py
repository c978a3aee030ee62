"""Two processes that train one network, joined by gloo, and what they train."""

import copy
import os
import signal
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

from pt4al.pretext import PRETEXT_TASKS
from pt4al.training.checkpoints import Checkpoints
from pt4al.training.engine import fit
from pt4al.training.networks import Network
from pt4al.training.ranks import Ranks

WORLD = 2
Learnt = tuple[dict[str, bytes], pd.DataFrame]


@contextmanager
def joined(folder: Path):
    """Yield what calls a function in two processes at once and returns what both answer, rank 0's first."""
    context = get_context("spawn")
    executors = []
    try:
        for rank in range(WORLD):
            begin = partial(_join, rank, str(folder / "rendezvous"))
            executors.append(ProcessPoolExecutor(1, context, begin))

        def call(function: Callable[..., Any], *given: Any) -> list[Any]:
            futures = [executor.submit(function, *given) for executor in executors]
            return [future.result() for future in futures]

        yield call
    finally:
        for executor in executors:
            executor.shutdown()


def _join(rank: int, rendezvous: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{rendezvous}", rank=rank, world_size=WORLD)


def fit_as_rank(folder: Path | None, network, loss, pool, training, hardware, targets=None) -> Learnt:
    """Train as one of the ranks; leave checkpoints in a folder."""
    network = copy.deepcopy(network)  # torch sends tensors to both processes as shared memory
    checkpoints = folder and Checkpoints(folder)
    ranks = Ranks(distributed.get_rank(), distributed.get_world_size(), checkpoints)
    curve = fit(network, loss, pool, replace(training, ranks=ranks), hardware, targets=targets)
    return weights(network), curve


def weights(network: Network) -> dict[str, bytes]:
    """Bytes of all weights and buffers, by name."""
    return {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}


@dataclass(frozen=True)
class Counted:
    """The loss of rotation; notes each call in a file, and at a call of rank 1 kills its own process, once.

    Attributes
    ----------
    dies
        The call, from 1; 0: never. What is there after the kill is a file `killed`.
    """

    folder: Path
    dies: int = 0

    def __call__(self, network: Network, images: torch.Tensor) -> torch.Tensor:
        if distributed.is_initialized() and distributed.get_rank() == 1:
            with (self.folder / "calls").open("a") as file:
                file.write("x")
            killed = self.folder / "killed"
            if self.dies and not killed.exists() and self.calls == self.dies:
                killed.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return PRETEXT_TASKS["rotation"].loss(network, images)

    @property
    def calls(self) -> int:
        """How often rank 1 was asked."""
        return len((self.folder / "calls").read_text())


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
