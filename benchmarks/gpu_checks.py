"""Does a GPU compute what a processor does, and twice the same?

The reference is the same network on the processor in fp32, in a bare loop that folds no batch norms. Errors are
relative, ||found - reference|| / ||reference||; NaN passes nothing.
"""

import copy
import hashlib
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import bare
import configuration
import pools
from gpu_report import NOT_HERE, Row
from pt4al.images.augment import Augmentation
from pt4al.images.pool import ImagePool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.randomness import stream
from pt4al.selection import candidates as query
from pt4al.selection import ranking
from pt4al.selection.uncertainty import MEASURES
from pt4al.training import networks
from pt4al.training.engine import Loss, Training, fit, predict
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.reading import reader
from pt4al.training.schedule import Schedule
from pt4al.training.tasks import classification

PROCESSOR = Hardware("cpu", "fp32")
PRECISIONS = ("fp32", "bf16")
# fp32 rounds to 2e-7 and sums of thousands to 1e-5; the TF32 of convolutions, which must be off, to 5e-4.
ERROR = {"fp32": 1e-4, "bf16": 2e-2}
TRAINED_ERROR = {"fp32": 1e-2, "bf16": 5e-2}  # after a few steps, each of which doubles what was rounded before
SHARED = {"fp32": 0.99, "bf16": 0.9}  # of the images that are in the same batch of the ranking, or query
BATCHES, CLASSES = 5, 10
SMALL = "resnet8_w16"
VISION = "timm/vit_small_patch16_224"
AUGMENT = Augmentation(crop_padding=2, flip=True, smallest_crop=0.5)


@dataclass(frozen=True)
class Trained:
    """What is trained, always from the same weights."""

    name: str  # of the network
    pool: ImagePool
    loss: Loss
    outputs: int
    targets: torch.Tensor | None = None
    dense: bool = False
    head: str = "linear"

    def run(self, hardware: Hardware, steps: int) -> Network:
        """Return the network after so many steps."""
        network = build(self.name, self.outputs, self.pool, self.dense, self.head)
        plan, rng = schedule(steps, min(32, len(self.pool)), rate=0.01), stream(0, "training")
        fit(network, self.loss, self.pool, Training(plan, rng, augment=AUGMENT), hardware, targets=self.targets)
        return network


def close(what: str, found: np.ndarray, reference: np.ndarray, allowed: float) -> Row:
    """Check that the relative error is as small as allowed; 0 allows none."""
    found, reference = np.asarray(found, np.float64), np.asarray(reference, np.float64)
    error = np.linalg.norm(found - reference) / max(np.linalg.norm(reference), np.finfo(np.float64).tiny)
    return Row("check", what, float(error), "error", f"at most {allowed:g}", bool(error <= allowed))


def shared(what: str, found: pd.Series, reference: pd.Series, wanted: float) -> Row:
    """Check that as large a share of two tables' rows is the same as wanted: ids of queries, or batches by id."""
    share = float(found.isin(reference).mean())
    return Row("check", what, share, "shared", f"at least {wanted:g}", len(found) == len(reference) and share >= wanted)


def agreement(hardware: Hardware, quick: bool) -> Iterator[Row]:
    """Losses, ranking, features, scores, queries and a short training, in both precisions, beside the processor's."""
    images, steps = (192, 24) if quick else (2048, 200)
    settings = configuration.read(params="engine.device=cpu,engine.precision=fp32")
    with tempfile.TemporaryDirectory() as folder:
        pool, targets = pools.shipped(settings.pool, Path(folder, "pool"), images)
        pretext, main = PRETEXT_TASKS["rotation"], build(SMALL, CLASSES, pool)
        turned = build(SMALL, pretext.outputs, pool)
        device = Hardware(hardware.device, "fp32")
        fit(turned, pretext.loss, pool, Training(schedule(steps), stream(0, "pretext")), device)
        fit(main, classification.loss, pool, Training(schedule(steps), stream(0, "main")), device, targets=targets)
        for precision in PRECISIONS:
            here = Hardware(hardware.device, precision)
            yield from _pretext_losses(here, pool)
            yield from _rankings(here, pool, turned)
            yield from _queries(here, pool, main)
            yield _short_training(here, pool, targets, max(3, steps // 10))


def repeats(hardware: Hardware, quick: bool) -> Iterator[Row]:
    """The same seed twice gives the same bytes: of small and large networks, maps, attention."""
    grey, targets = pools.made(128, (1, 28, 28))
    colour, _ = pools.made(128, (3, 32, 32))
    large, _ = pools.made(8, (3, 160, 160)) if quick else pools.made(16, (3, 224, 224))
    colours = PRETEXT_TASKS["colorization"]
    trainings = [
        Trained(SMALL, grey, classification.loss, CLASSES, targets),
        Trained(SMALL, colour, colours.loss, colours.outputs, dense=True),
        Trained("timm/test_vit" if quick else VISION, large, classification.loss, CLASSES, targets[: len(large)]),
    ]
    if not quick:
        trainings.append(Trained("resnet18", colour, classification.loss, CLASSES, targets))
    for training in trainings:
        for precision in PRECISIONS:
            yield _twice(training, Hardware(hardware.device, precision), 2 if quick else 20)


def waiting(hardware: Hardware, quick: bool) -> Iterator[Row]:
    """No step waits for the device: twice the steps of an epoch wait as often."""
    if hardware.device == "cpu":
        yield Row("check", "waits for the device in ten steps", None, beside=NOT_HERE)
        return
    pool, targets = pools.made(4096, (3, 32, 32))
    weighted = partial(classification.loss, weights=torch.ones(CLASSES))
    yield _waits("classification", Trained(SMALL, pool, weighted, CLASSES, targets), hardware)
    for name, task in PRETEXT_TASKS.items():
        if task.trains:
            training = Trained(SMALL, pool, task.loss, task.outputs, dense=task.dense, head=task.head)
            yield _waits(name, training, hardware)


def reading(hardware: Hardware, quick: bool) -> Iterator[Row]:
    """Images that a GPU keeps and images that come minibatch by minibatch are the same."""
    pool, targets = pools.made(300, (3, 32, 32))
    positions = np.random.default_rng(0).permutation(200)[:64]
    rows = np.arange(len(pool))[::-1][:200].copy()
    expected = pool.gather(rows[positions])
    for again in (True, False):
        images, wanted = reader(pool, rows, targets[:200], hardware, again)(positions)
        what = f"images that are {'kept on the device' if again else 'sent one minibatch at a time'}"
        yield close(what, images.cpu().numpy(), expected.numpy(), 0)
        yield close(f"{what}: targets", wanted.cpu().numpy(), targets[positions].numpy(), 0)


def build(name: str, outputs: int, pool: ImagePool, dense: bool = False, head: str = "linear") -> Network:
    """Return a network whose weights are always the same, on the processor."""
    return networks.build(name, outputs, (pool.mean, pool.std), torch.Generator().manual_seed(0), dense, head)


def schedule(steps: int, minibatch: int = 32, rate: float = 0.05) -> Schedule:
    """A schedule of so many steps."""
    return Schedule(
        epochs=1e-9,
        minimum_steps=steps,
        minibatch=minibatch,
        learning_rate=rate,
        shape="one_cycle",
        momentum=0.9,
        weight_decay=5e-4,
    )


def _reference(network: Network, function: Loss, pool: ImagePool) -> np.ndarray:
    images = pool.gather(np.arange(len(pool)))
    return bare.score(copy.deepcopy(network).cpu(), function, images, PROCESSOR).numpy()


def _pretext_losses(hardware: Hardware, grey: ImagePool) -> Iterator[Row]:
    """Of networks that are not trained."""
    colour, _ = pools.made(64, (3, 32, 32))
    for name, task in PRETEXT_TASKS.items():
        pool = colour if task.dense else grey
        network = build(SMALL, task.outputs, pool, task.dense, task.head)
        if task.trains:
            reference = _reference(network, task.loss, pool)
        else:
            reference = task.score(copy.deepcopy(network), pool, PROCESSOR)
        found = task.score(network, pool, hardware)
        yield close(f"pretext loss, {name}, {hardware.precision}", found, reference, ERROR[hardware.precision])


def _rankings(hardware: Hardware, pool: ImagePool, network: Network) -> Iterator[Row]:
    task, precision = PRETEXT_TASKS["rotation"], hardware.precision
    reference = _reference(network, task.loss, pool)
    found = task.score(network, pool, hardware)
    yield close(f"pretext loss of a trained network, {precision}", found, reference, ERROR[precision])
    batches = [ranking.split(ranking.rank(pool.ids, losses), BATCHES) for losses in (found, reference)]
    placed = [table["id"] + " in batch " + table["batch"].astype(str) for table in batches]
    yield shared(f"batch in the ranking, {precision}", *placed, SHARED[precision])


def _queries(hardware: Hardware, pool: ImagePool, network: Network) -> Iterator[Row]:
    precision = hardware.precision
    features = predict(network, Network.features, pool, hardware)
    yield close(f"features, {precision}", features, _reference(network, Network.features, pool), ERROR[precision])
    candidates = ranking.split(ranking.rank(pool.ids, np.zeros(len(pool), np.float32)), 1)
    budget = len(pool) // 4
    for name, measure in MEASURES.items():
        function = partial(classification.uncertainty, measure=measure)
        scores = predict(network, function, pool, hardware), _reference(network, function, pool)
        yield close(f"score, {name}, {precision}", *scores, ERROR[precision])
        chosen = [np.argsort(-found, kind="stable")[:budget] for found in scores]
        ids = [query.pick(candidates, rows)["id"] for rows in chosen]
        yield shared(f"query, {name}, {precision}", *ids, SHARED[precision])


def _short_training(hardware: Hardware, pool: ImagePool, targets: torch.Tensor, steps: int) -> Row:
    """Without augmentation, whose random numbers differ from device to device."""

    def trained(here: Hardware) -> np.ndarray:
        network = build(SMALL, CLASSES, pool)
        fit(
            network,
            classification.loss,
            pool,
            Training(schedule(steps, rate=0.02), stream(0, "short")),
            here,
            targets=targets,
        )
        return predict(network, classification.loss, pool, here, targets=targets)

    what = f"losses after {steps} steps of training, {hardware.precision}"
    return close(what, trained(hardware), trained(PROCESSOR), TRAINED_ERROR[hardware.precision])


def _twice(training: Trained, hardware: Hardware, steps: int) -> Row:
    first, second = (_digests(training.run(hardware, steps)) for _ in range(2))
    differ = float(np.mean([one != other for one, other in zip(first, second, strict=True)]))
    what = f"same seed twice, {training.name}{', maps' if training.dense else ''}, {hardware.precision}"
    return Row("check", what, differ, "of tensors", "differ: at most 0", differ == 0)


def _digests(network: Network) -> list[str]:
    tensors = network.state_dict().values()
    return [hashlib.sha256(tensor.cpu().contiguous().numpy().tobytes()).hexdigest() for tensor in tensors]


def _waits(what: str, training: Trained, hardware: Hardware) -> Row:
    counts = []
    for steps in (10, 20):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                training.run(hardware, steps)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        counts.append(sum("synchroniz" in str(warning.message) for warning in caught))
    waits = counts[1] - counts[0]
    return Row("check", f"waits for the device in ten steps, {what}", waits, "", "at most 0", waits == 0)
