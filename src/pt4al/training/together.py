"""Train a network by several processes at once, with Ray Train; killed ones resume."""

import contextlib
import os
import signal
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from pt4al.cluster.on_ray import connect
from pt4al.cluster.seam import Cluster
from pt4al.cluster.worker import limit_threads
from pt4al.errors import InputError
from pt4al.files import records
from pt4al.images.pool import ImagePool
from pt4al.training.checkpoints import Checkpoints
from pt4al.training.engine import CURVE, Loss, Training, fit
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.ranks import Ranks
from pt4al.training.share import Share

RETRIES = 5  # of a training whose processes die
STARTS = 3  # tries to start them again, each of which waits so long for room on the cluster:
WAIT = "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S"  # 60 seconds, where Ray is not asked for more
# DistributedDataParallel warns of what it was asked for: see `Ranks.join`.
QUIET = {"TORCH_CPP_LOG_LEVEL": "ERROR"}
REFUSED = "refused.json"  # says what trying again does not mend


def fit_together(
    network: Network,
    loss: Loss,
    pool: ImagePool,
    training: Training,
    hardware: Hardware,
    rows: np.ndarray | None = None,
    targets: torch.Tensor | None = None,
) -> pd.DataFrame:
    """As `engine.fit`, by `hardware.ranks` processes of the Ray cluster; no more than minibatches fill.

    Each process has its part of every minibatch, and gradients are those of all: the schedule, the
    minibatches and their order are those of one process. What looks at a minibatch as a whole
    looks at a part of it: pairs of images (`learning_loss`), and on the processor batch norms, whose
    statistics are averaged; on GPUs they are those of the whole minibatch.

    Each epoch leaves a checkpoint beside the pool. A process that dies is started again, at most
    five times, and so is a command that was killed and is typed again: they go on from there, and
    end with the bytes of an undisturbed training by as many processes. By another number of
    processes it is another training, which begins at its start.

    Raises
    ------
    InputError
        As `fit`; or if the cluster has no room for so many processes, or they keep on dying.
    """
    if training.each_epoch is not None:
        raise InputError("an epoch that is trained by other processes can't be looked into")
    rows = np.arange(len(pool)) if rows is None else rows
    world = min(hardware.ranks, training.schedule.minibatch, len(rows))
    if world == 1:
        return fit(network, loss, pool, training, hardware.alone, rows, targets)
    check_room(hardware.cluster, world)
    share = Share(network.cpu(), loss, pool, training, hardware, rows, targets)
    with share.checkpoints(world) as folder:
        refused = _run(share, world, folder)
        trained = Checkpoints(folder).newest()
    if refused is not None and refused["mistake"]:
        raise InputError(refused["message"])
    if refused is not None:
        raise RuntimeError(f"{training.title}, in a process of the cluster: {refused['trace']}")
    if trained is None:
        raise InputError(
            f"{training.title}: {folder} holds no checkpoint, though the training has ended: all "
            "machines of the cluster must see the same folder there"
        )
    network.to(hardware.device, memory_format=torch.channels_last).train()
    trained.restore(network)
    return pd.DataFrame(trained.rows, columns=CURVE)


def check_room(cluster: Cluster, ranks: int) -> None:
    """Raise InputError if the cluster can't be reached, or has no room for so many processes."""
    connect(cluster.address)
    import ray

    there = ray.cluster_resources()
    for name, each in {"CPU": cluster.threads, "GPU": cluster.gpus}.items():
        if ranks * each > there.get(name, 0):
            raise InputError(
                f"`engine.ranks` is {ranks}, of {each:g} {name}s each, and the cluster has "
                f"{there.get(name, 0):g} {name}s: lower `engine.ranks` or `engine.threads`, or add "
                "machines"
            )


def _run(share: Share, world: int, folder: Path) -> dict[str, Any] | None:
    """Train until the last checkpoint is in the folder, or return why that can't be."""
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.torch import TorchTrainer

    cluster = share.hardware.cluster
    scaling = ScalingConfig(
        num_workers=world,
        use_gpu=cluster.gpus > 0,
        resources_per_worker={"CPU": cluster.threads, "GPU": cluster.gpus},
    )
    # Ray's own files go where checkpoints are, which every machine must see. It is told of no
    # checkpoint, since it forgets them when the command is killed.
    files = RunConfig(
        name="ray",
        storage_path=str(folder),
        failure_config=FailureConfig(max_failures=RETRIES, controller_failure_limit=STARTS),
        worker_runtime_env={"env_vars": QUIET},
    )
    sent = ray.put(share)

    def train() -> dict[str, Any] | None:
        return _train([sent], folder)  # in a list, so that the process itself reads it

    trainer = TorchTrainer(train, scaling_config=scaling, run_config=files)
    try:
        with _interrupts_restored(), _waiting(cluster.patience):
            return trainer.fit().return_value
    except TrainingFailedError as error:
        raise InputError(
            f"{share.training.title}: training by {world} processes failed, each time that it was "
            f"tried, at last so: {_reason(error)}. Finished epochs are kept: the same command goes "
            "on from there"
        ) from error


def _train(sent: list, folder: Path) -> dict[str, Any] | None:
    """Train as one of the ranks; return why not, if trying again would not mend it."""
    if (folder / REFUSED).exists():
        return records.read(folder / REFUSED, dict)
    try:
        _train_rank(sent, folder)
    except RuntimeError:  # torch's connections raise them, once another process has died
        raise
    except Exception as error:
        trace = traceback.format_exc()
        mistake = isinstance(error, InputError)
        about = {"message": str(error), "mistake": mistake, "trace": trace}
        records.write(folder / REFUSED, about)
        raise  # so that Ray ends the others, which may wait for this one, and asks once more
    return None


def _train_rank(sent: list, folder: Path) -> None:
    import ray
    from ray.train import get_context

    share: Share = ray.get(sent[0])
    limit_threads(share.hardware.cluster.threads)
    if share.hardware.device == "cuda":  # there are none for the processor
        from timm.layers import convert_sync_batchnorm  # takes half a second

        share = replace(share, network=convert_sync_batchnorm(share.network))
    context = get_context()
    share.fit(Ranks(context.get_world_rank(), context.get_world_size(), Checkpoints(folder)))


@contextlib.contextmanager
def _interrupts_restored() -> Iterator[None]:
    """Let Ctrl-C be what it is elsewhere: the trainer takes it, exits, and never gives it back."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


@contextlib.contextmanager
def _waiting(seconds: float) -> Iterator[None]:
    """Let Ray Train wait so long for room, unless the variable is set already."""
    if WAIT in os.environ:
        yield
        return
    os.environ[WAIT] = f"{seconds:g}"
    try:
        yield
    finally:
        del os.environ[WAIT]


def _reason(error: Exception) -> str:
    """Return the first failure of a process in one line."""
    failures = getattr(error, "worker_failures", None) or {0: error}
    lines = str(next(iter(failures.values()))).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
