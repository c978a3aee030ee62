"""What processes that train together are sent, and where they keep their checkpoints."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from filelock import FileLock

from pt4al.files.scratch import scratch
from pt4al.images.pool import ImagePool
from pt4al.training import unfinished
from pt4al.training.engine import Loss, Training, fit
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.ranks import Ranks


@dataclass(frozen=True)
class Share:
    """What each process is sent: the arguments of `fit`."""

    network: Network
    loss: Loss
    pool: ImagePool
    training: Training
    hardware: Hardware
    rows: np.ndarray
    targets: torch.Tensor | None

    def fit(self, ranks: Ranks) -> pd.DataFrame:
        """Train the network as one of the ranks."""
        training = replace(self.training, ranks=ranks)
        return fit(
            self.network,
            self.loss,
            self.pool,
            training,
            self.hardware.alone,
            self.rows,
            self.targets,
        )

    @contextlib.contextmanager
    def checkpoints(self, world: int) -> Iterator[Path]:
        """Yield a folder for checkpoints, the same for the same training; removed at its end.

        What ends in an error keeps it, and the names of the runs that have begun it: see
        `unfinished`. That of a pool in memory is gone with the process.
        """
        if self.pool.folder is None:
            with scratch() as temporary:
                yield temporary
            return
        pool = Path(self.pool.folder).absolute()
        folder = unfinished.place(pool) / f"{self._identity()}_by_{world}"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")) as lock:  # another run may be training the same
            folder.mkdir(exist_ok=True)
            if self.training.run:
                unfinished.note(folder, self.training.run)
            yield folder
            shutil.rmtree(folder)
            Path(lock.lock_file).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # unless others are in it
            folder.parent.rmdir()

    def _identity(self) -> str:
        """Return 16 hexadecimal digits that stand for the training and what it begins with."""
        network = self.network
        training = self.training
        facts = [
            [network.name, network.outputs, network.kind, network.size, network.dropout],
            [network.still, training.title, training.frozen, training.rng.bit_generator.state],
            training.schedule.model_dump(),
            training.augment and training.augment.model_dump(),
            [self.hardware.device, self.hardware.precision, self.hardware.cluster.threads],
            [self.pool.sha256, _named(self.loss)],
        ]
        digest = hashlib.sha256(json.dumps(facts).encode())
        for tensor in network.state_dict().values():
            digest.update(tensor.numpy().tobytes())
        digest.update(self.rows.tobytes())
        if self.targets is not None:
            digest.update(self.targets.numpy().tobytes())
        return digest.hexdigest()[:16]


def _named(loss: Loss) -> Any:
    """Return what stands for a loss, as JSON: its name, and what it is bound to."""
    if isinstance(loss, partial):
        bound = {name: _plain(value) for name, value in loss.keywords.items()}
        return [_named(loss.func), [_plain(value) for value in loss.args], bound]
    owner = type(getattr(loss, "__self__", None)).__qualname__
    return [loss.__module__, loss.__qualname__, owner]


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, torch.Tensor) else repr(value)
