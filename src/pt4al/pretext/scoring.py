"""Pretext losses of images in memory, without a run around them: `pt4al.pretext_losses`.

Runs train and score by `pipelines/pretext/nodes.py`.
"""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from pt4al.errors import InputError, did_you_mean
from pt4al.images.augment import Augmentation
from pt4al.images.pool import ImagePool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.pretext.losses import cross_fitted
from pt4al.pretext.task import PretextTask
from pt4al.randomness import stream, torch_generator
from pt4al.training.engine import Training, fit
from pt4al.training.networks import Network, build
from pt4al.training.precision import Hardware, choose_device
from pt4al.training.schedule import Schedule

FEWEST = 4  # images: each half of the cross-fitting trains on two, which batch norms can tell apart
# As in conf/base/parameters.yml, block `pretext`.
SCHEDULE = {
    "minimum_steps": 100,
    "minibatch": 64,
    "learning_rate": 0.1,
    "shape": "one_cycle",
    "momentum": 0.9,
    "weight_decay": 0.0005,
}


def pretext_losses(
    images: Any,
    task: str = "rotation",
    *,
    network: str = "resnet8_w16",
    epochs: float = 5,
    seed: int = 0,
) -> np.ndarray:
    """Train a pretext task on images, and return the loss of each: the highest is the hardest.

    Each half of the images is scored by a network trained on the other half, on a GPU where there
    is one.

    Parameters
    ----------
    images
        uint8, (N, channels, height, width) or, grey, (N, height, width); an array or a tensor.
    task
        A name in `PRETEXT_TASKS`: `rotation`, `jigsaw`, `colorization`, `simsiam`, `embedding`.
    network
        Name of the network that is trained, from nothing.
    epochs
        Passes over the images; at least 100 steps are taken.
    seed
        Of weights, halves and minibatches.

    Returns
    -------
    (N,) float32.

    Raises
    ------
    InputError
        If a name is unknown, or images are no uint8 images.

    Source: PT4AL (Yi et al. 2022), section 3.1; cross-fitting is ours.

    Examples
    --------
    >>> hardest_first = np.argsort(-pretext_losses(images), kind="stable")
    """
    if task not in PRETEXT_TASKS:
        raise InputError(f"`task` {task!r} is unknown: {did_you_mean(task, PRETEXT_TASKS)}")
    pool = _pool(images)
    chosen = PRETEXT_TASKS[task]
    hardware = Hardware(choose_device(), "fp32")
    train = partial(_train, chosen, pool, network, Schedule(epochs=epochs, **SCHEDULE), hardware)
    halves = stream(seed, "pretext_half")
    return cross_fitted(chosen, partial(train, seed), pool, hardware, halves)


def _pool(images: Any) -> ImagePool:
    pixels = np.asarray(images)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1] not in (1, 3):
        raise InputError(
            f"`images` are {pixels.dtype} of shape {np.asarray(images).shape}: they must be uint8, "
            "(N, 1 or 3, height, width)"
        )
    if len(pixels) < FEWEST:
        raise InputError(f"`images` are {len(pixels)}: at least {FEWEST} are needed")
    channels = torch.from_numpy(np.array([pixels.mean((0, 2, 3)), pixels.std((0, 2, 3))]))
    mean, std = channels.clamp(min=1e-3).tolist()
    index = pd.DataFrame({"id": [str(row) for row in range(len(pixels))]})
    return ImagePool(pixels, index, mean, std, "in memory")


def _train(
    task: PretextTask,
    pool: ImagePool,
    name: str,
    schedule: Schedule,
    hardware: Hardware,
    seed: int,
    **half: Any,
) -> tuple[Network, pd.DataFrame]:
    """Train on one half; `half` has `rows` and `turn`."""
    rng = stream(seed, "pretext", half["turn"])
    generator = torch_generator(rng)
    network = build(name, task.outputs, (pool.mean, pool.std), generator, task.dense, task.head)
    if not task.trains:
        return network, pd.DataFrame()
    augment = Augmentation(crop_padding=2, flip=True, smallest_crop=1)
    training = Training(schedule, rng, augment, title="pretext")
    return network, fit(network, task.loss, pool, training, hardware, half["rows"])
