"""Nodes of stage `pretext`.

`images` are the pool, or features of its views (`pretext.start_from: features`).
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from pt4al.features.vectors import Features, moments
from pt4al.images.pool import ImagePool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.pretext.losses import cross_fitted, mean_over_epochs
from pt4al.project.configuration.parameters import Parameters
from pt4al.randomness import stream, torch_generator
from pt4al.training.engine import CURVE, Training, fit
from pt4al.training.networks import Network, build, build_probe, load_pretrained

IN_SAMPLE = "in_sample"


def train(
    images: ImagePool | Features,
    settings: Parameters,
    *,
    turn: int = 0,
    rows: np.ndarray | None = None,
    each_epoch: Callable[[Network], None] | None = None,
) -> tuple[Network, pd.DataFrame]:
    """Return the pretext network and its training curve.

    Parameters
    ----------
    turn
        0 for the network that is handed on, another number for others that only score.
    rows
        Rows of the images to train on; all by default.
    each_epoch
        Called with the network at the end of each epoch.
    """
    pretext = settings.pretext
    task = PRETEXT_TASKS[pretext.task]
    rng = stream(settings.run.seed, "pretext", turn)
    generator = torch_generator(rng)
    viewed = pretext.start_from == "features"
    if viewed:
        network = build_probe(task.viewed, moments(images), generator)
    else:
        moments_of_pool = images.mean, images.std
        network = build(
            pretext.network, task.outputs, moments_of_pool, generator, task.dense, task.head
        )
    if pretext.start_from == "pretrained":
        load_pretrained(network, pretext.weights)
    if not task.trains:
        return network, pd.DataFrame(columns=CURVE)
    augment = None if viewed else pretext.augment
    training = Training(
        pretext.schedule,
        rng,
        augment,
        title=pretext.task,
        each_epoch=each_epoch,
        run=settings.run.name,
    )
    loss = task.view_loss if viewed else task.loss
    return network, fit(network, loss, images, training, settings.engine.hardware, rows)


def score(
    pool: ImagePool,
    images: ImagePool | Features,
    network: Network,
    earlier: pd.DataFrame,
    settings: Parameters,
) -> pd.DataFrame:
    """Return `id`, `digest`, `pretext_loss`, in pool order; images that have a loss keep it.

    Those that the pool has grown by are scored by the pretext network, which has not seen them,
    whatever `pretext.losses` says.
    """
    table = pool.fingerprints[["id", "digest"]].assign(pretext_loss=np.float32(np.nan))
    if len(earlier):
        table = table.drop(columns="pretext_loss").merge(earlier, on=["id", "digest"], how="left")
    new = np.flatnonzero(table["pretext_loss"].isna())
    if len(new):
        kind = settings.pretext.losses if len(new) == len(pool) else IN_SAMPLE
        rows = images.rows(table["id"].iloc[new])
        table.loc[new, "pretext_loss"] = _losses(kind, images, network, rows, settings)
    return table


def _losses(
    kind: str,
    images: ImagePool | Features,
    network: Network,
    rows: np.ndarray,
    settings: Parameters,
) -> np.ndarray:
    """The losses of rows of the images, in their order."""
    task = PRETEXT_TASKS[settings.pretext.task]
    hardware = settings.engine.hardware
    again = partial(train, images, settings)
    if kind == "cross_fitted":
        rng = stream(settings.run.seed, "pretext_half")
        return cross_fitted(task, again, images, hardware, rng)[rows]
    if kind == "mean_over_epochs":
        return mean_over_epochs(task, again, images, hardware)[rows]
    return task.score(network, images, hardware, rows)
