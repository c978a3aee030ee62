"""Benchmark `training`: images a second of engine.fit, beside the limit and beside the released code's way."""

import copy
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import bare
import configuration
import pools
import released
from document import Section
from pt4al.images.pool import ImagePool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.project.configuration.parameters import Main, Pretext
from pt4al.training import networks
from pt4al.training.engine import Loss, Training, fit
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification
from timing import Variant, compared, interleaved, wait_for

TEXT = """
Default augmentation, network and minibatch of `conf/base`. *Limit*: the same network, loss, fused SGD, precision and
minibatch in a bare loop over tensors in memory, without augmentation, shuffling, learning-rate schedule, curve or
progress. *Released way*: a PNG file a picture, PIL and torchvision transforms one by one in a `DataLoader` (0 or 2
workers, the faster one counts), fp32, NCHW, one network pass a rotation, numbers read out at every step
(`benchmarks/released.py`). An image of the rotation task is trained on in four rotations and counted once.
Goals: 0.95 of the limit, 1.5 times the released way.
"""


@dataclass(frozen=True)
class Work:
    """What is trained: with targets the main task, without them the pretext task."""

    title: str
    block: Pretext | Main
    loss: Loss
    outputs: int  # of the network
    targets: torch.Tensor | None


def measure(hardware: Hardware, quick: bool) -> Section:
    """Train for a few dozen steps, several times."""
    settings = configuration.read(params="pool.limit.train=500" if quick else "")
    repeats = 1 if quick else 7
    pretext = PRETEXT_TASKS[settings.pretext.task]
    with tempfile.TemporaryDirectory() as folder:
        pool, targets = pools.shipped(settings.pool, Path(folder, "pool"))
        paths, classes = released.write_pictures(pool, Path(folder, "pictures")), int(targets.max()) + 1
        rotation = Work(f"pretext, {settings.pretext.task}", settings.pretext, pretext.loss, pretext.outputs, None)
        main = Work("main, classification", settings.main, classification.loss, classes, targets)
        rows = []
        for work, steps in ((rotation, 1 if quick else 50), (main, 2 if quick else 150)):
            ways = {**tool(work, pool, hardware, steps), **_released(work, pool, paths, steps)}
            measured = f"{repeats} rounds of {steps} steps of {work.block.schedule.minibatch}"
            rows.append(_row(work.title, interleaved(ways, repeats), measured))
    return Section("training", pd.DataFrame(rows), TEXT)


def tool(work: Work, pool: ImagePool, hardware: Hardware, steps: int) -> dict[str, Variant]:
    """The tool's own training, and its limit, to whose device the images have gone before."""
    schedule = work.block.schedule.model_copy(update={"epochs": 1e-9, "minimum_steps": steps})
    images = pool.gather(np.arange(len(pool)))
    tensors = [tensor.to(hardware.device) for tensor in (images, work.targets) if tensor is not None]
    drawn = networks.build(work.block.network, work.outputs, (pool.mean, pool.std), torch.Generator().manual_seed(0))

    def ours() -> None:
        rng, augment = np.random.default_rng(0), work.block.augment
        fit(
            copy.deepcopy(drawn),
            work.loss,
            pool,
            Training(schedule, rng, augment=augment),
            hardware,
            targets=work.targets,
        )
        wait_for(hardware.device)

    def limit() -> None:
        bare.train(copy.deepcopy(drawn), work.loss, tensors, schedule, hardware)
        wait_for(hardware.device)

    return {way.__name__: Variant(way, steps * schedule.minibatch) for way in (ours, limit)}


def _released(work: Work, pool: ImagePool, paths: list[Path], steps: int) -> dict[str, Variant]:
    """The released way, without and with workers."""
    kind, classes = released.Pictures, work.targets
    if work.targets is None:
        kind, classes = released.TurnedPictures, torch.zeros(len(paths), dtype=torch.int64)
    pictures = kind(paths, classes, released.transform(pool, work.block.augment.crop_padding))
    images = steps * work.block.schedule.minibatch

    def train(workers: int) -> None:
        network = released.network(work.block.network, pool.shape[0], work.outputs)
        released.train(network, pictures, images, work.block.schedule, workers)

    return {f"{workers} workers": Variant(partial(train, workers), images) for workers in (0, 2)}


def _row(title: str, rates: pd.DataFrame, measured: str) -> dict[str, str]:
    return {"task": title, **compared(rates), "measured": measured}
