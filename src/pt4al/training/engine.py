"""The one training loop and the one scoring loop, on any device, in any precision.

Both take `loss(network, images[, targets]) -> (B,)`: `fit` averages it, `predict` keeps it.
"""

import contextlib
import copy
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import pandas as pd
import torch
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from pt4al.cluster.seam import in_shards
from pt4al.errors import InputError
from pt4al.images.augment import Augmentation
from pt4al.images.pool import ImagePool
from pt4al.randomness import torch_generator
from pt4al.training.folding import folded
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.ranks import ALONE, Losses, Ranks
from pt4al.training.reading import Take, reader
from pt4al.training.repeatable import repeatable
from pt4al.training.schedule import Schedule

Loss = Callable[..., torch.Tensor]

# Images of up to SCORING_SIZE pixels, fewer of larger ones: their activations need as much memory.
# On a processor the activations of more leave its cache: 512 take 1.5 times as long.
SCORING_SIZE = 32 * 32
SCORING_MINIBATCH = {"cpu": 128, "cuda": 2048}
TRIED = 2  # images
LARGEST_IN_MEMORY = 2**28  # bytes of results: features of 131,072 images of width 512
CHECKED = 4096  # images whose numbers are looked at together
SHARD = 16  # minibatches that a worker scores at once
CURVE = ["epoch", "steps", "loss", "learning_rate"]  # what training answers


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes
    ----------
    rng
        Draws minibatches, augmentation and dropout.
    frozen
        Whole epochs, or infinity, for which the trunk stays as it is, its batch norms' statistics
        too.
    title
        What a progress bar and an error message call it.
    each_epoch
        Called with the network at the end of each epoch; must not change it.
    ranks
        Processes that train the network together; each calls `fit` with the same arguments but for
        its own number.
    run
        Name of the run that it belongs to, whose checkpoints are kept as long as the run is.
    """

    schedule: Schedule
    rng: np.random.Generator
    augment: Augmentation | None = None
    frozen: float = 0
    title: str = "train"
    each_epoch: Callable[[Network], None] | None = None
    ranks: Ranks = ALONE
    run: str = ""


def fit(
    network: Network,
    loss: Loss,
    pool: ImagePool,
    training: Training,
    hardware: Hardware,
    rows: np.ndarray | None = None,
    targets: torch.Tensor | None = None,
) -> pd.DataFrame:
    """Train a network in place; InputError at the end of an epoch whose loss is no finite number.

    Parameters
    ----------
    loss
        `loss(network, images)`, or `loss(network, images, targets)` if there are targets; -> (B,).
    rows, targets
        Rows of the pool to train on, all by default; one target for each.

    Returns
    -------
    One row an epoch: `epoch`, `steps` so far, mean `loss`, `learning_rate` at its end.
    """
    if hardware.ranks > 1:
        from pt4al.training.together import fit_together  # whose processes call this function

        return fit_together(network, loss, pool, training, hardware, rows, targets)
    rows = np.arange(len(pool)) if rows is None else rows
    generator = torch_generator(training.rng, hardware.device)
    seed = generator.initial_seed()
    take = _augmented(reader(pool, rows, targets, hardware), training.augment, generator)
    network.to(hardware.device, memory_format=torch.channels_last).train()
    schedule = training.schedule
    steps = schedule.steps(len(rows))
    size = min(schedule.minibatch, len(rows))
    optimiser = _optimiser(network, schedule)
    ranks = training.ranks
    curve = _Curve(math.ceil(len(rows) / size), steps, hardware.device, training)
    curve.rows, curve.steps = ranks.resume(network, optimiser)
    start = curve.steps
    rate = LambdaLR(optimiser, lambda step: schedule.factor((start + step + 1) / (steps + 1)))
    thaw = min(training.frozen * curve.steps_an_epoch, steps)
    network.trunk.requires_grad_(thaw < steps)
    learner = ranks.join(network, loss, size)
    if start < thaw:
        network.trunk.requires_grad_(False)
        network.trunk.eval()
    mean_loss = partial(_mean_loss, take, hardware)
    trial = partial(_try, mean_loss, loss, network, len(rows))
    minibatches = enumerate(_minibatches(len(rows), size, steps, training.rng))
    with (
        _progress((steps - start) * size, training.title) as progress,
        _seeded(generator),
        repeatable(hardware, trial),
        _room_for(size),
    ):
        for step, positions in islice(minibatches, start, None):
            if curve.complete:
                ranks.seed(generator, seed, len(curve.rows))
            if step == thaw:
                network.trunk.requires_grad_(True)
                network.train()
            mean = mean_loss(learner, ranks.part(positions))
            optimiser.zero_grad()
            mean.backward()
            optimiser.step()
            curve.add(mean.detach(), rate.get_last_lr()[0])
            rate.step()
            progress.update(size)
            if curve.complete:
                ranks.settle(network)
                ranks.save(network, optimiser, curve.rows, curve.steps)
                if training.each_epoch:
                    training.each_epoch(network)
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

    Raises
    ------
    InputError
        If there are no images, or what is returned of one is not finite.
    """
    rows = np.arange(len(pool)) if rows is None else rows
    if not hardware.cluster.alone and len(rows):
        return _predict_in_shards(network, function, pool, hardware, rows, targets, title)
    take = reader(pool, rows, targets, hardware, again=False)
    scored = folded(network).to(hardware.device, memory_format=torch.channels_last)
    first = 0
    scores = None
    size = scoring_minibatch(hardware.device, pool.shape)
    with (
        torch.inference_mode(),
        hardware.autocast(),
        repeatable(hardware),
        _progress(len(rows), title) as progress,
    ):
        while first < len(rows):
            positions = np.arange(first, min(first + size, len(rows)))
            try:
                chunk = function(scored, *take(positions))
            except torch.OutOfMemoryError:
                size = _half(size, title)
                continue
            chunk = chunk.float() if chunk.is_floating_point() else chunk
            if scores is None:  # whole at once: small chunks that are kept would fragment the heap
                scores = _room((len(rows), *chunk.shape[1:]), chunk)
            scores[first : first + len(chunk)] = chunk
            progress.update(len(positions))
            first += len(positions)
    if scores is None:
        raise InputError(f"{title}: there are no images to score")
    answers = scores.cpu().numpy()
    _check_finite(answers, pool, rows, title)
    return answers


def _predict_in_shards(
    network: Network,
    function: Loss,
    pool: ImagePool,
    hardware: Hardware,
    rows: np.ndarray,
    targets: torch.Tensor | None,
    title: str,
) -> np.ndarray:
    """Do as `predict` does, in the workers of a cluster.

    Shards are cut where minibatches are, so that each image is scored beside the same others.
    """

    def score(model: Network, shard: list[tuple]) -> np.ndarray:
        some, answers = zip(*shard, strict=True)
        own = None if targets is None else torch.cat(answers)
        return predict(model, function, pool, hardware.alone, np.concatenate(some), own, title)

    size = scoring_minibatch(hardware.device, pool.shape)
    cuts = (slice(first, first + size) for first in range(0, len(rows), size))
    minibatches = ((rows[cut], None if targets is None else targets[cut]) for cut in cuts)
    shards = iter(lambda: list(islice(minibatches, SHARD)), [])
    scores = None
    first = 0
    prepare = partial(_here, network)
    with _progress(len(rows), title) as progress:
        for _, part in in_shards(score, shards, hardware.cluster, prepare, title):
            if scores is None:
                like = torch.from_numpy(part[:0].copy())  # what Ray hands out can't be written
                scores = _room((len(rows), *part.shape[1:]), like).numpy()
            scores[first : first + len(part)] = part
            progress.update(len(part))
            first += len(part)
    return scores


def _here(network: Network) -> Network:
    """Return a network, sent once to each worker."""
    return network


def _check_finite(answers: np.ndarray, pool: ImagePool, rows: np.ndarray, title: str) -> None:
    if not np.issubdtype(answers.dtype, np.floating):
        return
    for first in range(0, len(answers), CHECKED):  # a large array is in a file
        part = answers[first : first + CHECKED]
        finite = np.isfinite(part).reshape(len(part), -1).all(axis=1)
        if not finite.all():
            row = first + int(finite.argmin())
            raise InputError(
                f"{title}: what the network says of image {pool.ids.iloc[rows[row]]!r} is not "
                "a finite number. It has "
                "learnt nothing that can be used: train it with a lower `schedule.learning_rate`"
            )


def scoring_minibatch(device: str, shape: tuple[int, ...]) -> int:
    """Return how many images of shape (channels, height, width) are scored at once."""
    most = SCORING_MINIBATCH[device]
    return min(most, max(1, most * SCORING_SIZE // math.prod(shape[1:])))


def _half(size: int, title: str) -> int:
    if size == 1:
        raise InputError(
            f"{title}: the GPU's memory has no room for one image: a smaller network or "
            "`pool.size` fits"
        )
    return size // 2


@contextlib.contextmanager
def _room_for(size: int) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise InputError(
            f"the GPU's memory has no room to train on {size} images at once: lower the "
            "schedule's `minibatch`"
        ) from error


def _augmented(take: Take, augment: Augmentation | None, generator: torch.Generator) -> Take:
    if augment is None:
        return take

    def augmented(positions: np.ndarray) -> tuple[torch.Tensor, ...]:
        images, *targets = take(positions)
        return augment(images, generator, *targets)

    return augmented


def _mean_loss(
    take: Take, hardware: Hardware, losses: Losses, positions: np.ndarray
) -> torch.Tensor:
    images, *targets = take(positions)
    with hardware.autocast():
        return losses(images, *targets).mean()


def _try(
    mean_loss: Callable[[Losses, np.ndarray], torch.Tensor],
    loss: Loss,
    network: Network,
    images: int,
) -> None:
    """Compute the gradient of a few images; the network is left as it was."""
    losses = partial(loss, copy.deepcopy(network))
    mean_loss(losses, np.arange(min(TRIED, images))).backward()


def _optimiser(network: Network, schedule: Schedule) -> torch.optim.SGD:
    rest = [weight for name, weight in network.named_parameters() if not name.startswith("trunk.")]
    # All of a fused group must start at once.
    groups = [{"params": network.trunk.parameters()}, {"params": rest}]
    return torch.optim.SGD(
        groups,
        schedule.learning_rate,
        schedule.momentum,
        weight_decay=schedule.weight_decay,
        fused=True,
    )


def _room(shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Return an empty tensor; a large one is in a nameless file, so that memory does not grow."""
    if math.prod(shape) * like.element_size() <= LARGEST_IN_MEMORY:
        return like.new_empty(shape)
    dtype = like.new_empty(0, device="cpu").numpy().dtype
    with tempfile.TemporaryFile() as file:
        return torch.from_numpy(np.memmap(file, dtype, "w+", shape=shape))


class _Curve:
    """Mean loss by epoch, summed on the device: reading a number there would stall it."""

    def __init__(self, steps_an_epoch: int, last: int, device: str, training: Training):
        self.steps_an_epoch = steps_an_epoch
        self.last = last
        self.title = training.title
        self.ranks = training.ranks
        self.steps = 0
        self.counted = 0
        self.total = torch.zeros((), device=device)
        self.rows = []

    def add(self, loss: torch.Tensor, rate: float) -> None:
        self.steps = self.steps + 1
        self.counted = self.counted + 1
        self.rate = rate
        self.total += loss
        if self.counted == self.steps_an_epoch or self.steps == self.last:
            self._close()

    @property
    def complete(self) -> bool:
        """Whether an epoch has just ended."""
        return self.counted == 0

    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows, columns=CURVE)

    def _close(self) -> None:
        epoch = len(self.rows) + 1
        loss = float(self.ranks.mean(self.total)) / self.counted
        if not math.isfinite(loss):
            raise InputError(
                f"{self.title}: the loss of epoch {epoch}, after {self.steps} steps, is "
                f"{loss}: training has diverged. "
                "Lower the `schedule.learning_rate` of block `pretext` or `main`, or "
                "`schedule.weight_decay`"
            )
        self.rows.append((epoch, self.steps, loss, self.rate))
        self.total.zero_()
        self.counted = 0


def _minibatches(
    images: int, size: int, steps: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield positions: one permutation after the other, cut into minibatches that are all whole."""
    left = np.empty(0, np.int64)
    for _ in range(steps):
        if len(left) < size:
            left = np.concatenate([left, rng.permutation(images)])
        yield left[:size]
        left = left[size:]


@contextlib.contextmanager
def _seeded(generator: torch.Generator) -> Iterator[None]:
    """Seed the global generators, from which dropout draws; restore them afterwards."""
    with torch.random.fork_rng(
        [generator.device.index or 0] if generator.device.type == "cuda" else []
    ):
        torch.manual_seed(generator.initial_seed())
        yield


def _progress(images: int, title: str) -> tqdm:
    """A bar with rate and time left; none where the output is not a terminal."""
    return tqdm(
        total=images,
        desc=title,
        unit=" images",
        disable=None,
        leave=False,
        mininterval=0.5,
    )
