"""The one training loop and the one scoring loop; nothing else knows devices, precision and progress.

Both take `loss(network, images[, targets]) -> (B,)`: `fit` averages it, `predict` keeps it.
"""

import contextlib
import math
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from pt4al.errors import InputError
from pt4al.images.augment import Augmentation
from pt4al.images.pool import ImagePool
from pt4al.randomness import torch_generator
from pt4al.training.folding import folded
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.schedule import Schedule

Loss = Callable[..., torch.Tensor]
Take = Callable[[np.ndarray], tuple[torch.Tensor, ...]]

# Images of up to SCORING_SIZE pixels, fewer of larger ones: their activations need as much memory.
# On a processor the activations of more leave its cache: 512 take 1.5 times as long.
SCORING_SIZE = 32 * 32
SCORING_MINIBATCH = {"cpu": 128, "cuda": 2048}


def fit(
    network: Network,
    loss: Loss,
    pool: ImagePool,
    schedule: Schedule,
    rng: np.random.Generator,
    hardware: Hardware,
    rows: np.ndarray | None = None,
    targets: torch.Tensor | None = None,
    augment: Augmentation | None = None,
    title: str = "train",
) -> pd.DataFrame:
    """Train a network in place.

    Parameters
    ----------
    loss
        `loss(network, images)`, or `loss(network, images, targets)` if there are targets; -> (B,).
    rows
        Rows of the pool to train on; all by default.
    targets
        One for each of `rows`.

    Returns
    -------
    One row an epoch: `epoch`, `steps` so far, mean `loss`, `learning_rate` at its end.
    """
    rows = np.arange(len(pool)) if rows is None else rows
    take = _reader(pool, rows, targets, hardware)
    generator = torch_generator(rng, hardware.device)
    network.to(hardware.device, memory_format=torch.channels_last).train()
    optimiser = torch.optim.SGD(
        network.parameters(), schedule.learning_rate, schedule.momentum, weight_decay=schedule.weight_decay, fused=True
    )
    steps, size = schedule.steps(len(rows)), min(schedule.minibatch, len(rows))
    rate = LambdaLR(optimiser, lambda step: schedule.factor((step + 1) / (steps + 1)))
    curve = _Curve(math.ceil(len(rows) / size), hardware.device)
    exact = torch.backends.cudnn.flags(benchmark=False, deterministic=True)
    with _progress(steps * size, title) as progress, _seeded(generator), exact:
        for positions in _minibatches(len(rows), size, steps, rng):
            images, *wanted = take(positions)
            if augment is not None:
                images, *wanted = augment(images, generator, *wanted)
            with hardware.autocast():
                mean = loss(network, images, *wanted).mean()
            optimiser.zero_grad()
            mean.backward()
            optimiser.step()
            curve.add(mean.detach(), rate.get_last_lr()[0])
            rate.step()
            progress.update(size)
    return curve.table()


def predict(
    network: Network,
    function: Loss,
    pool: ImagePool,
    hardware: Hardware,
    rows: np.ndarray | None = None,
    targets: torch.Tensor | None = None,
    title: str = "score",
) -> np.ndarray:
    """Return `function(network, images[, targets])` for rows of the pool, in their order: (N, ...).

    Numbers with a point come as float32, whole numbers as they are.

    The network is scored in evaluation mode with its batch norms folded; it is left as it was.
    """
    rows = np.arange(len(pool)) if rows is None else rows
    take = _reader(pool, rows, targets, hardware)
    scored = folded(network).to(hardware.device, memory_format=torch.channels_last)
    most = SCORING_MINIBATCH[hardware.device]
    scores, size = None, min(most, max(1, most * SCORING_SIZE // math.prod(pool.shape[1:])))
    with torch.inference_mode(), hardware.autocast(), _progress(len(rows), title) as progress:
        for first in range(0, len(rows), size):
            positions = np.arange(first, min(first + size, len(rows)))
            chunk = function(scored, *take(positions))
            chunk = chunk.float() if chunk.is_floating_point() else chunk
            if scores is None:  # whole at once: small chunks that are kept would fragment the heap
                scores = chunk.new_empty((len(rows), *chunk.shape[1:]))
            scores[first : first + len(chunk)] = chunk
            progress.update(len(positions))
    if scores is None:
        raise InputError(f"{title}: there are no images to score")
    return scores.cpu().numpy()


class _Curve:
    """Mean loss by epoch, summed on the device: reading a number there would stall it."""

    def __init__(self, steps_an_epoch: int, device: str):
        self.steps_an_epoch, self.steps, self.counted = steps_an_epoch, 0, 0
        self.total, self.rows = torch.zeros((), device=device), []

    def add(self, loss: torch.Tensor, rate: float) -> None:
        self.steps, self.counted, self.rate = self.steps + 1, self.counted + 1, rate
        self.total += loss
        if self.counted == self.steps_an_epoch:
            self._close()

    def table(self) -> pd.DataFrame:
        if self.counted:
            self._close()
        return pd.DataFrame(self.rows, columns=["epoch", "steps", "loss", "learning_rate"])

    def _close(self) -> None:
        self.rows.append((len(self.rows) + 1, self.steps, float(self.total) / self.counted, self.rate))
        self.total.zero_()
        self.counted = 0


def _minibatches(images: int, size: int, steps: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield positions: one permutation after the other, cut into minibatches that are all whole."""
    left = np.empty(0, np.int64)
    for _ in range(steps):
        if len(left) < size:
            left = np.concatenate([left, rng.permutation(images)])
        yield left[:size]
        left = left[size:]


def _reader(pool: ImagePool, rows: np.ndarray, targets: torch.Tensor | None, hardware: Hardware) -> Take:
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


@contextlib.contextmanager
def _seeded(generator: torch.Generator) -> Iterator[None]:
    """Let what draws from the global generators, such as dropout, draw from this seed; put them back afterwards."""
    with torch.random.fork_rng([generator.device.index or 0] if generator.device.type == "cuda" else []):
        torch.manual_seed(generator.initial_seed())
        yield


def _progress(images: int, title: str) -> tqdm:
    """A bar with rate and time left; none where the output is not a terminal."""
    return tqdm(total=images, desc=title, unit="image", unit_scale=True, disable=None, leave=False, mininterval=0.5)
