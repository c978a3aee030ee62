"""Nodes of stage `pretext`. `images` are the pool, or features of its views (`pretext.start_from: features`)."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pt4al.features.vectors import Features, moments
from pt4al.images.pool import ImagePool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.pretext.losses import cross_fitted, mean_over_epochs
from pt4al.project.configuration.parameters import Engine, Pretext, Run
from pt4al.randomness import stream, torch_generator
from pt4al.training.engine import CURVE, fit
from pt4al.training.networks import Network, build, build_probe, load_pretrained
from pt4al.training.precision import Hardware

IN_SAMPLE = "in_sample"


def train(
    images: ImagePool | Features,
    pretext: Pretext,
    engine: Engine,
    run: Run,
    *,
    turn: int = 0,
    **fitting: Any,
) -> tuple[Network, pd.DataFrame]:
    """Return the pretext network and its training curve.

    `turn` is 0 for the network that is handed on, another number for others that only score;
    `fitting` goes to `engine.fit`.
    """
    task = PRETEXT_TASKS[pretext.task]
    rng = stream(run.seed, "pretext", turn)
    generator = torch_generator(rng)
    if pretext.start_from == "features":
        network = build_probe(task.viewed, *moments(images), generator)
        loss = task.view_loss
        augment = None
    else:
        network = build(
            pretext.network,
            task.outputs,
            images.mean,
            images.std,
            generator,
            dense=task.dense,
            head=task.head,
        )
        loss = task.loss
        augment = pretext.augment
    if pretext.start_from == "pretrained":
        load_pretrained(network, pretext.weights)
    if not task.trains:
        return network, pd.DataFrame(columns=CURVE)
    hardware = Hardware(engine.device, engine.precision)
    settings = {"augment": augment, "title": pretext.task}
    return network, fit(
        network, loss, images, pretext.schedule, rng, hardware, **settings, **fitting
    )


def score(
    pool: ImagePool,
    images: ImagePool | Features,
    network: Network,
    known: pd.DataFrame,
    pretext: Pretext,
    engine: Engine,
    run: Run,
) -> pd.DataFrame:
    """Return `id`, `digest`, `pretext_loss`, in pool order; images whose loss is known already keep it.

    Those that the pool has grown by are scored by the pretext network, which has not seen them,
    whatever `pretext.losses` says.
    """
    table = pool.fingerprints[["id", "digest"]].assign(pretext_loss=np.float32(np.nan))
    if len(known):
        table = table.drop(columns="pretext_loss").merge(known, on=["id", "digest"], how="left")
    new = np.flatnonzero(table["pretext_loss"].isna())
    if len(new):
        first = pretext.losses if len(new) == len(pool) else IN_SAMPLE
        rows = images.rows(table["id"].iloc[new])
        table.loc[new, "pretext_loss"] = _losses(first, images, network, rows, pretext, engine, run)
    return table


def _losses(
    kind: str,
    images: ImagePool | Features,
    network: Network,
    rows: np.ndarray,
    pretext: Pretext,
    engine: Engine,
    run: Run,
) -> np.ndarray:
    """The losses of rows of the images, in their order; of all rows where each is scored by others than its own."""
    task = PRETEXT_TASKS[pretext.task]
    hardware = Hardware(engine.device, engine.precision)
    again = partial(train, images, pretext, engine, run)
    if kind == "cross_fitted":
        return cross_fitted(task, again, images, hardware, stream(run.seed, "pretext_half"))[rows]
    if kind == "mean_over_epochs":
        return mean_over_epochs(task, again, images, hardware)[rows]
    return task.score(network, images, hardware, rows)
