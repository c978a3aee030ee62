"""Train the main network of conf/base in a process of its own: one case of benchmark `waiting`, or a neighbour of it.

    python benchmarks/waiting_case.py POOL STEPS THREADS PRECISION

Prints JSON: seconds a step, and the policy that OpenMP was given. With 0 steps it is a neighbour: it says when it is
busy, and trains until it is killed or its parent has ended.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch

import configuration
from pt4al.images.pool import open_pool
from pt4al.training import networks
from pt4al.training.engine import Training, fit
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification

CLASSES = 10
WARM_UP = 2  # steps that don't count
LONGEST = 8  # seconds: then the steps so far must do


class Enough(Exception):
    """Ends a training."""


def train(folder: Path, steps: int, threads: int, precision: str) -> float:
    """Return seconds a step; with 0 steps, never."""
    torch.set_num_threads(threads)
    settings = configuration.read(params=f"engine.precision={precision}").main
    pool = open_pool(folder)
    network = networks.build(settings.network, CLASSES, (pool.mean, pool.std), torch.Generator().manual_seed(0))
    rows = np.arange(settings.schedule.minibatch)  # an epoch is a step, after which `note` is called
    targets = torch.arange(len(rows)) % CLASSES
    schedule = settings.schedule.model_copy(
        update={"epochs": 1e-9, "minimum_steps": steps + WARM_UP if steps else 10**9}
    )
    parent = os.getppid()
    ends: list[float] = []

    def note(network: Network) -> None:
        ends.append(time.perf_counter())
        counted = ends[WARM_UP - 1 :]
        if not steps and len(ends) == 1:
            print("busy", flush=True)
        if steps and len(counted) > 1 and counted[-1] - counted[0] > LONGEST:
            raise Enough
        if os.getppid() != parent:
            raise Enough

    with contextlib.suppress(Enough):
        fit(
            network,
            classification.loss,
            pool,
            Training(schedule, np.random.default_rng(0), augment=settings.augment, each_epoch=note),
            Hardware("cpu", precision),
            rows=rows,
            targets=targets,
        )
    return float(np.diff(ends[WARM_UP - 1 :]).mean())


def main() -> None:
    folder, steps, threads, precision = sys.argv[1:]
    seconds = train(Path(folder), int(steps), int(threads), precision)
    print(
        json.dumps(
            {"seconds": seconds, "policy": os.environ.get("OMP_WAIT_POLICY"), "spins": os.environ.get("GOMP_SPINCOUNT")}
        )
    )


if __name__ == "__main__":
    main()
